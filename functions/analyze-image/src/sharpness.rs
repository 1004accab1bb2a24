//! How sharp a picture is.

use image::GrayImage;

/// The variance of the Laplacian: an edge that is sharp has a second derivative far from zero, a blurred one does not.
///
/// A picture of less than three pixels on a side has no such derivative, and the sharpness 0.
pub(crate) fn sharpness(grey: &GrayImage) -> f64 {
    let width = grey.width() as usize;
    let samples = grey.as_raw();
    let rows: Vec<&[u8]> = samples.chunks_exact(width.max(1)).collect();
    let (mut count, mut sum, mut squares) = (0_u32, 0_i64, 0_i64);
    for three in rows.windows(3) {
        let [above, own, below] = three else { continue };
        let across = own.windows(3).zip(above.iter().zip(below.iter()).skip(1));
        for (beside, (above, below)) in across {
            let &[left, middle, right] = beside else { continue };
            let around = [left, right, *above, *below].map(i64::from).iter().sum::<i64>();
            let laplacian = around - 4 * i64::from(middle);
            count += 1;
            sum += laplacian;
            squares += laplacian * laplacian;
        }
    }
    if count == 0 {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "a million samples below 2^21 each")]
    let (sum, squares) = (sum as f64, squares as f64);
    let mean = sum / f64::from(count);
    squares / f64::from(count) - mean * mean
}

#[cfg(test)]
mod tests {
    use image::imageops::blur;

    use super::*;

    #[test]
    fn a_blurred_picture_is_less_sharp() {
        let stripes = GrayImage::from_fn(64, 64, |x, _| [if x / 8 % 2 == 0 { 20 } else { 220 }].into());
        let sharp = sharpness(&stripes);
        let blurred = sharpness(&blur(&stripes, 2.0));
        assert!(sharp > 1000.0 && blurred < sharp / 10.0, "{sharp} {blurred}");
    }

    #[test]
    fn what_has_no_edges_has_no_sharpness() {
        for (width, height) in [(1, 1), (2, 9), (9, 2), (50, 50)] {
            assert!(sharpness(&GrayImage::from_pixel(width, height, [77].into())).abs() < 1e-9, "{width} {height}");
        }
    }
}

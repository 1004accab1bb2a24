//! Scaling.

use fast_image_resize::{ResizeAlg, ResizeOptions, Resizer};
use image::DynamicImage;

use crate::picture::Size;

/// Scales down with a Lanczos filter until no side is longer than this.
///
/// `fast_image_resize` does it with the processor's vector instructions, and weighs colours by their opacity.
pub(crate) fn fit(pixels: &DynamicImage, longest: u32) -> DynamicImage {
    let size = Size::of(pixels);
    let fitted = size.fitted(longest);
    if fitted == size {
        return pixels.clone();
    }
    let mut scaled = DynamicImage::new(fitted.width, fitted.height, pixels.color());
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(fast_image_resize::FilterType::Lanczos3));
    match Resizer::new().resize(pixels, &mut scaled, &options) {
        Ok(()) => scaled,
        // Only of pixels that the library does not know; all pictures have eight bits for each channel.
        Err(error) => {
            tracing::warn!("scaling without vector instructions: {error}");
            pixels.resize_exact(fitted.width, fitted.height, image::imageops::FilterType::Lanczos3)
        }
    }
}

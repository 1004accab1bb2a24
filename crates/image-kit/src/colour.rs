//! Colours: eight bits, and one colour space.

use image::DynamicImage;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Pixels of any kind as RGB, or as RGBA where some are not opaque.
pub(crate) fn eight_bits(pixels: DynamicImage) -> DynamicImage {
    if !pixels.color().has_alpha() {
        return DynamicImage::ImageRgb8(pixels.into_rgb8());
    }
    let pixels = pixels.into_rgba8();
    if pixels.pixels().all(|pixel| pixel.0[3] == u8::MAX) {
        return DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(pixels).into_rgb8());
    }
    DynamicImage::ImageRgba8(pixels)
}

/// The colours as sRGB, in which a picture without a profile is shown.
///
/// A profile that is damaged, or is not for RGB (of a picture that was printed, say), is left aside, as viewers do.
pub(crate) fn into_srgb(mut pixels: DynamicImage, profile: Option<&[u8]>) -> DynamicImage {
    let Some(profile) = profile else { return pixels };
    let profile = match ColorProfile::new_from_slice(profile) {
        Ok(profile) if profile.color_space == DataColorSpace::Rgb => profile,
        Ok(_) => return pixels,
        Err(error) => {
            tracing::warn!("the colour profile can't be read: {error}");
            return pixels;
        }
    };
    let (layout, row_bytes, samples): (_, _, &mut [u8]) = match &mut pixels {
        DynamicImage::ImageRgb8(rgb) => (Layout::Rgb, rgb.width() as usize * 3, rgb),
        DynamicImage::ImageRgba8(rgba) => (Layout::Rgba, rgba.width() as usize * 4, rgba),
        _ => return pixels,
    };
    let srgb = ColorProfile::new_srgb();
    let transform = match profile.create_transform_8bit(layout, &srgb, layout, TransformOptions::default()) {
        Ok(transform) => transform,
        Err(error) => {
            tracing::warn!("the colour profile can't be used: {error}");
            return pixels;
        }
    };
    // Row by row: a second picture of the same size would be needed otherwise.
    let mut own = vec![0; row_bytes];
    for row in samples.chunks_exact_mut(row_bytes) {
        own.copy_from_slice(row);
        if let Err(error) = transform.transform(&own, row) {
            tracing::warn!("the colour profile can't be used: {error}");
            return pixels;
        }
    }
    pixels
}

//! From a picture to a file. What is not written here is not in the file: no metadata, no colour profile.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ImageError, RgbImage, RgbaImage};

use crate::{Error, Format, Picture};

/// Of JPEG, from 1 to 100: at the usual distance no difference can be seen.
const JPEG_QUALITY: u8 = 85;

/// Of WebP, from 0 to 100: about as good as JPEG with 85.
const WEBP_QUALITY: f32 = 80.0;

/// A picture of more pixels is encoded as WebP without its tokens in memory, which noise makes 14 bytes for each pixel: that is
/// slower, and the file is a little larger.
const WEBP_KEEPS_TOKENS: u64 = 16_000_000;

/// A format that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// JPEG. It has no transparency: there the picture lies on white.
    Jpeg,
    /// PNG.
    Png,
    /// WebP, with losses.
    WebP,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::WebP];

    /// The format.
    pub fn format(self) -> Format {
        match self {
            Self::Jpeg => Format::Jpeg,
            Self::Png => Format::Png,
            Self::WebP => Format::WebP,
        }
    }
}

impl Picture {
    /// The picture as a file of this format.
    pub fn encode(&self, target: Target) -> Result<Vec<u8>, Error> {
        let mut file = Vec::new();
        let written = match target {
            Target::Jpeg => {
                let encoder = JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY);
                match self.pixels() {
                    DynamicImage::ImageRgba8(rgba) => on_white(rgba).write_with_encoder(encoder),
                    opaque => opaque.write_with_encoder(encoder),
                }
            }
            Target::Png => {
                let encoder = PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Adaptive);
                self.pixels().write_with_encoder(encoder)
            }
            Target::WebP => return self.webp(),
        };
        written.map_err(|error: ImageError| failed(target, error))?;
        Ok(file)
    }

    fn webp(&self) -> Result<Vec<u8>, Error> {
        let size = self.size();
        let encoder = match self.pixels() {
            DynamicImage::ImageRgba8(rgba) => webp::Encoder::from_rgba(rgba, size.width, size.height),
            opaque => webp::Encoder::from_rgb(opaque.as_bytes(), size.width, size.height),
        };
        let mut config =
            webp::WebPConfig::new().map_err(|()| failed(Target::WebP, "its encoder has another version"))?;
        config.quality = WEBP_QUALITY;
        config.low_memory = (u64::from(size.width) * u64::from(size.height) > WEBP_KEEPS_TOKENS).into();
        let file = encoder.encode_advanced(&config);
        let file = file.map_err(|error| failed(Target::WebP, format!("{error:?}")))?;
        Ok(file.to_vec())
    }
}

fn failed(target: Target, error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("{}: {error}", target.format()))
}

/// The picture on white paper.
pub(crate) fn on_white(rgba: &RgbaImage) -> DynamicImage {
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (opaque, pixel) in rgb.pixels_mut().zip(rgba.pixels()) {
        let [red, green, blue, alpha] = pixel.0.map(u32::from);
        let blend = |colour: u32| u8::try_from((colour * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX);
        opaque.0 = [red, green, blue].map(blend);
    }
    DynamicImage::ImageRgb8(rgb)
}

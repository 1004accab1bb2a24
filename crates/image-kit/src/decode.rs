//! From a file to pixels, within the limits.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use crate::limits::{MAX_BYTES, MAX_DECODED_BYTES, MAX_PIXELS, MAX_SIDE, MAX_TRANSPARENT_PIXELS};
use crate::picture::{Picture, Size};
use crate::{Format, PictureError, colour, whole};

/// A picture as it is stored: decoded, but not yet turned and in the colours of its own profile.
#[derive(Debug)]
pub struct Stored {
    format: Format,
    pixels: DynamicImage,
    orientation: Orientation,
    profile: Option<Vec<u8>>,
}

impl Stored {
    /// Decodes a file. Of an animation that is its first picture.
    ///
    /// Nothing is decoded before the header says that it is small enough.
    pub fn decode(key: &str, content: &[u8]) -> Result<Self, PictureError> {
        if content.is_empty() {
            return Err(PictureError::EmptyFile);
        }
        let bytes = content.len() as u64;
        if bytes > MAX_BYTES {
            return Err(PictureError::FileTooLarge { bytes });
        }
        let format = Format::of(key, content)?;
        if !whole::has_its_end(format, content) {
            return Err(PictureError::TruncatedFile { format });
        }
        let failed = |error| PictureError::of_decoder(format, &error);
        let mut reader = ImageReader::with_format(Cursor::new(content), format.decoded_by());
        reader.limits(memory());
        let mut decoder = reader.into_decoder().map_err(failed)?;
        check(&decoder)?;
        let profile = decoder.icc_profile().map_err(failed)?;
        let orientation = decoder.orientation().map_err(failed)?;
        let pixels = colour::eight_bits(DynamicImage::from_decoder(decoder).map_err(failed)?);
        check_transparency(&pixels)?;
        Ok(Self { format, pixels, orientation, profile })
    }

    /// The file's format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether the picture is turned or mirrored when it is shown.
    pub fn is_turned(&self) -> bool {
        self.orientation != Orientation::NoTransforms
    }

    /// The size of the picture when it is upright.
    pub fn size(&self) -> Size {
        let Size { width, height } = Size::of(&self.pixels);
        if swaps_sides(self.orientation) { Size { width: height, height: width } } else { Size { width, height } }
    }

    /// The whole picture.
    pub fn into_picture(self) -> Picture {
        let pixels = colour::into_srgb(self.pixels, self.profile.as_deref());
        Picture::upright(pixels, self.orientation)
    }

    /// The picture scaled down until no side is longer than this. A smaller one keeps its size.
    pub fn scaled(&self, longest: u32) -> Picture {
        // Scaled first: then little is left to convert and to turn. A box is a square, so turning changes nothing about it.
        let scaled = crate::scale::fit(&self.pixels, longest);
        Picture::upright(colour::into_srgb(scaled, self.profile.as_deref()), self.orientation)
    }
}

fn swaps_sides(orientation: Orientation) -> bool {
    use Orientation as Turn;
    matches!(orientation, Turn::Rotate90 | Turn::Rotate270 | Turn::Rotate90FlipH | Turn::Rotate270FlipH)
}

/// What the decoders may allocate, beside the pixels that they give.
fn memory() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(2 * MAX_DECODED_BYTES);
    limits
}

/// Refuses a picture by what its header says.
fn check(decoder: &impl ImageDecoder) -> Result<(), PictureError> {
    let (width, height) = decoder.dimensions();
    let too_large = |reason| Err(PictureError::PictureTooLarge { reason });
    if width.max(height) > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        let limits = format!("{MAX_PIXELS} and {MAX_SIDE} on a side are the limits");
        return too_large(format!("it has {width} × {height} pixels; {limits}"));
    }
    let bytes = decoder.total_bytes();
    if bytes > MAX_DECODED_BYTES {
        return too_large(format!(
            "its {width} × {height} pixels take {bytes} bytes; {MAX_DECODED_BYTES} are the limit"
        ));
    }
    Ok(())
}

/// Refuses a picture of which so much is transparent that it could not be written. Only the pixels tell: many formats have an
/// alpha channel that is opaque everywhere, and that is gone by now.
fn check_transparency(pixels: &DynamicImage) -> Result<(), PictureError> {
    let Size { width, height } = Size::of(pixels);
    if pixels.color().has_alpha() && u64::from(width) * u64::from(height) > MAX_TRANSPARENT_PIXELS {
        let reason =
            format!("it has {width} × {height} pixels with transparency; {MAX_TRANSPARENT_PIXELS} are the limit");
        return Err(PictureError::PictureTooLarge { reason });
    }
    Ok(())
}

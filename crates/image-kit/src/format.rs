//! The formats of pictures.

use std::fmt;

use image::ImageFormat;
use serde::{Deserialize, Serialize};

use crate::PictureError;

/// A format that is read. All but GIF are written, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
    /// GIF.
    Gif,
}

impl Format {
    /// The format of a file. Its content tells; its key must agree.
    pub fn of(key: &str, content: &[u8]) -> Result<Self, PictureError> {
        let format = match image::guess_format(content) {
            Ok(ImageFormat::Jpeg) => Self::Jpeg,
            Ok(ImageFormat::Png) => Self::Png,
            Ok(ImageFormat::WebP) => Self::WebP,
            Ok(ImageFormat::Gif) => Self::Gif,
            Ok(other) => return Err(PictureError::UnsupportedFormat { found: format!("{other:?}") }),
            Err(_) => return Err(PictureError::UnsupportedFormat { found: "what is no picture".to_owned() }),
        };
        let name = key.rsplit('/').next().unwrap_or(key);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if format.has_extension(extension) {
            Ok(format)
        } else {
            Err(PictureError::WrongExtension { name: name.to_owned(), format })
        }
    }

    /// Whether a key of a picture in this format may have this extension.
    fn has_extension(self, extension: &str) -> bool {
        let is = |own: &str| own.eq_ignore_ascii_case(extension);
        is(self.extension()) || (self == Self::Jpeg && is("jpeg"))
    }

    /// The usual extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
        }
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
        }
    }

    pub(crate) fn decoded_by(self) -> ImageFormat {
        match self {
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Png => ImageFormat::Png,
            Self::WebP => ImageFormat::WebP,
            Self::Gif => ImageFormat::Gif,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
        })
    }
}

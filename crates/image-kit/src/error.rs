//! What can go wrong.

use function_kit::{INVALID_INPUT, NamedError, ServiceError};
use image::ImageError;

use crate::Format;
use crate::limits::MAX_BYTES;

/// A file that is no picture that can be used.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// There is nothing in the file.
    #[error("the file is empty")]
    EmptyFile,
    /// The file is of a kind that is not read.
    #[error("{found} can't be read; wanted is a picture as JPEG, PNG, WebP or GIF")]
    UnsupportedFormat {
        /// What it looks like.
        found: String,
    },
    /// The file's name says another format than its content.
    #[error("{name} is a {format} picture by its content; such a name ends in .{}", format.extension())]
    WrongExtension {
        /// The last part of the key.
        name: String,
        /// What the content is.
        format: Format,
    },
    /// The file is larger than is read.
    #[error("the file has {bytes} bytes, more than {MAX_BYTES}")]
    FileTooLarge {
        /// Its size.
        bytes: u64,
    },
    /// The picture is larger than the memory allows: more than is put up with on a side, in all, or once it is decoded.
    #[error("the picture is too large: {reason}")]
    PictureTooLarge {
        /// What is too large, and what the limit is.
        reason: String,
    },
    /// The file stops in the middle.
    #[error("the {format} file ends too early")]
    TruncatedFile {
        /// The file's format.
        format: Format,
    },
    /// The file is damaged.
    #[error("the {format} file can't be decoded: {reason}")]
    CorruptFile {
        /// The file's format.
        format: Format,
        /// What the decoder says.
        reason: String,
    },
}

impl PictureError {
    /// The name that a state machine catches.
    pub fn name(&self) -> &'static str {
        match self {
            Self::EmptyFile => "EmptyFile",
            Self::UnsupportedFormat { .. } => "UnsupportedFormat",
            Self::WrongExtension { .. } => "WrongExtension",
            Self::FileTooLarge { .. } => "FileTooLarge",
            Self::PictureTooLarge { .. } => "PictureTooLarge",
            Self::TruncatedFile { .. } => "TruncatedFile",
            Self::CorruptFile { .. } => "CorruptFile",
        }
    }

    /// What a decoder says.
    pub(crate) fn of_decoder(format: Format, error: &ImageError) -> Self {
        match error {
            ImageError::Limits(limits) => Self::PictureTooLarge { reason: limits.to_string() },
            ImageError::Unsupported(unsupported) => {
                Self::UnsupportedFormat { found: format!("this kind of {format} ({unsupported})") }
            }
            _ if ends_too_early(error) => Self::TruncatedFile { format },
            _ => Self::CorruptFile { format, reason: error.to_string() },
        }
    }
}

/// Whether an error comes down to an end that was not expected.
fn ends_too_early(error: &(dyn std::error::Error + 'static)) -> bool {
    let is_end = |error: &std::io::Error| error.kind() == std::io::ErrorKind::UnexpectedEof;
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref().is_some_and(is_end) {
            return true;
        }
        match (error.downcast_ref(), error.downcast_ref()) {
            (Some(ImageError::IoError(error)), _) if is_end(error) => return true,
            (_, Some(gif::DecodingError::UnexpectedEof)) => return true,
            _ => {}
        }
        next = error.source();
    }
    false
}

/// Why a function of the workflow failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input names no picture.
    #[error("{field} is empty")]
    InvalidInput {
        /// The field that is wrong.
        field: &'static str,
    },
    /// The picture can't be used.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The object is another one than the one that was found at the beginning.
    #[error("{key} in the bucket {bucket} has changed since it was looked at")]
    ObjectChanged {
        /// The object's bucket.
        bucket: String,
        /// The object's key.
        key: String,
    },
    /// A service did not do what it was asked for.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The picture takes longer than the function may run.
    #[error("the time of the function was not enough for the picture")]
    TimedOut,
    /// A library refused what the function made: a fault of the function.
    #[error("the result can't be made: {0}")]
    Internal(String),
}

impl NamedError for Error {
    fn name(&self) -> &'static str {
        match self {
            Self::InvalidInput { .. } => INVALID_INPUT,
            Self::Picture(error) => error.name(),
            Self::ObjectChanged { .. } => "ObjectChanged",
            Self::Service(error) => error.name(),
            Self::TimedOut => "TimedOut",
            Self::Internal(_) => "InternalError",
        }
    }
}

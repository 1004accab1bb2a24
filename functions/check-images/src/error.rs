//! What can go wrong.

use function_kit::NamedError;

/// The errors of the function. The library's documentation lists their names.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The functions before have seen different pictures.
    #[error("converted was a picture of {converted}, scaled one of {scaled}, analysed one of {analysed}")]
    ResultsDiffer {
        /// Size and format, for people.
        converted: String,
        /// The same.
        scaled: String,
        /// The same.
        analysed: String,
    },
    /// A result is not what it should be.
    #[error("s3://{bucket}/{key}: {reason}")]
    ResultNotUsable {
        /// The result's bucket.
        bucket: String,
        /// The result's key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Something else.
    #[error(transparent)]
    Other(#[from] image_kit::Error),
}

impl NamedError for Error {
    fn name(&self) -> &'static str {
        match self {
            Self::ResultsDiffer { .. } => "ResultsDiffer",
            Self::ResultNotUsable { .. } => "ResultNotUsable",
            Self::Other(error) => error.name(),
        }
    }
}

//! What can go wrong.

use function_kit::{INVALID_INPUT, NamedError, ServiceError, ServiceErrorKind};

/// The errors of the function. The library's documentation lists their names.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither the input nor the settings name the field.
    #[error("the input has no {field}, and the setting {variable} is not there to stand in")]
    Missing {
        /// The field of the input.
        field: &'static str,
        /// The variable that stands in for it.
        variable: &'static str,
    },
    /// The field of the input is the empty text.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// The bucket is there, the object is not.
    #[error("the object s3://{bucket}/{key} does not exist")]
    ObjectNotFound {
        /// The bucket.
        bucket: String,
        /// The key of the object.
        key: String,
    },
    /// The bucket does not exist.
    #[error("the bucket {0} does not exist")]
    BucketNotFound(String),
    /// S3 does not answer the question for another reason.
    #[error("s3://{bucket}/{key}: {source}")]
    Service {
        /// The bucket.
        bucket: String,
        /// The key of the object.
        key: String,
        /// What S3 answered.
        source: ServiceError,
    },
}

impl NamedError for Error {
    fn name(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::Empty(_) => INVALID_INPUT,
            Self::ObjectNotFound { .. } => ServiceErrorKind::ObjectNotFound.name(),
            Self::BucketNotFound(_) => ServiceErrorKind::BucketNotFound.name(),
            Self::Service { source, .. } => source.name(),
        }
    }
}

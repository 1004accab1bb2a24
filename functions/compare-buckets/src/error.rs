//! What can go wrong.

use function_kit::{NamedError, ServiceError};

/// The errors of the function. The library's documentation lists their names.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is in the source, and everything would go.
    #[error("the bucket {0} is empty; that is more likely a mistake than a wish to delete all of the target")]
    SourceEmpty(String),
    /// S3 does not do its part, on this bucket.
    #[error("s3://{bucket}: {source}")]
    Service {
        /// The bucket.
        bucket: String,
        /// What S3 answered.
        source: ServiceError,
    },
}

impl NamedError for Error {
    fn name(&self) -> &'static str {
        match self {
            Self::SourceEmpty(_) => "SourceEmpty",
            Self::Service { source, .. } => source.name(),
        }
    }
}

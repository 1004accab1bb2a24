//! What can go wrong.

use function_kit::{NamedError, ServiceError};

/// The error of the function. The library's documentation lists its names.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {source}; {failed} of {all} objects failed")]
pub struct Error {
    /// The first object that failed.
    pub key: String,
    /// What S3 answered.
    pub source: ServiceError,
    /// How many failed.
    pub failed: usize,
    /// How many there were.
    pub all: usize,
}

impl NamedError for Error {
    fn name(&self) -> &'static str {
        self.source.name()
    }
}

//! What can go wrong.

use function_kit::{NamedError, ServiceError};

/// The errors of the function. The library's documentation lists their names.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another execution has added a dragon of this name.
    #[error("another report has added the dragon")]
    Duplicate,
    /// `DynamoDB` does not write.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl NamedError for Error {
    fn name(&self) -> &'static str {
        match self {
            Self::Duplicate => "DuplicateDragon",
            Self::Service(error) => error.name(),
        }
    }
}

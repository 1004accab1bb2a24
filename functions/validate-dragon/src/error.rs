//! What can go wrong.

use function_kit::{NamedError, ServiceError};

/// The errors of the function. The library's documentation lists their names.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A dragon of this name is there already.
    #[error("Duplicate dragon reported")]
    Duplicate,
    /// `DynamoDB` does not tell.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl NamedError for Error {
    fn name(&self) -> &'static str {
        match self {
            Self::Duplicate => "DragonValidationException",
            Self::Service(error) => error.name(),
        }
    }
}

//! What can go wrong.

use function_kit::{Name, NamedError, ServiceError};

/// The errors of the function. The library's documentation lists their names.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such case, or another execution has opened it.
    #[error("the execution has opened no case {0}")]
    CaseNotFound(Name),
    /// Others were assigned each time that this was tried.
    #[error("so many cases are being assigned that case {0} found no agent in {1} tries")]
    TooManyAssignments(Name, u32),
    /// `DynamoDB` does not read or write.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl NamedError for Error {
    fn name(&self) -> &'static str {
        match self {
            Self::CaseNotFound(_) => "CaseNotFound",
            Self::TooManyAssignments(..) => "TooManyAssignments",
            Self::Service(error) => error.name(),
        }
    }
}

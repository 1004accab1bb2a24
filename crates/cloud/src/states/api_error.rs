//! Errors of the Step Functions API.

use http::StatusCode;

/// An exception with its message, as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The exception's name: `ExecutionDoesNotExist`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

/// The code of an error that is not the client's.
const INTERNAL: &str = "InternalServerException";

/// The code of the exception with a status of its own.
const QUOTA: &str = "ServiceQuotaExceededException";

impl ApiError {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// A text is no token, of a task or of a page.
    pub(super) fn invalid_token() -> Self {
        Self::new("InvalidToken", "Invalid Token: 'Invalid token'")
    }

    /// There is no more room for a resource.
    pub(super) fn quota(message: impl Into<String>) -> Self {
        Self::new(QUOTA, message)
    }

    /// What the client is not to blame for, and may try again.
    pub(super) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request to Step Functions failed");
        Self::new(INTERNAL, error.to_string())
    }

    /// The status that it is answered with.
    pub(super) fn status(&self) -> StatusCode {
        match self.code {
            INTERNAL => StatusCode::INTERNAL_SERVER_ERROR,
            QUOTA => StatusCode::PAYMENT_REQUIRED,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

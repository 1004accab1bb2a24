//! Errors of the Step Functions API.

use http::StatusCode;

/// The code of an error that is not the client's.
const INTERNAL: &str = "InternalServerException";

/// An exception with its message, as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The exception's name: `ExecutionDoesNotExist`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

impl ApiError {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    pub(super) fn invalid_arn(message: impl std::fmt::Display) -> Self {
        Self::new("InvalidArn", format!("Invalid Arn: '{message}'"))
    }

    /// What the client is not to blame for, and may try again.
    pub(super) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request to Step Functions failed");
        Self::new(INTERNAL, error.to_string())
    }

    /// The status that it is answered with.
    pub(super) fn status(&self) -> StatusCode {
        if self.code == INTERNAL { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST }
    }
}

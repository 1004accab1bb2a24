//! Errors of the Step Functions API.

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
}

//! Errors with stable names.

use lambda_runtime::Diagnostic;

/// The name of the error for a payload that is not what the function takes.
pub const INVALID_INPUT: &str = "InvalidInput";

/// An error that a state machine catches by its name.
///
/// The name is part of the function's contract: it does not follow from the names of Rust types, and does not change
/// when they do. The message is for people.
pub trait NamedError: std::error::Error {
    /// The name, as `ErrorEquals` of a state machine spells it.
    fn name(&self) -> &'static str;
}

/// What Lambda is told when an invocation fails: the error's name and message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The error's name: Lambda's `errorType`, a state machine's `Error`.
    pub name: &'static str,
    /// Says what happened, for people: Lambda's `errorMessage`, in the state machine's `Cause`.
    pub message: String,
}

impl<E: NamedError> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { name: error.name(), message: error.to_string() }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.name.to_owned(), error_message: failure.message }
    }
}

//! What can go wrong.

use function_kit::{INVALID_INPUT, NamedError, ServiceError};

/// The errors of the function. The library's documentation lists their names.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The event misses a field that its kind has, or one is not of its type.
    #[error("{event}: {reason}")]
    Shape {
        /// The kind of the event.
        event: &'static str,
        /// What is wrong.
        reason: serde_json::Error,
    },
    /// A text that should be JSON is not.
    #[error("the {what} is no JSON document: {reason}")]
    NotJson {
        /// Where the text is.
        what: &'static str,
        /// What is wrong, with the line and column.
        reason: String,
    },
    /// The workflows take objects alone.
    #[error("the {0} is no JSON object")]
    NotAnObject(&'static str),
    /// The event is a list of records, and the list is empty, so that nobody can tell of which service.
    #[error("the event has no records")]
    NoRecords,
    /// The key of an S3 notification does not decode to UTF-8.
    #[error("the key {0:?} of the S3 notification is not URL-encoded UTF-8")]
    Key(String),
    /// The event is of a service that the function does not know.
    #[error("the function does not take {0}")]
    Unsupported(String),
    /// The key of an HTTP request was used before, for an execution with another input.
    #[error("the Idempotency-Key was used for a request with another body: send this one with a key of its own")]
    KeyReused,
    /// The input of the execution is above what Step Functions takes.
    #[error("the input of the execution has {0} bytes, and 262144 is the limit")]
    TooLarge(usize),
    /// Step Functions did not start the execution.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl NamedError for Error {
    fn name(&self) -> &'static str {
        match self {
            Self::Shape { .. } | Self::NotJson { .. } | Self::NotAnObject(_) | Self::NoRecords | Self::Key(_) => {
                INVALID_INPUT
            }
            Self::Unsupported(_) => "UnsupportedEvent",
            Self::KeyReused => "IdempotencyKeyReused",
            Self::TooLarge(_) => "InputTooLarge",
            Self::Service(error) => error.name(),
        }
    }
}

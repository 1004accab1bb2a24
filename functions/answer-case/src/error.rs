//! What can go wrong.

use function_kit::{HttpResponse, INVALID_INPUT, Name, NamedError, NotAName, ServiceError, ServiceErrorKind};
use serde_json::json;

/// The errors of the function. The library's documentation lists their names.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The id in the path is no name.
    #[error("the id of the case: {0}")]
    Id(#[from] NotAName),
    /// The body does not say whether the case is resolved.
    #[error("the body must be {{\"resolved\": true}} or {{\"resolved\": false}}: {0}")]
    Body(String),
    /// The API has a route that the function does not know.
    #[error("the function has nothing at {0}")]
    UnknownRoute(String),
    /// There is no such case.
    #[error("there is no case {0}")]
    CaseNotFound(Name),
    /// No execution waits for word of the case.
    #[error("nobody waits for word of case {0}: it has no agent yet, has its answer, or took too long")]
    CaseNotInWork(Name),
    /// `DynamoDB` or Step Functions does not do its part.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl NamedError for Error {
    fn name(&self) -> &'static str {
        match self {
            Self::Id(_) | Self::Body(_) => INVALID_INPUT,
            Self::UnknownRoute(_) => "UnknownRoute",
            Self::CaseNotFound(_) => "CaseNotFound",
            Self::CaseNotInWork(_) => "CaseNotInWork",
            Self::Service(error) => error.name(),
        }
    }
}

impl From<&Error> for HttpResponse {
    fn from(error: &Error) -> Self {
        let status = match error {
            Error::Id(_) | Error::Body(_) => 400,
            Error::UnknownRoute(_) | Error::CaseNotFound(_) => 404,
            Error::CaseNotInWork(_) => 409,
            Error::Service(error) => match error.kind {
                ServiceErrorKind::Throttled | ServiceErrorKind::ServiceUnavailable => 503,
                _ => 500,
            },
        };
        // What a service says of itself is for the logs.
        let message = match (error, status) {
            (_, 503) => "the answer could not be handed over now; try again later".to_owned(),
            (Error::Service(_), _) => "the answer could not be handed over".to_owned(),
            _ => error.to_string(),
        };
        Self::new(status, &json!({ "error": error.name(), "message": message }))
    }
}

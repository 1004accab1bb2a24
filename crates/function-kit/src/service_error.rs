//! What AWS answers instead of a result, classified the same way in all functions.

use std::fmt::{self, Write as _};

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::NamedError;

/// The kinds of failed calls. The name of a kind is the name of the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceErrorKind {
    /// The credentials are missing, wrong or not allowed to make the call.
    AccessDenied,
    /// Too many calls. A later one may pass.
    Throttled,
    /// The S3 bucket does not exist.
    BucketNotFound,
    /// The S3 object does not exist.
    ObjectNotFound,
    /// The DynamoDB table does not exist.
    TableNotFound,
    /// The state machine does not exist.
    StateMachineNotFound,
    /// The service failed, could not be reached or took too long. A later call may pass.
    ServiceUnavailable,
    /// The service refused the call for another reason. The same call would be refused again.
    ServiceRejected,
}

impl ServiceErrorKind {
    /// The name of the error, as a state machine catches it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDenied",
            Self::Throttled => "Throttled",
            Self::BucketNotFound => "BucketNotFound",
            Self::ObjectNotFound => "ObjectNotFound",
            Self::TableNotFound => "TableNotFound",
            Self::StateMachineNotFound => "StateMachineNotFound",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::ServiceRejected => "ServiceRejected",
        }
    }
}

/// A call to an AWS service that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    /// What kind of failure it is.
    pub kind: ServiceErrorKind,
    /// The service's name of the operation that was called, such as `HeadObject`.
    pub operation: &'static str,
    /// The service's own code of the error, such as `NoSuchKey`, where it gave one.
    pub code: Option<String>,
    /// What happened, for people.
    pub message: String,
}

impl ServiceError {
    /// Classifies what a call of `operation` answered.
    pub fn new<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let code = error.code().map(str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let kind = match error {
            SdkError::ServiceError(_) => kind_of_answer(code.as_deref(), status),
            SdkError::ConstructionFailure(_) => ServiceErrorKind::ServiceRejected,
            // No answer, or one that is cut short or garbled.
            _ => ServiceErrorKind::ServiceUnavailable,
        };
        let message = match (error.message(), error) {
            (Some(message), _) => message.to_owned(),
            // The answer to HEAD, say, has no body, and the client's own text for it is for debugging.
            (None, SdkError::ServiceError(answer)) => status_of(answer.raw()),
            (None, _) => with_causes(error),
        };
        Self { kind, operation, code, message }
    }
}

fn kind_of_answer(code: Option<&str>, status: Option<u16>) -> ServiceErrorKind {
    use ServiceErrorKind as Kind;
    match code {
        Some(code) if THROTTLING_ERRORS.contains(&code) => return Kind::Throttled,
        Some("KmsThrottlingException") => return Kind::Throttled,
        Some(code) if TRANSIENT_ERRORS.contains(&code) => return Kind::ServiceUnavailable,
        Some("NoSuchBucket") => return Kind::BucketNotFound,
        Some("NoSuchKey" | "NoSuchVersion" | "NotFound") => return Kind::ObjectNotFound,
        Some("ResourceNotFoundException") => return Kind::TableNotFound,
        Some("StateMachineDoesNotExist") => return Kind::StateMachineNotFound,
        // The JSON protocols answer these with status 400.
        Some(
            "AccessDenied"
            | "AccessDeniedException"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "KmsAccessDeniedException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "UnrecognizedClientException",
        ) => return Kind::AccessDenied,
        _ => {}
    }
    match (status, code) {
        (Some(401 | 403), _) => Kind::AccessDenied,
        // The answer to HEAD has no body, so no code: S3 sends 503 for "slow down".
        (Some(429), _) | (Some(503), None) => Kind::Throttled,
        (Some(500..) | None, _) => Kind::ServiceUnavailable,
        _ => Kind::ServiceRejected,
    }
}

/// The status of an answer, and the id by which AWS finds the request.
fn status_of(answer: &HttpResponse) -> String {
    let status = answer.status().as_u16();
    match answer.headers().get("x-amzn-requestid").or_else(|| answer.headers().get("x-amz-request-id")) {
        Some(request_id) => format!("HTTP status {status} (request id {request_id})"),
        None => format!("HTTP status {status}"),
    }
}

/// An error and what caused it, on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{} answered {code}: {}", self.operation, self.message),
            None => write!(f, "{} failed: {}", self.operation, self.message),
        }
    }
}

impl std::error::Error for ServiceError {}

impl NamedError for ServiceError {
    fn name(&self) -> &'static str {
        self.kind.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_classified_by_code_then_by_status() {
        use ServiceErrorKind as Kind;
        for (code, status, kind) in [
            (Some("SlowDown"), 503, Kind::Throttled),
            (Some("ThrottlingException"), 400, Kind::Throttled),
            (None, 429, Kind::Throttled),
            (None, 503, Kind::Throttled),
            (Some("ServiceUnavailable"), 503, Kind::ServiceUnavailable),
            (Some("InternalError"), 500, Kind::ServiceUnavailable),
            (Some("RequestTimeout"), 400, Kind::ServiceUnavailable),
            (None, 502, Kind::ServiceUnavailable),
            (Some("AccessDeniedException"), 400, Kind::AccessDenied),
            (Some("SignatureDoesNotMatch"), 403, Kind::AccessDenied),
            (None, 403, Kind::AccessDenied),
            (Some("NoSuchBucket"), 404, Kind::BucketNotFound),
            (Some("NoSuchKey"), 404, Kind::ObjectNotFound),
            (Some("ResourceNotFoundException"), 400, Kind::TableNotFound),
            (Some("StateMachineDoesNotExist"), 400, Kind::StateMachineNotFound),
            (Some("ValidationException"), 400, Kind::ServiceRejected),
            (None, 400, Kind::ServiceRejected),
        ] {
            assert_eq!(kind_of_answer(code, Some(status)), kind, "{code:?} {status}");
        }
    }
}

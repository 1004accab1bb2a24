//! HTTP requests and the answers to them.

use function_kit::{HttpRequest, HttpResponse, NamedError, ServiceErrorKind};
use serde::de::IgnoredAny;
use serde_json::json;

use crate::Error;
use crate::work::{INPUT_LIMIT, Work};

/// The answer to a request whose execution was started, now or before.
pub(crate) fn accepted(execution_arn: &str) -> HttpResponse {
    HttpResponse::new(202, &json!({ "executionArn": execution_arn }))
}

/// The answer to a request that failed.
pub(crate) fn failed(error: &Error) -> HttpResponse {
    let status = match error {
        Error::Shape { .. }
        | Error::NotJson { .. }
        | Error::NotAnObject(_)
        | Error::NoRecords
        | Error::Key(_)
        | Error::Unsupported(_) => 400,
        Error::TooLarge(_) => 413,
        // As the IETF's draft "The Idempotency-Key HTTP Header Field" has it.
        Error::KeyReused => 422,
        Error::Service(error) => match error.kind {
            ServiceErrorKind::Throttled | ServiceErrorKind::ServiceUnavailable => 503,
            _ => 500,
        },
    };
    // What a service says of itself is for the logs.
    let message = match (error, status) {
        (_, 503) => "the execution could not be started now; try again later".to_owned(),
        (Error::Service(_), _) => "the execution could not be started".to_owned(),
        _ => error.to_string(),
    };
    HttpResponse::new(status, &json!({ "error": error.name(), "message": message }))
}

/// What a request asks for. The body is passed on as it was sent.
pub(crate) fn work(request: HttpRequest) -> Result<Work, Error> {
    let is_key = |name: &str| name.eq_ignore_ascii_case("idempotency-key");
    let key = request.headers.iter().find(|(name, value)| is_key(name) && !value.is_empty());
    let key = key.map(|(_, key)| key.clone());
    let request_id = request.request_context.request_id.clone();

    let body = request.into_body().map_err(|reason| not_json(&reason))?;
    // A large body is refused for its size, whatever it is.
    if body.len() > INPUT_LIMIT {
        return Err(Error::TooLarge(body.len()));
    }
    let body = String::from_utf8(body).map_err(|reason| not_json(&reason))?;
    serde_json::from_str::<IgnoredAny>(&body).map_err(|reason| not_json(&reason))?;
    // An object is the one kind of JSON document that starts so.
    if !body.trim_start().starts_with('{') {
        return Err(Error::NotAnObject("body"));
    }
    match key {
        Some(key) => Work::new("key", &[&key], body),
        None => Work::new("request", &[&request_id], body),
    }
}

fn not_json(reason: &dyn std::error::Error) -> Error {
    Error::NotJson { what: "body", reason: reason.to_string() }
}

//! HTTP requests and the answers to them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use function_kit::{NamedError, ServiceErrorKind};
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::Error;
use crate::event::HttpRequest;
use crate::work::{INPUT_LIMIT, Work};

/// An answer to an HTTP API request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    status_code: u16,
    headers: Headers,
    /// A JSON document.
    body: String,
    is_base64_encoded: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Headers {
    content_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<&'static str>,
}

impl Response {
    pub(crate) fn accepted(execution_arn: &str) -> Self {
        Self::new(202, None, &json!({ "executionArn": execution_arn }))
    }

    pub(crate) fn failed(error: &Error) -> Self {
        let (status, retry_after) = match error {
            Error::Shape { .. }
            | Error::NotJson { .. }
            | Error::NotAnObject(_)
            | Error::NoRecords
            | Error::Key(_)
            | Error::Unsupported(_) => (400, None),
            Error::TooLarge(_) => (413, None),
            Error::Service(error) => match error.kind {
                ServiceErrorKind::Throttled | ServiceErrorKind::ServiceUnavailable => (503, Some("1")),
                _ => (500, None),
            },
        };
        // What a service says of itself is for the logs.
        let message = match (error, status) {
            (_, 503) => "the execution could not be started now; try again later".to_owned(),
            (Error::Service(_), _) => "the execution could not be started".to_owned(),
            _ => error.to_string(),
        };
        Self::new(status, retry_after, &json!({ "error": error.name(), "message": message }))
    }

    fn new(status_code: u16, retry_after: Option<&'static str>, body: &Value) -> Self {
        Self {
            status_code,
            headers: Headers { content_type: "application/json", retry_after },
            body: body.to_string(),
            is_base64_encoded: false,
        }
    }
}

/// What a request asks for. The body is passed on as it was sent.
pub(crate) fn work(request: HttpRequest) -> Result<Work, Error> {
    let body = if request.is_base64_encoded { decode(&request.body)? } else { request.body };
    if body.len() > INPUT_LIMIT {
        return Err(Error::TooLarge(body.len()));
    }
    serde_json::from_str::<IgnoredAny>(&body).map_err(|reason| not_json(&reason))?;
    // An object is the one kind of JSON document that starts so.
    if !body.trim_start().starts_with('{') {
        return Err(Error::NotAnObject("body"));
    }
    let is_key = |name: &str| name.eq_ignore_ascii_case("idempotency-key");
    match request.headers.iter().find(|(name, value)| is_key(name) && !value.is_empty()) {
        Some((_, key)) => Work::new("key", &[key], body),
        None => Work::new("request", &[&request.request_context.request_id], body),
    }
}

fn decode(body: &str) -> Result<String, Error> {
    let bytes = BASE64_STANDARD.decode(body).map_err(|reason| not_json(&reason))?;
    // A large body is refused for its size, whatever it is.
    if bytes.len() > INPUT_LIMIT {
        return Err(Error::TooLarge(bytes.len()));
    }
    String::from_utf8(bytes).map_err(|reason| not_json(&reason))
}

fn not_json(reason: &dyn std::error::Error) -> Error {
    Error::NotJson { what: "body", reason: reason.to_string() }
}

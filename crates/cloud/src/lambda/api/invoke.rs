//! `Invoke`.

use axum::body::Body;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE, request::Parts};
use serde::de::IgnoredAny;
use serde_json::Value;
use uuid::Uuid;

use super::{
    error::ApiError,
    request::{empty, header, qualified},
};
use crate::{
    front::{BodyRefused, collect},
    lambda::{
        Lambda,
        invocation::{Invocation, InvokeError, InvokeOptions, MAX_EVENT, MAX_REQUEST},
    },
    service::Response,
};

pub(super) async fn invoke(lambda: &Lambda, name: &str, parts: &Parts, body: Body) -> Result<Response, ApiError> {
    let reference = qualified(name, parts)?;
    lambda.registry().find(&reference)?;
    let kind = header(&parts.headers, "x-amz-invocation-type")?.unwrap_or("RequestResponse");
    let limit = if kind == "Event" { MAX_EVENT } else { MAX_REQUEST };
    let payload = payload(body, limit).await?;
    let options = options(&parts.headers)?;
    match kind {
        "RequestResponse" => {
            let tail = wants_tail(&parts.headers)?;
            Ok(answered(lambda.invoke(&reference, payload, options).await?, tail))
        }
        "Event" => {
            let request_id = lambda.invoke_event(&reference, payload, options)?;
            Ok(empty(StatusCode::ACCEPTED, &request_id))
        }
        "DryRun" => Ok(empty(StatusCode::NO_CONTENT, &Uuid::new_v4().to_string())),
        other => Err(ApiError::invalid_parameter(format!(
            "Value '{other}' at 'invocationType' failed to satisfy constraint: \
             Member must satisfy enum value set: [Event, RequestResponse, DryRun]"
        ))),
    }
}

/// The payload: JSON or nothing.
async fn payload(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let payload = collect(body, limit).await.map_err(|refused| match refused {
        BodyRefused::TooLarge => InvokeError::RequestTooLarge { limit }.into(),
        BodyRefused::Broken => unreadable(&"it ended too early"),
    })?;
    if !payload.is_empty() {
        serde_json::from_slice::<IgnoredAny>(&payload).map_err(|error| unreadable(&error))?;
    }
    Ok(payload)
}

fn unreadable(error: &dyn std::fmt::Display) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "InvalidRequestContentException",
        format!("Could not parse request body into json: {error}"),
    )
}

fn options(headers: &HeaderMap) -> Result<InvokeOptions, ApiError> {
    let client_context = match header(headers, "x-amz-client-context")? {
        Some(encoded) => Some(client_context(encoded).ok_or_else(|| {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "InvalidRequestContentException",
                "Client context must be a valid Base64-encoded JSON object.",
            )
        })?),
        None => None,
    };
    let trace_id = header(headers, "x-amzn-trace-id")?.map(str::to_owned);
    Ok(InvokeOptions { trace_id, client_context, request_id: None })
}

/// The client context as the Runtime API's header has it: JSON on one line.
fn client_context(encoded: &str) -> Option<String> {
    let decoded = BASE64_STANDARD.decode(encoded).ok()?;
    let context: Value = serde_json::from_slice(&decoded).ok()?;
    context.is_object().then(|| context.to_string())
}

fn wants_tail(headers: &HeaderMap) -> Result<bool, ApiError> {
    match header(headers, "x-amz-log-type")? {
        Some("Tail") => Ok(true),
        Some("None") | None => Ok(false),
        Some(other) => Err(ApiError::invalid_parameter(format!(
            "Value '{other}' at 'logType' failed to satisfy constraint: Member must satisfy enum value set: [Tail, None]"
        ))),
    }
}

fn answered(invocation: Invocation, tail: bool) -> Response {
    let mut response = empty(StatusCode::OK, &invocation.request_id);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(version) = HeaderValue::from_str(&invocation.executed_version) {
        headers.insert("x-amz-executed-version", version);
    }
    if invocation.failed {
        headers.insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
    }
    if tail && let Ok(log) = HeaderValue::from_str(&BASE64_STANDARD.encode(&invocation.log_tail)) {
        headers.insert("x-amz-log-result", log);
    }
    if let Ok(trace_id) = HeaderValue::from_str(&invocation.trace_id) {
        headers.insert("x-amzn-trace-id", trace_id);
    }
    *response.body_mut() = Body::from(invocation.payload);
    response
}

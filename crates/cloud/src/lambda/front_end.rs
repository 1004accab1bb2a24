//! Lambda's HTTP API: `Invoke`, `ListFunctions`, `GetFunction` and `GetFunctionConfiguration`.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::body::Body;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE, request::Parts};
use http_body_util::{BodyExt, Limited};
use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    api_error::ApiError,
    configuration,
    invocation::{Invocation, InvokeError, InvokeOptions, MAX_EVENT, MAX_REQUEST},
    operation::Operation,
    service::{Deployed, Lambda},
};
use crate::service::{Request, Response, Service};

/// Lambda as its clients see it.
#[derive(Debug, Clone)]
pub struct FrontEnd {
    lambda: Arc<Lambda>,
}

impl FrontEnd {
    /// Puts Lambda's API in front of `lambda`.
    pub fn new(lambda: Arc<Lambda>) -> Self {
        Self { lambda }
    }
}

impl Service for FrontEnd {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let answer = match Operation::of(&parts.method, parts.uri.path()) {
                Operation::Invoke(name) => self.invoke(&name, &parts, body).await,
                Operation::ListFunctions => self.list_functions(&parts),
                Operation::GetFunction(name) => self.describe(&name, &parts, configuration::function),
                Operation::GetFunctionConfiguration(name) => self.describe(&name, &parts, configuration::configuration),
                Operation::Unsupported(operation) => Err(ApiError::new(
                    StatusCode::NOT_IMPLEMENTED,
                    "NotImplementedException",
                    format!("the local Lambda does not support {operation}"),
                )),
            };
            answer.unwrap_or_else(|error| error.into_response(&Uuid::new_v4().to_string()))
        })
    }
}

impl FrontEnd {
    async fn invoke(&self, name: &str, parts: &Parts, body: Body) -> Result<Response, ApiError> {
        let reference = qualified(name, parts)?;
        self.lambda.find(&reference)?;
        let kind = text(&parts.headers, "x-amz-invocation-type")?.unwrap_or("RequestResponse");
        let limit = if kind == "Event" { MAX_EVENT } else { MAX_REQUEST };
        let payload = read(body, limit).await?;
        let options = options(&parts.headers)?;
        match kind {
            "RequestResponse" => {
                let tail = wants_tail(&parts.headers)?;
                Ok(answered(self.lambda.invoke(&reference, payload, options).await?, tail))
            }
            "Event" => {
                let request_id = self.lambda.invoke_event(&reference, payload, options)?;
                Ok(empty(StatusCode::ACCEPTED, &request_id))
            }
            "DryRun" => Ok(empty(StatusCode::NO_CONTENT, &Uuid::new_v4().to_string())),
            other => Err(ApiError::invalid_parameter(format!(
                "Value '{other}' at 'invocationType' failed to satisfy constraint: \
                 Member must satisfy enum value set: [Event, RequestResponse, DryRun]"
            ))),
        }
    }

    fn list_functions(&self, parts: &Parts) -> Result<Response, ApiError> {
        let page = match query(parts, "MaxItems") {
            Some(text) => text
                .parse()
                .ok()
                .filter(|items| (1..=10_000).contains(items))
                .ok_or_else(|| ApiError::invalid_parameter("MaxItems is a number from 1 to 10000"))?,
            None => 50_usize,
        };
        let marker = query(parts, "Marker").unwrap_or_default();
        let mut rest = self.lambda.functions().iter().filter(|(name, _)| **name > marker).peekable();
        let mut functions = Vec::new();
        let mut last = None;
        while let Some((name, deployed)) = rest.next_if(|_| functions.len() < page) {
            functions.push(configuration::configuration(deployed));
            last = Some(name);
        }
        let mut answer = json!({ "Functions": functions });
        if let (Some(answer), Some(last), Some(_)) = (answer.as_object_mut(), last, rest.peek()) {
            answer.insert("NextMarker".to_owned(), json!(last));
        }
        Ok(document(&answer))
    }

    fn describe(&self, name: &str, parts: &Parts, describe: fn(&Deployed) -> Value) -> Result<Response, ApiError> {
        let deployed = self.lambda.find(&qualified(name, parts)?)?;
        Ok(document(&describe(deployed)))
    }
}

/// The function's name with the qualifier of the query, if there is one.
fn qualified(name: &str, parts: &Parts) -> Result<String, ApiError> {
    let in_name = super::function_name::FunctionReference::parse(name).and_then(|reference| reference.qualifier);
    match (in_name, query(parts, "Qualifier")) {
        (_, None) => Ok(name.to_owned()),
        (None, Some(qualifier)) => Ok(format!("{name}:{qualifier}")),
        (Some(inner), Some(outer)) if inner == outer => Ok(name.to_owned()),
        (Some(_), Some(_)) => Err(ApiError::invalid_parameter(
            "The derived qualifier from the function name does not match the specified qualifier.",
        )),
    }
}

/// The payload: JSON or nothing.
async fn read(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let payload = match Limited::new(body, limit).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            return Err(InvokeError::RequestTooLarge { limit }.into());
        }
        Err(error) => return Err(unreadable(&error)),
    };
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
    let client_context = match text(headers, "x-amz-client-context")? {
        Some(encoded) => Some(client_context(encoded).ok_or_else(|| {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "InvalidRequestContentException",
                "Client context must be a valid Base64-encoded JSON object.",
            )
        })?),
        None => None,
    };
    let trace_id = text(headers, "x-amzn-trace-id")?.map(str::to_owned);
    Ok(InvokeOptions { trace_id, client_context, request_id: None })
}

/// The client context as the Runtime API's header has it: JSON on one line.
fn client_context(encoded: &str) -> Option<String> {
    let decoded = BASE64_STANDARD.decode(encoded).ok()?;
    let context: Value = serde_json::from_slice(&decoded).ok()?;
    context.is_object().then(|| context.to_string())
}

fn wants_tail(headers: &HeaderMap) -> Result<bool, ApiError> {
    match text(headers, "x-amz-log-type")? {
        Some("Tail") => Ok(true),
        Some("None") | None => Ok(false),
        Some(other) => Err(ApiError::invalid_parameter(format!(
            "Value '{other}' at 'logType' failed to satisfy constraint: Member must satisfy enum value set: [Tail, None]"
        ))),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ApiError> {
    let text = headers.get(name).map(HeaderValue::to_str).transpose();
    text.map_err(|_| ApiError::invalid_parameter(format!("the header {name} is not plain text")))
}

fn query(parts: &Parts, name: &str) -> Option<String> {
    let pairs = parts.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.into_iter().find(|(key, _)| *key == name)?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

fn answered(invocation: Invocation, tail: bool) -> Response {
    let mut response = empty(StatusCode::OK, &invocation.request_id);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-amz-executed-version", HeaderValue::from_static("$LATEST"));
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

fn document(value: &Value) -> Response {
    let mut response = empty(StatusCode::OK, &Uuid::new_v4().to_string());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = Body::from(value.to_string());
    response
}

fn empty(status: StatusCode, request_id: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

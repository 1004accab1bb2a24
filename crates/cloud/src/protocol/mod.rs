//! The two protocols that most services speak, AWS JSON and the older query protocol, in front of one set of operations.
//!
//! A service says what its operations do with JSON parameters. What a call in the query protocol has in its form becomes the
//! same JSON, and its answer is written as XML: [`Dialect`] has what that needs to know.

mod page;
mod query;

use std::{future::Future, pin::Pin, sync::Arc};

use axum::body::Body;
use http::{HeaderValue, StatusCode, header, request::Parts};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    front::collect,
    service::{Request, Response, Service},
    wire::{self, Format},
};

pub(crate) use page::{after, page};
pub(crate) use query::{Form, Names};

/// A service's operations, by their names.
pub(crate) trait Operations: Send + Sync + 'static {
    /// How it is spoken to.
    const DIALECT: Dialect;

    /// Carries out an operation.
    fn operate(&self, operation: &str, parameters: Parameters) -> impl Future<Output = Result<Value, Failure>> + Send;
}

/// How a service is spoken to.
pub(crate) struct Dialect {
    /// The service's name as AWS writes it.
    pub(crate) title: &'static str,
    /// The content type of its JSON.
    pub(crate) content_type: &'static str,
    /// The namespace of its answers in the query protocol.
    pub(crate) namespace: &'static str,
    /// The largest body, in bytes.
    pub(crate) max_body: usize,
    /// What things are called in the query protocol.
    pub(crate) names: Names,
}

impl Dialect {
    /// A service that is spoken to in JSON 1.1 alone.
    pub(crate) const fn json(title: &'static str, max_body: usize) -> Self {
        Self { title, content_type: JSON_1_1, namespace: "", max_body, names: Names::NONE }
    }
}

/// The content type of AWS JSON 1.0.
pub(crate) const JSON_1_0: &str = "application/x-amz-json-1.0";
/// The content type of AWS JSON 1.1.
pub(crate) const JSON_1_1: &str = "application/x-amz-json-1.1";

/// What an operation is called with.
#[derive(Debug)]
pub(crate) struct Parameters(Value);

impl Parameters {
    /// Reads them. A parameter that the operation does not have is refused, for whoever sent it would wait for what it was to
    /// do.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, Failure> {
        serde_json::from_value(self.0).map_err(|error| Failure::new("ValidationException", error.to_string()))
    }
}

/// An exception with its message, as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// The exception's name: `QueueDoesNotExist`.
    pub code: &'static str,
    /// What the query protocol calls it, where that is another name.
    pub query_code: Option<&'static str>,
    /// What is wrong.
    pub message: String,
    /// The status that it is answered with.
    pub status: StatusCode,
}

impl Failure {
    /// What the client is to blame for.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, query_code: None, message: message.into(), status: StatusCode::BAD_REQUEST }
    }

    pub(crate) fn known_as(self, query_code: &'static str) -> Self {
        Self { query_code: Some(query_code), ..self }
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// What the client is not to blame for.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new("InternalFailure", error.to_string()).with_status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// An operation that the service has and the runner has not.
    pub(crate) fn no_operation(title: &str, operation: &str) -> Self {
        let message = format!("This runner does not have the operation {operation} of {title}.");
        Self::new("UnknownOperationException", message).known_as("InvalidAction")
    }
}

/// The answer of an operation that has nothing to say.
pub(crate) fn done() -> Value {
    Value::Object(serde_json::Map::new())
}

/// A service as its clients see it.
#[derive(Debug)]
pub(crate) struct FrontEnd<S>(pub(crate) Arc<S>);

impl<S: Operations> FrontEnd<S> {
    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let protocol = Protocol::of(&parts);
        let body = match collect(body, S::DIALECT.max_body).await {
            Ok(body) => body,
            Err(refused) => return refused.response(protocol.format()),
        };
        let (operation, parameters) = match protocol {
            Protocol::Json => match from_json(&parts, &body) {
                Ok(call) => call,
                Err(failure) => return refuse::<S>(&failure, protocol),
            },
            Protocol::Query => query::read(&body, &S::DIALECT.names),
        };
        match self.0.operate(&operation, Parameters(parameters)).await {
            Ok(answer) => respond::<S>(&operation, &answer, protocol),
            Err(failure) => refuse::<S>(&failure, protocol),
        }
    }
}

impl<S: Operations> Service for FrontEnd<S> {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(self.answer(request))
    }
}

/// How a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Json,
    Query,
}

impl Protocol {
    fn of(parts: &Parts) -> Self {
        if parts.headers.contains_key("x-amz-target") { Self::Json } else { Self::Query }
    }

    fn format(self) -> Format {
        match self {
            Self::Json => Format::Json,
            Self::Query => Format::QueryXml,
        }
    }
}

fn from_json(parts: &Parts, body: &[u8]) -> Result<(String, Value), Failure> {
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let body = if body.is_empty() { b"{}" } else { body };
    let parameters = serde_json::from_slice(body);
    let parameters = parameters.map_err(|error| Failure::new("SerializationException", error.to_string()))?;
    Ok((operation, parameters))
}

fn respond<S: Operations>(operation: &str, answer: &Value, protocol: Protocol) -> Response {
    let id = wire::request_id();
    let (content_type, body) = match protocol {
        Protocol::Json => (S::DIALECT.content_type, answer.to_string()),
        Protocol::Query => ("text/xml", query::write(operation, answer, &S::DIALECT, &id)),
    };
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

fn refuse<S: Operations>(failure: &Failure, protocol: Protocol) -> Response {
    let code = match protocol {
        Protocol::Json => failure.code,
        Protocol::Query => failure.query_code.unwrap_or(failure.code),
    };
    let mut response = wire::error(protocol.format(), failure.status, code, &failure.message);
    // A client that knows the names of the query protocol finds them here.
    if let (Protocol::Json, Some(code)) = (protocol, failure.query_code)
        && let Ok(value) = HeaderValue::from_str(&format!("{code};Sender"))
    {
        response.headers_mut().insert("x-amzn-query-error", value);
    }
    response
}

//! Services as the SDK calls them: each speaks one of four protocols. Calls as they are sent, and answers as they come.
//!
//! Signatures only name the service: nothing here checks them.

mod errors;
mod json;
mod moment;
mod query;
mod rest;
mod xml;

use asl::{Value, value::Object};
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use crate::{
    front::{BodyRefused, collect},
    service::{Request, Response},
};
use engine::services::{Operation, Protocol};

/// The longest answer that is read. No task can have a result of that size.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Parameters of which no request can be made.
#[derive(Debug, thiserror::Error)]
pub(in crate::states) enum Unsendable {
    #[error("The value of the field '{0}' can't be sent")]
    Field(String),
    #[error("it is not known how the service is called")]
    Protocol,
    #[error(transparent)]
    Request(#[from] http::Error),
}

/// What a service answered.
pub(in crate::states) struct Answer {
    pub(in crate::states) status: StatusCode,
    pub(in crate::states) headers: HeaderMap,
    /// The length of the body, in bytes.
    pub(in crate::states) length: usize,
    pub(in crate::states) request_id: String,
    pub(in crate::states) said: Result<Object, Refusal>,
}

/// Why a service did not do what it was asked.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::states) struct Refusal {
    /// As it is on the wire: `NoSuchKey`.
    pub(in crate::states) code: String,
    pub(in crate::states) message: String,
}

/// An answer that can't be read.
#[derive(Debug, thiserror::Error)]
pub(in crate::states) enum Unreadable {
    #[error("the answer is longer than {LONGEST_ANSWER} bytes")]
    TooLong,
    #[error("the answer ended too early")]
    Broken,
    #[error("the answer is no {0}")]
    Syntax(&'static str),
}

impl From<BodyRefused> for Unreadable {
    fn from(refused: BodyRefused) -> Self {
        match refused {
            BodyRefused::TooLarge => Self::TooLong,
            BodyRefused::Broken => Self::Broken,
        }
    }
}

/// The name of an action on the wire: `GetObject`.
fn wire_name(operation: &Operation) -> String {
    let mut letters = operation.name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// The request of a call with these parameters.
pub(in crate::states) fn request(operation: &Operation, parameters: &Object) -> Result<Request, Unsendable> {
    let Operation { model, action, .. } = operation;
    let mut request = match &model.protocol {
        Some(Protocol::Json { version, target }) => {
            let body = match model.structure(action.input.as_deref()) {
                Some(shape) => json::object(model, shape, parameters).to_string(),
                None => "{}".to_owned(),
            };
            http::Request::post("/")
                .header("x-amz-target", format!("{target}.{}", wire_name(operation)))
                .header(header::CONTENT_TYPE, format!("application/x-amz-json-{version}"))
                .body(Bytes::from(body))?
        }
        Some(Protocol::Query { version }) => http::Request::post("/")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
            .body(query::form(operation, version, parameters).into())?,
        Some(Protocol::RestJson | Protocol::RestXml) => rest::request(operation, parameters)?,
        Some(Protocol::Http) | None => return Err(Unsendable::Protocol),
    };
    let credential = format!(
        "AWS4-HMAC-SHA256 Credential=stepfunctions/20000101/local/{}/aws4_request, SignedHeaders=host, Signature=0",
        model.signing_name
    );
    let length = request.body().len();
    let headers = request.headers_mut();
    headers.insert(header::AUTHORIZATION, HeaderValue::try_from(credential).map_err(http::Error::from)?);
    headers.insert(header::HOST, HeaderValue::from_static("localhost"));
    headers.insert(header::CONTENT_LENGTH, length.into());
    Ok(request.map(Body::from))
}

/// What a response says.
pub(in crate::states) async fn answer(operation: &Operation, response: Response) -> Result<Answer, Unreadable> {
    let (parts, body) = response.into_parts();
    let body = collect(body, LONGEST_ANSWER).await?;
    let (status, headers) = (parts.status, parts.headers);
    let said = if status.is_success() {
        Ok(output(operation, status, &headers, &body)?)
    } else {
        Err(errors::read(operation, status, &headers, &body))
    };
    let request_id = errors::request_id(&headers, &body);
    Ok(Answer { status, headers, length: body.len(), request_id, said })
}

fn output(operation: &Operation, status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Result<Object, Unreadable> {
    let Operation { model, action, .. } = operation;
    let Some(shape) = model.structure(action.output.as_deref()) else { return Ok(Object::new()) };
    match &model.protocol {
        Some(Protocol::Json { .. }) => json::read(model, shape, body),
        Some(Protocol::Query { .. }) => query::read(operation, shape, body),
        Some(Protocol::RestJson | Protocol::RestXml) => rest::read(operation, shape, status, headers, body),
        Some(Protocol::Http) | None => Ok(Object::new()),
    }
}

/// What is written as it is in addresses and forms: the unreserved characters of RFC 3986.
pub(in crate::states) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A scalar as it stands in a header, a path, a form or an element.
pub(in crate::states) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

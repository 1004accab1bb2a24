//! What is written alike for several services: errors in the wire formats of AWS, JSON answers, times.

use axum::body::Body;
use http::{HeaderValue, StatusCode, header};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use crate::service::Response;

/// How a client expects errors to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `{"__type": code, "message": …}` of the JSON and REST-JSON protocols.
    Json,
    /// `<ErrorResponse>` of the query protocol.
    QueryXml,
    /// `<Error>` of S3.
    S3Xml,
}

/// Writes an error as `format` has it, with a fresh request id.
pub(crate) fn error(format: Format, status: StatusCode, code: &str, message: &str) -> Response {
    let id = request_id();
    let (content_type, body) = match format {
        Format::Json => {
            ("application/x-amz-json-1.0", serde_json::json!({ "__type": code, "message": message }).to_string())
        }
        Format::QueryXml => ("text/xml", query_xml(code, message, &id)),
        Format::S3Xml => ("application/xml", s3_xml(code, message, &id)),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(value) = HeaderValue::from_str(code) {
        headers.insert("x-amzn-errortype", value);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert("x-amzn-requestid", value);
    }
    response
}

/// Writes an answer as the REST-JSON protocol has it, with a fresh request id.
pub(crate) fn json(status: StatusCode, answer: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(answer.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(id) = HeaderValue::from_str(&request_id()) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

/// A request id, as AWS gives one with every answer.
pub(crate) fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn query_xml(code: &str, message: &str, id: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{id}</RequestId></ErrorResponse>",
        escape(code),
        escape(message),
    )
}

fn s3_xml(code: &str, message: &str, id: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{}</Code><Message>{}</Message>\
         <RequestId>{id}</RequestId></Error>",
        escape(code),
        escape(message),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A time as notifications tell it, to the millisecond: `2026-11-21T12:00:00.000Z`.
pub(crate) fn timestamp(at: OffsetDateTime) -> String {
    const MILLISECONDS: &[BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    at.format(MILLISECONDS).unwrap_or_default()
}

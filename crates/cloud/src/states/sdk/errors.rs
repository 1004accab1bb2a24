//! Errors, which each protocol writes in its own way.

use asl::Value;
use engine::services::{Operation, Protocol};
use http::{HeaderMap, Method, StatusCode};
use uuid::Uuid;

use super::{Refusal, xml};

/// What an answer that is no success says.
pub(super) fn read(operation: &Operation, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
    let (code, message) = match operation.model.protocol {
        Some(Protocol::Query { .. } | Protocol::RestXml) => of_xml(body),
        Some(Protocol::Json { .. } | Protocol::RestJson | Protocol::Http) | None => of_json(headers, body),
    };
    let code = code.unwrap_or_else(|| without_body(operation, status));
    Refusal { code, message: message.unwrap_or_default() }
}

fn of_json(headers: &HeaderMap, body: &[u8]) -> (Option<String>, Option<String>) {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let named = headers.get("x-amzn-errortype").and_then(|code| code.to_str().ok()).map(str::to_owned);
    let code = named.or_else(|| text("__type")).or_else(|| text("code"));
    // `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException`, `ResourceNotFoundException:http://…`
    let code = code.map(|code| {
        let code = code.split(':').next().unwrap_or_default();
        code.rsplit('#').next().unwrap_or_default().to_owned()
    });
    (code, text("message").or_else(|| text("Message")))
}

fn of_xml(body: &[u8]) -> (Option<String>, Option<String>) {
    let document = xml::parse(body).ok();
    let error = document.as_ref().and_then(|document| document.find("Error"));
    let text = |name: &str| error.and_then(|error| error.child(name)).map(|child| child.text.clone());
    (text("Code"), text("Message"))
}

/// An answer to HEAD has no body that could say it.
fn without_body(operation: &Operation, status: StatusCode) -> String {
    let is_head = operation.action.method == Method::HEAD.as_str();
    match status {
        StatusCode::NOT_FOUND if is_head && operation.action.path.contains("{Key") => "NoSuchKey".to_owned(),
        StatusCode::NOT_FOUND if is_head => "NoSuchBucket".to_owned(),
        status => status.canonical_reason().unwrap_or_default().replace(' ', ""),
    }
}

/// The id that the service gave the request; one made here, where it gave none.
pub(super) fn request_id(headers: &HeaderMap, body: &[u8]) -> String {
    let names = ["x-amzn-requestid", "x-amz-request-id"];
    let named = names.into_iter().find_map(|name| headers.get(name)?.to_str().ok()).map(str::to_owned);
    let in_body = || {
        let is_xml = body.first() == Some(&b'<');
        let document = is_xml.then(|| xml::parse(body).ok()).flatten()?;
        document.find("RequestId").map(|id| id.text.clone())
    };
    named.or_else(in_body).unwrap_or_else(|| Uuid::new_v4().to_string())
}

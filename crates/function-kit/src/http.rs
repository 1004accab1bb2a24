//! Requests of API Gateway's HTTP APIs, payload format 2.0, and the answers to them.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a JSON object")]
pub struct HttpRequest {
    /// The headers, their names in lower case.
    #[serde(default)]
    pub headers: HashMap<String, String>,
    /// What the variables of the route's path stand for, decoded.
    #[serde(default)]
    pub path_parameters: HashMap<String, String>,
    /// What API Gateway knows of the request.
    pub request_context: RequestContext,
    #[serde(default)]
    body: String,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// What API Gateway knows of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestContext {
    /// The id that API Gateway gave it.
    pub request_id: String,
    /// The route that it took, such as `POST /cases/{id}/resolution`; empty where it is not told.
    #[serde(default)]
    pub route_key: String,
}

/// The body is not base64, though the request says that it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct NotBase64(#[from] base64::DecodeError);

impl HttpRequest {
    /// The body as it was sent.
    pub fn into_body(self) -> Result<Vec<u8>, NotBase64> {
        if self.is_base64_encoded { Ok(BASE64_STANDARD.decode(self.body)?) } else { Ok(self.body.into_bytes()) }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpResponse {
    status_code: u16,
    headers: Headers,
    /// A JSON document.
    body: String,
    is_base64_encoded: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Headers {
    content_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<&'static str>,
}

impl HttpResponse {
    /// An answer with this status and JSON document. One with status 503 asks the caller to come again after a second.
    pub fn new(status_code: u16, body: &Value) -> Self {
        Self {
            status_code,
            headers: Headers { content_type: "application/json", retry_after: (status_code == 503).then_some("1") },
            body: body.to_string(),
            is_base64_encoded: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(body: &str, encoded: bool) -> HttpRequest {
        let request = json!({"requestContext": {"requestId": "1"}, "body": body, "isBase64Encoded": encoded});
        serde_json::from_value(request).unwrap()
    }

    #[test]
    fn a_body_is_what_was_sent() {
        assert_eq!(request("größe", false).into_body().unwrap(), "größe".as_bytes());
        assert_eq!(request("/wA=", true).into_body().unwrap(), [0xff, 0]);
        assert!(request("größe", true).into_body().is_err());
    }

    #[test]
    fn a_caller_is_asked_to_come_again_by_503_alone() {
        for (status, asked) in [(202, false), (500, false), (503, true)] {
            let response = serde_json::to_value(HttpResponse::new(status, &json!({"a": 1}))).unwrap();
            assert_eq!(response["headers"]["retry-after"].is_string(), asked, "{status}");
            assert_eq!((&response["statusCode"], &response["body"]), (&json!(status), &json!("{\"a\":1}")));
        }
    }
}

//! Errors in the form that Lambda's API gives them.

use axum::body::Body;
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde_json::json;

use super::invocation::InvokeError;
use crate::service::Response;

/// An error of Lambda's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    /// The exception's name.
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message)
    }

    pub(crate) fn into_response(self, request_id: &str) -> Response {
        let of = if self.status.is_server_error() { "Service" } else { "User" };
        // Clients look for the message under either name, by the exception's own shape.
        let body = json!({ "Type": of, "Message": self.message, "message": self.message });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-amzn-errortype", HeaderValue::from_static(self.code));
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert("x-amzn-requestid", id);
        }
        response
    }
}

impl From<InvokeError> for ApiError {
    fn from(error: InvokeError) -> Self {
        let (status, code) = match &error {
            InvokeError::ResourceNotFound { .. } => (StatusCode::NOT_FOUND, "ResourceNotFoundException"),
            InvokeError::RequestTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException"),
            InvokeError::InvalidOption { .. } => (StatusCode::BAD_REQUEST, "InvalidParameterValueException"),
            InvokeError::Service { .. } | InvokeError::ShuttingDown => {
                (StatusCode::INTERNAL_SERVER_ERROR, "ServiceException")
            }
        };
        Self::new(status, code, error.to_string())
    }
}

//! Errors in the form that Lambda's API gives them.

use axum::body::Body;
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde_json::json;

use crate::{
    lambda::{
        archive::ArchiveError,
        concurrency::TooMuchReserved,
        config::ConfigError,
        invocation::{InvokeError, ThrottleReason},
    },
    service::Response,
    states::StoreError,
};

/// An error of Lambda's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    /// The exception's name.
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Of a `TooManyRequestsException`.
    reason: Option<ThrottleReason>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), reason: None }
    }

    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "ResourceConflictException", message)
    }

    /// The revision that the caller has seen is not the one that there is.
    pub(crate) fn other_revision() -> Self {
        let message = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to \
                       retrieve the latest Revision Id";
        Self::new(StatusCode::PRECONDITION_FAILED, "PreconditionFailedException", message)
    }

    pub(crate) fn service(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", message)
    }

    pub(crate) fn into_response(self, request_id: &str) -> Response {
        let of = if self.status.is_server_error() { "Service" } else { "User" };
        // Clients look for the message under either name, by the exception's own shape.
        let mut body = json!({ "Type": of, "Message": self.message, "message": self.message });
        if let Some(reason) = self.reason {
            body["Reason"] = json!(reason.name());
        }
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
        let (status, code, reason) = match &error {
            InvokeError::ResourceNotFound { .. } => (StatusCode::NOT_FOUND, "ResourceNotFoundException", None),
            InvokeError::RequestTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", None),
            InvokeError::TooManyRequests { reason } => {
                (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", Some(*reason))
            }
            InvokeError::InvalidOption { .. } => (StatusCode::BAD_REQUEST, "InvalidParameterValueException", None),
            InvokeError::Service { .. } | InvokeError::NotBuilt { .. } | InvokeError::ShuttingDown => {
                (StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", None)
            }
        };
        Self { status, code, message: error.to_string(), reason }
    }
}

impl From<ArchiveError> for ApiError {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Io(_) => Self::service(error.to_string()),
            _ => Self::invalid_parameter(error.to_string()),
        }
    }
}

impl From<ConfigError> for ApiError {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::ReservedVariable { variable, .. } => Self::invalid_parameter(format!(
                "Lambda was unable to configure your environment variables because the environment variables you have \
                 provided contains reserved keys that are currently not supported for modification. Reserved keys used in \
                 this request: {variable}"
            )),
            error => Self::service(error.to_string()),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::service(error.to_string())
    }
}

impl From<TooMuchReserved> for ApiError {
    fn from(_: TooMuchReserved) -> Self {
        Self::invalid_parameter(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its \
             minimum value of [100].",
        )
    }
}

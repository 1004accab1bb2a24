//! An invocation: what it is called with, what it gives, and why there may be none.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Value, json};
use uuid::Uuid;

/// The largest payload of a synchronous invocation, in bytes.
pub(crate) const MAX_REQUEST: usize = 6 * 1024 * 1024;
/// The largest payload of an asynchronous invocation, in bytes.
pub(crate) const MAX_EVENT: usize = 1024 * 1024;
/// The largest response of a function, in bytes. Lambda allows a hundred above 6 MB.
pub(crate) const MAX_RESPONSE: usize = 6 * 1024 * 1024 + 100;

/// What a caller can say about an invocation beside its payload.
#[derive(Debug, Clone, Default)]
pub struct InvokeOptions {
    /// The caller's X-Ray trace header. A new trace begins without one.
    pub trace_id: Option<String>,
    /// The JSON that the function finds as its client context.
    pub client_context: Option<String>,
    /// The invocation's id, for a caller that wants to know it beforehand; a new one without it.
    pub request_id: Option<String>,
}

/// An invocation that has run, well or not.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The id in the function's context and in its log lines.
    pub request_id: String,
    /// What the function answered, byte for byte: it is JSON by convention only. After a failure, a JSON object with
    /// `errorType` and `errorMessage`, as the function or Lambda itself wrote it.
    pub payload: Bytes,
    /// Whether the function failed. Lambda calls every failure of a custom runtime `Unhandled`.
    pub failed: bool,
    /// From the hand-over to the answer.
    pub duration: Duration,
    /// How long a new process took until it asked for work; `None` where a warm one was used.
    pub init_duration: Option<Duration>,
    /// The last 4 KB of the invocation's log.
    pub log_tail: Bytes,
    /// The X-Ray trace header that the function saw.
    pub trace_id: String,
    /// The version that ran: `$LATEST` or a number.
    pub executed_version: Arc<str>,
}

impl Invocation {
    /// What a failure says, in short: `ValueError: no such level`. The payload as it is where it is no error document.
    pub fn error(&self) -> String {
        let document: Value = serde_json::from_slice(&self.payload).unwrap_or_default();
        let text = |name: &str| document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        match (text("errorType"), text("errorMessage")) {
            (Some(name), Some(message)) => format!("{name}: {message}"),
            (Some(only), None) | (None, Some(only)) => only.to_owned(),
            (None, None) => String::from_utf8_lossy(&self.payload).into_owned(),
        }
    }
}

/// Whose limit an invocation would exceed, in the words of `TooManyRequestsException`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleReason {
    /// That of all functions which have none of their own.
    ConcurrentInvocationLimitExceeded,
    /// The function's own.
    ReservedFunctionConcurrentInvocationLimitExceeded,
}

impl ThrottleReason {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ConcurrentInvocationLimitExceeded => "ConcurrentInvocationLimitExceeded",
            Self::ReservedFunctionConcurrentInvocationLimitExceeded => {
                "ReservedFunctionConcurrentInvocationLimitExceeded"
            }
        }
    }
}

/// Why a function was not invoked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// There is no such function, or no such version or alias of it.
    #[error("Function not found: {arn}")]
    ResourceNotFound {
        /// What was asked for, as an ARN.
        arn: String,
    },
    /// The payload is too large for this kind of invocation.
    #[error("Request must be smaller than {limit} bytes for the InvokeFunction operation")]
    RequestTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// As many invocations run as may.
    #[error("Rate Exceeded.")]
    TooManyRequests {
        /// Whose limit it is.
        reason: ThrottleReason,
    },
    /// An option does not fit into the header that the function would get it in.
    #[error("the {option} has characters that no HTTP header can have")]
    InvalidOption {
        /// The option: `client context`.
        option: &'static str,
    },
    /// This machine could not give the function a process.
    #[error("cannot start a process for function `{function}`: {reason}")]
    Service {
        /// The function's name.
        function: String,
        /// What failed.
        reason: String,
    },
    /// The function is built when it is called first, and can't be built.
    #[error("{reason}")]
    NotBuilt {
        /// The function's name.
        function: String,
        /// Why not. It names the function.
        reason: String,
    },
    /// The local Lambda is on its way down.
    #[error("the local Lambda is shutting down")]
    ShuttingDown,
}

/// An invocation on its way to a process.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// The function's ARN, with the qualifier that the caller used.
    pub(crate) invoked_arn: String,
    pub(crate) request_id: String,
    pub(crate) payload: Bytes,
    pub(crate) trace_id: String,
    pub(crate) client_context: Option<String>,
}

impl Task {
    /// A task with the caller's options, which have to fit into the headers that the function gets them in.
    pub(crate) fn new(invoked_arn: String, payload: Bytes, options: InvokeOptions) -> Result<Self, InvokeError> {
        let InvokeOptions { trace_id, client_context, request_id } = options;
        let named = [("trace id", &trace_id), ("client context", &client_context), ("request id", &request_id)];
        for (option, text) in named {
            if text.as_ref().is_some_and(|text| HeaderValue::from_bytes(text.as_bytes()).is_err()) {
                return Err(InvokeError::InvalidOption { option });
            }
        }
        Ok(Self {
            invoked_arn,
            request_id: request_id.unwrap_or_else(|| Uuid::new_v4().to_string()),
            payload,
            trace_id: trace_id.unwrap_or_else(new_trace_id),
            client_context,
        })
    }
}

/// A failure that Lambda itself reports, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlatformError {
    /// `Sandbox.Timedout`, `Runtime.ExitError`, …
    pub(crate) error_type: &'static str,
    /// What went wrong, without the request id.
    pub(crate) message: String,
}

impl PlatformError {
    pub(crate) fn timed_out(timeout: Duration) -> Self {
        Self {
            error_type: "Sandbox.Timedout",
            message: format!("Task timed out after {:.2} seconds", timeout.as_secs_f64()),
        }
    }

    pub(crate) fn exited(reason: &str) -> Self {
        Self { error_type: "Runtime.ExitError", message: reason.to_owned() }
    }

    pub(crate) fn response_too_large() -> Self {
        Self {
            error_type: "Function.ResponseSizeTooLarge",
            message: format!("Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."),
        }
    }

    pub(crate) fn streamed() -> Self {
        Self {
            error_type: "Runtime.UnsupportedResponseMode",
            message: "the function streams its response, which is not emulated: answer it whole".to_owned(),
        }
    }

    pub(crate) fn invalid_entrypoint(reason: &str) -> Self {
        Self { error_type: "Runtime.InvalidEntrypoint", message: reason.to_owned() }
    }

    /// The payload of the failed invocation. Lambda's own errors have the request id in their message, all but the one
    /// about the size of the response.
    pub(crate) fn payload(&self, request_id: &str) -> Bytes {
        let message = match self.error_type {
            "Function.ResponseSizeTooLarge" => self.message.clone(),
            _ => format!("RequestId: {request_id} Error: {}", self.message),
        };
        json!({ "errorType": self.error_type, "errorMessage": message }).to_string().into()
    }
}

/// A new X-Ray trace header: the time in the root, as X-Ray has it, and not sampled, for nobody collects it.
fn new_trace_id() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let root = Uuid::new_v4().simple().to_string();
    let parent = Uuid::new_v4().simple().to_string();
    format!("Root=1-{seconds:08x}-{root:.24};Parent={parent:.16};Sampled=0")
}

//! Invocations of functions.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use asl::{Fault, Value, value::Object};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use engine::{Identity, core::Call};
use uuid::Uuid;

use super::response::{Header, with_metadata, with_metadata_of};
use crate::{
    lambda::{Invocation, InvokeError, InvokeOptions, Lambda},
    states::invoke::{InvocationType, Parameters},
};

/// Which state of which execution an invocation is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerOf {
    /// The execution's ARN.
    pub execution_arn: Arc<str>,
    /// The state's name.
    pub state: Arc<str>,
}

/// Who an invocation is made for.
pub(super) struct Caller {
    pub(super) of: CallerOf,
    pub(super) trace_id: Option<String>,
}

impl Caller {
    pub(super) fn of(execution: &Identity, call: &Call) -> Self {
        Self {
            of: CallerOf { execution_arn: execution.arn.clone(), state: call.state.clone() },
            trace_id: execution.trace_header.as_ref().map(ToString::to_string),
        }
    }
}

/// The functions, and the invocations of them that are under way.
pub(super) struct Functions {
    lambda: Arc<Lambda>,
    callers: Arc<Mutex<HashMap<String, CallerOf>>>,
}

impl Functions {
    pub(super) fn new(lambda: Arc<Lambda>) -> Self {
        Self { lambda, callers: Arc::default() }
    }

    /// The state that an invocation under way is for.
    pub(super) fn caller_of(&self, request_id: &str) -> Option<CallerOf> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner).get(request_id).cloned()
    }

    /// A Task state whose resource is the function itself: its answer is the result.
    pub(super) fn call(
        &self,
        caller: Caller,
        arn: &str,
        input: &Value,
    ) -> impl Future<Output = Result<Value, Fault>> + Send + use<> {
        let invoking = self.invoke(caller, arn.to_owned(), input, None);
        async move { result(&invoking.await?) }
    }

    /// `lambda:invoke`: its answer with what the SDK tells about the call.
    pub(super) fn invoke_action(
        &self,
        caller: Caller,
        input: &Value,
    ) -> impl Future<Output = Result<Value, Fault>> + Send + use<> {
        let begun = Parameters::read(input).map(|parameters| {
            let Parameters { function, payload, client_context, kind, tells_log } = parameters;
            let invocation = match kind {
                InvocationType::RequestResponse => {
                    return Begun::Waiting(self.invoke(caller, function, &payload, client_context), tells_log);
                }
                InvocationType::Event => {
                    let options = InvokeOptions { trace_id: caller.trace_id, client_context, request_id: None };
                    let payload = Bytes::from(payload.to_string());
                    self.lambda.invoke_event(&function, payload, options).map(|request_id| (202, request_id))
                }
                InvocationType::DryRun => {
                    self.lambda.registry().find(&function).map(|_| (204, Uuid::new_v4().to_string()))
                }
            };
            Begun::Accepted(invocation)
        });
        async move {
            match begun? {
                Begun::Waiting(invoking, tells_log) => {
                    let invocation = invoking.await?;
                    result(&invocation).map(|payload| envelope(&invocation, payload, tells_log))
                }
                Begun::Accepted(Ok((status, request_id))) => Ok(accepted(status, &request_id)),
                Begun::Accepted(Err(error)) => Err(service_fault(&error)),
            }
        }
    }

    fn invoke(
        &self,
        caller: Caller,
        function: String,
        payload: &Value,
        client_context: Option<String>,
    ) -> impl Future<Output = Result<Invocation, Fault>> + Send + use<> {
        let Caller { of, trace_id } = caller;
        let request_id = Uuid::new_v4().to_string();
        let payload = Bytes::from(payload.to_string());
        let options = InvokeOptions { request_id: Some(request_id.clone()), trace_id, client_context };
        let under_way = Called::new(&self.callers, request_id, of);
        let lambda = self.lambda.clone();
        async move {
            let _under_way = under_way;
            lambda.invoke(&function, payload, options).await.map_err(|error| service_fault(&error))
        }
    }
}

/// What `lambda:invoke` has begun.
enum Begun<Invoking> {
    /// The function's answer is the result, with the end of its log or without.
    Waiting(Invoking, bool),
    /// The result is that it was accepted: its status and request id.
    Accepted(Result<(u64, String), InvokeError>),
}

/// An invocation under way, for as long as this lives.
struct Called {
    callers: Arc<Mutex<HashMap<String, CallerOf>>>,
    request_id: String,
}

impl Called {
    fn new(callers: &Arc<Mutex<HashMap<String, CallerOf>>>, request_id: String, caller: CallerOf) -> Self {
        callers.lock().unwrap_or_else(PoisonError::into_inner).insert(request_id.clone(), caller);
        Self { callers: callers.clone(), request_id }
    }
}

impl Drop for Called {
    fn drop(&mut self) {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.request_id);
    }
}

/// A function's answer, or its error under the name that it gave itself.
fn result(invocation: &Invocation) -> Result<Value, Fault> {
    let payload = serde_json::from_slice::<Value>(&invocation.payload);
    if !invocation.failed {
        return payload
            .map_err(|error| Fault::new("Lambda.Unknown", format!("The function's answer is not JSON: {error}")));
    }
    let error = payload.ok().and_then(|payload| payload.get("errorType")?.as_str().map(str::to_owned));
    let cause = String::from_utf8_lossy(&invocation.payload).into_owned();
    Err(Fault::new(error.unwrap_or_else(|| "Lambda.Unknown".to_owned()), cause))
}

/// Lambda itself could not do it.
fn service_fault(error: &InvokeError) -> Fault {
    let (name, status) = match error {
        InvokeError::ResourceNotFound { .. } => ("Lambda.ResourceNotFoundException", 404),
        InvokeError::InvalidOption { .. } => ("Lambda.InvalidParameterValueException", 400),
        InvokeError::RequestTooLarge { .. } => ("Lambda.RequestTooLargeException", 413),
        InvokeError::TooManyRequests { .. } => ("Lambda.TooManyRequestsException", 429),
        InvokeError::Service { .. } | InvokeError::NotBuilt { .. } | InvokeError::ShuttingDown => {
            ("Lambda.ServiceException", 500)
        }
    };
    let id = Uuid::new_v4();
    Fault::new(name, format!("{error} (Service: Lambda, Status Code: {status}, Request ID: {id})"))
}

/// The result of `lambda:invoke`: the payload with what the SDK tells about the call.
fn envelope(invocation: &Invocation, payload: Value, tells_log: bool) -> Value {
    let length = invocation.payload.len().to_string();
    let trace_id = String::from_utf8_lossy(invocation.trace_id.as_bytes());
    let log = tells_log.then(|| BASE64_STANDARD.encode(&invocation.log_tail));
    let mut headers = vec![
        Header("Connection", "keep-alive"),
        Header("Content-Length", &length),
        Header("Content-Type", "application/json"),
        Header("X-Amz-Executed-Version", &invocation.executed_version),
        Header("x-amzn-Remapped-Content-Length", "0"),
        Header("x-amzn-RequestId", &invocation.request_id),
        Header("X-Amzn-Trace-Id", &trace_id),
    ];
    let mut fields = Object::from_iter([
        ("ExecutedVersion".into(), Value::from(&*invocation.executed_version)),
        ("Payload".into(), payload),
        ("StatusCode".into(), Value::from(200_u64)),
    ]);
    if let Some(log) = &log {
        headers.push(Header("X-Amz-Log-Result", log));
        fields.insert("LogResult".into(), Value::from(log.as_str()));
    }
    with_metadata(fields, &headers, &invocation.request_id)
}

/// The result of an invocation that nobody waits for.
fn accepted(status: u64, request_id: &str) -> Value {
    let headers = [
        Header("Connection", "keep-alive"),
        Header("Content-Length", "0"),
        Header("x-amzn-Remapped-Content-Length", "0"),
        Header("x-amzn-RequestId", request_id),
    ];
    let fields = Object::from_iter([("Payload".into(), Value::from("")), ("StatusCode".into(), Value::from(status))]);
    with_metadata_of(status, fields, &headers, request_id)
}

//! What Task states ask for: invocations of functions.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use asl::{Fault, Value, machine::Resource, value::Object};
use bytes::Bytes;
use engine::{
    Identity,
    core::Call,
    run::{Answer, CallError, Outside, Reports},
};
use uuid::Uuid;

use super::invoke::Parameters;
use crate::lambda::{Invocation, InvokeError, InvokeOptions, Lambda};

/// Carries out the calls of Task states.
pub struct Tasks {
    lambda: Arc<Lambda>,
    callers: Arc<Mutex<HashMap<String, CallerOf>>>,
}

/// Which state of which execution an invocation is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerOf {
    /// The execution's ARN.
    pub execution_arn: Arc<str>,
    /// The state's name.
    pub state: Arc<str>,
}

impl Tasks {
    /// Calls these functions.
    pub fn new(lambda: Arc<Lambda>) -> Self {
        Self { lambda, callers: Arc::default() }
    }

    /// The state that an invocation under way is for.
    pub fn caller_of(&self, request_id: &str) -> Option<CallerOf> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner).get(request_id).cloned()
    }

    fn invoke(&self, caller: CallerOf, function: String, payload: &Value, options: InvokeOptions) -> Invoking {
        let request_id = Uuid::new_v4().to_string();
        let payload = Bytes::from(payload.to_string());
        let options = InvokeOptions { request_id: Some(request_id.clone()), ..options };
        let under_way = Called::new(&self.callers, request_id, caller);
        let lambda = self.lambda.clone();
        Box::pin(async move {
            let _under_way = under_way;
            lambda.invoke(&function, payload, options).await
        })
    }
}

type Invoking = std::pin::Pin<Box<dyn Future<Output = Result<Invocation, InvokeError>> + Send>>;

impl Outside for Tasks {
    fn call(&self, execution: &Arc<Identity>, call: Call, _: Reports) -> Answer {
        let trace_id = execution.trace_header.as_ref().map(ToString::to_string);
        let options = InvokeOptions { trace_id, ..InvokeOptions::default() };
        let caller = CallerOf { execution_arn: execution.arn.clone(), state: call.state.clone() };
        match &call.resource {
            Resource::Function { arn } => {
                let invoking = self.invoke(caller, arn.to_string(), &call.input, options);
                Box::pin(async move { Ok(result(&invoking.await.map_err(|error| service_fault(&error))?)?) })
            }
            Resource::Activity { .. } => {
                let cause = "Activities are not supported yet.";
                Box::pin(async move { Err(CallError::Refused(cause.into())) })
            }
            Resource::Service { .. } => match Parameters::read(&call.input) {
                Ok(Parameters { function, payload, client_context }) => {
                    let options = InvokeOptions { client_context, ..options };
                    let invoking = self.invoke(caller, function, &payload, options);
                    Box::pin(async move {
                        let invocation = invoking.await.map_err(|error| service_fault(&error))?;
                        Ok(result(&invocation).map(|payload| envelope(&invocation, payload))?)
                    })
                }
                Err(fault) => Box::pin(async move { Err(fault.into()) }),
            },
        }
    }
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
        InvokeError::Service { .. } | InvokeError::ShuttingDown => ("Lambda.ServiceException", 500),
    };
    let id = Uuid::new_v4();
    Fault::new(name, format!("{error} (Service: Lambda, Status Code: {status}, Request ID: {id})"))
}

/// The result of `lambda:invoke`: the payload with what the SDK tells about the call.
fn envelope(invocation: &Invocation, payload: Value) -> Value {
    let text = |text: &str| Value::from(text);
    let length = invocation.payload.len().to_string();
    let headers = [
        ("Connection", text("keep-alive")),
        ("Content-Length", text(&length)),
        ("Content-Type", text("application/json")),
        ("X-Amz-Executed-Version", text("$LATEST")),
        ("x-amzn-Remapped-Content-Length", text("0")),
        ("x-amzn-RequestId", text(&invocation.request_id)),
        ("X-Amzn-Trace-Id", text(&String::from_utf8_lossy(invocation.trace_id.as_bytes()))),
    ];
    let all: Object = headers.iter().map(|(name, value)| ((*name).into(), Value::from(vec![value.clone()]))).collect();
    Value::from([
        ("ExecutedVersion", text("$LATEST")),
        ("Payload", payload),
        (
            "SdkHttpMetadata",
            Value::from([
                ("AllHttpHeaders", Value::from(all)),
                ("HttpHeaders", Value::from(headers)),
                ("HttpStatusCode", Value::from(200_u64)),
            ]),
        ),
        ("SdkResponseMetadata", Value::from([("RequestId", text(&invocation.request_id))])),
        ("StatusCode", Value::from(200_u64)),
    ])
}

//! The Step Functions API: AWS JSON 1.0, `X-Amz-Target: AWSStepFunctions.<operation>`.

mod activities;
mod aliases;
mod executions;
mod machines;
mod map_runs;
mod tags;
mod versions;

use std::{future::Future, pin::Pin, sync::Arc};

use asl::{Value, value::Object};
use axum::body::Body;
use http::{HeaderValue, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;

use super::{ApiError, States, model, test_state};
use crate::{
    front::collect,
    service::{Request, Response, Service},
    wire::{self, Format},
};

/// Answers the operations that are there, and refuses the others by name.
pub struct FrontEnd {
    states: Arc<States>,
}

impl FrontEnd {
    /// The API of these state machines.
    pub fn new(states: Arc<States>) -> Self {
        Self { states }
    }

    async fn answer(&self, request: Request) -> Response {
        let operation = request
            .headers()
            .get("x-amz-target")
            .and_then(|target| target.to_str().ok())
            .and_then(|target| target.strip_prefix("AWSStepFunctions."))
            .unwrap_or_default()
            .to_owned();
        let body = match collect(request.into_body(), usize::MAX).await {
            Ok(body) => body,
            Err(refused) => return refused.response(Format::Json),
        };
        match self.operate(&operation, &body).await {
            Ok(answer) => respond(&answer),
            Err(error) => refuse(&error),
        }
    }

    async fn operate(&self, operation: &str, body: &[u8]) -> Result<Value, ApiError> {
        let states = &*self.states;
        let request = &Parameters::check(operation, body)?;
        match operation {
            "CreateActivity" => activities::create(states, request.read()?),
            "DeleteActivity" => activities::delete(states, &request.read()?),
            "DescribeActivity" => activities::describe(states, &request.read()?),
            "GetActivityTask" => activities::get_task(states, &request.read()?).await,
            "ListActivities" => activities::list(states, &request.read()?),
            "SendTaskFailure" => activities::send_failure(states, request.read()?),
            "SendTaskHeartbeat" => activities::send_heartbeat(states, &request.read()?),
            "SendTaskSuccess" => activities::send_success(states, &request.read()?),

            "CreateStateMachineAlias" => aliases::create(states, request.read()?),
            "DeleteStateMachineAlias" => aliases::delete(states, &request.read()?),
            "DescribeStateMachineAlias" => aliases::describe(states, &request.read()?),
            "ListStateMachineAliases" => aliases::list(states, &request.read()?),
            "UpdateStateMachineAlias" => aliases::update(states, request.read()?),

            "DescribeExecution" => executions::describe(states, &request.read()?),
            "DescribeStateMachineForExecution" => executions::describe_machine(states, &request.read()?),
            "GetExecutionHistory" => executions::history(states, &request.read()?),
            "ListExecutions" => executions::list(states, &request.read()?),
            "RedriveExecution" => executions::redrive(states, &request.read()?),
            "StartExecution" => executions::start(states, &request.read()?),
            "StartSyncExecution" => executions::start_sync(states, &request.read()?).await,
            "StopExecution" => executions::stop(states, request.read()?),

            "CreateStateMachine" => machines::create(states, request.read()?),
            "DeleteStateMachine" => machines::delete(states, &request.read()?),
            "DescribeStateMachine" => machines::describe(states, &request.read()?),
            "ListStateMachines" => machines::list(states, &request.read()?),
            "UpdateStateMachine" => machines::update(states, request.read()?),
            "ValidateStateMachineDefinition" => Ok(machines::validate(states, &request.read()?)),

            "DescribeMapRun" => map_runs::describe(states, &request.read()?),
            "ListMapRuns" => map_runs::list(states, &request.read()?),
            "UpdateMapRun" => map_runs::update(states, &request.read()?),

            "ListTagsForResource" => tags::list(states, &request.read()?),
            "TagResource" => tags::add(states, request.read()?),
            "UntagResource" => tags::remove(states, &request.read()?),

            "DeleteStateMachineVersion" => versions::delete(states, &request.read()?),
            "ListStateMachineVersions" => versions::list(states, &request.read()?),
            "PublishStateMachineVersion" => versions::publish(states, request.read()?),

            "TestState" => test_state::test_state(states, request.read()?).await,

            other => Err(unknown(other)),
        }
    }
}

impl Service for FrontEnd {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(self.answer(request))
    }
}

/// The parameters of a call, which the model allows.
struct Parameters<'a>(&'a [u8]);

impl<'a> Parameters<'a> {
    fn check(operation: &str, body: &'a [u8]) -> Result<Self, ApiError> {
        let parameters = model::operations::parameters_of(operation).ok_or_else(|| unknown(operation))?;
        let body = if body.is_empty() { b"{}" } else { body };
        let request = serde_json::from_slice(body).map_err(unreadable)?;
        model::check(parameters, &request)?;
        Ok(Self(body))
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(self.0).map_err(unreadable)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed as a function")]
fn unreadable(error: serde_json::Error) -> ApiError {
    ApiError::new("SerializationException", error.to_string())
}

fn unknown(operation: &str) -> ApiError {
    let message = format!("the local Step Functions does not have the operation '{operation}' yet");
    ApiError::new("UnknownOperationException", message)
}

/// The answer of an operation that has nothing to say.
fn done() -> Value {
    Value::empty_object()
}

/// The answer of an operation that lists.
fn listed<T: Into<Value>>(key: &str, (items, next): (Vec<T>, Option<String>)) -> Value {
    let items: Vec<Value> = items.into_iter().map(Into::into).collect();
    let mut fields = Object::from_iter([(key.into(), Value::from(items))]);
    fields.extend(next.map(|token| ("nextToken".into(), Value::from(token))));
    fields.into()
}

fn respond(answer: &Value) -> Response {
    let mut response = Response::new(Body::from(answer.to_string()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    if let Ok(id) = HeaderValue::from_str(&wire::request_id()) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

fn refuse(error: &ApiError) -> Response {
    wire::error(Format::Json, error.status(), error.code, &error.message)
}

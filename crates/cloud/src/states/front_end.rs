//! The Step Functions API: AWS JSON 1.0, `X-Amz-Target: AWSStepFunctions.<operation>`.

use std::{future::Future, pin::Pin, sync::Arc};

use asl::{Fault, Value, value::Object};
use axum::body::Body;
use engine::history::{self, epoch_seconds};
use http::{HeaderValue, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use serde::{Deserialize, de::DeserializeOwned};

use super::{ApiError, Start, States, Status, describe, page::Page};
use crate::{
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
        let body = match request.into_body().collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return refuse(&ApiError::new("SerializationException", error.to_string())),
        };
        match self.operate(&operation, &body).await {
            Ok(answer) => respond(&answer),
            Err(error) => refuse(&error),
        }
    }

    async fn operate(&self, operation: &str, body: &[u8]) -> Result<Value, ApiError> {
        match operation {
            "StartExecution" => self.start_execution(&parse(body)?),
            "StartSyncExecution" => self.start_sync_execution(&parse(body)?).await,
            "StopExecution" => self.stop_execution(parse(body)?),
            "DescribeExecution" => {
                let request: ExecutionRequest = parse(body)?;
                Ok(self.states.execution(&request.execution_arn)?.look(describe::execution))
            }
            "DescribeStateMachineForExecution" => {
                let request: ExecutionRequest = parse(body)?;
                let running = self.states.execution(&request.execution_arn)?;
                let definition = self.states.definition_of(running.identity())?;
                Ok(describe::machine_of_execution(running.identity(), definition))
            }
            "GetExecutionHistory" => self.get_execution_history(&parse(body)?),
            "ListExecutions" => self.list_executions(&parse(body)?),
            "ListStateMachines" => self.list_state_machines(&parse(body)?),
            "DescribeStateMachine" => {
                let request: StateMachineRequest = parse(body)?;
                Ok(describe::machine(self.states.machine(&request.state_machine_arn)?))
            }
            other => Err(ApiError::new(
                "UnknownOperationException",
                format!("the local Step Functions does not have the operation '{other}' yet"),
            )),
        }
    }

    fn start_execution(&self, request: &StartRequest) -> Result<Value, ApiError> {
        let running = self.states.start(&request.state_machine_arn, request.start())?;
        Ok(running.look(|execution| {
            let identity = execution.identity();
            Value::from([
                ("executionArn", Value::from(identity.arn.clone())),
                ("startDate", epoch_seconds(identity.started_at)),
            ])
        }))
    }

    async fn start_sync_execution(&self, request: &StartRequest) -> Result<Value, ApiError> {
        let machine = self.states.machine(&request.state_machine_arn)?;
        if machine.kind == sam::StateMachineKind::Standard {
            return Err(ApiError::new(
                "StateMachineTypeNotSupported",
                "This operation is not supported by this type of state machine",
            ));
        }
        let running = self.states.start(&request.state_machine_arn, request.start())?;
        running.ended().await;
        Ok(running.look(describe::sync_execution))
    }

    fn stop_execution(&self, request: StopRequest) -> Result<Value, ApiError> {
        let running = self.states.execution(&request.execution_arn)?;
        running
            .stop(Fault { error: request.error.map(Into::into), cause: request.cause.map(Into::into) })
            .map_err(|error| ApiError::internal(&error))?;
        let stopped = running.look(|execution| execution.history().last().map(|last| epoch_seconds(last.at)));
        Ok(Value::from([("stopDate", stopped.unwrap_or_default())]))
    }

    fn get_execution_history(&self, request: &HistoryRequest) -> Result<Value, ApiError> {
        let page = Page::of(request.max_results, request.next_token.as_deref())?;
        let events = self.states.execution(&request.execution_arn)?.events_from(0);
        let include_data = request.include_execution_data.unwrap_or(true);
        let (events, next) = if request.reverse_order.unwrap_or(false) {
            page.cut(events.iter().rev())
        } else {
            page.cut(events.iter())
        };
        let events: Vec<_> = events.into_iter().map(|event| history::to_json(event, include_data)).collect();
        Ok(listed("events", events, next))
    }

    fn list_executions(&self, request: &ListExecutionsRequest) -> Result<Value, ApiError> {
        let page = Page::of(request.max_results, request.next_token.as_deref())?;
        self.states.machine(&request.state_machine_arn)?;
        let status = request.status_filter.as_deref().map(status).transpose()?;
        let (executions, next) =
            page.read(|offset, limit| self.states.executions_of(&request.state_machine_arn, status, offset, limit))?;
        let executions = executions.iter().map(|execution| describe::listed(execution).into()).collect();
        Ok(listed("executions", executions, next))
    }

    fn list_state_machines(&self, request: &ListRequest) -> Result<Value, ApiError> {
        let page = Page::of(request.max_results, request.next_token.as_deref())?;
        let machines = self.states.machines().iter().map(|machine| Value::from(describe::machine_summary(machine)));
        let (machines, next) = page.cut(machines);
        Ok(listed("stateMachines", machines, next))
    }
}

impl Service for FrontEnd {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(self.answer(request))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StartRequest {
    state_machine_arn: String,
    name: Option<String>,
    input: Option<String>,
    trace_header: Option<String>,
}

impl StartRequest {
    fn start(&self) -> Start<'_> {
        Start { name: self.name.as_deref(), input: self.input.as_deref(), trace_header: self.trace_header.as_deref() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StopRequest {
    execution_arn: String,
    error: Option<String>,
    cause: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExecutionRequest {
    execution_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StateMachineRequest {
    state_machine_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HistoryRequest {
    execution_arn: String,
    max_results: Option<usize>,
    reverse_order: Option<bool>,
    next_token: Option<String>,
    include_execution_data: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListExecutionsRequest {
    state_machine_arn: String,
    status_filter: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListRequest {
    max_results: Option<usize>,
    next_token: Option<String>,
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| ApiError::validation(error.to_string()))
}

fn status(name: &str) -> Result<Status, ApiError> {
    Status::named(name).ok_or_else(|| {
        ApiError::validation(format!(
            "1 validation error detected: Value '{name}' at 'statusFilter' failed to satisfy constraint: Member must \
             satisfy enum value set: [RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED]"
        ))
    })
}

fn listed(key: &str, items: Vec<Value>, next: Option<String>) -> Value {
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

//! Executions.

use asl::{Fault, Value};
use engine::{
    history::{self, epoch_seconds},
    journal::{Listed, Wanted},
    run::Executions,
};
use sam::StateMachineKind;
use serde::Deserialize;

use super::listed;
use crate::states::{
    ApiError, Start, States, Status,
    arn::{self, Qualifier, StateMachineArn},
    describe::{self, IncludedData},
    page::{Order, Page},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartRequest {
    state_machine_arn: String,
    name: Option<String>,
    input: Option<String>,
    trace_header: Option<String>,
    included_data: Option<IncludedData>,
}

impl StartRequest {
    fn start(&self) -> Start<'_> {
        Start { name: self.name.as_deref(), input: self.input.as_deref(), trace_header: self.trace_header.as_deref() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StopRequest {
    execution_arn: String,
    error: Option<String>,
    cause: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RedriveRequest {
    execution_arn: String,
    client_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExecutionRequest {
    execution_arn: String,
    included_data: Option<IncludedData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistoryRequest {
    execution_arn: String,
    reverse_order: Option<bool>,
    include_execution_data: Option<bool>,
    #[serde(flatten)]
    page: Page,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListRequest {
    state_machine_arn: Option<String>,
    map_run_arn: Option<String>,
    status_filter: Option<String>,
    redrive_filter: Option<RedriveFilter>,
    #[serde(flatten)]
    page: Page,
}

impl ListRequest {
    /// The status that is wanted. The model has no name but these.
    fn status(&self) -> Option<Status> {
        self.status_filter.as_deref().and_then(Status::named)
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum RedriveFilter {
    Redriven,
    NotRedriven,
}

pub(super) fn start(states: &States, request: &StartRequest) -> Result<Value, ApiError> {
    let running = states.start(&request.state_machine_arn, request.start())?;
    Ok(running.look(|execution| {
        let identity = execution.identity();
        Value::from([
            ("executionArn", Value::from(identity.arn.clone())),
            ("startDate", epoch_seconds(identity.started_at)),
        ])
    }))
}

pub(super) async fn start_sync(states: &States, request: &StartRequest) -> Result<Value, ApiError> {
    let (machine_arn, _) = states.test_case(&request.state_machine_arn);
    if states.machines().target(machine_arn)?.machine.kind == StateMachineKind::Standard {
        return Err(type_not_supported());
    }
    let running = states.start(&request.state_machine_arn, request.start())?;
    running.ended().await;
    Ok(running.look(|execution| describe::sync_execution(execution, request.included_data.unwrap_or_default())))
}

pub(super) fn stop(states: &States, request: StopRequest) -> Result<Value, ApiError> {
    let running = states.execution(&request.execution_arn)?;
    running
        .stop(Fault { error: request.error.map(Into::into), cause: request.cause.map(Into::into) })
        .map_err(|error| ApiError::internal(&error))?;
    let stopped = running.look(|execution| execution.history().last().map(|last| epoch_seconds(last.at)));
    Ok(Value::from([("stopDate", stopped.unwrap_or_default())]))
}

pub(super) fn redrive(states: &States, request: &RedriveRequest) -> Result<Value, ApiError> {
    let at = states.redrive(&request.execution_arn, request.client_token.as_deref())?;
    Ok(Value::from([("redriveDate", epoch_seconds(at))]))
}

pub(super) fn describe(states: &States, request: &ExecutionRequest) -> Result<Value, ApiError> {
    let included = request.included_data.unwrap_or_default();
    let running = states.execution(&request.execution_arn)?;
    let now = states.now();
    let map_run_arn = running.identity().map_run_arn.as_deref();
    let pending = map_run_arn.is_some_and(|arn| states.is_pending_redrive(arn, &request.execution_arn));
    Ok(running.look(|execution| {
        let status = if pending { Status::PendingRedrive } else { Status::of(execution) };
        describe::execution(execution, status, included, now)
    }))
}

pub(super) fn describe_machine(states: &States, request: &ExecutionRequest) -> Result<Value, ApiError> {
    let running = states.execution(&request.execution_arn)?;
    let definition = states.definition_of(running.identity())?;
    let included = request.included_data.unwrap_or_default();
    Ok(describe::machine_of_execution(running.identity(), &definition, included))
}

pub(super) fn history(states: &States, request: &HistoryRequest) -> Result<Value, ApiError> {
    let events = states.execution(&request.execution_arn)?.events_from(0);
    let order = if request.reverse_order.unwrap_or(false) { Order::Falling } else { Order::Rising };
    let (events, next) = request.page.cut(events.iter(), order, |event| event.id)?;
    let include_data = request.include_execution_data.unwrap_or(true);
    let events: Vec<_> = events.into_iter().map(|event| history::to_json(event, include_data)).collect();
    Ok(listed("events", (events, next)))
}

/// The executions of a machine, of a version, of a Map Run, or those that were started by an alias; newest first.
pub(super) fn list(states: &States, request: &ListRequest) -> Result<Value, ApiError> {
    match (&request.state_machine_arn, &request.map_run_arn) {
        (Some(arn), None) => list_of_machine(states, request, arn),
        (None, Some(arn)) => list_of_map_run(states, request, arn),
        _ => Err(ApiError::validation("Must provide a State Machine ARN or Map Run ARN, and not both")),
    }
}

fn list_of_map_run(states: &States, request: &ListRequest, arn: &str) -> Result<Value, ApiError> {
    let wanted = Wanted {
        machine_arn: &arn::map_run(arn)?,
        map_run_arn: Some(arn),
        redriven: request.redrive_filter.map(|filter| filter == RedriveFilter::Redriven),
        ..Wanted::default()
    };
    if states.executions_of(Wanted { redriven: None, ..wanted }, 1)?.is_empty() {
        // One with no child execution, or none.
        states.map_run(arn)?;
    }
    let pending = states.pending_redrive(arn);
    if pending.is_empty() {
        return list_wanted(states, request, wanted);
    }
    // The journal has them as they were.
    let status = request.status();
    list_read(request, |older_than, limit| {
        let mut executions = states.executions_of(Wanted { older_than, ..wanted }, Executions::NO_LIMIT)?;
        for execution in executions.iter_mut().filter(|execution| pending.contains(&execution.arn)) {
            execution.status = Status::PendingRedrive;
        }
        executions.retain(|execution| status.is_none_or(|status| execution.status == status));
        executions.truncate(limit);
        Ok(executions)
    })
}

fn list_of_machine(states: &States, request: &ListRequest, arn: &str) -> Result<Value, ApiError> {
    if states.machines().target(arn)?.machine.kind == StateMachineKind::Express {
        return Err(type_not_supported());
    }
    if request.redrive_filter.is_some() {
        let refused = "RedriveFilter cannot be applied to ListExecutions call with StateMachine ARN";
        return Err(ApiError::validation(refused));
    }
    let StateMachineArn { machine, qualifier } = arn::state_machine(arn)?;
    let wanted = Wanted {
        machine_arn: machine,
        version_arn: matches!(qualifier, Some(Qualifier::Version(_))).then_some(arn),
        alias_arn: matches!(qualifier, Some(Qualifier::Alias(_))).then_some(arn),
        ..Wanted::default()
    };
    list_wanted(states, request, wanted)
}

fn list_wanted(states: &States, request: &ListRequest, wanted: Wanted<'_>) -> Result<Value, ApiError> {
    let wanted = Wanted { status: request.status(), ..wanted };
    list_read(request, |older_than, limit| states.executions_of(Wanted { older_than, ..wanted }, limit))
}

/// A page of executions, of which `read` gives as many as it is told, older than one.
fn list_read(
    request: &ListRequest,
    read: impl FnOnce(Option<&str>, usize) -> Result<Vec<Listed>, ApiError>,
) -> Result<Value, ApiError> {
    let (executions, next) = request.page.read(
        |execution: &Listed| execution.arn.to_string(),
        |older_than, limit| match older_than {
            Some(arn) if arn::execution(arn).is_err() => Err(ApiError::invalid_token()),
            _ => read(older_than, limit),
        },
    )?;
    let executions: Vec<_> = executions.iter().map(describe::listed).collect();
    Ok(listed("executions", (executions, next)))
}

fn type_not_supported() -> ApiError {
    ApiError::new("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")
}

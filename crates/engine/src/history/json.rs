//! Events as `GetExecutionHistory` gives them.

use std::sync::Arc;

use asl::{Fault, Value, value::Object};

use super::{Event, EventKind, Limits, TaskType};

/// The event's type: `TaskStateEntered`.
pub fn event_type(kind: &EventKind) -> String {
    match kind {
        EventKind::StateEntered { state_type, .. } => format!("{state_type}StateEntered"),
        EventKind::StateExited { state_type, .. } => format!("{state_type}StateExited"),
        EventKind::StateAborted { state_type } => format!("{state_type}StateAborted"),
        EventKind::ExecutionStarted { .. } => "ExecutionStarted".into(),
        EventKind::ExecutionSucceeded { .. } => "ExecutionSucceeded".into(),
        EventKind::ExecutionFailed(_) => "ExecutionFailed".into(),
        EventKind::ExecutionTimedOut(_) => "ExecutionTimedOut".into(),
        EventKind::ExecutionAborted(_) => "ExecutionAborted".into(),
        EventKind::ExecutionRedriven { .. } => "ExecutionRedriven".into(),
        EventKind::ParallelStateStarted => "ParallelStateStarted".into(),
        EventKind::ParallelStateSucceeded => "ParallelStateSucceeded".into(),
        EventKind::ParallelStateFailed => "ParallelStateFailed".into(),
        EventKind::MapStateStarted { .. } => "MapStateStarted".into(),
        EventKind::MapStateSucceeded => "MapStateSucceeded".into(),
        EventKind::MapStateFailed => "MapStateFailed".into(),
        EventKind::MapRunStarted { .. } => "MapRunStarted".into(),
        EventKind::MapRunSucceeded => "MapRunSucceeded".into(),
        EventKind::MapRunFailed(_) => "MapRunFailed".into(),
        EventKind::MapRunAborted => "MapRunAborted".into(),
        EventKind::MapRunRedriven { .. } => "MapRunRedriven".into(),
        EventKind::MapIterationStarted(_) => "MapIterationStarted".into(),
        EventKind::MapIterationSucceeded(_) => "MapIterationSucceeded".into(),
        EventKind::MapIterationFailed(_) => "MapIterationFailed".into(),
        EventKind::MapIterationAborted(_) => "MapIterationAborted".into(),
        EventKind::LambdaFunctionScheduled { .. } => "LambdaFunctionScheduled".into(),
        EventKind::LambdaFunctionStarted => "LambdaFunctionStarted".into(),
        EventKind::LambdaFunctionSucceeded { .. } => "LambdaFunctionSucceeded".into(),
        EventKind::LambdaFunctionFailed(_) => "LambdaFunctionFailed".into(),
        EventKind::LambdaFunctionTimedOut(_) => "LambdaFunctionTimedOut".into(),
        EventKind::LambdaFunctionScheduleFailed(_) => "LambdaFunctionScheduleFailed".into(),
        EventKind::LambdaFunctionStartFailed(_) => "LambdaFunctionStartFailed".into(),
        EventKind::ActivityScheduled { .. } => "ActivityScheduled".into(),
        EventKind::ActivityScheduleFailed(_) => "ActivityScheduleFailed".into(),
        EventKind::ActivityStarted { .. } => "ActivityStarted".into(),
        EventKind::ActivitySucceeded { .. } => "ActivitySucceeded".into(),
        EventKind::ActivityFailed(_) => "ActivityFailed".into(),
        EventKind::ActivityTimedOut(_) => "ActivityTimedOut".into(),
        EventKind::EvaluationFailed { .. } => "EvaluationFailed".into(),
        EventKind::TaskScheduled { .. } => "TaskScheduled".into(),
        EventKind::TaskStartFailed(..) => "TaskStartFailed".into(),
        EventKind::TaskSubmitFailed(..) => "TaskSubmitFailed".into(),
        EventKind::TaskSubmitted { .. } => "TaskSubmitted".into(),
        EventKind::TaskStarted(_) => "TaskStarted".into(),
        EventKind::TaskSucceeded { .. } => "TaskSucceeded".into(),
        EventKind::TaskFailed(..) => "TaskFailed".into(),
        EventKind::TaskTimedOut(..) => "TaskTimedOut".into(),
    }
}

/// The event as a `HistoryEvent` of the API.
///
/// `timestamp` is in seconds since 1970 with milliseconds. Payloads are JSON text; without `include_execution_data`
/// they are left out.
pub fn to_json(event: &Event, include_execution_data: bool) -> Value {
    let name = event_type(&event.kind);
    let mut fields = Object::new();
    fields.insert("id".into(), event.id.into());
    fields.insert("previousEventId".into(), event.previous_id.into());
    fields.insert("timestamp".into(), epoch_seconds(event.at));
    if let Some(details) = details(&event.kind, include_execution_data) {
        fields.insert(details_key(&event.kind, &name).into(), details);
    }
    fields.insert("type".into(), name.into());
    fields.into()
}

/// A moment as the service's JSON protocol writes it: seconds since 1970, to the millisecond.
pub fn epoch_seconds(at: time::OffsetDateTime) -> Value {
    let milliseconds = at.unix_timestamp_nanos() / 1_000_000;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
    let seconds = milliseconds as f64 / 1000.0;
    asl::value::Number::from_f64(seconds).map_or(Value::Null, Value::Number)
}

/// All `…StateEntered` events share one key, and all `…StateExited` events another.
fn details_key(kind: &EventKind, name: &str) -> String {
    let stem = match kind {
        EventKind::StateEntered { .. } => "StateEntered",
        EventKind::StateExited { .. } => "StateExited",
        _ => name,
    };
    let mut key = String::with_capacity(stem.len() + 12);
    key.extend(stem.chars().take(1).map(|first| first.to_ascii_lowercase()));
    key.extend(stem.chars().skip(1));
    key.push_str("EventDetails");
    key
}

pub(super) fn details(kind: &EventKind, include_data: bool) -> Option<Value> {
    let mut details = Details { fields: Object::new(), include_data };
    match kind {
        EventKind::ExecutionStarted { input, role_arn } => {
            details.payload("input", input);
            details.set("roleArn", role_arn.clone());
        }
        EventKind::ExecutionSucceeded { output }
        | EventKind::LambdaFunctionSucceeded { output }
        | EventKind::ActivitySucceeded { output } => {
            details.payload("output", output);
        }
        EventKind::ExecutionFailed(fault)
        | EventKind::ExecutionTimedOut(fault)
        | EventKind::ExecutionAborted(fault)
        | EventKind::MapRunFailed(fault)
        | EventKind::LambdaFunctionScheduleFailed(fault)
        | EventKind::LambdaFunctionStartFailed(fault)
        | EventKind::LambdaFunctionFailed(fault)
        | EventKind::ActivityScheduleFailed(fault)
        | EventKind::ActivityFailed(fault)
        | EventKind::ActivityTimedOut(fault)
        | EventKind::LambdaFunctionTimedOut(fault) => details.fault(fault),
        EventKind::StateEntered { name, input, .. } => {
            details.set("name", name.clone());
            details.payload("input", input);
        }
        EventKind::StateExited { name, output, assigned, .. } => {
            details.set("name", name.clone());
            details.payload("output", output);
            if let Some(assigned) = assigned {
                details.variables(assigned);
            }
        }
        EventKind::EvaluationFailed { fault, location, state } => {
            details.fault(fault);
            if let Some(location) = location {
                details.set("location", location.clone());
            }
            details.set("state", state.clone());
        }
        EventKind::MapStateStarted { length } => details.set("length", *length),
        EventKind::ExecutionRedriven { count, .. } => details.set("redriveCount", *count),
        EventKind::MapRunStarted { map_run_arn } => details.set("mapRunArn", map_run_arn.clone()),
        EventKind::MapRunRedriven { map_run_arn, count } => {
            details.set("mapRunArn", map_run_arn.clone());
            details.set("redriveCount", *count);
        }
        EventKind::MapIterationStarted(iteration)
        | EventKind::MapIterationSucceeded(iteration)
        | EventKind::MapIterationFailed(iteration)
        | EventKind::MapIterationAborted(iteration) => {
            details.set("name", iteration.name.clone());
            details.set("index", iteration.index);
        }
        EventKind::LambdaFunctionScheduled { resource, input, limits }
        | EventKind::ActivityScheduled { resource, input, limits } => {
            details.set("resource", resource.clone());
            details.payload("input", input);
            details.limits(limits);
        }
        EventKind::ActivityStarted { worker } => {
            if let Some(worker) = worker {
                details.set("workerName", worker.clone());
            }
        }
        EventKind::TaskScheduled { task, region, parameters, limits } => {
            details.task(task);
            details.set("region", region.clone());
            if include_data {
                details.set("parameters", parameters.to_string());
            }
            details.limits(limits);
        }
        EventKind::TaskStarted(task) => details.task(task),
        EventKind::TaskSubmitted { task, output } | EventKind::TaskSucceeded { task, output } => {
            details.task(task);
            details.payload("output", output);
        }
        EventKind::TaskStartFailed(task, fault)
        | EventKind::TaskSubmitFailed(task, fault)
        | EventKind::TaskFailed(task, fault)
        | EventKind::TaskTimedOut(task, fault) => {
            details.task(task);
            details.fault(fault);
        }
        EventKind::StateAborted { .. }
        | EventKind::ParallelStateStarted
        | EventKind::ParallelStateSucceeded
        | EventKind::ParallelStateFailed
        | EventKind::MapStateSucceeded
        | EventKind::MapStateFailed
        | EventKind::MapRunSucceeded
        | EventKind::MapRunAborted
        | EventKind::LambdaFunctionStarted => return None,
    }
    Some(details.fields.into())
}

struct Details {
    fields: Object,
    include_data: bool,
}

impl Details {
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.fields.insert(key.into(), value.into());
    }

    fn limits(&mut self, limits: &Limits) {
        let seconds =
            [("timeoutInSeconds", limits.timeout_in_seconds), ("heartbeatInSeconds", limits.heartbeat_in_seconds)];
        for (key, seconds) in seconds {
            if let Some(seconds) = seconds {
                self.set(key, seconds);
            }
        }
        if let Some(role_arn) = &limits.role_arn {
            self.set("taskCredentials", Value::from([("roleArn", Value::from(role_arn.clone()))]));
        }
    }

    /// Variables with their values as JSON text.
    fn variables(&mut self, assigned: &Object) {
        if self.include_data {
            let texts: Object =
                assigned.iter().map(|(name, value)| (name.clone(), Value::from(value.to_string()))).collect();
            self.set("assignedVariables", texts);
            self.set("assignedVariablesDetails", Value::from([("truncated", Value::from(false))]));
        }
    }

    fn payload(&mut self, key: &str, value: &Value) {
        if self.include_data {
            self.set(key, value.to_string());
            self.set(&format!("{key}Details"), Value::from([("truncated", Value::from(false))]));
        }
    }

    fn task(&mut self, task: &TaskType) {
        self.set("resourceType", task.resource_type.clone());
        self.set("resource", task.resource.clone());
    }

    fn fault(&mut self, fault: &Fault) {
        let parts: [(&str, &Option<Arc<str>>); 2] = [("error", &fault.error), ("cause", &fault.cause)];
        for (key, part) in parts {
            if let Some(text) = part {
                self.set(key, text.clone());
            }
        }
    }
}

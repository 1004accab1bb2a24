//! Executions and machines as the API describes them.

use asl::{Value, value::Object};
use engine::{
    Execution, Identity, Outcome,
    history::{Event, epoch_seconds},
    journal::Listed,
};
use time::OffsetDateTime;

use super::{StateMachine, Status};

/// When an execution ended, once it has.
fn stopped_at(execution: &Execution) -> Option<OffsetDateTime> {
    execution.history().last().filter(|last| last.kind.ends_execution()).map(|last: &Event| last.at)
}

/// An element of `ListExecutions`, with the fields that every description of an execution has.
pub(super) fn listed(execution: &Listed) -> Object {
    let mut fields = Object::from_iter([
        ("executionArn".into(), Value::from(execution.arn.clone())),
        ("stateMachineArn".into(), execution.state_machine_arn.clone().into()),
        ("name".into(), execution.name.clone().into()),
        ("status".into(), execution.status.name().into()),
        ("startDate".into(), epoch_seconds(execution.started_at)),
    ]);
    if let Some(at) = execution.stopped_at {
        fields.insert("stopDate".into(), epoch_seconds(at));
    }
    fields
}

fn summary(execution: &Execution) -> Object {
    let identity = execution.identity();
    listed(&Listed {
        arn: identity.arn.clone(),
        state_machine_arn: identity.state_machine_arn.clone(),
        name: identity.name.clone(),
        status: Status::of(execution),
        started_at: identity.started_at,
        stopped_at: stopped_at(execution),
    })
}

/// The answer of `DescribeExecution`.
pub(super) fn execution(execution: &Execution) -> Value {
    let mut fields = summary(execution);
    fields.insert("input".into(), execution.identity().input.to_string().into());
    fields.insert("inputDetails".into(), included());
    result(execution, &mut fields);
    fields.insert("redriveCount".into(), Value::from(0_u64));
    fields.into()
}

/// The answer of `StartSyncExecution`.
pub(super) fn sync_execution(execution: &Execution) -> Value {
    let mut fields = summary(execution);
    fields.insert("input".into(), execution.identity().input.to_string().into());
    fields.insert("inputDetails".into(), included());
    result(execution, &mut fields);
    let milliseconds =
        stopped_at(execution).map_or(0, |at| (at - execution.identity().started_at).whole_milliseconds());
    let milliseconds = u64::try_from(milliseconds).unwrap_or(0);
    // Billed by the 100 ms and by 64 MB: nothing is billed here, but a client expects both.
    let billed = Value::from([
        ("billedMemoryUsedInMB", Value::from(64_u64)),
        ("billedDurationInMilliseconds", milliseconds.div_ceil(100).saturating_mul(100).into()),
    ]);
    fields.insert("billingDetails".into(), billed);
    fields.into()
}

fn result(execution: &Execution, fields: &mut Object) {
    match execution.outcome() {
        Some(Outcome::Succeeded(output)) => {
            fields.insert("output".into(), output.to_string().into());
            fields.insert("outputDetails".into(), included());
        }
        Some(Outcome::Failed(fault) | Outcome::Aborted(fault)) => {
            for (key, part) in [("error", &fault.error), ("cause", &fault.cause)] {
                if let Some(text) = part {
                    fields.insert(key.into(), text.clone().into());
                }
            }
        }
        // The service tells neither error nor cause of a time-out here.
        Some(Outcome::TimedOut(_)) | None => {}
    }
}

fn included() -> Value {
    Value::from([("included", Value::from(true))])
}

/// An element of `ListStateMachines`, with the fields that every description of a machine has.
pub(super) fn machine_summary(machine: &StateMachine) -> Object {
    Object::from_iter([
        ("stateMachineArn".into(), Value::from(machine.arn.clone())),
        ("name".into(), machine.name.clone().into()),
        ("type".into(), machine.type_name().into()),
        ("creationDate".into(), epoch_seconds(machine.created_at)),
    ])
}

/// The answer of `DescribeStateMachine`.
pub(super) fn machine(machine: &StateMachine) -> Value {
    let mut fields = machine_summary(machine);
    fields.insert("status".into(), "ACTIVE".into());
    fields.insert("definition".into(), machine.definition.to_string().into());
    fields.insert("roleArn".into(), machine.role_arn.clone().into());
    fields.into()
}

/// The answer of `DescribeStateMachineForExecution`: the machine as it was when the execution was started.
pub(super) fn machine_of_execution(identity: &Identity, definition: String) -> Value {
    Object::from_iter([
        ("stateMachineArn".into(), Value::from(identity.state_machine_arn.clone())),
        ("name".into(), identity.state_machine_name.clone().into()),
        ("definition".into(), definition.into()),
        ("roleArn".into(), identity.role_arn.clone().into()),
        ("updateDate".into(), epoch_seconds(identity.started_at)),
    ])
    .into()
}

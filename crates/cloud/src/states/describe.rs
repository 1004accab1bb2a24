//! Executions and machines as the API describes them.

use std::sync::Arc;

use asl::{Value, value::Object};
use engine::{
    Execution, Identity, NotRedrivable, Outcome, Revision,
    history::{Event, epoch_seconds},
    journal::Listed,
};
use serde::Deserialize;
use time::OffsetDateTime;

use super::{StateMachine, Status, logging, variables, versions::Version};

/// How much of an execution or a machine is described.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum IncludedData {
    /// Everything.
    #[default]
    AllData,
    /// No definition, no input and output, and not what an error tells.
    MetadataOnly,
}

/// When an execution ended, once it has.
fn stopped_at(execution: &Execution) -> Option<OffsetDateTime> {
    execution.history().last().filter(|last| last.kind.ends_execution()).map(|last: &Event| last.at)
}

/// What every description of an execution has.
fn identity(execution: &Listed) -> Object {
    let mut fields = Object::from_iter([
        ("executionArn".into(), Value::from(execution.arn.clone())),
        ("stateMachineArn".into(), execution.state_machine_arn.clone().into()),
        ("name".into(), execution.name.clone().into()),
        ("status".into(), execution.status.name().into()),
        ("startDate".into(), epoch_seconds(execution.started_at)),
    ]);
    fields.extend(execution.stopped_at.map(|at| ("stopDate".into(), epoch_seconds(at))));
    fields
}

/// An element of `ListExecutions`.
pub(super) fn listed(execution: &Listed) -> Object {
    let mut fields = identity(execution);
    for (key, arn) in [
        ("stateMachineVersionArn", &execution.state_machine_version_arn),
        ("stateMachineAliasArn", &execution.state_machine_alias_arn),
    ] {
        fields.extend(arn.clone().map(|arn| (key.into(), arn.into())));
    }
    fields.extend(execution.map_run_arn.clone().map(|arn| ("mapRunArn".into(), arn.into())));
    fields.extend(execution.item_count.map(|count| ("itemCount".into(), count.into())));
    fields.insert("redriveCount".into(), execution.redrives.into());
    fields.extend(execution.redriven_at.map(|at| ("redriveDate".into(), epoch_seconds(at))));
    fields
}

fn summary(execution: &Execution, status: Status) -> Listed {
    let identity = execution.identity();
    Listed {
        arn: identity.arn.clone(),
        state_machine_arn: identity.state_machine_arn.clone(),
        state_machine_version_arn: identity.state_machine_version_arn.clone(),
        state_machine_alias_arn: identity.state_machine_alias_arn.clone(),
        map_run_arn: identity.map_run_arn.clone(),
        // Only a list tells it.
        item_count: None,
        name: identity.name.clone(),
        status,
        started_at: identity.started_at,
        stopped_at: stopped_at(execution),
        redrives: execution.redriven().map_or(0, |redrive| redrive.count),
        redriven_at: execution.redriven().map(|redrive| redrive.at),
    }
}

/// The answer of `DescribeExecution` at this moment, for an execution with this status.
pub(super) fn execution(execution: &Execution, status: Status, included: IncludedData, now: OffsetDateTime) -> Value {
    let mut fields = listed(&summary(execution, status));
    data(execution, included, &mut fields);
    fields.extend(trace_header(execution));
    let (status, reason) = redrive_status(execution.identity(), execution.redrivable(now));
    fields.insert("redriveStatus".into(), status.into());
    fields.extend(reason.map(|reason| ("redriveStatusReason".into(), reason.into())));
    fields.into()
}

/// `redriveStatus` and its reason: a child execution is redriven with its Map Run.
pub(super) fn redrive_status(
    identity: &Identity,
    redrivable: Result<(), NotRedrivable>,
) -> (&'static str, Option<String>) {
    match (redrivable, &identity.map_run_arn) {
        (Err(reason), _) => ("NOT_REDRIVABLE", Some(reason.to_string())),
        (Ok(()), Some(_)) => ("REDRIVABLE_BY_MAP_RUN", None),
        (Ok(()), None) => ("REDRIVABLE", None),
    }
}

/// The answer of `StartSyncExecution`.
pub(super) fn sync_execution(execution: &Execution, included: IncludedData) -> Value {
    let mut fields = identity(&summary(execution, Status::of(execution)));
    data(execution, included, &mut fields);
    // Told whether there is an output or not.
    fields.insert("outputDetails".into(), is_included(included));
    fields.extend(trace_header(execution));
    let milliseconds =
        stopped_at(execution).map_or(0, |at| (at - execution.identity().started_at).whole_milliseconds());
    let milliseconds = u64::try_from(milliseconds).unwrap_or(0).max(1);
    // Billed by the 100 ms and by 64 MB: nothing is billed here, but a client expects both.
    let billed = Value::from([
        ("billedMemoryUsedInMB", Value::from(64_u64)),
        ("billedDurationInMilliseconds", milliseconds.div_ceil(100).saturating_mul(100).into()),
    ]);
    fields.insert("billingDetails".into(), billed);
    fields.into()
}

fn trace_header(execution: &Execution) -> Option<(Arc<str>, Value)> {
    execution.identity().trace_header.clone().map(|header| ("traceHeader".into(), header.into()))
}

/// The input, and how the execution ended.
fn data(execution: &Execution, included: IncludedData, fields: &mut Object) {
    fields.insert("inputDetails".into(), is_included(included));
    if included == IncludedData::AllData {
        fields.insert("input".into(), execution.identity().input.to_string().into());
    }
    match execution.outcome() {
        Some(Outcome::Succeeded(output)) => {
            fields.insert("outputDetails".into(), is_included(included));
            if included == IncludedData::AllData {
                fields.insert("output".into(), output.to_string().into());
            }
        }
        Some(Outcome::Failed(fault) | Outcome::Aborted(fault)) if included == IncludedData::AllData => {
            for (key, part) in [("error", &fault.error), ("cause", &fault.cause)] {
                fields.extend(part.clone().map(|text| (key.into(), text.into())));
            }
        }
        // The service tells neither error nor cause of a time-out here.
        Some(_) | None => {}
    }
}

fn is_included(included: IncludedData) -> Value {
    Value::from([("included", Value::from(included == IncludedData::AllData))])
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
pub(super) fn machine(machine: &StateMachine, included: IncludedData) -> Object {
    let mut fields = machine_summary(machine);
    fields.insert("status".into(), "ACTIVE".into());
    settings(machine.runs.text(), &machine.role_arn, &machine.revision, included, &mut fields);
    fields
}

/// The answer of `DescribeStateMachine` for a version.
pub(super) fn version(version: &Version, included: IncludedData) -> Object {
    let mut fields = machine(&version.machine, included);
    fields.insert("stateMachineArn".into(), version.arn().into());
    fields.insert("creationDate".into(), epoch_seconds(version.created_at));
    fields.extend(version.description.clone().map(|text| ("description".into(), text.into())));
    fields
}

/// The answer of `DescribeStateMachineForExecution`: the machine as it was when the execution was started.
pub(super) fn machine_of_execution(of: &Identity, definition: &str, included: IncludedData) -> Value {
    let mut fields = Object::from_iter([
        ("stateMachineArn".into(), Value::from(of.state_machine_arn.clone())),
        ("name".into(), of.state_machine_name.clone().into()),
        ("updateDate".into(), epoch_seconds(of.revision.made_at)),
    ]);
    settings(definition, &of.role_arn, &of.revision, included, &mut fields);
    fields.into()
}

/// What a revision of a machine is made of.
fn settings(definition: &str, role_arn: &Arc<str>, revision: &Revision, included: IncludedData, fields: &mut Object) {
    let definition = match included {
        IncludedData::AllData => definition,
        IncludedData::MetadataOnly => "{}",
    };
    fields.insert("definition".into(), definition.into());
    fields.insert("roleArn".into(), role_arn.clone().into());
    fields.insert("loggingConfiguration".into(), logging::describe(&revision.logging));
    fields.insert("tracingConfiguration".into(), Value::from([("enabled", Value::from(revision.tracing))]));
    fields.insert("encryptionConfiguration".into(), encryption());
    fields.extend(revision.id.clone().map(|id| ("revisionId".into(), id.into())));
    if included == IncludedData::AllData {
        let references = Value::parse(definition).map(|definition| variables::references(&definition));
        if let Some(references) = references.ok().filter(|references| !references.is_empty()) {
            fields.insert("variableReferences".into(), references.into());
        }
    }
}

/// How data are encrypted. There is no other way here.
pub(super) fn encryption() -> Value {
    Value::from([("type", Value::from("AWS_OWNED_KEY"))])
}

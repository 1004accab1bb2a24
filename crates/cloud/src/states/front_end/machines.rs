//! State machines.

use std::sync::Arc;

use asl::{Diagnostic, Severity, Value, value::Object};
use engine::history::epoch_seconds;
use sam::StateMachineKind;
use serde::Deserialize;

use super::{done, listed};
use crate::states::{
    ApiError, States, arn, definition,
    describe::{self, IncludedData},
    encryption::EncryptionConfiguration,
    logging::LoggingConfiguration,
    machines::{Change, New, Publish, StateMachine, does_not_exist},
    names,
    page::{self, Order, Page},
    tags::{Tag, Tags},
};

/// How many diagnostics are told, where the client does not say.
const MAX_DIAGNOSTICS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateRequest {
    name: String,
    definition: String,
    role_arn: String,
    #[serde(rename = "type")]
    kind: Option<Type>,
    logging_configuration: Option<LoggingConfiguration>,
    tags: Option<Vec<Tag>>,
    tracing_configuration: Option<TracingConfiguration>,
    publish: Option<bool>,
    version_description: Option<String>,
    encryption_configuration: Option<EncryptionConfiguration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateRequest {
    state_machine_arn: String,
    definition: Option<String>,
    role_arn: Option<String>,
    logging_configuration: Option<LoggingConfiguration>,
    tracing_configuration: Option<TracingConfiguration>,
    publish: Option<bool>,
    version_description: Option<String>,
    encryption_configuration: Option<EncryptionConfiguration>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Type {
    #[default]
    Standard,
    Express,
}

#[derive(Default, Deserialize)]
struct TracingConfiguration {
    enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MachineRequest {
    state_machine_arn: String,
    included_data: Option<IncludedData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ValidateRequest {
    definition: String,
    #[serde(rename = "type")]
    kind: Option<Type>,
    severity: Option<LeastSeverity>,
    max_results: Option<usize>,
}

/// The least severe diagnostics that are told.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum LeastSeverity {
    #[default]
    Error,
    Warning,
}

impl From<Type> for StateMachineKind {
    fn from(kind: Type) -> Self {
        match kind {
            Type::Standard => Self::Standard,
            Type::Express => Self::Express,
        }
    }
}

impl TracingConfiguration {
    fn enabled(self) -> bool {
        self.enabled.unwrap_or(false)
    }
}

pub(super) fn create(states: &States, request: CreateRequest) -> Result<Value, ApiError> {
    names::check(&request.name)?;
    arn::role(&request.role_arn)?;
    let publish = publish(request.publish, request.version_description)?;
    request.encryption_configuration.map_or(Ok(()), EncryptionConfiguration::accept)?;
    let logging = request.logging_configuration.unwrap_or_default().accept(&states.logs)?;
    let kind = request.kind.unwrap_or_default().into();
    let checked = definition::accept(&request.definition, kind, states.callable())?;
    let new = New {
        tags: Tags::of_new(&request.name, request.tags.unwrap_or_default())?,
        name: request.name,
        role_arn: request.role_arn,
        kind,
        definition: request.definition,
        checked,
        logging,
        tracing: request.tracing_configuration.unwrap_or_default().enabled(),
        publish,
    };
    let changed = states.change_machines(|machines| machines.create(new))?;
    let mut fields = Object::from_iter([
        ("creationDate".into(), epoch_seconds(changed.machine.created_at)),
        ("stateMachineArn".into(), changed.machine.arn.clone().into()),
    ]);
    fields.extend(changed.version_arn.map(|arn| ("stateMachineVersionArn".into(), arn.into())));
    Ok(fields.into())
}

pub(super) fn update(states: &States, request: UpdateRequest) -> Result<Value, ApiError> {
    let kind = states.machine(&request.state_machine_arn)?.kind;
    let changes_nothing = request.definition.is_none()
        && request.role_arn.is_none()
        && request.logging_configuration.is_none()
        && request.tracing_configuration.is_none()
        && request.encryption_configuration.is_none();
    if changes_nothing {
        return Err(ApiError::new(
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
        ));
    }
    request.role_arn.as_deref().map_or(Ok(()), arn::role)?;
    let publish = publish(request.publish, request.version_description)?;
    request.encryption_configuration.map_or(Ok(()), EncryptionConfiguration::accept)?;
    let logging = request.logging_configuration.map(|logging| logging.accept(&states.logs)).transpose()?;
    let definition = request
        .definition
        .map(|text| definition::accept(&text, kind, states.callable()).map(|checked| (text, checked)))
        .transpose()?;
    let change = Change {
        definition,
        role_arn: request.role_arn,
        logging,
        tracing: request.tracing_configuration.map(TracingConfiguration::enabled),
        publish,
    };
    let changed = states.change_machines(|machines| machines.update(&request.state_machine_arn, change))?;
    let mut fields = Object::from_iter([("updateDate".into(), epoch_seconds(changed.machine.revision.made_at))]);
    fields.extend(changed.machine.revision.id.clone().map(|id| ("revisionId".into(), id.into())));
    fields.extend(changed.version_arn.map(|arn| ("stateMachineVersionArn".into(), arn.into())));
    Ok(fields.into())
}

/// Whether a version is to be published, with which description.
fn publish(publish: Option<bool>, description: Option<String>) -> Result<Option<Publish>, ApiError> {
    match (publish.unwrap_or(false), description) {
        (true, description) => Ok(Some(Publish { description })),
        (false, None) => Ok(None),
        (false, Some(_)) => Err(ApiError::validation("Version description can only be set when publish is true")),
    }
}

pub(super) fn delete(states: &States, request: &MachineRequest) -> Result<Value, ApiError> {
    states.change_machines(|machines| machines.delete(&request.state_machine_arn))?;
    Ok(done())
}

/// A machine, or one of its versions.
pub(super) fn describe(states: &States, request: &MachineRequest) -> Result<Value, ApiError> {
    let (arn, included) = (&request.state_machine_arn, request.included_data.unwrap_or_default());
    let machines = states.machines();
    if let Some(version) = machines.version(arn)? {
        return Ok(describe::version(version, included).into());
    }
    match machines.find(arn) {
        Ok(machine) => Ok(describe::machine(machine, included).into()),
        Err(_) => Err(does_not_exist(arn)),
    }
}

pub(super) fn list(states: &States, page: &Page) -> Result<Value, ApiError> {
    let machines = states.machines();
    let place = |machine: &&Arc<StateMachine>| page::place(machine.created_at, &machine.arn);
    let (machines, next) = page.cut(machines.all(), Order::Rising, place)?;
    let machines = machines.into_iter().map(|machine| describe::machine_summary(machine)).collect();
    Ok(listed("stateMachines", (machines, next)))
}

pub(super) fn validate(states: &States, request: &ValidateRequest) -> Value {
    let kind = request.kind.unwrap_or_default().into();
    let (machine, found) = definition::check_text(&request.definition, kind, states.callable());
    let least = request.severity.unwrap_or_default();
    let told = |found: &&Diagnostic| found.severity == Severity::Error || least == LeastSeverity::Warning;
    let limit = request.max_results.filter(|results| *results > 0).unwrap_or(MAX_DIAGNOSTICS);
    // Warnings of this program's own are for a person; errors are told in any case, or nobody would know why.
    let is_known = |found: &&Diagnostic| found.severity == Severity::Error || found.code.is_of_the_service();
    let mut diagnostics = found.iter().filter(told).filter(is_known).map(diagnostic);
    let first: Vec<Value> = diagnostics.by_ref().take(limit).collect();
    Value::from([
        ("result", if machine.is_some() { "OK" } else { "FAIL" }.into()),
        ("diagnostics", first.into()),
        ("truncated", diagnostics.next().is_some().into()),
    ])
}

fn diagnostic(found: &Diagnostic) -> Value {
    let severity = match found.severity {
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
    };
    let mut fields = Object::from_iter([
        ("severity".into(), Value::from(severity)),
        ("code".into(), found.code.name().into()),
        ("message".into(), found.message.as_str().into()),
    ]);
    if let Some(location) = &found.location {
        fields.insert("location".into(), location.as_str().into());
    }
    fields.into()
}

//! What a client says about a test, held to what the service allows.

use std::sync::Arc;

use asl::{
    Fault, Value,
    distributed::ResultWriter,
    machine::{Kind, Map, Pattern, Processing, Resource, State},
    value::Object,
};
use engine::core::trial::{Dataset, Mock};
use serde::Deserialize;

use super::{
    dataset,
    definition::Tested,
    responses::{self, FieldValidation},
};
use crate::states::{ApiError, arn};

/// What a client says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::states) struct Request {
    pub(super) definition: String,
    pub(super) state_name: Option<String>,
    #[serde(default)]
    pub(super) inspection_level: InspectionLevel,
    role_arn: Option<String>,
    input: Option<String>,
    variables: Option<String>,
    context: Option<String>,
    reveal_secrets: Option<bool>,
    mock: Option<MockInput>,
    #[serde(default)]
    state_configuration: StateConfiguration,
}

/// How much is told.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub(in crate::states) enum InspectionLevel {
    /// How it ended.
    #[default]
    Info,
    /// The data on its way too.
    Debug,
    /// The request and the response of an HTTP task too; of other states as much as DEBUG.
    Trace,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MockInput {
    result: Option<String>,
    error_output: Option<ErrorOutput>,
    #[serde(default)]
    field_validation_mode: FieldValidation,
}

#[derive(Deserialize)]
struct ErrorOutput {
    error: Option<String>,
    cause: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StateConfiguration {
    retrier_retry_count: Option<u32>,
    error_caused_by_state: Option<String>,
    map_iteration_failure_count: Option<u64>,
    map_item_reader_data: Option<String>,
}

/// What a client says, understood.
pub(super) struct Checked {
    /// Empty where no role is needed, and none is given.
    pub(super) role_arn: String,
    pub(super) input: Value,
    pub(super) variables: Arc<Object>,
    pub(super) context: Option<Value>,
    pub(super) mock: Option<Mock>,
    pub(super) retry_count: u32,
    pub(super) failed_iterations: Option<u64>,
    pub(super) dataset: Option<Dataset>,
}

impl Request {
    /// Holds it to what is allowed with this state. What depends on the state's data is found out later.
    pub(super) fn check(self, tested: &Tested) -> Result<Checked, ApiError> {
        let state = tested.state();
        let configuration = &self.state_configuration;
        self.role_arn.as_deref().map_or(Ok(()), arn::role)?;
        let mock = match &self.mock {
            Some(mock) => {
                if self.reveal_secrets == Some(true) {
                    return Err(ApiError::validation(
                        "TestState does not support RevealSecrets when a mock is specified.",
                    ));
                }
                Some(mock.check(state)?)
            }
            None => {
                self.can_do_without_mock(state)?;
                None
            }
        };
        if let Some(name) = &configuration.error_caused_by_state
            && !tested.contains(name)
        {
            return Err(no_such_state());
        }
        let data = configuration.map_item_reader_data.as_deref();
        Ok(Checked {
            input: super::super::parse_input(self.input.as_deref())?,
            variables: variables(self.variables.as_deref())?,
            context: self.context.as_deref().map(|context| read_context(context, state)).transpose()?,
            mock,
            dataset: data.map(|data| given_dataset(data, state)).transpose()?,
            failed_iterations: configuration.map_iteration_failure_count,
            retry_count: configuration.retrier_retry_count.unwrap_or(0),
            role_arn: self.role_arn.unwrap_or_default(),
        })
    }

    /// Whether the state's own work can be done, with what is said about it.
    fn can_do_without_mock(&self, state: &State) -> Result<(), ApiError> {
        let needs = |what: &str| {
            ApiError::validation(format!("TestState does not support {what} when a mock is not specified."))
        };
        if self.state_configuration.map_iteration_failure_count.is_some() {
            return Err(needs("MapIterationFailureCount"));
        }
        match &state.kind {
            Kind::Map(_) | Kind::Parallel(_) => return Err(needs_mock()),
            Kind::Task(task) => match &task.resource {
                Resource::Activity { .. } => return Err(needs("Activity tasks")),
                Resource::Service { pattern: Pattern::Sync, .. } => {
                    return Err(needs("the '.sync' service integration pattern"));
                }
                Resource::Service { pattern: Pattern::WaitForTaskToken, .. } => {
                    return Err(needs("the '.waitForTaskToken' service integration pattern"));
                }
                _ if self.role_arn.is_none() => {
                    return Err(ApiError::validation("RoleArn must be specified when testing a Task state"));
                }
                _ => {}
            },
            _ => {}
        }
        if self.context.is_some() { Err(needs("Context")) } else { Ok(()) }
    }
}

impl MockInput {
    fn check(&self, state: &State) -> Result<Mock, ApiError> {
        let type_name = state.kind.type_name();
        if !matches!(state.kind, Kind::Task(_) | Kind::Parallel(_) | Kind::Map(_)) {
            return Err(ApiError::validation(format!(
                "State type '{type_name}' is not supported when a mock is specified"
            )));
        }
        match (&self.result, &self.error_output) {
            (Some(result), None) => self.result(result, state).map(Mock::Result),
            (None, Some(output)) => output.fault().map(Mock::Error),
            _ => Err(ApiError::validation(
                "A test mock should have only one of the following fields: [result, errorOutput].",
            )),
        }
    }

    fn result(&self, text: &str, state: &State) -> Result<Value, ApiError> {
        let result = Value::parse(text).map_err(|_| ApiError::validation("Mocked result must be valid JSON"))?;
        match &state.kind {
            Kind::Map(map) if exports(map) => match result {
                Value::Object(_) => Ok(result),
                _ => Err(ApiError::validation("Mocked result must be an object.")),
            },
            Kind::Parallel(_) | Kind::Map(_) if result.as_array().is_none() => {
                Err(ApiError::validation("Mocked result must be an array."))
            }
            Kind::Task(task) => match responses::check(&task.resource, &result, self.field_validation_mode) {
                Ok(()) => Ok(result),
                Err(misfit) => Err(ApiError::validation(format!("Mock result schema validation error: {misfit}"))),
            },
            _ => Ok(result),
        }
    }
}

impl ErrorOutput {
    fn fault(&self) -> Result<Fault, ApiError> {
        let Some(error) = &self.error else {
            return Err(ApiError::validation("Mocked errorOutput must have an error"));
        };
        Ok(Fault { error: Some(error.as_str().into()), cause: self.cause.as_deref().map(Into::into) })
    }
}

/// Whether a Map state's results go to S3, so that its own result says where they are.
fn exports(map: &Map) -> bool {
    match &map.processing {
        Processing::Distributed(distributed) => matches!(distributed.writer, ResultWriter::Export { .. }),
        Processing::Inline => false,
    }
}

/// Data that stands for what the state's `ItemReader` reads.
fn given_dataset(data: &str, state: &State) -> Result<Dataset, ApiError> {
    let Kind::Map(Map { processing: Processing::Distributed(distributed), .. }) = &state.kind else {
        return Err(ApiError::validation("Only a distributed Map state can have MapItemReaderData"));
    };
    match &distributed.reader {
        None => Err(ApiError::validation("The state has no ItemReader that could read the MapItemReaderData")),
        Some(reader) if !dataset::can_stand_for(&reader.dataset) => {
            Err(ApiError::validation("The local Step Functions reads no MapItemReaderData of this type"))
        }
        Some(_) => Ok(Dataset { data: data.into(), read: dataset::read }),
    }
}

pub(super) fn no_such_state() -> ApiError {
    ApiError::validation("State not found in definition")
}

/// The words are the same for both types of state.
pub(super) fn needs_mock() -> ApiError {
    ApiError::new(
        "InvalidDefinition",
        "TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, Pass, \
         Succeed, Fail, Choice]",
    )
}

fn variables(text: Option<&str>) -> Result<Arc<Object>, ApiError> {
    let Some(text) = text else { return Ok(Arc::default()) };
    match Value::parse(text) {
        Ok(Value::Object(variables)) => Ok(variables),
        _ => Err(ApiError::validation("Variables must be a JSON object")),
    }
}

/// A context object. Only a task that somebody else ends has a token in it.
fn read_context(text: &str, state: &State) -> Result<Value, ApiError> {
    let invalid = |why: &str| ApiError::validation(format!("Invalid Context object provided: {why}"));
    let Ok(context @ Value::Object(_)) = Value::parse(text) else {
        return Err(invalid("Context object must be a JSON object"));
    };
    let has_token = matches!(&state.kind, Kind::Task(task) if task.resource.is_submitted());
    if context.get("Task").is_some() && !has_token {
        return Err(invalid(
            "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' service \
             integration pattern",
        ));
    }
    Ok(context)
}

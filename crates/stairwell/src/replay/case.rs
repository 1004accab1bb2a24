//! The recorded case: definition, input, answers of the outside world, expected history. One JSON file holds one case.

use std::collections::BTreeMap;

use asl::{Fault, Value};
use serde::Deserialize;
use time::OffsetDateTime;

pub use super::api::Call;

/// A recorded case.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// What it is called in the report.
    pub name: String,
    /// Its kind, which says what is compared: `history`, `mocked`, `outputs`, `outcome`, ….
    pub category: String,
    /// The definition that is run.
    #[serde(default)]
    pub definition: Value,
    /// The execution's input.
    #[serde(default)]
    pub input: Value,
    /// What the recorded execution is called and belongs to, where that is known.
    #[serde(default)]
    pub execution: Option<RecordedExecution>,
    /// The history that is expected, as `GetExecutionHistory` gives it.
    #[serde(default)]
    pub events: Vec<Value>,
    /// How the execution is expected to end.
    #[serde(default, rename = "final")]
    pub ending: Option<Ending>,
    /// The answers of the outside world, in the order of the calls.
    #[serde(default)]
    pub task_results: Vec<TaskResult>,
    /// What somebody did to the execution while it ran.
    #[serde(default)]
    pub external_calls: Vec<ExternalCall>,
    /// The mock configuration that answers in place of the outside world.
    #[serde(default)]
    pub mock: Option<Mock>,
    /// The objects that were in S3, by their buckets and keys: `bucket/key`.
    #[serde(default)]
    pub s3_objects: BTreeMap<String, String>,
    /// Several executions in one case, of which only the endings are compared.
    #[serde(default)]
    pub runs: Vec<Run>,
    /// `EXPRESS`, or `STANDARD` where it is not said.
    #[serde(default)]
    pub kind: Option<String>,
    /// What `StartSyncExecution` answered.
    #[serde(default)]
    pub response: Value,
    /// What `EventBridge` got.
    #[serde(default)]
    pub eventbridge_events: Vec<Value>,
    /// What of its executions the machine logs.
    #[serde(default)]
    pub logging: Logging,
    /// What was logged.
    #[serde(default)]
    pub log_events: Vec<Value>,
    /// The last event that was logged.
    #[serde(default)]
    pub end_event: Value,
    /// Calls of the API with their answers, for a case that is a transcript of them.
    #[serde(default)]
    pub calls: Vec<Call>,
    /// What a comparison must know.
    #[serde(default)]
    pub notes: Notes,
    /// Where it is from.
    #[serde(default)]
    pub source: Source,
}

/// What a recorded execution is called and belongs to: what its context object says of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedExecution {
    /// Its ARN, which ends with its name.
    pub arn: String,
    /// The state machine's ARN, which ends with its name.
    pub state_machine_arn: String,
    /// The role that it ran as.
    pub role_arn: String,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    pub start_time: OffsetDateTime,
}

/// How an execution ended.
#[derive(Debug, Deserialize)]
pub struct Ending {
    /// `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`, or `RUNNING` for a history that was cut off.
    pub status: String,
    /// The output; absent where it is not to be compared.
    #[serde(default)]
    pub output: Option<Value>,
    error: Option<String>,
    #[serde(default)]
    cause: Value,
}

/// A mock configuration, of which one test case is played.
#[derive(Debug, Deserialize)]
pub struct Mock {
    /// The name of the test case.
    pub test_case: String,
    /// The file's content.
    pub config: Value,
}

/// What of its executions a machine logs. Where is the replay's own matter.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Logging {
    /// Which events: `ERROR`.
    pub level: Option<String>,
    /// Whether payloads are logged.
    pub include_execution_data: Option<bool>,
}

/// One execution of a case that holds several.
#[derive(Debug, Deserialize)]
pub struct Run {
    /// The definition that is run.
    pub definition: Value,
    /// The execution's input.
    #[serde(default)]
    pub input: Value,
    /// How the execution is expected to end.
    #[serde(rename = "final")]
    pub ending: Ending,
}

/// What the outside world answered to one call.
#[derive(Debug, Deserialize)]
pub struct TaskResult {
    /// The Task state's name, where it is known.
    pub state: Option<String>,
    /// What was sent.
    #[serde(default)]
    pub request: Value,
    /// Whether the call began.
    #[serde(default)]
    pub started: bool,
    /// What the service answered as the work was handed in, where its end comes later.
    #[serde(default, deserialize_with = "present")]
    pub submitted_output: Option<Value>,
    /// The name of the worker who took an activity's work.
    #[serde(default, rename = "workerName")]
    pub worker_name: Option<String>,
    /// How it ended.
    pub outcome: TaskOutcome,
    #[serde(default)]
    output: Value,
    error: Option<String>,
    #[serde(default)]
    cause: Value,
    cause_text: Option<String>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum TaskOutcome {
    /// It was answered.
    Succeeded,
    /// It was answered with an error.
    Failed,
    /// It was not answered in time.
    TimedOut,
    /// It could not be begun.
    StartFailed,
    /// It could not be handed in.
    SubmitFailed,
    /// It could not be scheduled.
    ScheduleFailed,
}

/// Something that somebody did through the API.
#[derive(Debug, Deserialize)]
pub struct ExternalCall {
    /// The operation: `stop_execution`.
    pub op: String,
    /// What it was called with.
    #[serde(default)]
    pub request: Value,
    /// How many events the history has by then, at the least.
    #[serde(default)]
    pub after_event: usize,
}

/// What a comparison must know about a case.
#[derive(Debug, Default, Deserialize)]
pub struct Notes {
    /// Events of concurrent branches have lost their ids and their order.
    #[serde(default)]
    pub ids_scrambled: bool,
    /// What differs from one execution to the next.
    #[serde(default)]
    pub nondeterminism: Vec<String>,
}

/// Where a case is from.
#[derive(Debug, Default, Deserialize)]
pub struct Source {
    /// When it was recorded: `21-09-2023, 13:54:23`.
    pub recorded: Option<String>,
}

impl Source {
    /// The year and the month of the recording.
    pub fn month(&self) -> Option<(u32, u32)> {
        let mut parts = self.recorded.as_deref()?.split(',').next()?.split('-').skip(1);
        let month = parts.next()?.parse().ok()?;
        Some((parts.next()?.trim().parse().ok()?, month))
    }
}

/// A field that is there, if only as `null`.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Case {
    /// Whether the execution was still running when its recording ended.
    pub fn was_cut_off(&self) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.status == "RUNNING")
    }

    /// The role of the execution, which the first event names.
    pub fn role_arn(&self) -> &str {
        let started = self.events.first().and_then(|event| event.get("executionStartedEventDetails"));
        started.and_then(|details| details.get("roleArn")?.as_str()).unwrap_or("role_arn")
    }
}

impl Ending {
    /// The error, where there was one.
    pub fn fault(&self) -> Fault {
        fault(self.error.as_deref(), &self.cause)
    }
}

impl TaskResult {
    /// The answer, where there was one.
    pub fn output(&self) -> Value {
        self.output.clone()
    }

    /// The error, where there was one.
    pub fn fault(&self) -> Fault {
        match &self.cause_text {
            Some(text) => Fault { cause: Some(text.as_str().into()), ..fault(self.error.as_deref(), &Value::Null) },
            None => fault(self.error.as_deref(), &self.cause),
        }
    }
}

/// An error; a cause that is no text is written as JSON.
fn fault(error: Option<&str>, cause: &Value) -> Fault {
    let cause = match cause {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string().into()),
    };
    Fault { error: error.map(Into::into), cause }
}

//! `states:startExecution`: executions that are started by others.

use std::sync::{Arc, Weak};

use asl::{Fault, Value, fault::names, value::Object};
use engine::{Identity, Outcome, Status, core::Call, history::epoch_seconds, run::Running};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use uuid::Uuid;

use super::response::{Header, with_metadata};
use crate::states::{ApiError, Start, States, describe};

/// How an execution's end is told to the one that waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    /// `.sync`: input and output are JSON texts.
    Kept,
    /// `.sync:2`: they are the values that they are texts of.
    Parsed,
}

/// What an execution is started by.
pub(super) struct Starter {
    /// The name of the execution where the parameters have none.
    name: String,
    /// Whether the call may have started it before.
    again: bool,
}

impl Starter {
    pub(super) fn of(execution: &Identity, call: &Call) -> Self {
        Self { name: call.uuid(execution).to_string(), again: call.is_made_again() }
    }
}

/// Starts an execution as the task's parameters say: its ARN, and what the service answers.
///
/// A call that is made again finds the execution that it has started.
pub(super) fn start(states: &Weak<States>, input: &Value, starter: &Starter) -> Result<(Arc<Running>, Value), Fault> {
    let states = states.upgrade().ok_or_else(|| Fault::new("StepFunctions.ServiceException", "The runner stops."))?;
    let Parameters { machine, name, input, trace_header } = Parameters::read(input)?;
    let name = name.as_deref().unwrap_or(&starter.name);
    let start = Start { name: Some(name), input: Some(&input), trace_header: trace_header.as_deref() };
    let running = match states.start(&machine, start) {
        Err(error) if starter.again && error.code == "ExecutionAlreadyExists" => {
            started_before(&states, &machine, name, &input).map_err(|_| error)
        }
        result => result,
    };
    let running = running.map_err(|error| service_fault(&error))?;
    let answer = started(&running);
    Ok((running, answer))
}

/// The execution of a machine that has this name and this input.
fn started_before(states: &Arc<States>, machine: &str, name: &str, input: &str) -> Result<Arc<Running>, ApiError> {
    let arn = states.machines().target(machine)?.machine.execution_arn(name);
    let running = states.execution(&arn)?;
    let same = Value::parse(input).is_ok_and(|input| input == running.identity().input);
    if same { Ok(running) } else { Err(ApiError::new("ExecutionAlreadyExists", arn)) }
}

/// The execution that an earlier call started, by what the service answered then.
pub(super) fn find(states: &Weak<States>, answer: &Value) -> Result<Arc<Running>, Fault> {
    let arn = answer.get("ExecutionArn").and_then(Value::as_str).unwrap_or_default();
    let states = states.upgrade().ok_or_else(|| Fault::new("StepFunctions.ServiceException", "The runner stops."))?;
    states.execution(arn).map_err(|error| service_fault(&error))
}

/// Waits for an execution's end: what it was, or a failure that tells of it.
///
/// An execution that nobody waits for any more is stopped.
pub(super) async fn end(running: Arc<Running>, texts: Texts) -> Result<Value, Fault> {
    let waited_for = StoppedWhenDropped(Some(running.clone()));
    let outcome = running.ended().await;
    waited_for.has_ended();
    let described = running.look(|execution| {
        let ended_at = execution.history().last().map_or(execution.identity().started_at, |last| last.at);
        describe::execution(execution, Status::of(execution), describe::IncludedData::AllData, ended_at)
    });
    let described = capitalized(&described, texts);
    match outcome {
        Outcome::Succeeded(_) => Ok(described),
        _ => Err(Fault::new(names::TASK_FAILED, described.to_string())),
    }
}

/// Stops an execution whose starter is gone before its end.
struct StoppedWhenDropped(Option<Arc<Running>>);

impl StoppedWhenDropped {
    fn has_ended(mut self) {
        self.0 = None;
    }
}

impl Drop for StoppedWhenDropped {
    fn drop(&mut self) {
        if let Some(running) = self.0.take() {
            // While the runner itself stops nothing is written: then the execution goes on at the next start.
            let _ = running.stop(Fault::default());
        }
    }
}

struct Parameters {
    machine: String,
    name: Option<String>,
    /// JSON text.
    input: String,
    trace_header: Option<String>,
}

impl Parameters {
    fn read(parameters: &Value) -> Result<Self, Fault> {
        let unusable = |why: &str| {
            Fault::runtime(format!("The Parameters '{parameters}' could not be used to start the Task: [{why}]"))
        };
        let Value::Object(fields) = parameters else { return Err(unusable("they are no object")) };
        let mut read = Self { machine: String::new(), name: None, input: "{}".to_owned(), trace_header: None };
        for (name, value) in fields.iter() {
            match (&**name, value) {
                ("StateMachineArn", Value::String(arn)) => arn.as_ref().clone_into(&mut read.machine),
                ("Name", Value::String(name)) => read.name = Some(name.to_string()),
                ("TraceHeader", Value::String(header)) => read.trace_header = Some(header.to_string()),
                ("Name" | "TraceHeader" | "Input", Value::Null) => {}
                // A text is taken for JSON; another value is made JSON.
                ("Input", Value::String(text)) => read.input = text.to_string(),
                ("Input", value) => read.input = value.to_string(),
                ("StateMachineArn" | "Name" | "TraceHeader", _) => {
                    return Err(unusable(&format!("The value of the field '{name}' has an invalid format")));
                }
                (name, _) => return Err(unusable(&format!("The field '{name}' is not supported by Step Functions"))),
            }
        }
        if read.machine.is_empty() {
            return Err(unusable("The field 'StateMachineArn' is required but was missing"));
        }
        Ok(read)
    }
}

/// What the service answers to `StartExecution`.
fn started(running: &Running) -> Value {
    let identity = running.identity();
    let request_id = Uuid::new_v4().to_string();
    let date = OffsetDateTime::now_utc().format(&Rfc2822).unwrap_or_default();
    let start_date = epoch_seconds(identity.started_at);
    let length = format!("{{\"executionArn\":\"{}\",\"startDate\":{start_date}}}", identity.arn).len().to_string();
    let headers = [
        Header("Content-Length", &length),
        Header("Content-Type", "application/x-amz-json-1.0"),
        Header("Date", &date),
        Header("connection", "keep-alive"),
        Header("x-amzn-RequestId", &request_id),
    ];
    let answer = [("ExecutionArn".into(), Value::from(identity.arn.clone())), ("StartDate".into(), start_date)];
    let answer = Object::from_iter(answer);
    with_metadata(answer, &headers, &request_id)
}

/// A description of an execution with the field names that integrations use.
fn capitalized(described: &Value, texts: Texts) -> Value {
    let Value::Object(fields) = described else { return described.clone() };
    let fields = fields.iter().map(|(name, value)| {
        let value = match (&**name, value) {
            ("input" | "output", Value::String(text)) if texts == Texts::Parsed => {
                Value::parse(text).unwrap_or_else(|_| value.clone())
            }
            (_, Value::Object(_)) => capitalized(value, texts),
            _ => value.clone(),
        };
        let mut letters = name.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        (first.into_iter().chain(letters).collect::<String>().into(), value)
    });
    fields.collect::<Object>().into()
}

/// The service's own error, as the integration words it.
fn service_fault(error: &ApiError) -> Fault {
    let cause = format!(
        "{} (Service: AWSStepFunctions; Status Code: 400; Error Code: {}; Request ID: {}; Proxy: null)",
        error.message,
        error.code,
        Uuid::new_v4()
    );
    Fault::new(format!("StepFunctions.{}Exception", error.code), cause)
}

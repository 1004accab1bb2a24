//! Makes a recorded case of an execution, for the replay.
//!
//! Step Functions is asked for the execution, its definition and its history. The answers of the outside world are
//! taken from the events.

mod arn;
mod definition;
mod history;
mod mask;
mod notes;
mod source;
mod tasks;

use std::{path::PathBuf, sync::Arc};

use asl::{Value, value::Object};
use time::OffsetDateTime;

use crate::replay::as_recorded;
use arn::ExecutionArn;
use history::{History, detail, type_of};
use mask::Mask;
use source::Told;

/// Why an execution can't be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The ARN is another's.
    #[error("'{0}' is no ARN of an execution: arn:aws:states:REGION:ACCOUNT:execution:MACHINE:NAME")]
    NoExecution(String),
    /// It has no history.
    #[error("the execution is an Express one: these have no history that could be recorded")]
    Express,
    /// It is a part of another.
    #[error("the execution is a child of a Map Run, which can't be recorded by itself")]
    Child,
    /// It has not ended.
    #[error("the execution is still running: record it when it has ended")]
    Running,
    /// It was begun again in the middle.
    #[error("the execution was redriven, which can't be replayed")]
    Redriven,
    /// Answers are in other executions' histories.
    #[error(
        "the child executions of the distributed Map state '{state}' call tasks; their answers are not in this history"
    )]
    ChildrenCallTasks {
        /// The Map state's name.
        state: String,
    },
    /// Items are not in the history.
    #[error("the items of the distributed Map state '{state}' come from S3; they are not in this history")]
    ItemsInS3 {
        /// The Map state's name.
        state: String,
    },
    /// Step Functions does not do what was asked.
    #[error("Step Functions at {endpoint} refuses {operation}: {code}: {message}{}", what_helps(code))]
    Refused {
        /// Who was asked.
        endpoint: Arc<str>,
        /// The operation.
        operation: &'static str,
        /// The error's name.
        code: String,
        /// What it says, or the status of an answer that says nothing.
        message: String,
    },
    /// There was no answer.
    #[error("no answer to {operation} from {endpoint}\n  help: {}", who_answers(endpoint))]
    Unanswered {
        /// Who was asked.
        endpoint: Arc<str>,
        /// The operation.
        operation: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An answer lacks what a case needs.
    #[error("the answer of {operation} has no {field}")]
    Lacks {
        /// The operation.
        operation: &'static str,
        /// What is not there.
        field: &'static str,
    },
    /// What should be JSON is not.
    #[error("{what} is not JSON")]
    NotJson {
        /// What it is.
        what: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The case can't be written.
    #[error("can't write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// What it takes to be answered.
fn who_answers(endpoint: &str) -> &'static str {
    if endpoint == source::AWS {
        "it takes credentials that may read the execution: AWS_PROFILE=…, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    } else {
        "an execution of the local account is asked for at a running `stairwell up`, by its --port"
    }
}

/// What can be done about an error of the service, where something can.
fn what_helps(code: &str) -> &'static str {
    match code {
        "AccessDeniedException" => {
            "\n  help: recording takes states:DescribeExecution, states:DescribeStateMachineForExecution and \
             states:GetExecutionHistory"
        }
        "ThrottlingException" => {
            "\n  help: it was asked several times; others use up the account's quota: try again later"
        }
        "ExpiredTokenException" | "InvalidClientTokenId" | "UnrecognizedClientException" => {
            "\n  help: take other credentials, or sign in again: AWS_PROFILE=…, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        }
        "ExecutionDoesNotExist" => {
            "\n  help: an execution is there for 90 days, in its own account and region; those of `stairwell up --ephemeral` end \
             with it"
        }
        _ => "",
    }
}

/// Makes a recorded case of an execution that has ended. It is called `name`, or else `MACHINE/EXECUTION`.
///
/// One in the local account is read from `http://127.0.0.1:<local_port>`, any other from AWS; `endpoint_url` is asked
/// in place of both.
pub async fn record(
    arn: &str,
    name: Option<&str>,
    endpoint_url: Option<&str>,
    local_port: u16,
) -> Result<Value, RecordError> {
    let arn = ExecutionArn::parse(arn)?;
    let told = source::read(&arn, endpoint_url, local_port).await?;
    let default = format!("{}/{}", arn.machine, arn.name);
    case(&told, name.unwrap_or(&default))
}

/// The case that Step Functions' answers make.
fn case(told: &Told, name: &str) -> Result<Value, RecordError> {
    let definition_text = text(&told.machine, "DescribeStateMachineForExecution", "definition")?;
    let definition = json("the definition", definition_text)?;
    let input = json("the input", text(&told.execution, "DescribeExecution", "input")?)?;
    let history = History::new(&told.events);
    refuse_child_executions(&definition, &history)?;
    let notes = notes::nondeterminism(&definition, &history).into_iter().map(Value::from).collect::<Vec<_>>();
    let events = told.events.iter().map(|event| as_recorded(&without_alias(event))).collect::<Vec<_>>();
    let mut mask = Mask::new(definition_text, &told.events);
    Ok(Value::from([
        ("name", name.into()),
        ("category", "history".into()),
        ("kind", "STANDARD".into()),
        ("definition", definition),
        ("execution", mask.apply(&names(told)?)),
        ("input", mask.apply(&input)),
        ("events", mask.apply(&events.into())),
        ("final", mask.apply(&ending(&told.execution)?)),
        ("task_results", mask.apply(&tasks::results(&history).into())),
        ("external_calls", mask.apply(&external_calls(&told.events).into())),
        ("notes", Value::from([("nondeterminism", notes.into())])),
    ]))
}

/// What a child execution was answered is in its own history, and what was read from S3 in none.
fn refuse_child_executions(definition: &Value, history: &History<'_>) -> Result<(), RecordError> {
    for event in history.events().iter().filter(|event| type_of(event) == "MapRunStarted") {
        let Some(name) = history.state_of(event) else { continue };
        let Some(state) = definition::state(definition, name) else { continue };
        if state.get("ItemReader").is_some() {
            return Err(RecordError::ItemsInS3 { state: name.to_owned() });
        }
        if state.get("ItemProcessor").or_else(|| state.get("Iterator")).is_some_and(definition::has_tasks) {
            return Err(RecordError::ChildrenCallTasks { state: name.to_owned() });
        }
    }
    Ok(())
}

/// What the execution is called and belongs to.
fn names(told: &Told) -> Result<Value, RecordError> {
    const OPERATION: &str = "DescribeExecution";
    Ok(Value::from([
        ("arn", text(&told.execution, OPERATION, "executionArn")?.into()),
        ("stateMachineArn", text(&told.machine, "DescribeStateMachineForExecution", "stateMachineArn")?.into()),
        ("roleArn", text(&told.machine, "DescribeStateMachineForExecution", "roleArn")?.into()),
        ("startTime", start_time(&told.execution)?.into()),
    ]))
}

/// The service's JSON has seconds since 1970, to the millisecond.
fn start_time(execution: &Value) -> Result<String, RecordError> {
    let lacks = RecordError::Lacks { operation: "DescribeExecution", field: "startDate" };
    let Some(Value::Number(seconds)) = execution.get("startDate") else { return Err(lacks) };
    let Some(seconds) = seconds.as_f64() else { return Err(lacks) };
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 are far below 2^53")]
    let milliseconds = (seconds * 1000.0).round() as i128;
    OffsetDateTime::from_unix_timestamp_nanos(milliseconds * 1_000_000).map(asl::timestamp::format).map_err(|_| lacks)
}

fn ending(execution: &Value) -> Result<Value, RecordError> {
    let mut ending = Object::new();
    ending.insert("status".into(), text(execution, "DescribeExecution", "status")?.into());
    if let Some(output) = execution.get("output").and_then(Value::as_str) {
        ending.insert("output".into(), json("the output", output)?);
    }
    for key in ["error", "cause"] {
        ending.extend(execution.get(key).map(|value| (key.into(), value.clone())));
    }
    Ok(ending.into())
}

/// That somebody stopped the execution, and how far it had got.
fn external_calls(events: &[Value]) -> Vec<Value> {
    let Some(aborted) = events.last().filter(|event| type_of(event) == "ExecutionAborted") else { return Vec::new() };
    let request = ["error", "cause"].into_iter().filter_map(|key| Some((key.into(), detail(aborted, key)?.into())));
    // What is given up with the execution comes of the stop.
    let before = events.iter().rposition(|event| !type_of(event).ends_with("Aborted")).map_or(0, |last| last + 1);
    vec![Value::from([
        ("op", "stop_execution".into()),
        ("request", request.collect::<Object>().into()),
        ("after_event", Value::from(before as u64)),
    ])]
}

/// An execution is replayed as one of its machine, by whatever version or alias it was started.
fn without_alias(event: &Value) -> Value {
    let (Value::Object(fields), Some(Value::Object(details))) = (event, event.get("executionStartedEventDetails"))
    else {
        return event.clone();
    };
    let kept = details.iter().filter(|(key, _)| !["stateMachineAliasArn", "stateMachineVersionArn"].contains(&&***key));
    let details = kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Object>();
    let mut fields = Object::clone(fields);
    fields.insert("executionStartedEventDetails".into(), details.into());
    fields.into()
}

fn text<'a>(answer: &'a Value, operation: &'static str, field: &'static str) -> Result<&'a str, RecordError> {
    answer.get(field).and_then(Value::as_str).ok_or(RecordError::Lacks { operation, field })
}

fn json(what: &str, text: &str) -> Result<Value, RecordError> {
    Value::parse(text).map_err(|source| RecordError::NotJson { what: what.to_owned(), source })
}

#[cfg(test)]
mod tests;

//! Replays a transcript of API calls against the real front end, and compares what it answers.
//!
//! Nothing is called outside, and time passes only where an answer waits for it.

mod messages;
mod objects;
mod transcript;

use std::time::Duration;

use asl::{Value, value::Object};

use super::{
    Unequal,
    case::Case,
    names::Names,
    stage::{Outside, Said, Stage, is_not_supported},
    text::Leniency,
};
use objects::Object as StoredObject;
use transcript::Recorded;

pub use transcript::Call;

/// How often, and how long, an answer is waited for: the pauses double, so the last of them is some days.
const PAUSES: u32 = 20;

/// What the service has come to tell since the first recordings. A recording may be older than such a field.
const NEWER: &[&str] = &[
    "encryptionConfiguration",
    "failuresNotRedrivable",
    "pendingRedrive",
    "redriveCount",
    "redriveStatus",
    "redriveStatusReason",
];

/// The service's words where a log group is not there. A transcript does not show how log groups come and go.
const NO_LOG_GROUP: &str = "Log Destination not found";

/// How the service's words for a definition that it refuses begin.
const REFUSED_DEFINITION: &str = "Invalid State Machine Definition: ";

/// Replays a transcript.
pub(super) fn transcript(case: &Case) -> Result<(), Unequal> {
    let stage = Stage::new(Outside::default()).map_err(Unequal::Difference)?;
    let leniency = Leniency { redrive_count: true, ..Leniency::default() };
    let mut replay = Replay { stage, names: Names::new(leniency) };
    replay.create_what_was_there(&case.calls)?;
    for (index, call) in case.calls.iter().enumerate() {
        let place = format!("call {} ({})", index + 1, call.operation());
        replay.call(&place, call, &case.calls)?;
    }
    Ok(())
}

struct Replay {
    stage: Stage,
    names: Names,
}

impl Replay {
    /// Makes a call, and compares its answer with each that was recorded.
    fn call(&mut self, place: &str, call: &Call, all: &[Call]) -> Result<(), Unequal> {
        let recorded = call.recorded().map_err(|error| Unequal::Difference(format!("{place}: {error}")))?;
        if recorded.contains(&Recorded::NotSent) {
            return Ok(());
        }
        let is_history =
            |recorded: &Recorded| !matches!(recorded, Recorded::Answer(answer) if answer.get("events").is_none());
        if call.op == "get_execution_history" && !recorded.iter().all(is_history) {
            return match &recorded[..] {
                [Recorded::Answer(object)] if object.get("ETag").is_some() => self.look_at_object(place, object),
                [Recorded::Answer(Value::Array(messages))] if messages.iter().all(messages::is_notification) => {
                    self.look_at_messages(place, &Value::Array(messages.clone()))
                }
                _ => Err(Unequal::NotSupported(format!("{place}: the recorded answer is one of another service"))),
            };
        }
        let (operation, request) = (call.operation(), self.request(call, recorded.first()));
        let input = request.get("input").and_then(Value::as_str).and_then(|input| Value::parse(input).ok());
        if let Some(StoredObject { bucket, key, text }) = input.and_then(|input| objects::read_by(&input, all)) {
            self.stage.has_object(&bucket, &key, text);
        }
        let mut said = self.said(&operation, &request)?;
        if let Said::Answer(answer) = &said {
            self.names.learn_from(&operation, answer);
        }
        for recorded in &recorded {
            let mut pause = Duration::from_secs(1);
            let mut compared = self.compare(place, recorded, &said);
            for _ in 0..PAUSES {
                if compared.is_ok() || !call.only_looks() {
                    break;
                }
                // Whoever recorded it waited for it too.
                self.stage.wait(pause);
                pause *= 2;
                said = self.said(&operation, &request)?;
                compared = self.compare(place, recorded, &said);
            }
            compared.map_err(Unequal::Difference)?;
        }
        Ok(())
    }

    /// Compares the object that the execution has put into S3 with the one that was found there.
    fn look_at_object(&mut self, place: &str, recorded: &Value) -> Result<(), Unequal> {
        let mut pause = Duration::from_secs(1);
        for _ in 0..PAUSES {
            if let Some(Said::Answer(found)) = self.stage.last_object() {
                let compared = self.names.compare(place, &objects::as_read(recorded), &objects::as_read(&found));
                return compared.map_err(|difference| Unequal::Difference(difference.to_string()));
            }
            self.stage.wait(pause);
            pause *= 2;
        }
        Err(Unequal::Difference(format!("{place}: recorded {recorded}, but nothing was put into S3")))
    }

    /// Compares what a topic's subscriber has got with what one got then.
    fn look_at_messages(&mut self, place: &str, recorded: &Value) -> Result<(), Unequal> {
        let mut pause = Duration::from_secs(1);
        let recorded = messages::as_read(recorded);
        let mut compared = self.names.compare(place, &recorded, &messages::as_read(&self.stage.received()));
        for _ in 0..PAUSES {
            if compared.is_ok() {
                break;
            }
            self.stage.wait(pause);
            pause *= 2;
            compared = self.names.compare(place, &recorded, &messages::as_read(&self.stage.received()));
        }
        compared.map_err(|difference| Unequal::Difference(difference.to_string()))
    }

    fn said(&self, operation: &str, request: &Value) -> Result<Said, Unequal> {
        let said = self.stage.call(operation, request).map_err(Unequal::Difference)?;
        match &said {
            Said::Refusal { code, message } if is_not_supported(code, message) => {
                Err(Unequal::NotSupported(message.clone()))
            }
            Said::Answer(answer) => {
                let found = answer.get("diagnostics").map(Value::to_string);
                match found.filter(|found| is_not_supported("", found)) {
                    Some(found) => Err(Unequal::NotSupported(found)),
                    None => Ok(said),
                }
            }
            _ => Ok(said),
        }
    }

    /// The request as it goes over the wire.
    fn request(&mut self, call: &Call, recorded: Option<&Recorded>) -> Value {
        let Value::Object(parameters) = &call.request else { return Value::empty_object() };
        self.make_arns(parameters, recorded);
        if !matches!(recorded, Some(Recorded::Refusal { message, .. }) if message.contains(NO_LOG_GROUP)) {
            for name in call.log_groups() {
                self.stage.has_log_group(name);
            }
        }
        let mut request = Object::new();
        for (key, value) in parameters.iter() {
            // The recorder could not always tell which execution a test asked for; the answer names it.
            let told = match recorded {
                Some(Recorded::Answer(answer)) if &**key == "executionArn" => answer.get(key),
                _ => None,
            };
            let value = self.names.request(told.unwrap_or(value));
            match &**key {
                "definition" if !matches!(value, Value::String(_) | Value::Null) => {
                    request.insert(key.clone(), value.to_string().into());
                }
                name => {
                    request.insert(name.strip_suffix("_text").unwrap_or(name).into(), value);
                }
            }
        }
        request.into()
    }

    /// Gives every word that stands for an ARN one that the service takes, unless the service is to refuse the word.
    fn make_arns(&mut self, parameters: &Object, recorded: Option<&Recorded>) {
        if matches!(recorded, Some(Recorded::Refusal { code, .. }) if code == "InvalidArn") {
            return;
        }
        for (key, value) in parameters {
            if let Some(word) = value.as_str().filter(|word| key.ends_with("Arn") && !word.starts_with("arn:")) {
                self.names.make_arn(key, word);
            }
        }
    }

    fn compare(&mut self, place: &str, recorded: &Recorded, said: &Said) -> Result<(), String> {
        let differ = |now: &str| Err(format!("{place}: recorded {recorded:?}, now {now}"));
        match (recorded, said) {
            (Recorded::Answer(recorded), Said::Answer(answer)) => {
                let recorded = in_order(recorded);
                let answer = as_old_as(&recorded, &in_order(&as_recorded(&without_nulls(answer))));
                self.names.compare(place, &recorded, &answer).map_err(|difference| difference.to_string())
            }
            (Recorded::Refusal { code: recorded_code, message: recorded_message }, Said::Refusal { code, message }) => {
                if recorded_code != code {
                    return differ(&format!("{code}: {message}"));
                }
                if code == "InvalidDefinition" && !recorded_message.starts_with(REFUSED_DEFINITION) {
                    // These are the words of something that stood in for the service: only the code is the service's.
                    return Ok(());
                }
                let compared = self.names.compare(place, &recorded_message.as_str().into(), &message.as_str().into());
                compared.map_err(|difference| difference.to_string())
            }
            (_, Said::Nothing) => differ("no answer"),
            (_, Said::Answer(answer)) => differ(&answer.to_string()),
            (_, Said::Refusal { code, message }) => differ(&format!("{code}: {message}")),
        }
    }

    /// Creates the machine that a transcript describes without having created it.
    fn create_what_was_there(&mut self, calls: &[Call]) -> Result<(), Unequal> {
        let Some(call) = calls.first().filter(|call| call.op == "describe_state_machine") else { return Ok(()) };
        let recorded = call.recorded().map_err(Unequal::Difference)?;
        let Some(Recorded::Answer(described)) = recorded.first() else { return Ok(()) };
        let mut request = Object::new();
        for key in ["name", "definition", "roleArn", "type"] {
            if let Some(value) = described.get(key) {
                let value = self.names.request(value);
                let value = if key == "definition" { value.to_string().into() } else { value };
                request.insert(key.into(), value);
            }
        }
        let said = self.said("CreateStateMachine", &request.into())?;
        if let (Some(word), Said::Answer(answer)) = (call.text("stateMachineArn"), &said)
            && let Some(arn) = answer.get("stateMachineArn").and_then(Value::as_str)
        {
            self.names.learn(word, arn);
        }
        Ok(())
    }
}

/// An answer as the recorder wrote it: JSON objects in texts as objects, dates as a word.
pub(super) fn as_recorded(answer: &Value) -> Value {
    match answer {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| match value {
                Value::Number(_) if key.ends_with("Date") => (key.clone(), "datetime".into()),
                other => (key.clone(), as_recorded(other)),
            });
            fields.collect::<Object>().into()
        }
        Value::Array(items) => items.iter().map(as_recorded).collect::<Vec<_>>().into(),
        Value::String(text) if text.starts_with('{') => Value::parse(text).unwrap_or_else(|_| answer.clone()),
        other => other.clone(),
    }
}

/// An answer as a client shows it: what is null is not there.
fn without_nulls(answer: &Value) -> Value {
    let Value::Object(fields) = answer else { return answer.clone() };
    let there = fields.iter().filter(|(_, value)| **value != Value::Null);
    there.map(|(key, value)| (key.clone(), value.clone())).collect::<Object>().into()
}

/// An answer with the names of variables sorted: the service tells them in no order.
fn in_order(answer: &Value) -> Value {
    const KEY: &str = "variableReferences";
    let (Value::Object(fields), Some(Value::Object(states))) = (answer, answer.get(KEY)) else { return answer.clone() };
    let states = states.iter().map(|(state, names)| {
        let mut names: Vec<_> = names.as_array().map(|names| names.to_vec()).unwrap_or_default();
        names.sort_by_key(|name| name.to_string());
        (state.clone(), names.into())
    });
    let mut fields = Object::clone(fields);
    fields.insert(KEY.into(), states.collect::<Object>().into());
    fields.into()
}

/// An answer without the newer fields that a recording does not have.
fn as_old_as(recorded: &Value, answer: &Value) -> Value {
    match (recorded, answer) {
        (Value::Object(recorded), Value::Object(fields)) => {
            let known = |key: &str| recorded.contains_key(key) || !NEWER.contains(&key);
            let fields = fields.iter().filter(|(key, _)| known(key));
            let fields = fields.map(|(key, value)| match recorded.get(key) {
                Some(other) => (key.clone(), as_old_as(other, value)),
                None => (key.clone(), value.clone()),
            });
            fields.collect::<Object>().into()
        }
        (Value::Array(recorded), Value::Array(items)) if recorded.len() == items.len() => recorded
            .iter()
            .zip(items.iter())
            .map(|(recorded, item)| as_old_as(recorded, item))
            .collect::<Vec<_>>()
            .into(),
        (_, other) => other.clone(),
    }
}

//! `events:putEvents`: the events that an execution sends.

use asl::{Fault, Value, value::Object};
use engine::{Identity, services::Operation};
use serde_json::Value as Json;

use crate::events::{Event, put};

/// The parameters of `PutEvents` with what Step Functions adds: each event is about the state machine and the execution too.
pub(super) fn with_sender(parameters: &Value, sender: &Identity) -> Value {
    let Value::Object(fields) = parameters else { return parameters.clone() };
    let mut fields = Object::clone(fields);
    if let Some(Value::Array(entries)) = fields.get("Entries") {
        let entries: Vec<_> = entries.iter().map(|entry| about(entry, sender)).collect();
        fields.insert("Entries".into(), entries.into());
    }
    fields.into()
}

fn about(entry: &Value, sender: &Identity) -> Value {
    let Value::Object(fields) = entry else { return entry.clone() };
    let named = match fields.get("Resources") {
        Some(Value::Array(resources)) => resources.to_vec(),
        None | Some(Value::Null) => Vec::new(),
        Some(_) => return entry.clone(),
    };
    let own = [&sender.state_machine_arn, &sender.arn].map(|arn| Value::from(arn.clone()));
    let mut fields = Object::clone(fields);
    fields.insert("Resources".into(), named.into_iter().chain(own).collect::<Vec<_>>().into());
    fields.into()
}

/// A task's result: a failure where an event was not taken. The others are sent.
pub(super) fn result(answer: Value) -> Result<Value, Fault> {
    match answer.get("FailedEntryCount").and_then(Value::as_i64) {
        None | Some(0) => Ok(answer),
        Some(_) => Err(Fault::new("EventBridge.FailedEntry", answer.to_string())),
    }
}

/// The events that an execution sends with these parameters, and what the task is answered.
pub fn put_events(parameters: &Value, sender: &Identity) -> (Vec<Event>, Result<Value, Fault>) {
    match request(parameters, sender) {
        Ok(request) => {
            let (events, answer) = put::put(request.entries);
            let told = serde_json::to_value(&answer).map(|answer| Value::from(&answer)).unwrap_or_default();
            (events, result(told))
        }
        Err(error) => {
            let cause = format!("The Parameters '{parameters}' could not be used to start the Task: [{error}]");
            (Vec::new(), Err(Fault::runtime(cause)))
        }
    }
}

fn request(parameters: &Value, sender: &Identity) -> Result<put::Request, String> {
    let operation = Operation::of("events", "putEvents").ok_or("events:putEvents is not known")?;
    let sent = operation.parameters(&with_sender(parameters, sender), "").map_err(|misfit| misfit.to_string())?;
    let sent: Json = serde_json::to_value(Value::from(sent)).map_err(|error| error.to_string())?;
    serde_json::from_value(sent).map_err(|error| error.to_string())
}

//! `events:putEvents`: the events that an execution sends.

use asl::{Fault, Value};
use engine::Identity;
use serde_json::Value as Json;

use crate::events::{Event, put};

/// The events that an execution sends with these parameters, and what the task is answered.
///
/// Each of them is about the state machine and the execution too. Where one is not taken the task fails; the others are
/// sent.
pub fn put_events(parameters: &Value, sender: &Identity) -> (Vec<Event>, Result<Value, Fault>) {
    let entries = match entries(parameters, sender) {
        Ok(entries) => entries,
        Err(error) => {
            let cause = format!("The Parameters '{parameters}' could not be used to start the Task: [{error}]");
            return (Vec::new(), Err(Fault::runtime(cause)));
        }
    };
    let (events, answer) = put::put(entries);
    let told = serde_json::to_value(&answer).map(|answer| Value::from(&answer)).unwrap_or_default();
    let result = match answer.failed_entry_count {
        0 => Ok(told),
        _ => Err(Fault::new("EventBridge.FailedEntry", told.to_string())),
    };
    (events, result)
}

/// The entries of the parameters. What an event tells may be any JSON value; what is no text becomes its JSON text.
fn entries(parameters: &Value, sender: &Identity) -> Result<Vec<put::Entry>, serde_json::Error> {
    let mut request = serde_json::to_value(parameters)?;
    for entry in request.get_mut("Entries").and_then(Json::as_array_mut).into_iter().flatten() {
        let Json::Object(fields) = entry else { continue };
        if let Some(detail) = fields.get_mut("Detail").filter(|detail| !detail.is_string()) {
            *detail = Json::from(detail.to_string());
        }
        let resources = fields.entry("Resources").or_insert_with(|| Json::Array(Vec::new()));
        if let Json::Array(resources) = resources {
            resources.extend([&sender.state_machine_arn, &sender.arn].map(|arn| Json::from(&**arn)));
        }
    }
    serde_json::from_value::<put::Request>(request).map(|request| request.entries)
}

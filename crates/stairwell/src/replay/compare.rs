//! Comparing a history with the recorded one, event by event.

use asl::{
    Value,
    value::Object,
};
use engine::{Execution, history};

use super::{case::Case, text::Bindings};

/// What the recorder left of an id that depends on how branches interleaved.
const SCRAMBLED: &str = "[0]";

/// The first difference between an execution's history and a case's, as a sentence.
pub fn histories(case: &Case, execution: &Execution) -> Result<(), String> {
    let events: Vec<Value> =
        execution.history().iter().map(|event| as_recorded(&history::to_json(event, true))).collect();
    let recorded: Vec<Value> = case.events.iter().map(without_time).collect();
    let any_number = case.notes.nondeterminism.iter().any(|kind| kind == "random-or-clock-values");
    let mut bindings = Bindings { any_number, ..Bindings::default() };
    if case.notes.ids_scrambled {
        return scrambled(&recorded, events, &mut bindings);
    }
    let cut_off = case.ending.as_ref().is_some_and(|ending| ending.status == "RUNNING");
    for (index, recorded) in recorded.iter().enumerate() {
        let Some(event) = events.get(index) else {
            return Err(format!("event {} is missing: {recorded}", index + 1));
        };
        let place = format!("event {} ({})", index + 1, type_of(event));
        bindings.compare(&place, recorded, event).map_err(|difference| difference.to_string())?;
    }
    match events.get(recorded.len()) {
        Some(event) if !cut_off => Err(format!("event {} is not recorded: {event}", recorded.len() + 1)),
        _ => Ok(()),
    }
}

/// Concurrent branches: their events are a multiset without ids, the others come in order.
fn scrambled(recorded: &[Value], events: Vec<Value>, bindings: &mut Bindings) -> Result<(), String> {
    let events: Vec<Value> = events.into_iter().filter(|event| type_of(event) != "ParallelStateSucceeded").collect();
    if recorded.len() != events.len() {
        let types = |events: &[Value]| events.iter().map(type_of).collect::<Vec<_>>().join(" ");
        return Err(format!(
            "{} events are recorded, {} came: {} / {}",
            recorded.len(),
            events.len(),
            types(recorded),
            types(&events)
        ));
    }
    let (mut unordered, mut left) = (Vec::new(), Vec::new());
    for (index, (recorded, event)) in recorded.iter().zip(&events).enumerate() {
        let is_scrambled = recorded.get("id").is_some_and(|id| id.to_string() == SCRAMBLED);
        let (recorded, event) = (without_ids(recorded), without_ids(event));
        if is_scrambled {
            unordered.push(recorded);
            left.push(event);
        } else {
            let place = format!("event {} ({})", index + 1, type_of(&event));
            bindings.compare(&place, &recorded, &event).map_err(|difference| difference.to_string())?;
        }
    }
    for recorded in unordered {
        let found = left.iter().position(|event| {
            let mut attempt = bindings.clone();
            let matches = attempt.compare("", &recorded, event).is_ok();
            if matches {
                *bindings = attempt;
            }
            matches
        });
        match found {
            Some(index) => left.swap_remove(index),
            None => return Err(format!("none of the branches' events is {recorded}")),
        };
    }
    Ok(())
}

/// An event as the recorder wrote it: without its time, payloads that are objects as objects.
fn as_recorded(event: &Value) -> Value {
    let Value::Object(fields) = without_time(event) else { return event.clone() };
    let fields = fields.iter().map(|(key, value)| match value {
        Value::Object(details) => (key.clone(), parsed(details)),
        other => (key.clone(), other.clone()),
    });
    fields.collect::<Object>().into()
}

fn parsed(details: &Object) -> Value {
    let parsed = |value: &Value| match value {
        Value::String(text) if text.starts_with('{') => Value::parse(text).unwrap_or_else(|_| value.clone()),
        other => other.clone(),
    };
    details.iter().map(|(key, value)| (key.clone(), parsed(value))).collect::<Object>().into()
}

fn without_time(event: &Value) -> Value {
    without(event, &["timestamp"])
}

fn without_ids(event: &Value) -> Value {
    without(event, &["id", "previousEventId"])
}

fn without(event: &Value, names: &[&str]) -> Value {
    let Value::Object(fields) = event else { return event.clone() };
    let kept = fields.iter().filter(|(key, _)| !names.contains(&&***key));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Object>().into()
}

fn type_of(event: &Value) -> &str {
    event.get("type").and_then(Value::as_str).unwrap_or_default()
}

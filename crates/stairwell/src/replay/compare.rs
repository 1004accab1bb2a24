//! Comparing a history with the recorded one, event by event.

use asl::{Value, value::Object};
use engine::{Event, EventKind, Execution, history};

use super::{
    case::Case,
    text::{Bindings, Leniency},
};

/// What the recorder left of an id that depends on how branches interleaved.
const SCRAMBLED: &str = "[0]";

/// The month from which on the exit of a distributed Map state follows the start of its Map Run; before, its end.
const EXIT_FOLLOWS_START_OF_RUN: (u32, u32) = (2024, 11);

/// The first difference between an execution's history and a case's, as a sentence.
pub(super) fn histories(case: &Case, execution: &Execution) -> Result<(), String> {
    compare(case, execution, |event| event)
}

/// The same without the payloads of states and tasks: a mock's answers are not what the services gave.
pub(super) fn courses(case: &Case, execution: &Execution) -> Result<(), String> {
    compare(case, execution, without_payloads)
}

fn compare(case: &Case, execution: &Execution, part: impl Fn(Value) -> Value) -> Result<(), String> {
    let is_older = case.source.month().is_some_and(|month| month < EXIT_FOLLOWS_START_OF_RUN);
    let events = execution.history().iter().map(|event| {
        let event = if is_older { as_it_was(event, execution.history()) } else { event.clone() };
        part(as_recorded(&history::to_json(&event, true)))
    });
    let events: Vec<Value> = events.collect();
    let recorded: Vec<Value> = case.events.iter().map(|event| part(without_time(event))).collect();
    let differs = |what: &str| case.notes.nondeterminism.iter().any(|kind| kind == what);
    let leniency = Leniency { numbers: differs("random-or-clock-values"), redrive_count: differs("context-values") };
    let mut bindings = Bindings::new(leniency);
    if case.notes.ids_scrambled {
        return scrambled(&recorded, &events, &mut bindings);
    }
    if differs("interleaving") || differs("map-iterations-interleaved") {
        let recorded: Vec<Value> = recorded.iter().map(without_ids).collect();
        return bag(&recorded, &events.iter().map(without_ids).collect::<Vec<_>>(), &mut bindings);
    }
    for (index, recorded) in recorded.iter().enumerate() {
        let Some(event) = events.get(index) else {
            return Err(format!("event {} is missing: {recorded}", index + 1));
        };
        let place = format!("event {} ({})", index + 1, type_of(event));
        bindings.compare(&place, recorded, event).map_err(|difference| difference.to_string())?;
    }
    match events.get(recorded.len()) {
        Some(event) if !case.was_cut_off() => Err(format!("event {} is not recorded: {event}", recorded.len() + 1)),
        _ => Ok(()),
    }
}

/// Concurrent branches: from the first event without an id to the last one events are a multiset, the others come in
/// order. Ids are left out, and so are the ends of Parallel states that the recorder lost.
fn scrambled(recorded: &[Value], events: &[Value], bindings: &mut Bindings) -> Result<(), String> {
    let was_kept = |event: &&Value| match type_of(event) {
        "ParallelStateSucceeded" => false,
        "ParallelStateExited" => recorded.iter().any(|other| identity(other) == identity(event)),
        _ => true,
    };
    let events: Vec<Value> = events.iter().filter(was_kept).map(without_ids).collect();
    let types = |events: &[Value]| events.iter().map(type_of).collect::<Vec<_>>().join(" ");
    if recorded.len() != events.len() {
        return Err(format!("the events are: recorded {}, now {}", types(recorded), types(&events)));
    }
    let is_scrambled = |event: &Value| event.get("id").is_some_and(|id| id.to_string() == SCRAMBLED);
    let first = recorded.iter().position(is_scrambled).unwrap_or(recorded.len());
    let last = recorded.iter().rposition(is_scrambled).unwrap_or(0);
    let mut concurrent = (Vec::new(), Vec::new());
    for (index, (recorded, event)) in recorded.iter().zip(&events).enumerate() {
        if (first..=last).contains(&index) {
            concurrent.0.push(without_ids(recorded));
            concurrent.1.push(event.clone());
        } else {
            let place = format!("event {} ({})", index + 1, type_of(event));
            let compared = bindings.compare(&place, &without_ids(recorded), event);
            compared.map_err(|difference| difference.to_string())?;
        }
    }
    bag(&concurrent.0, &concurrent.1, bindings)
}

/// Events without ids, in whatever order they come.
fn bag(recorded: &[Value], events: &[Value], bindings: &mut Bindings) -> Result<(), String> {
    let mut left: Vec<&Value> = events.iter().collect();
    for recorded in recorded {
        let found = left.iter().position(|event| {
            if type_of(event) != type_of(recorded) {
                return false;
            }
            let mut attempt = bindings.clone();
            let matches = attempt.compare("", recorded, event).is_ok();
            if matches {
                *bindings = attempt;
            }
            matches
        });
        match found {
            // The order of the others stays: it is the best guess at which of several alike is meant.
            Some(index) => left.remove(index),
            None => return Err(format!("none of the events is {recorded}")),
        };
    }
    match left.first() {
        Some(event) => Err(format!("an event is not recorded: {event}")),
        None => Ok(()),
    }
}

/// An event as the service wrote it once: a distributed Map state's exit follows the end of the Map Run.
fn as_it_was(event: &Event, history: &[Event]) -> Event {
    let id = event.previous_id;
    let kind_of = |id: u64| Some(&history.iter().find(|event| event.id == id)?.kind);
    let follows_start = matches!(event.kind, EventKind::StateExited { .. })
        && matches!(kind_of(id), Some(EventKind::MapRunStarted { .. }));
    let end = history.iter().find(|end| end.previous_id == id && matches!(end.kind, EventKind::MapRunSucceeded));
    match end.filter(|_| follows_start) {
        Some(end) => Event { previous_id: end.id, ..event.clone() },
        None => event.clone(),
    }
}

/// The type of a `…StateExited` event with its state's name.
fn identity(event: &Value) -> (&str, Option<&Value>) {
    (type_of(event), event.get("stateExitedEventDetails").and_then(|details| details.get("name")))
}

/// An event as the recorder wrote it: without its time, payloads that are objects as objects.
pub(crate) fn as_recorded(event: &Value) -> Value {
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
        // The values of variables are JSON texts by themselves.
        Value::Object(inner) => parsed(inner),
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

fn without_payloads(event: Value) -> Value {
    let Value::Object(fields) = &event else { return event };
    let fields = fields.iter().map(|(key, details)| {
        let kept = if key.ends_with("Details") {
            without(details, &["input", "output", "assignedVariables"])
        } else {
            details.clone()
        };
        (key.clone(), kept)
    });
    fields.collect::<Object>().into()
}

fn type_of(event: &Value) -> &str {
    event.get("type").and_then(Value::as_str).unwrap_or_default()
}

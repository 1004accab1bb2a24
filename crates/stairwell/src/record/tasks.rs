//! The answers of the outside world, taken from the events that tell of them.

use std::collections::HashMap;

use asl::{Value, value::Object};

use super::history::{History, detail, id, previous_id, type_of};

/// How an event's type begins that tells of a call.
const KINDS: [&str; 3] = ["Task", "LambdaFunction", "Activity"];

/// What an event tells of a call.
#[derive(Clone, Copy)]
enum Step {
    Scheduled,
    Started,
    Submitted,
    Ended(&'static str),
}

/// The `task_results` of a case: one for each call, in the order in which they were scheduled.
pub(super) fn results(history: &History<'_>) -> Vec<Value> {
    let mut results: Vec<Object> = Vec::new();
    // Which call an event tells of.
    let mut calls: HashMap<i64, usize> = HashMap::new();
    for event in history.events() {
        let Some(step) = step(type_of(event)) else { continue };
        let index = match (step, calls.get(&previous_id(event))) {
            (Step::Started | Step::Submitted | Step::Ended(_), Some(index)) => *index,
            // What could not be scheduled has no event of that.
            (Step::Scheduled | Step::Ended(_), _) => {
                results.push(begun(history, event));
                results.len() - 1
            }
            (Step::Started | Step::Submitted, None) => continue,
        };
        if !matches!(step, Step::Ended(_)) {
            calls.insert(id(event), index);
        }
        if let Some(result) = results.get_mut(index) {
            apply(result, step, event);
        }
    }
    results.into_iter().map(Value::from).collect()
}

fn step(event_type: &str) -> Option<Step> {
    let step = KINDS.iter().find_map(|kind| event_type.strip_prefix(kind))?;
    Some(match step {
        "Scheduled" => Step::Scheduled,
        "Started" => Step::Started,
        "Submitted" => Step::Submitted,
        "Succeeded" => Step::Ended("succeeded"),
        "Failed" => Step::Ended("failed"),
        "TimedOut" => Step::Ended("timed_out"),
        "StartFailed" => Step::Ended("start_failed"),
        "SubmitFailed" => Step::Ended("submit_failed"),
        "ScheduleFailed" => Step::Ended("schedule_failed"),
        _ => return None,
    })
}

/// A call of which nothing is known but that it was made. One that is not answered has no end, as one that timed out.
fn begun(history: &History<'_>, event: &Value) -> Object {
    let mut result = Object::new();
    if let Some(state) = history.state_of(event) {
        result.insert("state".into(), state.into());
    }
    if let Some(request) = detail(event, "parameters").or_else(|| detail(event, "input")) {
        result.insert("request".into(), parsed(request));
    }
    result.insert("started".into(), false.into());
    result.insert("outcome".into(), "timed_out".into());
    result
}

fn apply(result: &mut Object, step: Step, event: &Value) {
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            result.insert(key.into(), value);
        }
    };
    match step {
        Step::Scheduled => {}
        Step::Started => {
            set("started", Some(true.into()));
            set("workerName", detail(event, "workerName").map(Into::into));
        }
        Step::Submitted => set("submitted_output", detail(event, "output").map(parsed)),
        Step::Ended(outcome) => {
            set("outcome", Some(outcome.into()));
            set("output", detail(event, "output").map(parsed));
            set("error", detail(event, "error").map(Into::into));
            let cause = detail(event, "cause");
            set("cause", cause.map(|text| object(text).unwrap_or_else(|| text.into())));
            set("cause_text", cause.filter(|text| object(text).is_some()).map(Into::into));
        }
    }
}

/// A payload is JSON text.
fn parsed(text: &str) -> Value {
    Value::parse(text).unwrap_or_else(|_| text.into())
}

fn object(text: &str) -> Option<Value> {
    Value::parse(text).ok().filter(|value| matches!(value, Value::Object(_)))
}

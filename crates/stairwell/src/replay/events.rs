//! Replays executions that `EventBridge` hears of, and compares what it gets.

use std::{collections::HashSet, time::Duration};

use asl::{Value, value::Object};

use super::{
    Unequal,
    api::as_recorded,
    case::Case,
    stage::{Outside, Stage},
    synchronous::{answer, create, names},
};

/// How long an execution may go on: time costs nothing.
const LONG: Duration = Duration::from_hours(24 * 366);

/// The source of the events that tell what became of executions.
const STATES: &str = "aws.states";

/// Compares every event: those that tell of executions only where the recording has such ones, because whoever recorded
/// it listened to some events and not to others.
pub(super) fn replay(case: &Case) -> Result<(), Unequal> {
    let stage = Stage::new(Outside::default()).map_err(Unequal::Difference)?;
    let machine = create(&stage, case, Object::new())?;
    let mut request = Object::from_iter([
        ("stateMachineArn".into(), Value::from(machine)),
        ("input".into(), case.input.to_string().into()),
    ]);
    let recorded = without_repeats(&case.eventbridge_events);
    let name = recorded.iter().find_map(|event| event.get("detail")?.get("name").filter(|_| is_of_states(event)));
    request.extend(name.cloned().map(|name| ("name".into(), name)));
    answer(&stage, "StartExecution", &request.into())?;
    stage.wait(LONG);
    let listened = recorded.iter().any(is_of_states);
    let events = stage.events();
    let found: Vec<_> = events.iter().filter(|event| listened == is_of_states(event)).map(told).collect();
    let compared = names(case).compare("events", &Value::from(recorded), &Value::from(found));
    compared.map_err(|difference| Unequal::Difference(difference.to_string()))
}

fn is_of_states(event: &Value) -> bool {
    event.get("source").and_then(Value::as_str) == Some(STATES)
}

/// An event may come more than once.
fn without_repeats(events: &[Value]) -> Vec<Value> {
    let mut seen = HashSet::new();
    events.iter().filter(|event| seen.insert(event.get("id").map(Value::to_string))).cloned().collect()
}

/// An event as the recorder wrote it. It put a word in the place of an end that had not come, too.
fn told(event: &Value) -> Value {
    let event = as_recorded(event);
    let (Value::Object(fields), Some(Value::Object(detail))) = (&event, event.get("detail")) else { return event };
    let detail = detail.iter().map(|(key, value)| match value {
        Value::Null if &**key == "stopDate" => (key.clone(), "stop-date".into()),
        value => (key.clone(), value.clone()),
    });
    let mut told = Object::clone(fields);
    told.insert("detail".into(), detail.collect::<Object>().into());
    told.into()
}

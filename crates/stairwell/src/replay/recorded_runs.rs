//! What a recorded history tells of Map Runs. Their child executions have histories of their own, which are not recorded.

use asl::{Fault, Value, distributed::Transformation, fault::names};
use engine::{
    Outcome,
    map_run::{MapRun, ResultWriter},
};

/// What S3 says of a bucket that is not there.
const NO_SUCH_BUCKET: &str = "bucket does not exist";

/// The Map Runs of a recorded execution, in the order in which they began.
pub(super) struct RecordedRuns<'a> {
    /// What was not reached yet.
    events: &'a [Value],
    definition: &'a Value,
}

/// One of them.
pub(super) struct RecordedRun<'a> {
    /// From the one after its start.
    events: &'a [Value],
    /// The Map state as it is defined, where it can be told from all others.
    state: Option<&'a Value>,
}

impl<'a> RecordedRuns<'a> {
    pub(super) fn of(events: &'a [Value], definition: &'a Value) -> Self {
        Self { events, definition }
    }

    /// The next Map Run that was begun; nothing where no more are recorded.
    pub(super) fn next(&mut self, run: &MapRun) -> Option<RecordedRun<'a>> {
        let start = self.events.iter().position(|event| is(event, "MapRunStarted"))?;
        self.events = self.events.get(start + 1..)?;
        Some(RecordedRun { events: self.events, state: state(self.definition, &run.state) })
    }
}

impl RecordedRun<'_> {
    /// Whether it has failed for want of a bucket.
    pub(super) fn lacked_bucket(&self) -> bool {
        let details = self.end().and_then(|event| event.get("mapRunFailedEventDetails"));
        let cause = details.and_then(|details| details.get("cause")?.as_str());
        cause.is_some_and(|cause| cause.contains(NO_SUCH_BUCKET))
    }

    /// How a child execution must have ended for the Map Run to have ended as it did; nothing where that can't be told.
    ///
    /// Those of a Map Run that has failed have failed. Those of another one gave the elements of the state's result, which
    /// is in the state's output, unless the definition makes something else of it.
    pub(super) fn child(&self, run: &MapRun, index: usize, count: usize) -> Option<Outcome> {
        if is(self.end()?, "MapRunFailed") {
            return Some(Outcome::Failed(Fault::named(names::TASK_FAILED)));
        }
        let is_discarded = self.state?.get("ResultPath") == Some(&Value::Null);
        if is_discarded || matches!(run.writer, ResultWriter::Export { .. }) {
            // The state's output does not show what they gave.
            return Some(Outcome::Succeeded(Value::Null));
        }
        if run.writer != ResultWriter::State(Transformation::Compact) {
            return None;
        }
        match self.result(run)? {
            Value::Array(elements) if elements.len() == count => elements.get(index).cloned().map(Outcome::Succeeded),
            _ => None,
        }
    }

    fn end(&self) -> Option<&Value> {
        self.events.iter().find(|event| is(event, "MapRunSucceeded") || is(event, "MapRunFailed"))
    }

    /// The state's result, as its output shows it.
    fn result(&self, run: &MapRun) -> Option<Value> {
        let state = self.state?;
        if ["ResultSelector", "OutputPath", "Output"].iter().any(|field| state.get(field).is_some()) {
            return None;
        }
        let path = state.get("ResultPath").map_or(Some("$"), Value::as_str)?;
        let details = self.events.iter().filter(|event| is(event, "MapStateExited"));
        let mut details = details.filter_map(|event| event.get("stateExitedEventDetails"));
        let exit = details.find(|details| details.get("name").and_then(Value::as_str) == Some(&run.state))?;
        let output = match exit.get("output")? {
            Value::String(text) => Value::parse(text).ok()?,
            value => value.clone(),
        };
        let mut names = path.strip_prefix('$')?.split('.').skip(1);
        names.try_fold(&output, |value, name| value.get(name)).cloned()
    }
}

fn is(event: &Value, kind: &str) -> bool {
    event.get("type").and_then(Value::as_str) == Some(kind)
}

/// The state of this name, wherever it is in a definition.
fn state<'a>(definition: &'a Value, name: &str) -> Option<&'a Value> {
    match definition {
        Value::Object(fields) => {
            let here = fields.get("States").and_then(|states| states.get(name));
            here.or_else(|| fields.values().find_map(|value| state(value, name)))
        }
        Value::Array(items) => items.iter().find_map(|item| state(item, name)),
        _ => None,
    }
}

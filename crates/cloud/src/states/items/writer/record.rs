//! A child execution as its Map Run tells of it.

use asl::{Fault, Value, distributed::Transformation, timestamp, value::Object};
use engine::Outcome;

use super::{Child, ChildRun};

/// What a child execution adds to the state's result. One that has not succeeded is told of whole, whatever the
/// transformation.
pub(super) fn results(child: &Child, transformation: Transformation) -> Vec<Value> {
    match &child.run {
        None => Vec::new(),
        Some(_) => results_or_record(child, transformation),
    }
}

/// What a child execution adds to its file.
pub(super) fn results_or_record(child: &Child, transformation: Transformation) -> Vec<Value> {
    match (child.run.as_ref().map(|run| &run.outcome), transformation) {
        (Some(Outcome::Succeeded(Value::Array(elements))), Transformation::Flatten) => elements.to_vec(),
        (Some(Outcome::Succeeded(output)), Transformation::Compact | Transformation::Flatten) => vec![output.clone()],
        _ => vec![record(child)],
    }
}

/// All that is known of it, the names in their order.
fn record(child: &Child) -> Value {
    let mut fields = Object::new();
    let mut add = |name: &str, value: Value| {
        fields.insert(name.into(), value);
    };
    if let Some(run) = &child.run {
        add("ExecutionArn", run.arn.clone().into());
        if let Outcome::Failed(fault) | Outcome::TimedOut(fault) | Outcome::Aborted(fault) = &run.outcome {
            for (name, text) in fault_fields(fault) {
                add(name, text);
            }
        }
    }
    add("Input", child.input.to_string().into());
    add("InputDetails", included());
    match &child.run {
        None => add("Status", "PENDING".into()),
        Some(run) => {
            add("Name", run.name.clone().into());
            if let Outcome::Succeeded(output) = &run.outcome {
                add("Output", output.to_string().into());
            }
            add("OutputDetails", included());
            let status = status(run);
            let (redrive, reason) = redrive(run, status);
            add("RedriveCount", run.redrives.into());
            add("RedriveStatus", redrive.into());
            if let Some(reason) = reason {
                add("RedriveStatusReason", reason.into());
            }
            add("StartDate", timestamp::format(run.started_at).into());
            add("StateMachineArn", run.state_machine_arn.clone().into());
            add("Status", status.into());
            add("StopDate", timestamp::format(run.stopped_at).into());
        }
    }
    fields.into()
}

fn fault_fields(fault: &Fault) -> impl Iterator<Item = (&'static str, Value)> {
    let fields = [("Cause", &fault.cause), ("Error", &fault.error)];
    fields.into_iter().filter_map(|(name, text)| Some((name, text.clone()?.into())))
}

fn status(run: &ChildRun) -> &'static str {
    match run.outcome {
        Outcome::Succeeded(_) => "SUCCEEDED",
        Outcome::Failed(_) => "FAILED",
        Outcome::TimedOut(_) => "TIMED_OUT",
        Outcome::Aborted(_) => "ABORTED",
    }
}

fn redrive(run: &ChildRun, status: &str) -> (&'static str, Option<String>) {
    match (&run.outcome, run.is_express) {
        (Outcome::Succeeded(_), _) => ("NOT_REDRIVABLE", Some(format!("Execution is {status} and cannot be redriven"))),
        (_, true) => ("REDRIVABLE_BY_MAP_RUN", None),
        (_, false) => ("REDRIVABLE", None),
    }
}

fn included() -> Value {
    Value::from([("Included", Value::from(true))])
}

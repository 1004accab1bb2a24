//! The state machines of the executions that are killed, and the outside that answers them.
//!
//! What happens to an execution, and in which order, does not depend on when it is killed: the outside answers calls
//! that are under way at once in the order that their inputs name, and no execution has two timers at once.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use asl::{Fault, Machine, Value};
use engine::{
    EventKind, Execution, Identity, Outcome,
    core::Call,
    journal::Definition,
    run::{Answer, CallError, Executions, Outside, Reports, Running},
};
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:any";

/// How often executions are redriven that fail until they are.
const REDRIVES: u64 = 2;

/// Whether an execution waits for somebody to redrive it.
pub(crate) fn is_to_be_redriven(execution: &Execution) -> bool {
    let redrives = execution.redriven().map_or(0, |redrive| redrive.count);
    matches!(execution.outcome(), Some(Outcome::Failed(fault)) if fault.is("Broken")) && redrives < REDRIVES
}

/// What the executions run, in turn.
pub(crate) struct Machines(Vec<Definition>);

impl Machines {
    pub(crate) fn compile() -> Self {
        let compile = |definition: &serde_json::Value| {
            let machine = Machine::compile(&Value::from(definition)).unwrap();
            Definition::new(definition.to_string(), Arc::new(machine))
        };
        Self(definitions().iter().map(compile).collect())
    }

    pub(crate) fn of(&self, number: usize) -> &Definition {
        &self.0[number % self.0.len()]
    }
}

/// The execution with this number. The same number and input are the same execution.
pub(crate) fn identity(number: usize, input: Value) -> Identity {
    let name = format!("execution-{number}");
    Identity {
        arn: arn(number).into(),
        name: name.into(),
        state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:killed".into(),
        state_machine_name: "killed".into(),
        state_machine_version_arn: None,
        state_machine_alias_arn: None,
        revision: Arc::default(),
        role_arn: "arn:aws:iam::123456789012:role/killed".into(),
        region: "us-east-1".into(),
        started_at: OffsetDateTime::now_utc(),
        input,
        map_run_arn: None,
        item_count: None,
        trace_header: None,
        mocked: None,
        seed: number as u64,
    }
}

pub(crate) fn arn(number: usize) -> String {
    format!("arn:aws:states:us-east-1:123456789012:execution:killed:execution-{number}")
}

/// An input for an execution that begins now.
pub(crate) fn input(number: usize) -> Value {
    let until = OffsetDateTime::now_utc() + Duration::from_millis(50 + 37 * (number as u64 % 20));
    Value::from(&json!({ "number": number, "until": until.format(&Rfc3339).unwrap(), "items": [0, 1, 2, 3, 4] }))
}

fn definitions() -> [serde_json::Value; 9] {
    let pass = |next: &str| json!({ "Type": "Pass", "Next": next });
    let task = |answer: serde_json::Value| json!({ "Type": "Task", "Resource": FUNCTION, "Parameters": answer, "ResultPath": "$.result", "End": true });
    let with = |mut state: serde_json::Value, more: serde_json::Value| {
        state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        state
    };
    let one = |name: &str, state: serde_json::Value| json!({ "StartAt": name, "States": { name: state } });
    [
        // Ends in one step, with random numbers.
        json!({ "StartAt": "A", "States": {
            "A": { "Type": "Pass", "Parameters": { "id.$": "States.UUID()", "n.$": "States.MathRandom(0, 1000)" }, "Next": "B" },
            "B": pass("C"),
            "C": { "Type": "Succeed" },
        }}),
        // Waits.
        json!({ "StartAt": "Wait", "States": {
            "Wait": { "Type": "Wait", "TimestampPath": "$.until", "Next": "Again" },
            "Again": { "Type": "Wait", "Seconds": 2, "Next": "Choose" },
            "Choose": {
                "Type": "Choice",
                "Choices": [{ "Variable": "$.number", "NumericGreaterThan": -1, "Next": "Done" }],
            },
            "Done": { "Type": "Pass", "End": true },
        }}),
        // Asks, one call after the other.
        json!({ "StartAt": "First", "States": {
            "First": with(task(json!({ "answer": "yes" })), json!({ "Next": "Second", "End": null })),
            "Second": with(task(json!({ "answer.$": "$.result" })), json!({ "Next": "Third", "End": null })),
            "Third": task(json!({ "answer": 3.000_000_000_000_000_4 })),
        }}),
        // Asks for each item, two at a time.
        one("Each", json!({
            "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 2, "End": true,
            "ItemSelector": { "item.$": "$$.Map.Item.Value" },
            "ItemProcessor": one("Ask", task(json!({ "order.$": "$.item" }))),
        })),
        // Asks in three branches, and waits in one of them.
        json!({ "StartAt": "Fork", "States": {
            "Fork": { "Type": "Parallel", "ResultPath": "$.branches", "Next": "After", "Branches": [
                one("Second", task(json!({ "order": 2 }))),
                json!({ "StartAt": "Wait", "States": {
                    "Wait": { "Type": "Wait", "TimestampPath": "$.until", "Next": "First" },
                    "First": task(json!({ "order": 0 })),
                }}),
                one("Third", task(json!({ "order": 1 }))),
            ]},
            "After": task(json!({ "answer.$": "$.branches" })),
        }}),
        // Fails, tries again, and is caught.
        json!({ "StartAt": "Try", "States": {
            "Try": with(task(json!({ "failsUntil": 2, "error": "Busy", "answer": "at last" })), json!({
                "Retry": [{ "ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 3, "BackoffRate": 1.0 }],
                "Next": "Give", "End": null,
            })),
            "Give": with(task(json!({ "failsUntil": 99, "error": "Broken" })), json!({
                "Catch": [{ "ErrorEquals": ["Broken"], "ResultPath": "$.error", "Next": "Caught" }],
            })),
            "Caught": { "Type": "Fail", "ErrorPath": "$.error.Error", "Cause": "it is broken" },
        }}),
        // Gets no answer in time, and is stopped when it asks for that.
        json!({ "StartAt": "Silence", "States": {
            "Silence": with(task(json!({ "silent": true })), json!({
                "TimeoutSeconds": 2,
                "Catch": [{ "ErrorEquals": ["States.Timeout"], "ResultPath": "$.error", "Next": "Stop" }],
            })),
            "Stop": task(json!({ "stop": true })),
        }}),
        // Gives up its branches, of which one waits for an answer that does not come, and one for nothing.
        json!({ "StartAt": "Fork", "States": {
            "Fork": {
                "Type": "Parallel", "End": true,
                "Catch": [{ "ErrorEquals": ["Broken"], "Next": "Recover" }],
                "Branches": [
                    one("Silent", task(json!({ "silent": true }))),
                    one("Long", json!({ "Type": "Wait", "Seconds": 86_400, "End": true })),
                    one("Breaks", task(json!({ "failsUntil": 1, "error": "Broken" }))),
                ],
            },
            "Recover": task(json!({ "answer": "recovered" })),
        }}),
        // Fails until it was redriven twice, with a branch that has succeeded before.
        json!({ "StartAt": "Fork", "States": {
            "Fork": { "Type": "Parallel", "ResultPath": "$.branches", "Next": "After", "Branches": [
                one("Good", task(json!({ "order": 0 }))),
                one("Bad", task(json!({
                    "order": 1, "error": "Broken", "redrives.$": "$$.Execution.RedriveCount", "needsRedrives": REDRIVES,
                }))),
            ]},
            "After": task(json!({ "answer.$": "$.branches" })),
        }}),
    ]
    .map(without_nulls)
}

/// Fields are taken away by null.
fn without_nulls(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        serde_json::Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

/// Answers a call as its input says, after a while.
#[derive(Default)]
pub(crate) struct Answers {
    executions: OnceLock<Arc<Executions>>,
}

impl Answers {
    /// Tells it whose calls they are.
    pub(crate) fn belong_to(&self, executions: Arc<Executions>) {
        let _ = self.executions.set(executions);
    }
}

impl Outside for Answers {
    fn call(&self, identity: &Arc<Identity>, call: Call, _: Reports) -> Answer {
        let running = self.executions.get().unwrap().find(&identity.arn).unwrap().unwrap();
        let delay = Duration::from_millis(identity.seed * 7 % 60);
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            answer(&running, &call).await
        })
    }
}

async fn answer(running: &Arc<Running>, call: &Call) -> Result<Value, CallError> {
    let field = |name: &str| call.input.get(name).cloned();
    let number = |name: &str| field(name).and_then(|value| value.as_i64());
    if field("stop").is_some() {
        running.stop(Fault::named("Stopped")).unwrap();
    }
    if field("silent").is_some() || field("stop").is_some() {
        std::future::pending::<()>().await;
    }
    if let Some(order) = number("order") {
        let mut events = running.subscribe();
        while answered(running) < order {
            events.changed().await.unwrap();
        }
    }
    let fails = number("failsUntil").is_some_and(|tries| i64::from(call.retry_count) < tries)
        || number("needsRedrives").is_some_and(|redrives| number("redrives").unwrap() < redrives);
    if fails {
        return Err(Fault { error: field("error").and_then(|name| Some(name.as_str()?.into())), cause: None }.into());
    }
    Ok(call.input.clone())
}

fn answered(running: &Arc<Running>) -> i64 {
    let is_answer = |kind: &EventKind| matches!(kind, EventKind::LambdaFunctionSucceeded { .. });
    let count = running.look(|execution| execution.history().iter().filter(|event| is_answer(&event.kind)).count());
    i64::try_from(count).unwrap()
}

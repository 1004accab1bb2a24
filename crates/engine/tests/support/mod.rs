//! An execution with a clock in the test's hand.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must fail")]
#![allow(dead_code, reason = "not every test needs all of it")]

use std::sync::Arc;

use asl::{Fault, Machine, Value};
use engine::{
    Command, Execution, Happened, Identity, Outcome,
    core::{Call, CallId, TimerId},
    history,
};
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// When every execution begins.
pub(crate) const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH.saturating_add(Duration::days(20_000));

/// Who every execution is.
pub(crate) fn identity() -> Identity {
    Identity {
        arn: "arn:aws:states:us-east-1:123456789012:execution:test:one".into(),
        name: "one".into(),
        state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:test".into(),
        state_machine_name: "test".into(),
        state_machine_version_arn: None,
        state_machine_alias_arn: None,
        revision: Arc::default(),
        role_arn: "arn:aws:iam::123456789012:role/test".into(),
        region: "us-east-1".into(),
        started_at: START,
        input: Value::empty_object(),
        map_run_arn: None,
        item_count: None,
        trace_header: None,
        mocked: None,
        seed: 1,
    }
}

pub(crate) struct Played {
    pub(crate) execution: Execution,
    pub(crate) now: OffsetDateTime,
    /// Every command so far.
    pub(crate) commands: Vec<Command>,
    fired: Vec<TimerId>,
}

impl Played {
    pub(crate) fn start(definition: &serde_json::Value, input: &serde_json::Value) -> Self {
        Self::start_with_seed(definition, input, 1)
    }

    pub(crate) fn start_with_seed(definition: &serde_json::Value, input: &serde_json::Value, seed: u64) -> Self {
        let machine = Machine::compile(&Value::from(definition)).unwrap();
        let identity = Identity { input: Value::from(input), seed, ..identity() };
        let execution = Execution::new(Arc::new(machine), Arc::new(identity));
        let mut played = Self { execution, now: START, commands: Vec::new(), fired: Vec::new() };
        played.step(Happened::Started);
        played
    }

    pub(crate) fn step(&mut self, happened: Happened) {
        self.commands.extend(self.execution.step(happened, self.now));
    }

    /// Answers the last call.
    pub(crate) fn succeed(&mut self, output: &serde_json::Value) {
        let call = self.last_call().id;
        self.step(Happened::TaskSucceeded { call, output: Value::from(output) });
    }

    /// Fails the last call.
    pub(crate) fn fail(&mut self, error: &str) {
        let call = self.last_call().id;
        self.step(Happened::TaskFailed { call, fault: Fault::named(error) });
    }

    /// Makes it the time of the timer that is first, and fires it.
    pub(crate) fn fire_next_timer(&mut self) {
        let set = self.commands.iter().filter_map(|command| match command {
            Command::SetTimer { timer, at } if !self.fired.contains(timer) => Some((*at, *timer)),
            _ => None,
        });
        let (at, timer) = set.min().expect("a timer is set");
        self.now = self.now.max(at);
        self.fired.push(timer);
        self.step(Happened::TimerFired { timer });
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        let call = |command: &Command| match command {
            Command::StartTask(call) => Some(call.clone()),
            _ => None,
        };
        self.commands.iter().filter_map(call).collect()
    }

    pub(crate) fn last_call(&self) -> Call {
        self.calls().pop().expect("a call was made")
    }

    pub(crate) fn cancelled(&self) -> Vec<CallId> {
        let cancelled = |command: &Command| match command {
            Command::CancelTask { call } => Some(*call),
            _ => None,
        };
        self.commands.iter().filter_map(cancelled).collect()
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.execution.outcome().expect("the execution has ended")
    }

    pub(crate) fn output(&self) -> serde_json::Value {
        match self.outcome() {
            Outcome::Succeeded(output) => serde_json::to_value(output).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn types(&self) -> Vec<String> {
        self.execution.history().iter().map(|event| history::event_type(&event.kind)).collect()
    }
}

pub(crate) fn function() -> &'static str {
    "arn:aws:lambda:us-east-1:123456789012:function:work"
}

/// A machine of one Task state with these fields, and a Pass state that a catcher can name.
pub(crate) fn task(fields: serde_json::Value) -> serde_json::Value {
    let caught = fields.get("Catch").is_some();
    let mut states = json!({"Work": with(json!({"Type": "Task", "Resource": function(), "End": true}), fields)});
    if caught {
        states["After"] = json!({"Type": "Pass", "End": true});
    }
    json!({"StartAt": "Work", "States": states})
}

/// A machine of one Pass state with these fields.
pub(crate) fn pass(fields: serde_json::Value) -> serde_json::Value {
    json!({"StartAt": "Pass", "States": {"Pass": with(json!({"Type": "Pass", "End": true}), fields)}})
}

fn with(mut state: serde_json::Value, fields: serde_json::Value) -> serde_json::Value {
    let (serde_json::Value::Object(state_fields), serde_json::Value::Object(fields)) = (&mut state, fields) else {
        panic!("fields are objects")
    };
    state_fields.extend(fields);
    state
}

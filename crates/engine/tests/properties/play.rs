//! An execution whose outside is a list of decisions.

use std::sync::Arc;

use asl::{Diagnostic, Fault, Machine, Value, compile::Code};
use engine::{
    Command, EventKind, Execution, Happened, Identity,
    core::{Call, Progress},
};
use proptest::{prelude::*, test_runner::TestCaseError};
use time::{Duration, OffsetDateTime};

use crate::support::{START, identity};

pub(crate) struct Play {
    pub(crate) execution: Execution,
    now: OffsetDateTime,
    /// Everything that happened, as a journal has it.
    happened: Vec<(String, OffsetDateTime)>,
    /// How many events have been looked at.
    checked: usize,
}

impl Play {
    pub(crate) fn start(machine: Arc<Machine>, input: &serde_json::Value, seed: u64) -> Self {
        let identity = Identity { input: Value::from(input), seed, ..identity() };
        let execution = Execution::new(machine, Arc::new(identity));
        let mut play = Self { execution, now: START, happened: Vec::new(), checked: 0 };
        play.step(&Happened::Started);
        play
    }

    /// Lets one of the things happen that the execution waits for, or another.
    pub(crate) fn decide(&mut self, (which, what, how): (u8, u8, u8)) {
        let mut outstanding = self.execution.outstanding();
        if outstanding.is_empty() {
            return;
        }
        let happened = match outstanding.swap_remove(usize::from(which) % outstanding.len()) {
            Command::StartTask(call) => of_call(&call, what, how),
            Command::StartMapRun(run) => {
                let result = if what < 128 { Ok(value(how)) } else { Err(fault(how)) };
                Happened::MapRunEnded { run: run.id, result }
            }
            Command::SetTimer { timer, at } => {
                self.now = self.now.max(at);
                Happened::TimerFired { timer }
            }
            Command::CancelTask { .. } | Command::CancelMapRun { .. } => return,
        };
        self.now = self.now.checked_add(Duration::milliseconds(how.into())).unwrap_or(self.now);
        self.step(&happened);
    }

    pub(crate) fn stop(&mut self) {
        self.step(&Happened::StopRequested { fault: Fault::named("Stopped") });
    }

    fn step(&mut self, happened: &Happened) {
        self.happened.push((serde_json::to_string(happened).unwrap(), self.now));
        self.execution.step(happened.clone(), self.now);
    }

    /// What holds after every step.
    pub(crate) fn check(&mut self) -> Result<(), TestCaseError> {
        let waits = self.execution.outstanding();
        if self.execution.has_ended() {
            prop_assert!(waits.is_empty(), "ended, and waits for {waits:?}");
        } else {
            prop_assert!(!waits.is_empty(), "waits for nothing after {:?}", self.execution.history().last());
        }
        let history = self.execution.history();
        let mut now = self.checked.checked_sub(1).map_or(START, |last| history[last].at);
        for (index, event) in history.iter().enumerate().skip(self.checked) {
            prop_assert_eq!(event.id, index as u64 + 1);
            prop_assert!(event.previous_id < event.id, "{event:?}");
            prop_assert!(event.at >= now, "{event:?}");
            prop_assert!(!event.kind.ends_execution() || index + 1 == history.len(), "{event:?}");
            now = event.at;
        }
        self.checked = history.len();
        Ok(())
    }

    /// What is told to be never there is not there: the state that reads it fails. Left out is what a state may not read.
    pub(crate) fn check_warnings(&self, found: &[Diagnostic]) -> Result<(), TestCaseError> {
        let is_certain = |found: &&Diagnostic| matches!(found.code, Code::NeverFound | Code::NeverAssigned);
        for found in found.iter().filter(is_certain) {
            let place = found.pointer();
            let states = self.execution.machine().states();
            let reading = states.iter().filter(|state| place.starts_with(&format!("{}/", state.location)));
            let Some(state) = reading.max_by_key(|state| state.location.len()) else { continue };
            let field = &place[state.location.len()..];
            let is_read = !field.starts_with("/Choices") && !field.starts_with("/ItemSelector");
            if is_read && state.catchers().is_empty() {
                let is_left =
                    self.execution.history().iter().any(
                        |event| matches!(&event.kind, EventKind::StateExited { name, .. } if **name == *state.name),
                    );
                prop_assert!(!is_left, "'{}' was left: {found}", state.name);
            }
        }
        Ok(())
    }

    /// An execution that is stepped through the same once more has the same history, and waits for the same.
    pub(crate) fn repeat(&self) -> Result<(), TestCaseError> {
        let mut again = Execution::new(self.execution.machine().clone(), self.execution.identity().clone());
        for (happened, at) in &self.happened {
            again.step(serde_json::from_str(happened).unwrap(), *at);
        }
        prop_assert_eq!(again.history().len(), self.execution.history().len());
        for (event, first) in again.history().iter().zip(self.execution.history()) {
            prop_assert_eq!(format!("{event:?}"), format!("{first:?}"));
        }
        prop_assert_eq!(format!("{:?}", again.outstanding()), format!("{:?}", self.execution.outstanding()));
        Ok(())
    }
}

fn of_call(call: &Call, what: u8, how: u8) -> Happened {
    let id = call.id;
    match (what % 8, &call.progress) {
        (0, Progress::Requested) => Happened::TaskRefused { call: id, cause: "refused".into() },
        (1, Progress::Requested) => Happened::TaskScheduled { call: id },
        (0..=2, Progress::Scheduled) => Happened::TaskStarted { call: id, worker: Some("worker".into()) },
        (0..=2, Progress::Started) => Happened::TaskSubmitted { call: id, output: value(how) },
        (3, _) => Happened::TaskHeartbeat { call: id },
        (4, _) => Happened::TaskFailed { call: id, fault: fault(how) },
        (_, _) => Happened::TaskSucceeded { call: id, output: value(how) },
    }
}

fn value(how: u8) -> Value {
    let text = match how % 8 {
        0 => "{}",
        1 => r#"{"a":{"b":[1,2,{"a":3}]},"b":2}"#,
        2 => "[1,2,3]",
        3 => "null",
        4 => r#""text""#,
        5 => r#"{"a":[{"b":2},{"b":0}],"b":"2030-01-01T00:00:00Z"}"#,
        6 => "12",
        _ => r#"{"a":3,"b":true}"#,
    };
    Value::parse(text).unwrap()
}

fn fault(how: u8) -> Fault {
    let names = ["A", "B", "States.Timeout", "States.TaskFailed", "States.Runtime", ""];
    Fault::named(names[usize::from(how) % names.len()])
}

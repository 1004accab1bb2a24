//! The executions there are and were.

use std::sync::Arc;

use asl::Value;
use engine::{Execution, Outcome, run::Running};
use indexmap::IndexMap;

/// The status of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It goes on.
    Running,
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
    /// It took longer than its machine allows.
    TimedOut,
    /// It was stopped.
    Aborted,
}

impl Status {
    /// The status of an execution, by its history.
    pub fn of(execution: &Execution) -> Self {
        match execution.outcome() {
            None => Self::Running,
            Some(Outcome::Succeeded(_)) => Self::Succeeded,
            Some(Outcome::Failed(_)) => Self::Failed,
            Some(Outcome::TimedOut(_)) => Self::TimedOut,
            Some(Outcome::Aborted(_)) => Self::Aborted,
        }
    }

    /// The name on the wire: `TIMED_OUT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
        }
    }
}

/// What an ARN stands for when an execution with it is to be started.
pub(super) enum Existing {
    /// Nothing.
    None,
    /// An execution that runs, with the same input.
    Same(Arc<Running>),
    /// One that has ended, or has another input.
    Other,
}

/// Executions by their ARNs, oldest first.
#[derive(Default)]
pub(super) struct Executions(IndexMap<Arc<str>, Arc<Running>>);

impl Executions {
    pub(super) fn add(&mut self, running: Arc<Running>) {
        let arn = running.look(|execution| execution.identity().arn.clone());
        self.0.insert(arn, running);
    }

    pub(super) fn find(&self, arn: &str) -> Option<Arc<Running>> {
        self.0.get(arn).cloned()
    }

    pub(super) fn existing(&self, arn: &str, input: &Value) -> Existing {
        let Some(running) = self.0.get(arn) else { return Existing::None };
        let same = running.look(|execution| !execution.has_ended() && execution.identity().input == *input);
        if same { Existing::Same(running.clone()) } else { Existing::Other }
    }

    pub(super) fn running(&self) -> usize {
        self.0.values().filter(|running| running.look(|execution| !execution.has_ended())).count()
    }

    pub(super) fn of_machine(&self, machine_arn: &str) -> Vec<Arc<Running>> {
        let belongs =
            |running: &&Arc<Running>| running.look(|execution| &*execution.identity().state_machine_arn == machine_arn);
        self.0.values().rev().filter(belongs).cloned().collect()
    }
}

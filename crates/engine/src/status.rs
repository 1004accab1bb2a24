//! The status of an execution, in the service's words.

use serde::{Deserialize, Serialize};

use crate::core::{Execution, Outcome};

/// The status of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// It did not succeed, and its Map Run is about to redrive it. Its history does not tell: the Map Run does.
    PendingRedrive,
}

impl Status {
    const ALL: [Self; 6] =
        [Self::Running, Self::Succeeded, Self::Failed, Self::TimedOut, Self::Aborted, Self::PendingRedrive];

    /// The status of an execution, by its history.
    pub fn of(execution: &Execution) -> Self {
        Self::after(execution.outcome().as_ref())
    }

    /// The status of an execution that has ended so; of one that goes on, where it has not.
    pub fn after(outcome: Option<&Outcome>) -> Self {
        match outcome {
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
            Self::PendingRedrive => "PENDING_REDRIVE",
        }
    }

    /// The status with this name on the wire.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

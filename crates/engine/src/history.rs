//! History events: what happened in an execution, in the service's words.

mod json;
pub mod log;

use std::sync::Arc;

use asl::{Fault, Value};
use time::OffsetDateTime;

pub use json::{epoch_seconds, event_type, to_json};

/// The most events that a history can have; the last of them says so.
pub const MAX_EVENTS: usize = 25_000;

/// A history event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Counted from 1.
    pub id: u64,
    /// The event that led to this one, or 0.
    pub previous_id: u64,
    /// When it happened.
    pub at: OffsetDateTime,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum EventKind {
    /// The first event.
    ExecutionStarted {
        /// The execution's input.
        input: Value,
        /// The role it runs as.
        role_arn: Arc<str>,
    },
    /// The last event of one that succeeded.
    ExecutionSucceeded {
        /// The execution's output.
        output: Value,
    },
    /// The last event of one that failed.
    ExecutionFailed(Fault),
    /// The last event of one that took longer than its machine allows.
    ExecutionTimedOut(Fault),
    /// The last event of one that was stopped.
    ExecutionAborted(Fault),
    /// A state was entered.
    StateEntered {
        /// The state's `Type`.
        state_type: &'static str,
        /// The state's name.
        name: Arc<str>,
        /// Its raw input.
        input: Value,
    },
    /// A state was left.
    StateExited {
        /// The state's `Type`.
        state_type: &'static str,
        /// The state's name.
        name: Arc<str>,
        /// Its output.
        output: Value,
    },
    /// A Parallel, Map, Task or Wait state was given up.
    StateAborted {
        /// The state's `Type`.
        state_type: &'static str,
    },
    /// A Parallel state begins its branches.
    ParallelStateStarted,
    /// Every branch has ended well.
    ParallelStateSucceeded,
    /// A branch has failed.
    ParallelStateFailed,
    /// A Map state begins its iterations.
    MapStateStarted {
        /// How many there are.
        length: u64,
    },
    /// Every iteration has ended well.
    MapStateSucceeded,
    /// An iteration has failed.
    MapStateFailed,
    /// An iteration begins.
    MapIterationStarted(Iteration),
    /// An iteration has ended well.
    MapIterationSucceeded(Iteration),
    /// An iteration has failed.
    MapIterationFailed(Iteration),
    /// An iteration was given up.
    MapIterationAborted(Iteration),
    /// A function is to be called.
    LambdaFunctionScheduled {
        /// The function's ARN.
        resource: Arc<str>,
        /// The payload.
        input: Value,
        /// The task's time-out, where the definition has one.
        timeout_in_seconds: Option<u64>,
    },
    /// The function was called.
    LambdaFunctionStarted,
    /// The function answered.
    LambdaFunctionSucceeded {
        /// The answer.
        output: Value,
    },
    /// The function failed.
    LambdaFunctionFailed(Fault),
    /// The function took longer than the task allows.
    LambdaFunctionTimedOut(Fault),
    /// A service is to be called.
    TaskScheduled {
        /// What is called.
        task: TaskType,
        /// Where.
        region: Arc<str>,
        /// With what.
        parameters: Value,
        /// The task's time-out, where the definition has one.
        timeout_in_seconds: Option<u64>,
    },
    /// The service was called.
    TaskStarted(TaskType),
    /// The service answered.
    TaskSucceeded {
        /// What was called.
        task: TaskType,
        /// The answer.
        output: Value,
    },
    /// The service answered with an error.
    TaskFailed(TaskType, Fault),
    /// The service took longer than the task allows.
    TaskTimedOut(TaskType, Fault),
}

/// An iteration of a Map state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iteration {
    /// The Map state's name.
    pub name: Arc<str>,
    /// Counted from 0.
    pub index: u64,
}

/// What a Task state calls: `invoke` of `lambda`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskType {
    /// The service.
    pub resource_type: Arc<str>,
    /// The action.
    pub resource: Arc<str>,
}

impl EventKind {
    /// Whether nothing can come after it.
    pub fn ends_execution(&self) -> bool {
        matches!(
            self,
            Self::ExecutionSucceeded { .. }
                | Self::ExecutionFailed(_)
                | Self::ExecutionTimedOut(_)
                | Self::ExecutionAborted(_)
        )
    }
}

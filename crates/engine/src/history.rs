//! History events: what happened in an execution, in the service's words.

mod json;
pub mod log;

use std::sync::Arc;

use asl::{Fault, Value, value::Object};
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
    /// One that did not succeed goes on where it failed.
    ExecutionRedriven {
        /// How many redrives there were, with this one.
        count: u64,
        /// What the request is known by. Told to nobody: a request that comes again is no other one.
        client_token: Option<Arc<str>>,
    },
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
        /// The variables that it set, where it did.
        assigned: Option<Arc<Object>>,
    },
    /// A query in a field of a state could not be evaluated.
    EvaluationFailed {
        /// The error and what happened.
        fault: Fault,
        /// The field, where one is to blame: `Output/total`.
        location: Option<Arc<str>>,
        /// The state's name.
        state: Arc<str>,
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
    /// A Map Run begins.
    MapRunStarted {
        /// Its ARN.
        map_run_arn: Arc<str>,
    },
    /// A Map Run has ended well.
    MapRunSucceeded,
    /// A Map Run has failed.
    MapRunFailed(Fault),
    /// A Map Run was given up.
    MapRunAborted,
    /// A Map Run goes on.
    MapRunRedriven {
        /// Its ARN.
        map_run_arn: Arc<str>,
        /// How many redrives of it there were, with this one.
        count: u64,
    },
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
        /// What the definition says of the task beside it.
        limits: Limits,
    },
    /// That the function is to be called could not be noted.
    LambdaFunctionScheduleFailed(Fault),
    /// The function could not be called.
    LambdaFunctionStartFailed(Fault),
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
    /// Work is there for a worker of an activity to take.
    ActivityScheduled {
        /// The activity's ARN.
        resource: Arc<str>,
        /// The work.
        input: Value,
        /// What the definition says of the task beside it.
        limits: Limits,
    },
    /// The work could not be put there.
    ActivityScheduleFailed(Fault),
    /// A worker has taken it.
    ActivityStarted {
        /// The name that the worker gave.
        worker: Option<Arc<str>>,
    },
    /// The worker has done it.
    ActivitySucceeded {
        /// The worker's answer.
        output: Value,
    },
    /// The worker has failed.
    ActivityFailed(Fault),
    /// The work took longer than the task allows.
    ActivityTimedOut(Fault),
    /// A service is to be called.
    TaskScheduled {
        /// What is called.
        task: TaskType,
        /// Where.
        region: Arc<str>,
        /// With what.
        parameters: Value,
        /// What the definition says of the task beside it.
        limits: Limits,
    },
    /// The service could not be called.
    TaskStartFailed(TaskType, Fault),
    /// The service was called.
    TaskStarted(TaskType),
    /// The service did not take the work.
    TaskSubmitFailed(TaskType, Fault),
    /// The service took the work, whose end comes later.
    TaskSubmitted {
        /// What was called.
        task: TaskType,
        /// What it answered.
        output: Value,
    },
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

/// What a definition says of a task beside its payload, where it does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `TimeoutSeconds`
    pub timeout_in_seconds: Option<u64>,
    /// `HeartbeatSeconds`
    pub heartbeat_in_seconds: Option<u64>,
    /// The role of `Credentials`
    pub role_arn: Option<Arc<str>>,
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
    /// Whether nothing but a redrive can come after it.
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

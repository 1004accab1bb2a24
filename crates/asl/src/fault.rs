//! Why a state could not go on.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The error names that the service itself raises.
pub mod names {
    /// Matches every error but the two that end an execution whatever its definition says.
    pub const ALL: &str = "States.ALL";
    /// A branch of a Parallel state failed.
    pub const BRANCH_FAILED: &str = "States.BranchFailed";
    /// A payload is over its limit.
    pub const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";
    /// A task sent no heartbeat in time.
    pub const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
    /// An intrinsic function could not be applied: the Developer Guide's name. The service raises `States.Runtime`.
    pub const INTRINSIC_FAILURE: &str = "States.IntrinsicFailure";
    /// No Choice rule matched.
    pub const NO_CHOICE_MATCHED: &str = "States.NoChoiceMatched";
    /// A `ResultPath` can't be applied to the state's input.
    pub const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";
    /// A JSONata expression could not be evaluated, or gave a value of another type than its field takes.
    pub const QUERY_EVALUATION_ERROR: &str = "States.QueryEvaluationError";
    /// The definition can't be carried out on this data. Ends the execution.
    pub const RUNTIME: &str = "States.Runtime";
    /// Matches every error of a task but a time-out.
    pub const TASK_FAILED: &str = "States.TaskFailed";
    /// A task or the execution took too long.
    pub const TIMEOUT: &str = "States.Timeout";
}

/// An error with its cause, as a retrier and a catcher see it, and as the history tells it.
///
/// Both parts may be missing: a Fail state need not name either.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The error's name: `States.Timeout`, or one that a function or a Fail state chose.
    pub error: Option<Arc<str>>,
    /// What happened, for a person; for a function's own error, its whole payload as JSON text.
    pub cause: Option<Arc<str>>,
}

impl Fault {
    /// A fault with both parts.
    pub fn new(error: impl Into<Arc<str>>, cause: impl Into<Arc<str>>) -> Self {
        Self { error: Some(error.into()), cause: Some(cause.into()) }
    }

    /// A fault with a name and nothing to add.
    pub fn named(error: impl Into<Arc<str>>) -> Self {
        Self { error: Some(error.into()), cause: None }
    }

    /// A fault of the definition on this data, which ends the execution.
    pub fn runtime(cause: impl Into<Arc<str>>) -> Self {
        Self::new(names::RUNTIME, cause)
    }

    /// Whether the error has this name.
    pub fn is(&self, name: &str) -> bool {
        self.error.as_deref() == Some(name)
    }
}

/// A field could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The error that the state has.
    pub fault: Fault,
    /// The field, where a JSONata expression in it is to blame: `Output/total`.
    pub field: Option<Arc<str>>,
}

impl FieldError {
    /// An expression of JSONata in this field could not be evaluated.
    pub fn query(field: Arc<str>, cause: impl Into<Arc<str>>) -> Self {
        Self { fault: Fault::new(names::QUERY_EVALUATION_ERROR, cause), field: Some(field) }
    }
}

impl From<Fault> for FieldError {
    fn from(fault: Fault) -> Self {
        Self { fault, field: None }
    }
}

//! Retriers and catchers that can never take an error that they name.
//!
//! Only what is certain is told. An error of a branch or an iteration may come from any state inside.

use super::{
    diagnostic::{Code, Findings, Pointer},
    fields::nearest,
};
use crate::{
    fault::names,
    machine::{Kind, Pattern, Resource, State, Task},
    retry::ErrorEquals,
};

/// What the names of the service's own errors begin with.
const RESERVED: &str = "States.";

/// The errors of calls over HTTP, which have the status code in their names.
const HTTP: &str = "States.Http.";

/// What the names of Lambda's own errors begin with.
const LAMBDA: &str = "Lambda.";

/// The service's own errors, with who raises them beside tasks: the Developer Guide, "Handling errors in Step Functions
/// workflows".
const KNOWN: &[(&str, Raised)] = &[
    (names::ALL, Raised::ByTasks),
    (names::BRANCH_FAILED, Raised::ByOthers("a Parallel state raises it")),
    (names::DATA_LIMIT_EXCEEDED, Raised::ByTasks),
    ("States.ExceedToleratedFailureThreshold", Raised::ByOthers("a distributed Map state raises it")),
    (names::HEARTBEAT_TIMEOUT, Raised::ByTasks),
    (names::INTRINSIC_FAILURE, Raised::InJsonPath),
    ("States.ItemReaderFailed", Raised::ByOthers("a distributed Map state raises it")),
    (names::NO_CHOICE_MATCHED, Raised::ByOthers("a Choice state raises it")),
    ("States.ParameterPathFailure", Raised::InJsonPath),
    ("States.Permissions", Raised::ByTasks),
    (names::QUERY_EVALUATION_ERROR, Raised::InJsonata),
    (names::RESULT_PATH_MATCH_FAILURE, Raised::InJsonPath),
    ("States.ResultWriterFailed", Raised::ByOthers("a distributed Map state raises it")),
    (names::RUNTIME, Raised::ByTasks),
    (names::TASK_FAILED, Raised::ByTasks),
    (names::TIMEOUT, Raised::ByTasks),
];

#[derive(Clone, Copy)]
enum Raised {
    /// By tasks too.
    ByTasks,
    /// By tasks whose language it is.
    InJsonPath,
    InJsonata,
    /// Never by a task.
    ByOthers(&'static str),
}

/// Tells of the names that a state's retriers and catchers have in vain.
pub(super) fn check(state: &State, at: &Pointer, findings: &mut Findings) {
    let retriers = state.retriers().iter().map(|retrier| &retrier.errors);
    let catchers = state.catchers().iter().map(|catcher| &catcher.errors);
    list(state, retriers, &at.child("Retry"), findings);
    list(state, catchers, &at.child("Catch"), findings);
}

fn list<'m>(state: &State, lists: impl Iterator<Item = &'m ErrorEquals>, at: &Pointer, findings: &mut Findings) {
    let mut earlier: Vec<&str> = Vec::new();
    for (index, ErrorEquals(errors)) in lists.enumerate() {
        let at = at.element(index).child("ErrorEquals");
        for (index, error) in errors.iter().enumerate() {
            if let Some(Never { why, help }) = never(error, &earlier, state) {
                let message = format!("'{error}' is never taken here: {why}");
                findings.warning_with_help(Code::NeverTaken, &at.element(index), message, help);
            }
            earlier.push(error);
        }
    }
}

/// Why an error is never taken, and what may be meant.
struct Never {
    why: String,
    help: Option<String>,
}

impl Never {
    fn because(why: &str) -> Self {
        Self { why: why.to_owned(), help: None }
    }
}

fn never(error: &str, earlier: &[&str], state: &State) -> Option<Never> {
    if error == names::RUNTIME {
        return Some(Never::because("it ends the execution"));
    }
    if earlier.contains(&error) {
        return Some(Never::because("it is taken before"));
    }
    if error == names::HEARTBEAT_TIMEOUT && earlier.contains(&names::TIMEOUT) {
        return Some(Never::because("'States.Timeout' takes it before"));
    }
    let known = KNOWN.iter().find(|(name, _)| *name == error).map(|(_, raised)| *raised);
    if known.is_none() && error.starts_with(RESERVED) && !error.starts_with(HTTP) {
        let help = nearest(error, KNOWN.iter().map(|(name, _)| *name)).map(|near| format!("did you mean '{near}'?"));
        return Some(Never { why: "the service has no such error".to_owned(), help });
    }
    match &state.kind {
        Kind::Task(task) => never_of_task(error, known, earlier, task, state.flow.is_jsonata()),
        _ => None,
    }
}

fn never_of_task(error: &str, known: Option<Raised>, earlier: &[&str], task: &Task, is_jsonata: bool) -> Option<Never> {
    let why = match known {
        Some(Raised::ByOthers(why)) => why,
        Some(Raised::InJsonPath) if is_jsonata => "it is an error of JSONPath",
        Some(Raised::InJsonata) if !is_jsonata => "it is an error of JSONata",
        Some(_) if error == names::HEARTBEAT_TIMEOUT && task.heartbeat.is_none() => {
            "the task has no 'HeartbeatSeconds'"
        }
        None if earlier.contains(&names::TASK_FAILED) => "'States.TaskFailed' takes it before",
        None if error.starts_with(LAMBDA) && !may_fail_as_lambda(&task.resource) => "the task calls another service",
        Some(_) | None => return None,
    };
    Some(Never::because(why))
}

/// Whether the errors of a task may have any name, or those of Lambda.
fn may_fail_as_lambda(resource: &Resource) -> bool {
    match resource {
        Resource::Function { .. } | Resource::Activity { .. } => true,
        Resource::Service { service, pattern, .. } => {
            *pattern == Pattern::WaitForTaskToken || matches!(&**service, "lambda" | "aws-sdk:lambda")
        }
    }
}

//! Definitions, checked before they are taken: an execution must not find out.

use std::sync::Arc;

use asl::{
    Diagnostic, Machine, Severity, Value,
    compile::{self, Code},
};
use sam::StateMachineKind;

use super::{ApiError, calls};

/// What Task states may call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Callable<'a> {
    /// Whatever the language knows.
    Anything,
    /// What the local cloud can call. A function that is not there is found out when it is called.
    Services,
    /// The same, and of functions only these.
    Functions(&'a [sam::Function]),
}

/// A definition that can be run.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) machine: Arc<Machine>,
    pub(super) warnings: Vec<Diagnostic>,
}

/// Checks and compiles a definition: everything that was found, and the machine where nothing of it is an error.
pub(super) fn check(
    definition: &Value,
    kind: StateMachineKind,
    callable: Callable<'_>,
) -> (Option<Machine>, Vec<Diagnostic>) {
    let compile::Compiled { machine, mut diagnostics } = compile::compile(definition);
    if kind == StateMachineKind::Express {
        find_standard_only(definition, "", &mut diagnostics);
    } else {
        find_express_children(definition, "", &mut diagnostics);
    }
    if let Some(machine) = &machine {
        diagnostics.extend(find_uncallable(machine, callable));
    }
    let failed = diagnostics.iter().any(|found| found.severity == Severity::Error);
    (machine.filter(|_| !failed), diagnostics)
}

/// The same for a definition's text.
pub(super) fn check_text(
    text: &str,
    kind: StateMachineKind,
    callable: Callable<'_>,
) -> (Option<Machine>, Vec<Diagnostic>) {
    match Value::parse(text) {
        Ok(definition) => {
            let (machine, mut diagnostics) = check(&definition, kind, callable);
            let duplicates = compile::duplicate_states(text);
            let machine = machine.filter(|_| duplicates.is_empty());
            diagnostics.extend(duplicates);
            (machine, diagnostics)
        }
        // The compiler has the words for what is no JSON.
        Err(_) => (None, compile::compile_text(text).diagnostics),
    }
}

/// A definition's text for a machine, or the service's exception with everything that is wrong.
pub(super) fn accept(text: &str, kind: StateMachineKind, callable: Callable<'_>) -> Result<Checked, ApiError> {
    accepted(check_text(text, kind, callable))
}

/// The same for a definition that was read.
pub(super) fn accept_value(
    definition: &Value,
    kind: StateMachineKind,
    callable: Callable<'_>,
) -> Result<Checked, ApiError> {
    accepted(check(definition, kind, callable))
}

fn accepted((machine, found): (Option<Machine>, Vec<Diagnostic>)) -> Result<Checked, ApiError> {
    let (errors, warnings): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| found.severity == Severity::Error);
    match machine {
        Some(machine) => Ok(Checked { machine: Arc::new(machine), warnings }),
        None => Err(refused(&errors)),
    }
}

/// The service's exception with everything that is wrong.
pub(super) fn refused(errors: &[Diagnostic]) -> ApiError {
    let errors = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    ApiError::new("InvalidDefinition", format!("Invalid State Machine Definition: '{errors}'"))
}

/// Everything that Task states call and that can't be called.
pub(super) fn find_uncallable(machine: &Machine, callable: Callable<'_>) -> Vec<Diagnostic> {
    match callable {
        Callable::Anything => Vec::new(),
        Callable::Services => calls::check(machine, None),
        Callable::Functions(functions) => calls::check(machine, Some(functions)),
    }
}

/// What an Express machine can't do: call activities and services that are waited for, and begin Map Runs.
fn find_standard_only(graph: &Value, at: &str, found: &mut Vec<Diagnostic>) {
    let Some(Value::Object(states)) = graph.get("States") else { return };
    for (name, state) in states.iter() {
        let at = format!("{at}/States/{name}");
        if let Some(resource) = state.get("Resource").and_then(Value::as_str)
            && let Some(message) = standard_only(resource)
        {
            found.push(Diagnostic::error(Code::SchemaValidationFailed, message, format!("{at}/Resource")));
        }
        for inner in ["ItemProcessor", "Iterator"] {
            if let Some(inner_graph) = state.get(inner) {
                let mode = inner_graph.get("ProcessorConfig").and_then(|config| config.get("Mode"));
                if mode.and_then(Value::as_str) == Some("DISTRIBUTED") {
                    let at = format!("{at}/{inner}/ProcessorConfig/Mode");
                    let message = "Express state machines can't have the processing mode 'DISTRIBUTED'";
                    found.push(Diagnostic::error(Code::SchemaValidationFailed, message, at));
                }
                find_standard_only(inner_graph, &format!("{at}/{inner}"), found);
            }
        }
        let branches = state.get("Branches").and_then(Value::as_array);
        for (index, branch) in branches.iter().flat_map(|branches| branches.iter()).enumerate() {
            find_standard_only(branch, &format!("{at}/Branches[{index}]"), found);
        }
    }
}

/// What Express child executions of a Standard machine can't do: the same as an Express machine.
fn find_express_children(graph: &Value, at: &str, found: &mut Vec<Diagnostic>) {
    let Some(Value::Object(states)) = graph.get("States") else { return };
    for (name, state) in states.iter() {
        let at = format!("{at}/States/{name}");
        for inner in ["ItemProcessor", "Iterator"] {
            let Some(inner_graph) = state.get(inner) else { continue };
            let at = format!("{at}/{inner}");
            let kind = inner_graph.get("ProcessorConfig").and_then(|config| config.get("ExecutionType"));
            if kind.and_then(Value::as_str) == Some("EXPRESS") {
                find_standard_only(inner_graph, &at, found);
            } else {
                find_express_children(inner_graph, &at, found);
            }
        }
        let branches = state.get("Branches").and_then(Value::as_array);
        for (index, branch) in branches.iter().flat_map(|branches| branches.iter()).enumerate() {
            find_express_children(branch, &format!("{at}/Branches/{index}"), found);
        }
    }
}

/// The service's words for a resource that only a Standard machine can call. The blank at the end is the service's.
fn standard_only(resource: &str) -> Option<String> {
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    let ["arn", _, "states", _, account, what] = parts[..] else { return None };
    if what.starts_with("activity:") {
        return Some("Express state machine does not support Activity ARN".into());
    }
    let patterns = [".sync", ".sync:2", ".waitForTaskToken"];
    let pattern = patterns.into_iter().find(|pattern| account.is_empty() && what.ends_with(pattern))?;
    Some(format!("Express state machine does not support '{pattern}' service integration "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: StateMachineKind, resource: &str) -> Vec<String> {
        let definition = Value::parse(&format!(
            r#"{{"StartAt":"P","States":{{"P":{{"Type":"Parallel","End":true,"Branches":[{{"StartAt":"T","States":{{
                "T":{{"Type":"Task","Resource":"{resource}","End":true}}}}}}]}}}}}}"#
        ));
        let mut found = Vec::new();
        if kind == StateMachineKind::Express {
            find_standard_only(&definition.unwrap(), "", &mut found);
        }
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_express_machine_waits_for_nobody() {
        let at = "at /States/P/Branches[0]/States/T/Resource";
        for (resource, said) in [
            (
                "arn:aws:states:us-east-1:000000000000:activity:a",
                format!("SCHEMA_VALIDATION_FAILED: Express state machine does not support Activity ARN {at}"),
            ),
            (
                "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                format!(
                    "SCHEMA_VALIDATION_FAILED: Express state machine does not support '.waitForTaskToken' service \
                     integration  {at}"
                ),
            ),
            (
                "arn:aws:states:::states:startExecution.sync:2",
                format!(
                    "SCHEMA_VALIDATION_FAILED: Express state machine does not support '.sync:2' service integration  {at}"
                ),
            ),
        ] {
            assert_eq!(found(StateMachineKind::Express, resource), [said]);
            assert!(found(StateMachineKind::Standard, resource).is_empty());
        }
        assert!(found(StateMachineKind::Express, "arn:aws:states:::lambda:invoke").is_empty());
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let refused = accept("{}", StateMachineKind::Standard, Callable::Anything).unwrap_err();
        assert_eq!(refused.code, "InvalidDefinition");
        assert!(
            refused.message.starts_with("Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: "),
            "{refused}"
        );
        assert!(accept("no JSON", StateMachineKind::Standard, Callable::Anything).is_err());
    }
}

//! What can be reached: every state from the start of its graph, and an end from the machine's own.
//!
//! The service looks for an end whatever else is wrong, and at the rest where nothing is but transitions that lead
//! nowhere, so both are read from the definition as it was written.

use std::collections::HashSet;

use super::{
    diagnostic::{Code, Findings, Pointer},
    names::{elements, graphs},
};
use crate::value::{Object, Value};

/// Reports that there is no end, and what can't be reached, where all else but transitions is well.
pub(super) fn check(definition: &Value, findings: &mut Findings) {
    let Some(Value::Object(states)) = definition.get("States") else { return };
    // The service asks for an end of the machine's own graph alone, and where there is none it looks no further.
    if !states.values().any(ends) {
        findings.error_of_no_place(Code::MissingEndState, "Workflow has no terminal state");
    } else if !findings.has_errors_beside(Code::MissingTransitionTarget) {
        graph(definition, states, &Pointer::root(), findings);
    }
}

fn graph(graph: &Value, states: &Object, at: &Pointer, findings: &mut Findings) {
    let reached = reached(graph, states);
    let all = at.child("States");
    for (name, state) in states {
        let at = all.child(name);
        if !reached.contains(&**name) {
            let message = format!("State \"{name}\" is not reachable.");
            findings.error(Code::NotReachable, &at, message);
        }
        for (inner, at) in graphs(state, &at) {
            if let Some(Value::Object(states)) = inner.get("States") {
                self::graph(inner, states, &at, findings);
            }
        }
    }
}

fn reached<'d>(graph: &'d Value, states: &'d Object) -> HashSet<&'d str> {
    let mut reached = HashSet::new();
    let mut left: Vec<&str> = graph.get("StartAt").and_then(Value::as_str).into_iter().collect();
    while let Some(name) = left.pop() {
        if let Some(state) = states.get(name)
            && reached.insert(name)
        {
            left.extend(targets(state));
        }
    }
    reached
}

fn targets(state: &Value) -> Vec<&str> {
    let rules = elements(state, "Choices").chain(elements(state, "Catch")).filter_map(|element| element.get("Next"));
    let own = ["Next", "Default"].into_iter().filter_map(|name| state.get(name));
    own.chain(rules).filter_map(Value::as_str).collect()
}

/// Whether the graph ends with this state, which must say what type it is of.
fn ends(state: &Value) -> bool {
    let Some(type_name) = state.get("Type").and_then(Value::as_str) else { return false };
    matches!(type_name, "Succeed" | "Fail") || state.get("End") == Some(&Value::Bool(true))
}

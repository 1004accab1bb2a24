//! State names, which no two states of a machine share, whatever graphs they are in.

use std::collections::HashSet;

use super::diagnostic::{Findings, Pointer};
use crate::value::Value;

/// Reports each state with the name of one before it.
pub(super) fn check(definition: &Value, findings: &mut Findings) {
    graph(definition, &Pointer::root(), 0, &mut HashSet::new(), findings);
}

fn graph<'d>(graph: &'d Value, at: &Pointer, nesting: usize, names: &mut HashSet<&'d str>, findings: &mut Findings) {
    let Some(Value::Object(states)) = graph.get("States") else { return };
    if nesting > super::graph::MAX_NESTING {
        return;
    }
    let all = at.child("States");
    for (name, state) in states.iter() {
        let at = all.child(name);
        if !names.insert(name) {
            findings.duplicate_state(name, &at);
        }
        for (inner, at) in graphs(state, &at) {
            self::graph(inner, &at, nesting + 1, names, findings);
        }
    }
}

/// The graphs inside a state with their places.
pub(super) fn graphs<'d>(state: &'d Value, at: &Pointer) -> Vec<(&'d Value, Pointer)> {
    let all = at.child("Branches");
    let branches = elements(state, "Branches").enumerate().map(|(index, branch)| (branch, all.element(index)));
    let processor = ["ItemProcessor", "Iterator"].into_iter().find_map(|name| Some((state.get(name)?, at.child(name))));
    branches.chain(processor).collect()
}

/// The elements of an array in a field, none where there is no array.
pub(super) fn elements<'d>(state: &'d Value, field: &str) -> impl Iterator<Item = &'d Value> {
    state.get(field).and_then(Value::as_array).into_iter().flat_map(|elements| elements.iter())
}

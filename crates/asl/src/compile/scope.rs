//! The scopes of variables: a branch or a processor has one of its own inside that of its state.

use std::{collections::HashSet, sync::Arc};

use super::diagnostic::{Code, Findings, Pointer};
use crate::{
    machine::{Graph, Kind, Machine, State},
    template::Template,
    value::Value,
};

/// Reports each variable that is assigned in a scope and in one around it.
pub(super) fn check(machine: &Machine, findings: &mut Findings) {
    graph(&machine.graph, &HashSet::new(), findings);
}

fn graph(graph: &Graph, outer: &HashSet<Arc<str>>, findings: &mut Findings) {
    let mut assigned = HashSet::new();
    for state in &graph.states {
        for (assign, at) in assigns(state) {
            for variable in variables(assign) {
                if outer.contains(&variable) {
                    let message = format!("Variable '{variable}' is assigned in an outer scope too");
                    findings.error(Code::SchemaValidationFailed, &at.child(&variable), message);
                }
                assigned.insert(variable);
            }
        }
    }
    assigned.extend(outer.iter().cloned());
    for inner in graph.states.iter().flat_map(State::graphs) {
        self::graph(inner, &assigned, findings);
    }
}

/// Every `Assign` of a state with its place.
pub(super) fn assigns(state: &State) -> Vec<(&Template, Pointer)> {
    const NAME: &str = "Assign";
    let at = Pointer::of(&state.location);
    let (choices, catch) = (at.child("Choices"), at.child("Catch"));
    let own = state.assign.iter().map(|assign| (assign, at.child(NAME)));
    let rules = match &state.kind {
        Kind::Choice(choice) => choice.rules.as_slice(),
        _ => &[],
    };
    let rules = rules.iter().enumerate();
    let rules = rules.filter_map(|(index, rule)| Some((rule.assign.as_ref()?, choices.element(index).child(NAME))));
    let catchers = state.catchers().iter().enumerate();
    let catchers =
        catchers.filter_map(|(index, catcher)| Some((catcher.assign.as_ref()?, catch.element(index).child(NAME))));
    own.chain(rules).chain(catchers).collect()
}

/// The variables that an `Assign` sets.
pub(super) fn variables(assign: &Template) -> Vec<Arc<str>> {
    match assign {
        Template::Object(fields) => fields.iter().map(|(name, _)| name.clone()).collect(),
        Template::Literal(Value::Object(fields)) => fields.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

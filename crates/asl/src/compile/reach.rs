//! What can be reached: every state from the start, and an end from every graph.

use super::diagnostic::{Code, Findings, Pointer};
use crate::machine::{Graph, Kind, Machine, State, StateId, Transition};

pub(super) fn check(machine: &Machine, findings: &mut Findings) {
    graph(&machine.graph, &Pointer::root(), findings);
}

fn graph(graph: &Graph, at: &Pointer, findings: &mut Findings) {
    let mut reached = vec![false; graph.states.len()];
    let mut left = vec![graph.start];
    while let Some(id) = left.pop() {
        if !std::mem::replace(&mut reached[id.0], true) {
            left.extend(targets(graph.state(id)));
        }
    }
    let states = at.child("States");
    for (state, reached) in graph.states.iter().zip(reached) {
        let at = states.child(&state.name);
        if !reached {
            let message = format!("State \"{}\" is not reachable.", state.name);
            findings.error(Code::MissingTransitionTarget, &at, message);
        }
        inner(state, &at, findings);
    }
    if !graph.states.iter().any(ends) {
        findings.error(Code::MissingEndState, at, "Workflow has no terminal state");
    }
}

fn inner(state: &State, at: &Pointer, findings: &mut Findings) {
    match &state.kind {
        Kind::Parallel(parallel) => {
            for (index, branch) in parallel.branches.iter().enumerate() {
                graph(branch, &at.child("Branches").child(index), findings);
            }
        }
        Kind::Map(map) => graph(&map.processor, &at.child("ItemProcessor"), findings),
        Kind::Choice(choice) if choice.default.is_none() => findings.warning(
            Code::SchemaValidationFailed,
            at,
            "There is no 'Default': an input that matches no rule fails the execution",
        ),
        _ => {}
    }
}

fn targets(state: &State) -> Vec<StateId> {
    let mut targets: Vec<_> = state.catchers().iter().map(|catcher| catcher.next).collect();
    if let Some(Transition::Next(next)) = state.transition() {
        targets.push(next);
    }
    if let Kind::Choice(choice) = &state.kind {
        targets.extend(choice.rules.iter().map(|rule| rule.next).chain(choice.default));
    }
    targets
}

fn ends(state: &State) -> bool {
    matches!(state.kind, Kind::Succeed | Kind::Fail(_)) || state.transition() == Some(Transition::End)
}

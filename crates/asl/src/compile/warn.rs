//! What the service takes and what a person should know.

use super::diagnostic::{Code, Findings, Pointer};
use crate::machine::{Graph, Kind, Machine, Pattern, Resource};

/// Looks through a machine that is well.
pub(super) fn check(machine: &Machine, findings: &mut Findings) {
    graph(&machine.graph, findings);
}

fn graph(graph: &Graph, findings: &mut Findings) {
    for state in graph.all_states() {
        let at = Pointer::of(&state.location);
        match &state.kind {
            Kind::Choice(choice) if choice.default.is_none() => findings.warning(
                Code::NoDefault,
                &at,
                "There is no 'Default': an input that matches no rule fails the execution",
            ),
            Kind::Task(task) if task.timeout.is_none() && task.heartbeat.is_none() && is_answered(&task.resource) => {
                findings.warning(
                    Code::NoTimeout,
                    &at,
                    "There is no 'TimeoutSeconds' or 'HeartbeatSeconds': where nobody answers, the execution waits for ever",
                );
            }
            _ => {}
        }
        super::retry::warn(state, &at, findings);
    }
}

/// Whether somebody outside must answer with a token.
fn is_answered(resource: &Resource) -> bool {
    matches!(resource, Resource::Activity { .. } | Resource::Service { pattern: Pattern::WaitForTaskToken, .. })
}

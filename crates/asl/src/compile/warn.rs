//! What the service takes and what a person should know.

use super::{
    assigned,
    diagnostic::{Code, Findings, Pointer},
    found, never_taken,
};
use crate::{
    choice::{Rule, Test},
    machine::{Choice, Items, Kind, Machine, Pattern, Processing, Resource, State},
    template::Template,
    value::Value,
};

/// Looks through a machine that is well.
pub(super) fn check(machine: &Machine, findings: &mut Findings) {
    for state in machine.states() {
        self::state(state, findings);
    }
    assigned::check(machine, findings);
    found::check(machine, findings);
}

fn state(state: &State, findings: &mut Findings) {
    let at = Pointer::of(&state.location);
    match &state.kind {
        Kind::Choice(choice) if choice.default.is_none() && !takes_all(choice) => findings.warning(
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
        Kind::Map(map) if matches!(map.processing, Processing::Inline) && is_object(&map.items) => findings.warning(
            Code::NoArray,
            &at.child("Items"),
            "An inline Map state goes through arrays alone: an object fails it. A distributed one goes through its fields",
        ),
        _ => {}
    }
    if let [retrier] = state.retriers()
        && retrier.max_attempts == 0
    {
        let at = at.child("Retry").element(0).child("MaxAttempts");
        findings.warning(Code::NoAttempts, &at, "A retrier that never retries, with no other after it, does nothing");
    }
    never_taken::check(state, &at, findings);
}

/// Whether the items are surely an object.
fn is_object(items: &Items) -> bool {
    matches!(items, Items::Template(Template::Object(_) | Template::Literal(Value::Object(_))))
}

/// Whether one of the rules surely holds: one that is always true, or a question with both of its answers.
fn takes_all(choice: &Choice) -> bool {
    let has = |wanted: &dyn Fn(&Rule) -> bool| choice.rules.iter().any(|rule| wanted(&rule.rule));
    has(&|rule| matches!(rule, Rule::Constant(true)))
        || has(&|rule| {
            let Rule::Test { variable, test: Test::Is { kind, wanted } } = rule else { return false };
            has(&|other| {
                matches!(other, Rule::Test { variable: path, test: Test::Is { kind: asked, wanted: other } }
                    if path.text() == variable.text() && asked == kind && other != wanted)
            })
        })
}

/// Whether somebody outside must answer with a token.
fn is_answered(resource: &Resource) -> bool {
    matches!(resource, Resource::Activity { .. } | Resource::Service { pattern: Pattern::WaitForTaskToken, .. })
}

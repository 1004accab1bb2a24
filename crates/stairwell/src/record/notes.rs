//! What a comparison with the case must know.

use std::sync::LazyLock;

use asl::Value;
use regex::Regex;

use super::{
    definition::{state, states},
    history::{History, details, type_of},
};

/// Functions whose value is another in each execution, and is no placeholder.
static RANDOM_OR_CLOCK: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"States\.MathRandom\s*\(|\$(?:random|shuffle|millis|now)\s*\(").ok());

/// The kinds of `nondeterminism` in an execution of a definition.
pub(super) fn nondeterminism(definition: &Value, history: &History<'_>) -> Vec<&'static str> {
    let mut kinds = Vec::new();
    if states(definition).iter().any(|(_, state)| draws(state)) {
        kinds.push("random-or-clock-values");
    }
    if history.events().iter().any(|event| starts_concurrent(definition, history, event)) {
        kinds.push("interleaving");
    }
    kinds
}

/// Whether a field of a state, or of one inside it, evaluates such a function.
fn draws(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(key, value)| match value {
            Value::String(text) => (key.ends_with(".$") || text.starts_with("{%")) && is_drawn(text),
            other => draws(other),
        }),
        Value::Array(items) => items.iter().any(|item| match item {
            Value::String(text) => text.starts_with("{%") && is_drawn(text),
            other => draws(other),
        }),
        _ => false,
    }
}

fn is_drawn(text: &str) -> bool {
    RANDOM_OR_CLOCK.as_ref().is_some_and(|function| function.is_match(text))
}

/// Whether an event starts branches or iterations whose events come in any order.
fn starts_concurrent(definition: &Value, history: &History<'_>, event: &Value) -> bool {
    let state = || history.state_of(event).and_then(|name| state(definition, name));
    match type_of(event) {
        "ParallelStateStarted" => {
            let branches = state().and_then(|state| state.get("Branches")?.as_array());
            branches.is_some_and(|branches| branches.len() > 1)
        }
        "MapStateStarted" => {
            let length = details(event).and_then(|details| details.get("length")?.as_i64());
            length > Some(1) && state().and_then(|state| state.get("MaxConcurrency")?.as_i64()) != Some(1)
        }
        _ => false,
    }
}

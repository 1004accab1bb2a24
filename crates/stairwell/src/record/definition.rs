//! What a definition says of its states.

use asl::Value;

/// Every state of a machine, a branch or a processor, those inside others too.
pub(super) fn states(scope: &Value) -> Vec<(&str, &Value)> {
    let mut found = Vec::new();
    let Some(Value::Object(states)) = scope.get("States") else { return found };
    for (name, state) in states.iter() {
        found.push((&**name, state));
        for field in ["ItemProcessor", "Iterator"] {
            found.extend(state.get(field).map(self::states).unwrap_or_default());
        }
        let branches = state.get("Branches").and_then(Value::as_array);
        found.extend(branches.into_iter().flat_map(|branches| branches.iter()).flat_map(self::states));
    }
    found
}

/// The state of that name; a name is given once in a definition.
pub(super) fn state<'a>(definition: &'a Value, name: &str) -> Option<&'a Value> {
    states(definition).into_iter().find(|(found, _)| *found == name).map(|(_, state)| state)
}

/// Whether a processor has states that call the outside world.
pub(super) fn has_tasks(processor: &Value) -> bool {
    states(processor).iter().any(|(_, state)| state.get("Type").and_then(Value::as_str) == Some("Task"))
}

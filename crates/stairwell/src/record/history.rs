//! Finding one's way in recorded events.

use std::collections::HashMap;

use asl::Value;

/// The events of an execution, by their ids.
pub(super) struct History<'a> {
    events: &'a [Value],
    by_id: HashMap<i64, &'a Value>,
}

impl<'a> History<'a> {
    /// Takes events as the service writes them.
    pub(super) fn new(events: &'a [Value]) -> Self {
        Self { events, by_id: events.iter().map(|event| (id(event), event)).collect() }
    }

    /// All events, in their order.
    pub(super) fn events(&self) -> &'a [Value] {
        self.events
    }

    /// The name of the state that an event belongs to: of the last one that was entered on the way to it.
    pub(super) fn state_of(&self, event: &'a Value) -> Option<&'a str> {
        let mut at = event;
        // An event comes after those that led to it; the limit is for a history that says otherwise.
        for _ in 0..=self.events.len() {
            if type_of(at).ends_with("StateEntered") {
                return details(at)?.get("name")?.as_str();
            }
            at = self.by_id.get(&previous_id(at))?;
        }
        None
    }
}

/// The event's id.
pub(super) fn id(event: &Value) -> i64 {
    event.get("id").and_then(Value::as_i64).unwrap_or_default()
}

/// The id of the event that led to this one.
pub(super) fn previous_id(event: &Value) -> i64 {
    event.get("previousEventId").and_then(Value::as_i64).unwrap_or_default()
}

/// The event's type.
pub(super) fn type_of(event: &Value) -> &str {
    event.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// What the event has beside its id and type.
pub(super) fn details(event: &Value) -> Option<&Value> {
    let Value::Object(fields) = event else { return None };
    fields.iter().find(|(key, _)| key.ends_with("EventDetails")).map(|(_, details)| details)
}

/// A text of the event's details.
pub(super) fn detail<'a>(event: &'a Value, key: &str) -> Option<&'a str> {
    details(event)?.get(key)?.as_str()
}

//! What a topic's subscriber gets: the messages of a queue.

use asl::{Value, value::Object};

/// What only SNS itself can say: a local one signs nothing.
const SIGNED: &[&str] = &["Signature", "SigningCertURL"];

/// Whether this is what a topic's subscriber gets.
pub(super) fn is_notification(message: &Value) -> bool {
    message.get("Type").and_then(Value::as_str) == Some("Notification")
}

/// Messages as they are compared: JSON objects in texts as objects, without signatures.
pub(super) fn as_read(messages: &Value) -> Value {
    let Value::Array(messages) = super::as_recorded(messages) else { return messages.clone() };
    messages.iter().map(unsigned).collect::<Vec<_>>().into()
}

fn unsigned(message: &Value) -> Value {
    let Value::Object(fields) = message else { return message.clone() };
    let kept = fields.iter().filter(|(key, _)| !SIGNED.contains(&&***key));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Object>().into()
}

//! What a Map Run makes of its items.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic, its helpers too")]

mod batcher;
mod tolerance;

use asl::Value;

/// A value from its JSON text.
fn json(text: &str) -> Value {
    Value::parse(text).unwrap()
}

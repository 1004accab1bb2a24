//! What the targets share: an execution that has something of everything.

use asl::{Value, context::Environment};
use time::OffsetDateTime;

/// The surroundings of an evaluation that stay the same.
pub struct Still;

impl Environment for Still {
    fn context(&self) -> Value {
        input()
    }

    fn variable(&self, name: &str) -> Option<Value> {
        (name == "v").then(input)
    }

    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH
    }

    fn random(&self) -> u64 {
        0x0123_4567_89ab_cdef
    }
}

/// JSON of every type.
pub fn input() -> Value {
    let text =
        r#"{"a":{"b":[1,-2.5,{"a":3,"c":null}],"é":"text 2030-01-01T00:00:00Z"},"b":[true,false,"x",[]],"c":1e300}"#;
    Value::parse(text).unwrap_or_default()
}

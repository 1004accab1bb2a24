//! What is done with any text: the targets call these with what the fuzzer makes up, and `crates/asl/tests/any_text.rs` with
//! what is generated in every run of the tests. Nothing may panic.
//!
//! The targets `path`, `definition`, `intrinsic` and `jsonata`: CONTRIBUTING.md tells how they are run.

use asl::{
    Scope, Severity, Value,
    compile::compile_text,
    context::Environment,
    intrinsic::Intrinsic,
    jsonata::{Jsonata, States},
    path::{Path, ReferencePath},
};
use time::OffsetDateTime;

/// A text as a definition: it is taken, or something is told to be wrong.
pub fn definition(text: &str) {
    let compiled = compile_text(text);
    let is_refused = compiled.diagnostics.iter().any(|found| found.severity == Severity::Error);
    assert_eq!(compiled.machine.is_none(), is_refused);
}

/// A text as a path, which is followed and written to where it is one.
pub fn path(text: &str) {
    let input = input();
    if let Ok(path) = Path::parse(text) {
        assert_eq!(path.text(), text);
        let _ = path.find(&Scope::new(&input, &Surroundings));
    }
    if let Ok(path) = ReferencePath::parse(text) {
        let _ = path.write(input.clone(), input);
    }
}

/// A text as a call of an intrinsic function, which is made where it is one.
pub fn intrinsic(text: &str) {
    if let Ok(call) = Intrinsic::parse(text) {
        let _ = call.evaluate(&Scope::new(&input(), &Surroundings));
    }
}

/// A text as an expression of JSONata, which is evaluated where it is one.
pub fn jsonata(text: &str) {
    if let Ok(expression) = Jsonata::parse(text) {
        let input = input();
        let states = States { input: &input, result: Some(&input), error_output: None };
        let _ = expression.evaluate(&states, &Surroundings);
    }
}

/// The surroundings of an evaluation, always the same.
struct Surroundings;

impl Environment for Surroundings {
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
fn input() -> Value {
    let text = r#"{"a":{"b":[1,-2.5,{"a":3,"c":null}],"é":"2030-01-01T00:00:00Z"},"b":[true,false,"x",[]],"c":1e300}"#;
    Value::parse(text).unwrap_or_default()
}

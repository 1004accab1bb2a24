//! What surrounds an evaluation: the state's input and result, the context object, variables, time, randomness.

use time::OffsetDateTime;

use crate::{flow::Stage, value::Value};

/// How long an evaluation may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeAllowed {
    /// As long as the service lets one take.
    Limited,
    /// As long as it takes: it was done before, in time.
    Unlimited,
    /// It was done before, and took too long.
    Exceeded,
}

/// What an evaluation may ask of the execution that it is part of.
pub trait Environment {
    /// The context object, `$$`: `Execution`, `StateMachine`, `State`, and where they apply `Task` and `Map`.
    fn context(&self) -> Value;

    /// The value of a variable that was assigned, or nothing.
    fn variable(&self, name: &str) -> Option<Value>;

    /// The moment of the evaluation. An execution that is replayed gives the same one again.
    fn now(&self) -> OffsetDateTime;

    /// 64 random bits. An execution that is replayed gives the same ones again.
    fn random(&self) -> u64;

    /// How long an evaluation may take that is about to begin: asked once for each that can take long. Whether one takes
    /// too long depends on the machine, so an execution that is replayed says what came of it.
    fn time_allowed(&self) -> TimeAllowed {
        TimeAllowed::Limited
    }

    /// The evaluation that asked last has taken too long.
    fn took_too_long(&self) {}

    /// Sees the state's data as it is after a stage. Nobody looks but where a state is tried by itself.
    fn observe(&self, _stage: Stage, _value: &Value) {}
}

/// What one evaluation sees.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// What `$` stands for in `JSONPath`, and `$states.input` in JSONata.
    pub input: &'a Value,
    /// `$states.result`, where there is one.
    pub result: Option<&'a Value>,
    /// `$states.errorOutput`, in a catcher.
    pub error_output: Option<&'a Value>,
    /// The execution around it.
    pub environment: &'a dyn Environment,
}

impl<'a> Scope<'a> {
    /// A scope with neither result nor error.
    pub fn new(input: &'a Value, environment: &'a dyn Environment) -> Self {
        Self { input, result: None, error_output: None, environment }
    }

    /// The same surroundings with another `$`.
    pub fn with_input<'b>(&'b self, input: &'b Value) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope { input, ..*self }
    }

    /// Lets the execution see the state's data after a stage, and passes it on.
    pub fn observed(&self, stage: Stage, value: Value) -> Value {
        self.environment.observe(stage, &value);
        value
    }

    /// The same surroundings with a result.
    pub fn with_result<'b>(&'b self, result: &'b Value) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope { result: Some(result), ..*self }
    }
}

//! What surrounds an evaluation: the state's input, the context object, variables, randomness.

use time::OffsetDateTime;

use crate::value::Value;

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
}

/// What one evaluation sees.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// What `$` stands for.
    pub input: &'a Value,
    /// The execution around it.
    pub environment: &'a dyn Environment,
}

impl<'a> Scope<'a> {
    /// The same surroundings with another `$`.
    pub fn with_input<'b>(&'b self, input: &'b Value) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope { input, environment: self.environment }
    }
}

//! What `stairwell demo` does: a script of the application's own, carried out step by step.

pub mod answers;
pub mod plan;
pub mod produced;
pub mod script;
pub mod steps;

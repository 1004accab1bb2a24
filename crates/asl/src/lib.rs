//! The Amazon States Language: definitions, checking, paths, intrinsic functions.
//!
//! This crate is pure. It knows no clock, no network and no execution: [`Machine::compile`] checks a definition and
//! compiles every path, template and rule in it once; the rest of the crate evaluates those compiled parts against
//! values that come from outside. The language is described at <https://states-language.net/spec.html> and in the
//! Step Functions Developer Guide; where the service differs from the text, the service is followed.
//!
//! - [`value`]: JSON whose parts are shared, not copied
//! - [`path`]: `JSONPath` as the service speaks it, and reference paths
//! - [`intrinsic`]: the `States.*` functions
//! - [`jsonata`]: JSONata expressions
//! - [`flow`]: how data goes into a state and out of it
//! - [`template`]: payload templates (`Parameters`, `ResultSelector`, …)
//! - [`choice`]: the rules of Choice states
//! - [`retry`]: retriers and catchers
//! - [`machine`]: the compiled definition
//! - [`random`]: random numbers
//! - [`distributed`]: what distributed Map states say of their data
//! - [`malformed`]: what is wrong with text that is not JSON
//! - [`mod@compile`]: from JSON text to a [`Machine`], with every finding

pub mod choice;
pub mod compile;
pub mod context;
pub mod distributed;
pub mod fault;
pub mod flow;
mod hash;
pub mod intrinsic;
pub mod jsonata;
pub mod machine;
pub mod malformed;
pub mod path;
pub mod random;
pub mod retry;
pub mod template;
pub mod timestamp;
pub mod value;

pub use compile::{Compiled, Diagnostic, Severity};
pub use context::Scope;
pub use fault::{Fault, FieldError};
pub use machine::Machine;
pub use value::Value;

/// The most bytes of UTF-8 that a state's input or output may have.
pub const PAYLOAD_LIMIT: usize = 262_144;

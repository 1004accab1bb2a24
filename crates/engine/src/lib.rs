//! Runs a checked definition and writes its history.
//!
//! - [`core`] is the interpreter: a value and one function, without I/O
//! - [`history`] is what it writes, the only account of an execution
//! - [`map_run`] is what distributed Map states have done outside
//! - [`mock`] answers tasks from a file
//! - [`run`] lets an execution live: it gives the core time, and carries out what it asks for
//! - [`journal`] keeps what Standard executions were told, so that they outlive the process
//! - [`services`] are the services that tasks call, as AWS describes them
//! - [`task_token`] makes the tokens of tasks that somebody else ends

pub mod core;
pub mod history;
pub mod journal;
pub mod map_run;
pub mod mock;
mod revision;
pub mod run;
pub mod services;
mod status;
pub mod task_token;

pub use core::{Command, Execution, Happened, Identity, NotRedrivable, Outcome, Redrive};
pub use history::{Event, EventKind};
pub use revision::Revision;
pub use status::Status;

//! Lets executions live: gives the core the time, makes its calls, fires its timers.
//!
//! - [`Running`] is an execution that lives, or has lived
//! - [`Executions`] are the Standard ones of a runner, which outlive it in the journal
//! - [`Outside`] is what carries out the calls of Task states

mod executions;
mod recent;
mod record;
mod running;

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use asl::{Fault, Value};

use crate::core::{Call, Identity};

pub use executions::{Executions, Resumed, StartError, Started};
pub use running::Running;

/// A call under way: its answer, or why there is none.
pub type Answer = Pin<Box<dyn Future<Output = Result<Value, Fault>> + Send>>;

/// What carries out the calls of Task states: Lambda and the other services.
pub trait Outside: Send + Sync + 'static {
    /// Makes one call. Dropping the future gives the call up.
    ///
    /// A call whose answer was lost with the runner is made again, with the same id.
    fn call(&self, execution: &Arc<Identity>, call: Call) -> Answer;
}

/// A lock whose holder panicked still holds a value that was left whole: each step is all or nothing for its readers.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

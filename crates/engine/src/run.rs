//! Lets executions live: gives the core the time, makes its calls, fires its timers.
//!
//! - [`Running`] is an execution that lives, or has lived
//! - [`Executions`] are the Standard ones of a runner, which outlive it in the journal
//! - [`try_state`] tries one state by itself
//! - [`Outside`] is what carries out the calls of Task states

mod clock;
mod executions;
mod recent;
mod record;
mod running;
mod trial;

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use asl::{Fault, Value};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::{
    core::{Call, CallId, Happened, Identity, Progress},
    journal::JournalError,
    map_run::MapRun,
};

pub use clock::{Busy, Clock};
pub use executions::{Executions, RedriveError, Redriven, Resumed, StartError, Started};
pub use running::Running;
pub use trial::{TRIAL_LIMIT, try_state};

/// A call under way: its answer, or why there is none.
pub type Answer = Pin<Box<dyn Future<Output = Result<Value, CallError>> + Send>>;

/// A Map Run under way: the state's result, or why there is none.
pub type MapRunEnd = Pin<Box<dyn Future<Output = Result<Value, Fault>> + Send>>;

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// It failed.
    Failed(Fault),
    /// It was not taken: an activity that does not exist. The text says why.
    Refused(Arc<str>),
}

impl From<Fault> for CallError {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

/// What carries out the calls of Task states and the Map Runs of distributed Map states.
pub trait Outside: Send + Sync + 'static {
    /// Makes one call. Dropping the future gives the call up. What happens before its end is told to `reports`.
    ///
    /// A call whose answer was lost with the runner is made again, with the same id and token. Where its work was handed
    /// in before, only its end is to be waited for.
    fn call(&self, execution: &Arc<Identity>, call: Call, reports: Reports) -> Answer;

    /// Carries out a Map Run. Dropping the future gives the Map Run up.
    ///
    /// One whose end was lost with the runner is asked for again, with the same ARN. An outside that has no Map Runs
    /// fails them.
    fn map_run(&self, _execution: &Arc<Identity>, run: Arc<MapRun>) -> MapRunEnd {
        let cause = format!("The Map Run {} can't be carried out here.", run.arn);
        Box::pin(async move { Err(Fault::runtime(cause)) })
    }

    /// The time that executions live in.
    fn clock(&self) -> Clock {
        Clock::real()
    }
}

/// Takes what happens to a call before its end.
#[derive(Clone)]
pub struct Reports {
    running: Weak<Running>,
    call: CallId,
}

impl Reports {
    /// An activity's work can be asked for.
    pub async fn scheduled(&self) {
        self.tell(Happened::TaskScheduled { call: self.call }).await;
        self.advance(&Progress::Scheduled);
    }

    /// A worker, who gave this name, has taken an activity's work.
    pub async fn started(&self, worker: Option<Arc<str>>) {
        self.tell(Happened::TaskStarted { call: self.call, worker }).await;
    }

    /// The work was handed in, and this was answered.
    pub async fn submitted(&self, output: Value) {
        self.tell(Happened::TaskSubmitted { call: self.call, output: output.clone() }).await;
        self.advance(&Progress::Submitted(output));
    }

    /// Whoever does the work is still at it. False where nobody waits for it any more.
    pub fn heartbeat(&self) -> Result<bool, JournalError> {
        self.confirmed(Happened::TaskHeartbeat { call: self.call })
    }

    /// How the task ends, by somebody who has its token. False where nobody waits for that any more.
    ///
    /// It is in the journal when this returns. What is not written has not happened, and must not be confirmed: nobody
    /// would say it again. The call's [`Answer`] is dropped, once its work was handed in.
    pub fn ended(&self, end: Result<Value, Fault>) -> Result<bool, JournalError> {
        self.confirmed(Happened::TaskEnded { call: self.call, end })
    }

    /// Whether the call's end is still waited for.
    pub fn is_wanted(&self) -> bool {
        self.running.upgrade().is_some_and(|running| running.look(|execution| execution.waits_for(self.call)))
    }

    fn confirmed(&self, happened: Happened) -> Result<bool, JournalError> {
        self.running.upgrade().map_or(Ok(false), |running| running.tell(happened))
    }

    fn advance(&self, progress: &Progress) {
        if let Some(running) = self.running.upgrade() {
            running.advance(self.call, progress);
        }
    }

    async fn tell(&self, happened: Happened) {
        if let Some(running) = self.running.upgrade() {
            running.tell_surely(happened).await;
        }
    }
}

fn ended(call: CallId, answer: Result<Value, CallError>) -> Happened {
    match answer {
        Ok(output) => Happened::TaskSucceeded { call, output },
        Err(CallError::Failed(fault)) => Happened::TaskFailed { call, fault },
        Err(CallError::Refused(cause)) => Happened::TaskRefused { call, cause },
    }
}

/// Does what may take long: other tasks of the runtime's thread are done by another one meanwhile.
fn lengthy<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// Steps executions of a machine that has JSONata or not. The beginning of a step takes so long that another thread is worth it only
/// where there are expressions of JSONata; the rest of one that is long, always.
fn stepping<T>(has_jsonata: bool, steps: impl FnOnce() -> T) -> T {
    if has_jsonata { lengthy(steps) } else { steps() }
}

/// A lock whose holder panicked still holds a value that was left whole: each step is all or nothing for its readers.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Asynchronous invocations: accepted at once, run later, and tried again after a function error.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{sync::mpsc::UnboundedSender, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    invocation::{InvokeError, Task},
    pool::Pool,
};

/// What became of an event that a function was invoked with.
#[derive(Clone, Debug)]
pub struct EventEnd {
    /// The function's name.
    pub function: String,
    /// The invocation's id.
    pub request_id: String,
    /// The event.
    pub payload: Bytes,
    /// How often it was tried.
    pub attempts: u32,
    /// What came of the last attempt.
    pub outcome: EventOutcome,
}

/// What came of the last attempt.
#[derive(Clone, Debug)]
pub enum EventOutcome {
    /// The function's answer.
    Done(Bytes),
    /// The function's error.
    Failed(Bytes),
    /// Why it did not run.
    NotRun(String),
}

/// An event on its way.
pub(crate) struct Event {
    pub(crate) function: String,
    pub(crate) pool: Arc<Pool>,
    pub(crate) task: Task,
    /// How long it waits before each time that it is tried again.
    pub(crate) retry_delays: Vec<Duration>,
    pub(crate) shutdown: CancellationToken,
    /// Who is told of its end.
    pub(crate) ends: Option<UnboundedSender<EventEnd>>,
}

impl Event {
    /// Runs it until it succeeds or its retries are used up. Every attempt has the same request id, as on Lambda.
    pub(crate) async fn run(self) {
        let Self { function, pool, task, retry_delays, shutdown, ends } = self;
        let mut delays = retry_delays.iter();
        let mut attempts = 0;
        let outcome = loop {
            attempts += 1;
            let outcome = match pool.invoke(&task).await {
                Ok(invocation) if !invocation.failed => break EventOutcome::Done(invocation.payload),
                Ok(invocation) => {
                    let error = String::from_utf8_lossy(&invocation.payload).into_owned();
                    tracing::warn!(request_id = task.request_id, error, "an asynchronous invocation failed");
                    EventOutcome::Failed(invocation.payload)
                }
                Err(InvokeError::ShuttingDown) => return,
                Err(error) => {
                    tracing::warn!(request_id = task.request_id, %error, "an asynchronous invocation did not run");
                    EventOutcome::NotRun(error.to_string())
                }
            };
            let Some(delay) = delays.next() else {
                tracing::error!(request_id = task.request_id, "an event was dropped: its retries are used up");
                break outcome;
            };
            tokio::select! {
                () = sleep(*delay) => {}
                () = shutdown.cancelled() => return,
            }
        };
        if let Some(ends) = ends {
            let end = EventEnd { function, request_id: task.request_id, payload: task.payload, attempts, outcome };
            // Nobody may listen any more; that is no error.
            let _ = ends.send(end);
        }
    }
}

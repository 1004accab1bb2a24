//! Asynchronous invocations: accepted at once, run later, and tried again after a function error or where too many run.
//! Where a file keeps them, they go on after a restart with the age and the attempts that they had.
//!
//! Source: the Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation".

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use time::OffsetDateTime;
use tokio::{
    sync::mpsc::UnboundedSender,
    time::{Instant, sleep},
};

use super::{
    invocation::{Invocation, InvokeError},
    kept_events::{KeptEvent, Known},
    registry::Registry,
};

/// How old an event may become where its function does not say.
const MAX_AGE: Duration = Duration::from_hours(6);
/// The longest pause before an event is tried again of whose function too many invocations run.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

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
    pub(crate) kept: Option<KeptEvent>,
}

impl EventEnd {
    /// Forgets the event, now that all have been told who are to be told of its end. Until then it is taken up again after a
    /// restart.
    pub fn done(&self) {
        if let Some(kept) = &self.kept {
            kept.done();
        }
    }
}

/// What came of the last attempt.
#[derive(Clone, Debug)]
pub enum EventOutcome {
    /// The function's answer.
    Done(Bytes),
    /// The function's error.
    Failed(Bytes),
    /// Why it did not run.
    NotRun(NotRun),
}

/// Why an event's last attempt did not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRun {
    /// It became too old while too many other invocations ran.
    #[error("The event was too old before it could be processed.")]
    EventAgeExceeded,
    /// Its function may not run at all.
    #[error("The function's reserved concurrency is zero.")]
    ZeroReservedConcurrency,
    /// Lambda could not do it.
    #[error("{0}")]
    Error(String),
}

/// An event on its way.
pub(crate) struct Event {
    pub(crate) registry: Arc<Registry>,
    pub(crate) known: Known,
    pub(crate) kept: Option<KeptEvent>,
    /// How long it waits before each time that it is tried again after an error.
    pub(crate) retry_delays: Vec<Duration>,
    pub(crate) max_age: Option<Duration>,
    /// Who is told of its end.
    pub(crate) ends: Option<UnboundedSender<EventEnd>>,
    pub(crate) given_up: GivenUp,
}

/// How many events of each function all ended before.
#[derive(Clone, Debug, Default)]
pub(crate) struct GivenUp(Arc<Mutex<BTreeMap<String, usize>>>);

impl GivenUp {
    fn add(&self, function: &str) {
        *self.counts().entry(function.to_owned()).or_default() += 1;
    }

    /// What there is, which is told once.
    pub(crate) fn take(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut *self.counts())
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How an attempt ended.
enum Attempt {
    Ran(Invocation),
    Throttled,
    ShuttingDown,
    Failed(InvokeError),
}

impl Event {
    /// Runs it until it succeeds or its retries are used up. Every attempt has the same request id, as on Lambda.
    pub(crate) async fn run(self) {
        let Some((attempts, outcome)) = self.outcome().await else { return self.given_up.add(&self.known.function) };
        let Self { known: Known { function, task, .. }, kept, ends, .. } = self;
        let end = EventEnd { function, request_id: task.request_id, payload: task.payload, attempts, outcome, kept };
        match ends {
            // Whoever is told says when it is done with. Nobody may listen any more; that is no error.
            Some(ends) => drop(ends.send(end)),
            None => end.done(),
        }
    }

    /// How often it was tried and what came of it; none where all ends first.
    async fn outcome(&self) -> Option<(u32, EventOutcome)> {
        let (function, request_id) = (&*self.known.function, &*self.known.task.request_id);
        let mut attempts = self.known.attempts;
        let mut delays = self.retry_delays.iter().skip(usize::try_from(attempts).unwrap_or(usize::MAX));
        let mut pause = self.registry.programs.config.throttle_pause;
        self.wait(from_now(self.known.due_at)).await?;
        let left = from_now(self.known.received_at + self.max_age.unwrap_or(MAX_AGE));
        if left.is_zero() {
            return Some((attempts, EventOutcome::NotRun(NotRun::EventAgeExceeded)));
        }
        let expires = Instant::now() + left;
        loop {
            let outcome = match self.attempt().await {
                Attempt::ShuttingDown => return None,
                Attempt::Throttled if self.registry.concurrency.reserved(function) == Some(0) => {
                    return Some((attempts, EventOutcome::NotRun(NotRun::ZeroReservedConcurrency)));
                }
                Attempt::Throttled if Instant::now() + pause > expires => {
                    return Some((attempts, EventOutcome::NotRun(NotRun::EventAgeExceeded)));
                }
                Attempt::Throttled => {
                    self.wait(pause).await?;
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                    continue;
                }
                Attempt::Ran(invocation) if !invocation.failed => {
                    return Some((attempts + 1, EventOutcome::Done(invocation.payload)));
                }
                Attempt::Ran(invocation) => {
                    let error = invocation.error();
                    tracing::warn!(function, request_id, error, "a function that was invoked asynchronously failed");
                    EventOutcome::Failed(invocation.payload)
                }
                Attempt::Failed(error) => {
                    tracing::warn!(function, request_id, %error, "an asynchronous invocation did not run");
                    EventOutcome::NotRun(NotRun::Error(error.to_string()))
                }
            };
            attempts += 1;
            match delays.next() {
                Some(delay) if Instant::now() + *delay <= expires => {
                    tracing::warn!(function, request_id, attempts, in_seconds = delay.as_secs(), "it is tried again");
                    if let Some(kept) = &self.kept {
                        kept.tried(attempts, OffsetDateTime::now_utc() + *delay);
                    }
                    self.wait(*delay).await?;
                }
                // Who hears of the end says where the event went.
                Some(_) | None => return Some((attempts, outcome)),
            }
        }
    }

    /// Invokes the function as it is now.
    async fn attempt(&self) -> Attempt {
        let deployed = match self.registry.find(&self.known.reference) {
            Ok(deployed) => deployed,
            Err(error) => return Attempt::Failed(error),
        };
        let Ok(admitted) = self.registry.concurrency.admit(&self.known.function) else { return Attempt::Throttled };
        match deployed.pool.invoke(&self.known.task, admitted).await {
            Ok(invocation) => Attempt::Ran(invocation),
            Err(InvokeError::TooManyRequests { .. }) => Attempt::Throttled,
            Err(InvokeError::ShuttingDown) => Attempt::ShuttingDown,
            Err(error) => Attempt::Failed(error),
        }
    }

    /// Waits; none where all ends first.
    async fn wait(&self, delay: Duration) -> Option<()> {
        if delay.is_zero() {
            return Some(());
        }
        tokio::select! {
            () = sleep(delay) => Some(()),
            () = self.registry.programs.shutdown.cancelled() => None,
        }
    }
}

/// How long it is until then; nothing where that is over.
fn from_now(moment: OffsetDateTime) -> Duration {
    (moment - OffsetDateTime::now_utc()).try_into().unwrap_or_default()
}

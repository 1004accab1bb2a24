//! The time that executions live in: the machine's, or one that skips what nobody works in.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use time::OffsetDateTime;
use tokio::{sync::Notify, task::AbortHandle};

use super::{Running, lock};
use crate::core::{Happened, TimerId};

/// A clock with timers.
///
/// The virtual one jumps to its next timer whenever no call is under way: waits and the delays of retries take no time,
/// while work takes the time that it takes, so that a time-out still means what it says. A task that waits for an
/// execution which it started is no work by itself; both share the clock.
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<Skipping>>);

/// A virtual clock with the task that moves it.
struct Skipping {
    timers: Arc<Timers>,
    moved_by: AbortHandle,
}

impl Drop for Skipping {
    fn drop(&mut self) {
        self.moved_by.abort();
    }
}

#[derive(Default)]
struct Timers {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    skipped: Duration,
    /// How many calls are under way.
    busy: usize,
    /// By their time, then in the order in which they were set.
    set: BTreeMap<(OffsetDateTime, u64), (Weak<Running>, TimerId)>,
    /// How many timers were ever set.
    count: u64,
}

/// Something under way, for as long as this lives.
pub struct Busy(Arc<Timers>);

/// What a virtual clock does next.
enum Next {
    Nothing,
    Wait(Duration),
    Fire(Arc<Running>, TimerId),
}

impl Clock {
    /// The machine's own clock.
    pub fn real() -> Self {
        Self(None)
    }

    /// A virtual clock, which begins now. Must be called inside a Tokio runtime.
    pub fn skipping() -> Self {
        let timers = Arc::new(Timers::default());
        let moved_by = tokio::spawn(Timers::go(timers.clone())).abort_handle();
        Self(Some(Arc::new(Skipping { timers, moved_by })))
    }

    /// The time on this clock.
    pub fn now(&self) -> OffsetDateTime {
        let skipped = self.0.as_ref().map_or(Duration::ZERO, |clock| lock(&clock.timers.state).skipped);
        OffsetDateTime::now_utc() + skipped
    }

    /// Tells an execution when a timer's time has come. The handle, where there is one, drops the timer.
    pub(super) fn set(&self, at: OffsetDateTime, running: Weak<Running>, timer: TimerId) -> Option<AbortHandle> {
        let Some(clock) = &self.0 else {
            let left = (at - OffsetDateTime::now_utc()).max(time::Duration::ZERO).unsigned_abs();
            let waiting = tokio::spawn(async move {
                tokio::time::sleep(left).await;
                if let Some(running) = running.upgrade() {
                    running.tell_surely(Happened::TimerFired { timer }).await;
                }
            });
            return Some(waiting.abort_handle());
        };
        let mut state = lock(&clock.timers.state);
        state.count += 1;
        let order = state.count;
        state.set.insert((at, order), (running, timer));
        drop(state);
        clock.timers.changed.notify_one();
        None
    }

    /// Something begins that takes time.
    pub fn busy(&self) -> Option<Busy> {
        let timers = self.0.as_ref()?.timers.clone();
        lock(&timers.state).busy += 1;
        Some(Busy(timers))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        lock(&self.0.state).busy -= 1;
        self.0.changed.notify_one();
    }
}

impl Timers {
    async fn go(self: Arc<Self>) {
        loop {
            match self.next() {
                Next::Nothing => self.changed.notified().await,
                Next::Wait(left) => {
                    tokio::select! {
                        () = self.changed.notified() => {}
                        () = tokio::time::sleep(left) => {}
                    }
                }
                Next::Fire(running, timer) => running.tell_surely(Happened::TimerFired { timer }).await,
            }
        }
    }

    fn next(&self) -> Next {
        loop {
            let first = lock(&self.state)
                .set
                .first_key_value()
                .map(|(key, (running, timer))| (*key, running.upgrade(), *timer));
            let Some((key, running, timer)) = first else { return Next::Nothing };
            // Asked without the lock: an execution that is told something asks for the time.
            let is_wanted =
                |running: &Arc<Running>| running.look(|execution| execution.expects(&Happened::TimerFired { timer }));
            let Some(running) = running.filter(is_wanted) else {
                lock(&self.state).set.remove(&key);
                continue;
            };
            let mut state = lock(&self.state);
            let now = OffsetDateTime::now_utc() + state.skipped;
            let left = (key.0 - now).max(time::Duration::ZERO).unsigned_abs();
            if state.busy > 0 && !left.is_zero() {
                return Next::Wait(left);
            }
            state.skipped += left;
            state.set.remove(&key);
            return Next::Fire(running, timer);
        }
    }
}

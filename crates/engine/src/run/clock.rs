//! The time that executions live in: the machine's, or one that skips what nobody works in.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    fmt,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, OnceLock, Weak},
    time::Duration,
};

use time::OffsetDateTime;
use tokio::{sync::Notify, task::AbortHandle, time::Instant};

use super::{Running, lock};
use crate::core::{Happened, Identity, TimerId};

/// How many jumps are remembered, the last ones.
const MOST_JUMPS: usize = 10_000;

/// The longest sleep before the clock is looked at again: a machine's instants stand still while it sleeps, and its clock may
/// be set.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// The last moment that can be journalled. A virtual clock stands still there, and what is set for later comes in its order.
const END_OF_TIME: OffsetDateTime = OffsetDateTime::UNIX_EPOCH.saturating_add(time::Duration::nanoseconds(i64::MAX));

/// A clock with timers, which fire when it shows their times.
///
/// The virtual one jumps to its next timer whenever no call is under way: waits and the delays of retries take no time,
/// while work takes the time that it takes, so that a time-out still means what it says.
///
/// A callback and the task of an activity hold the time of their execution, and of those that wait for it: whoever is to
/// answer has the time that the definition gives. Other executions do not wait for them. When the clock jumps for those,
/// what is held is put off by as much. A task that waits for an execution which it started is no work by itself.
#[derive(Clone)]
pub struct Clock(Arc<Ticking>);

/// Timers with the task that fires them, which begins with the first one.
struct Ticking {
    timers: Arc<Timers>,
    fired_by: OnceLock<AbortHandle>,
}

impl Drop for Ticking {
    fn drop(&mut self) {
        if let Some(task) = self.fired_by.get() {
            task.abort();
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_virtual() { "the virtual clock" } else { "the machine's clock" })
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::real()
    }
}

/// All that executions wait for is in one place: a task for each timer would be larger than the execution that set it.
struct Timers {
    hand: Hand,
    state: Mutex<State>,
    changed: Notify,
}

/// What moves a clock.
enum Hand {
    /// Another clock, which may be set.
    Shown(Box<dyn Fn() -> OffsetDateTime + Send + Sync>),
    /// The instants since this moment, and what is skipped.
    Skipping { began: OffsetDateTime, at: Instant },
}

/// A timer's place: by its time, then in the order in which they were set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    due: OffsetDateTime,
    order: u64,
}

#[derive(Default)]
struct State {
    skipped: time::Duration,
    /// What was skipped, in the order of time.
    jumps: VecDeque<Range<OffsetDateTime>>,
    /// How many calls are under way.
    busy: usize,
    set: BTreeMap<Place, Timer>,
    /// How many timers and rests there ever were.
    count: u64,
    /// When those timers are due that were put off, by their orders.
    put_off: HashMap<u64, OffsetDateTime>,
    /// Calls that wait for somebody elsewhere, by their orders.
    rests: HashMap<u64, Rest>,
    /// The executions and Map Runs whose time is held; none while that is to be found out.
    held: Option<HashSet<Arc<str>>>,
}

/// A timer of an execution.
struct Timer {
    id: TimerId,
    execution: Arc<str>,
    running: Weak<Running>,
}

/// A call for which nothing is done here.
struct Rest {
    execution: Arc<str>,
    map_run: Option<Arc<str>>,
    waits_for: WaitsFor,
}

/// Whom a call waits for that rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WaitsFor {
    /// Whoever has the task token, or a worker.
    Somebody,
    /// The execution or the Map Run of this ARN.
    Execution(Arc<str>),
}

/// Something under way, for as long as this lives.
pub struct Busy(Arc<Timers>);

/// A call that rests, for as long as this lives.
pub(super) struct Resting {
    timers: Arc<Timers>,
    order: u64,
}

/// What a clock does next.
enum Next {
    Nothing,
    Wait(Duration),
    Fire(Arc<Running>, TimerId),
}

impl Clock {
    /// The machine's own clock.
    pub fn real() -> Self {
        Self::showing(OffsetDateTime::now_utc)
    }

    /// A clock that shows the time of another one.
    pub fn showing(time: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        Self::new(Hand::Shown(Box::new(time)))
    }

    /// A virtual clock, which begins now.
    pub fn skipping() -> Self {
        Self::new(Hand::Skipping { began: OffsetDateTime::now_utc(), at: Instant::now() })
    }

    fn new(hand: Hand) -> Self {
        let timers = Timers { hand, state: Mutex::default(), changed: Notify::new() };
        Self(Arc::new(Ticking { timers: Arc::new(timers), fired_by: OnceLock::new() }))
    }

    /// The time on this clock.
    pub fn now(&self) -> OffsetDateTime {
        self.0.timers.now(|| self.state().skipped)
    }

    /// Whether it skips what nobody works in.
    pub fn is_virtual(&self) -> bool {
        self.0.timers.is_virtual()
    }

    /// Whether it has jumped between these times.
    pub fn has_jumped(&self, from: OffsetDateTime, to: OffsetDateTime) -> bool {
        let state = self.state();
        let first = state.jumps.partition_point(|jump| jump.end <= from);
        state.jumps.get(first).is_some_and(|jump| jump.start < to)
    }

    /// Tells an execution when a timer's time has come. Must be called inside a Tokio runtime.
    pub(super) fn set(
        &self,
        at: OffsetDateTime,
        execution: &Arc<str>,
        running: Weak<Running>,
        timer: TimerId,
    ) -> Place {
        let timers = &self.0.timers;
        self.0.fired_by.get_or_init(|| tokio::spawn(timers.clone().go()).abort_handle());
        let mut state = self.state();
        state.count += 1;
        let place = Place { due: at, order: state.count };
        state.set.insert(place, Timer { id: timer, execution: execution.clone(), running });
        let is_first = state.set.first_key_value().is_some_and(|(first, _)| *first == place);
        drop(state);
        if is_first {
            timers.changed.notify_one();
        }
        place
    }

    /// Drops a timer that nobody waits for any more.
    pub(super) fn unset(&self, place: Place) {
        self.state().remove(place);
    }

    /// Something begins that takes time.
    pub fn busy(&self) -> Option<Busy> {
        if !self.is_virtual() {
            return None;
        }
        self.state().busy += 1;
        Some(Busy(self.0.timers.clone()))
    }

    /// A call of an execution begins to rest.
    pub(super) fn rest(&self, identity: &Identity, waits_for: WaitsFor) -> Option<Resting> {
        if !self.is_virtual() {
            return None;
        }
        let rest = Rest { execution: identity.arn.clone(), map_run: identity.map_run_arn.clone(), waits_for };
        let mut state = self.state();
        state.count += 1;
        let order = state.count;
        state.rests.insert(order, rest);
        state.held = None;
        drop(state);
        Some(Resting { timers: self.0.timers.clone(), order })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0.timers.state)
    }
}

impl Drop for Resting {
    fn drop(&mut self) {
        let mut state = lock(&self.timers.state);
        state.rests.remove(&self.order);
        state.held = None;
        drop(state);
        self.timers.changed.notify_one();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        lock(&self.0.state).busy -= 1;
        self.0.changed.notify_one();
    }
}

impl State {
    /// The timer that is next, and whether time may jump to it.
    fn next(&mut self, now: OffsetDateTime, is_virtual: bool) -> Option<(Place, bool)> {
        let (first, timer) = self.set.first_key_value()?;
        if first.due <= now || !is_virtual || self.busy > 0 {
            return Some((*first, false));
        }
        if self.rests.is_empty() {
            return Some((*first, true));
        }
        let held = self.held.get_or_insert_with(|| held(&self.rests));
        if !held.contains(&timer.execution) {
            return Some((*first, true));
        }
        let free = self.set.iter().find(|(_, timer)| !held.contains(&timer.execution));
        Some(free.map_or((*first, false), |(place, _)| (*place, true)))
    }

    fn jump(&mut self, now: OffsetDateTime, to: OffsetDateTime) {
        let left = to - now;
        self.skipped = self.skipped.saturating_add(left);
        self.jumps.push_back(now..to);
        if self.jumps.len() > MOST_JUMPS {
            self.jumps.pop_front();
        }
        self.put_off(left);
    }

    /// What is held does not come nearer by a jump.
    fn put_off(&mut self, left: time::Duration) {
        let Some(held) = self.held.as_ref().filter(|held| !held.is_empty()) else { return };
        let of_held: Vec<Place> =
            self.set.iter().filter(|(_, timer)| held.contains(&timer.execution)).map(|(place, _)| *place).collect();
        for place in of_held {
            // What is later than any time is never due.
            if let (Some(timer), Some(due)) = (self.set.remove(&place), place.due.checked_add(left)) {
                self.put_off.insert(place.order, due);
                self.set.insert(Place { due, ..place }, timer);
            }
        }
    }

    fn remove(&mut self, place: Place) {
        let due = self.put_off.remove(&place.order).unwrap_or(place.due);
        self.set.remove(&Place { due, ..place });
    }
}

/// The executions that wait for somebody, those that wait for these, and the Map Runs of both.
fn held(rests: &HashMap<u64, Rest>) -> HashSet<Arc<str>> {
    let mut held = HashSet::new();
    loop {
        let before = held.len();
        for Rest { execution, map_run, waits_for } in rests.values() {
            let is_held = match waits_for {
                WaitsFor::Somebody => true,
                WaitsFor::Execution(other) => held.contains(other),
            };
            if is_held {
                held.extend(map_run.iter().chain([execution]).cloned());
            }
        }
        if held.len() == before {
            return held;
        }
    }
}

impl Timers {
    fn is_virtual(&self) -> bool {
        matches!(self.hand, Hand::Skipping { .. })
    }

    /// The time, where so much is skipped.
    fn now(&self, skipped: impl FnOnce() -> time::Duration) -> OffsetDateTime {
        match &self.hand {
            Hand::Shown(time) => time(),
            Hand::Skipping { began, at } => {
                let passed = time::Duration::try_from(at.elapsed()).unwrap_or(time::Duration::MAX);
                began.saturating_add(passed.saturating_add(skipped())).min(END_OF_TIME)
            }
        }
    }

    async fn go(self: Arc<Self>) {
        loop {
            match self.next() {
                Next::Nothing => self.changed.notified().await,
                Next::Wait(left) => {
                    tokio::select! {
                        () = self.changed.notified() => {}
                        () = tokio::time::sleep(left.min(LONGEST_SLEEP)) => {}
                    }
                }
                // Nothing is skipped before it is told.
                Next::Fire(running, timer) if self.is_virtual() => {
                    running.tell_surely(Happened::TimerFired { timer }).await;
                }
                // No execution waits for what another one makes of it.
                Next::Fire(running, timer) => {
                    tokio::spawn(async move { running.tell_surely(Happened::TimerFired { timer }).await });
                }
            }
        }
    }

    fn next(&self) -> Next {
        loop {
            let mut state = lock(&self.state);
            let now = self.now(|| state.skipped);
            let Some((place, _)) = state.next(now, self.is_virtual()) else { return Next::Nothing };
            let timer = state.set.get(&place).map(|timer| (timer.running.upgrade(), timer.id));
            drop(state);
            let Some((running, timer)) = timer else { continue };
            // Asked without the lock: an execution that is told something asks for the time.
            let is_wanted =
                |running: &Arc<Running>| running.look(|execution| execution.expects(&Happened::TimerFired { timer }));
            let Some(running) = running.filter(is_wanted) else {
                lock(&self.state).remove(place);
                continue;
            };
            let mut state = lock(&self.state);
            let now = self.now(|| state.skipped);
            match state.next(now, self.is_virtual()) {
                _ if place.due <= now => {}
                Some((next, _)) if next != place => continue,
                Some((_, true)) => state.jump(now, place.due),
                _ => return Next::Wait((place.due - now).unsigned_abs()),
            }
            state.remove(place);
            return Next::Fire(running, timer);
        }
    }
}

//! One execution that lives.
//!
//! It is not a task of its own. What happens to it (an answer, a timer) is delivered by whoever saw it happen, under a
//! lock that is held for one step of the core and its writing, and never across an await.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, TryLockError, Weak},
    time::Duration,
};

use asl::{
    Fault, Machine, Value,
    machine::{Pattern, Resource},
};
use tokio::{sync::watch, task::AbortHandle};

use super::{
    Clock, Executions, Outside, Reports,
    clock::{Busy, Place, Resting, WaitsFor},
    ended, lengthy, lock,
    record::Recording,
    stepping,
};
use crate::{
    core::{Call, CallId, Command, Execution, Happened, Identity, Outcome, Progress, TimerId},
    history::Event,
    journal::JournalError,
    map_run::MapRun,
};

/// How long to wait before what could not be written is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// An execution that lives, or has lived.
pub struct Running {
    identity: Arc<Identity>,
    recording: Mutex<Recording>,
    outside: Arc<dyn Outside>,
    clock: Clock,
    /// Who wants to know of its end; nobody for one that is not journalled.
    executions: Weak<Executions>,
    /// Calls and timers under way, to be dropped at the end.
    under_way: Mutex<UnderWay>,
    /// How many events there are. The sender is dropped with the execution alone, so receivers see the last one.
    events: watch::Sender<usize>,
}

#[derive(Default)]
struct UnderWay {
    calls: HashMap<CallId, Calling>,
    timers: Vec<(TimerId, Place)>,
}

/// A call under way.
struct Calling {
    work: AbortHandle,
    end: End,
    /// What it means for the clock.
    time: Time,
}

/// Who ends a call.
#[derive(Clone, Copy)]
enum End {
    /// Whoever answers it.
    Answer,
    /// A worker who asks for an activity's task.
    Worker,
    /// Somebody who has the task token.
    Token,
    /// The execution that it has started.
    Execution,
}

/// What a call means for the clock, for as long as this lives.
enum Time {
    /// It takes time.
    Work { _busy: Option<Busy> },
    /// Nothing is done for it here.
    Rest { _resting: Option<Resting> },
}

impl Running {
    /// Starts an execution that is not journalled: an Express one. It goes on to its end, whoever waits for that. Must be
    /// called inside a Tokio runtime.
    pub fn start(machine: Arc<Machine>, identity: Arc<Identity>, outside: Arc<dyn Outside>) -> Arc<Self> {
        let now = outside.clock().now();
        let begin = |machine| Recording::unwritten(Execution::new(machine, identity), now);
        let (recording, commands) = stepping(machine.has_jsonata, || begin(machine));
        let running = Self::of(recording, outside, Weak::new());
        running.carry_out(commands);
        if !running.look(Execution::has_ended) {
            // Timers do not keep it.
            let kept = running.clone();
            tokio::spawn(async move { kept.ended().await });
        }
        running
    }

    /// An execution of which nothing is carried out yet.
    pub(super) fn of(recording: Recording, outside: Arc<dyn Outside>, executions: Weak<Executions>) -> Arc<Self> {
        Arc::new(Self {
            identity: recording.execution.identity().clone(),
            clock: outside.clock(),
            events: watch::Sender::new(recording.execution.history().len()),
            recording: Mutex::new(recording),
            outside,
            executions,
            under_way: Mutex::default(),
        })
    }

    /// What it is called and belongs to.
    pub fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// Looks at the execution as it is now.
    pub fn look<R>(&self, look: impl FnOnce(&Execution) -> R) -> R {
        look(&self.recording().execution)
    }

    /// The execution, once nobody else steps it.
    fn recording(&self) -> MutexGuard<'_, Recording> {
        match self.recording.try_lock() {
            Ok(recording) => recording,
            Err(TryLockError::Poisoned(left)) => left.into_inner(),
            Err(TryLockError::WouldBlock) => lengthy(|| lock(&self.recording)),
        }
    }

    /// The events from the one at `from`, counted from 0.
    pub fn events_from(&self, from: usize) -> Vec<Event> {
        self.look(|execution| execution.history().get(from..).unwrap_or_default().to_vec())
    }

    /// Tells of new events: the value is how many there are.
    pub fn subscribe(&self) -> watch::Receiver<usize> {
        self.events.subscribe()
    }

    /// Stops it, unless it has ended. Fails where that can't be written into the journal.
    pub fn stop(self: &Arc<Self>, fault: Fault) -> Result<(), JournalError> {
        self.tell(Happened::StopRequested { fault }).map(drop)
    }

    /// Waits for its end.
    pub async fn ended(&self) -> Outcome {
        let mut events = self.subscribe();
        loop {
            if let Some(outcome) = self.look(|execution| execution.outcome()) {
                return outcome;
            }
            // The sender lives as long as `self` does, so this can't fail.
            let _ = events.changed().await;
        }
    }

    /// Tells the execution what happened, and does what it wants. False where it does not expect that, or not any more.
    ///
    /// It is in the journal when this returns, so it is what may be confirmed to somebody else. What can't be written has
    /// not happened.
    pub fn tell(self: &Arc<Self>, happened: Happened) -> Result<bool, JournalError> {
        let (commands, events, ended) = {
            let mut recording = self.recording();
            if !recording.execution.expects(&happened) {
                return Ok(false);
            }
            let has_jsonata = recording.execution.machine().has_jsonata;
            let commands = stepping(has_jsonata, || recording.tell(happened, self.clock.now()))?;
            (commands, recording.execution.history().len(), recording.execution.has_ended())
        };
        self.carry_out(commands);
        if ended {
            self.give_up();
            if let Some(executions) = self.executions.upgrade() {
                executions.retire(self);
            }
        }
        self.events.send_if_modified(|known| events > std::mem::replace(known, events.max(*known)));
        Ok(true)
    }

    /// Tells the execution what happened, and tries again where that can't be written.
    pub(super) async fn tell_surely(self: &Arc<Self>, happened: Happened) {
        while let Err(error) = self.tell(happened.clone()) {
            if let JournalError::Closed = error {
                return;
            }
            tracing::error!(arn = &*self.identity.arn, %error, "an execution waits until it can be written");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Does what an execution from the journal still waits for.
    ///
    /// Timers whose time has come while nobody was there fire in the order of their times, and before any call is made:
    /// as they would have.
    pub(super) fn resume(self: &Arc<Self>, outstanding: Vec<Command>) {
        let now = self.clock.now();
        let (mut due, mut others) = (Vec::new(), Vec::new());
        for command in outstanding {
            match command {
                Command::SetTimer { timer, at } if at <= now => due.push((at, timer)),
                other => others.push(other),
            }
        }
        due.sort_unstable();
        for (at, timer) in due {
            if self.tell(Happened::TimerFired { timer }).is_err() {
                others.push(Command::SetTimer { timer, at });
            }
        }
        self.carry_out(others);
    }

    pub(super) fn carry_out(self: &Arc<Self>, commands: Vec<Command>) {
        // No time passes between the first and the last.
        let _busy = self.clock.busy();
        if commands.iter().any(|command| matches!(command, Command::SetTimer { .. })) {
            self.drop_timers_that_are_over();
        }
        for command in commands {
            match command {
                Command::StartTask(call) => self.make(call),
                Command::StartMapRun(run) => self.carry_out_run(run),
                Command::CancelTask { call } | Command::CancelMapRun { run: call } => self.drop_call(call),
                Command::SetTimer { timer, at } => {
                    let place = self.clock.set(at, &self.identity.arn, Arc::downgrade(self), timer);
                    lock(&self.under_way).timers.push((timer, place));
                }
            }
        }
    }

    fn make(self: &Arc<Self>, call: Call) {
        let id = call.id;
        let is_wanted = || self.look(|execution| execution.waits_for(id));
        if !is_wanted() {
            return;
        }
        let end = End::of(&call.resource);
        let time = self.time_of(end, &call.progress);
        let reports = Reports { running: Arc::downgrade(self), call: id };
        let answer = self.outside.call(&self.identity, call, reports);
        // The lock is held from the look to the handle's place: whoever cancels the call after the look finds the handle,
        // and an answer at once finds it there to remove.
        let mut under_way = lock(&self.under_way);
        if !is_wanted() {
            return;
        }
        let this = Arc::clone(self);
        let work = tokio::spawn(async move {
            this.tell_surely(ended(id, answer.await)).await;
            lock(&this.under_way).calls.remove(&id);
        });
        under_way.calls.insert(id, Calling { work: work.abort_handle(), end, time });
    }

    /// An execution that makes many calls with a time-out would gather as many timers.
    fn drop_timers_that_are_over(&self) {
        let mut under_way = lock(&self.under_way);
        let over: Vec<_> = self.look(|execution| {
            let is_over = |timer| !execution.expects(&Happened::TimerFired { timer });
            under_way.timers.extract_if(.., |(timer, _)| is_over(*timer)).collect()
        });
        drop(under_way);
        for (_, place) in over {
            self.clock.unset(place);
        }
    }

    /// A call has come as far as this.
    pub(super) fn advance(&self, call: CallId, progress: &Progress) {
        let mut under_way = lock(&self.under_way);
        let Some(calling) = under_way.calls.get_mut(&call) else { return };
        let before = std::mem::replace(&mut calling.time, self.time_of(calling.end, progress));
        drop(under_way);
        drop(before);
    }

    fn time_of(&self, end: End, progress: &Progress) -> Time {
        match end.waits_for(progress) {
            Some(waits_for) => Time::Rest { _resting: self.clock.rest(&self.identity, waits_for) },
            None => Time::Work { _busy: self.clock.busy() },
        }
    }

    /// Drops a call that is under way.
    pub(super) fn drop_call(&self, call: CallId) {
        if let Some(calling) = lock(&self.under_way).calls.remove(&call) {
            calling.work.abort();
        }
    }

    fn carry_out_run(self: &Arc<Self>, run: Arc<MapRun>) {
        let id = run.id;
        // As for a call: whoever cancels it after the look finds the handle.
        let mut under_way = lock(&self.under_way);
        if !self.look(|execution| execution.waits_for_map_run(id)) {
            return;
        }
        let this = Arc::clone(self);
        let waits_for = WaitsFor::Execution(run.arn.clone());
        let end = self.outside.map_run(&self.identity, run);
        let time = Time::Rest { _resting: self.clock.rest(&self.identity, waits_for) };
        let work = tokio::spawn(async move {
            let result = end.await;
            this.tell_surely(Happened::MapRunEnded { run: id, result }).await;
            lock(&this.under_way).calls.remove(&id);
        });
        // What is under way are its child executions, and what the outside does for it.
        under_way.calls.insert(id, Calling { work: work.abort_handle(), end: End::Execution, time });
    }

    /// Drops the calls and timers that are under way.
    pub(super) fn give_up(&self) {
        let UnderWay { calls, timers } = std::mem::take(&mut *lock(&self.under_way));
        for calling in calls.into_values() {
            calling.work.abort();
        }
        for (_, place) in timers {
            self.clock.unset(place);
        }
    }
}

impl End {
    fn of(resource: &Resource) -> Self {
        match resource {
            Resource::Activity { .. } => Self::Worker,
            Resource::Service { pattern: Pattern::WaitForTaskToken, .. } => Self::Token,
            Resource::Service { pattern: Pattern::Sync, .. } => Self::Execution,
            Resource::Service { pattern: Pattern::RequestResponse, .. } | Resource::Function { .. } => Self::Answer,
        }
    }

    /// Whom a call waits for that has come as far as this; nobody while something is done for it here.
    fn waits_for(self, progress: &Progress) -> Option<WaitsFor> {
        match (self, progress) {
            (Self::Worker, Progress::Scheduled | Progress::Started) | (Self::Token, Progress::Submitted(_)) => {
                Some(WaitsFor::Somebody)
            }
            (Self::Execution, Progress::Submitted(answer)) => {
                let execution = answer.get("ExecutionArn").and_then(Value::as_str)?;
                Some(WaitsFor::Execution(execution.into()))
            }
            _ => None,
        }
    }
}

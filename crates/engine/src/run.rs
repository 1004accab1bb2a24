//! Lets executions live: gives the core the time, makes its calls, fires its timers.
//!
//! A [`Running`] execution is not a task of its own. What happens to it (an answer, a timer) is delivered by whoever
//! saw it happen, under a lock that is held for one step of the core and never across an await.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use asl::{Fault, Machine, Value};
use time::OffsetDateTime;
use tokio::{sync::watch, task::AbortHandle};

use crate::{
    core::{Call, CallId, Command, Execution, Happened, Identity, Outcome},
    history::Event,
};

/// A call under way: its answer, or why there is none.
pub type Answer = Pin<Box<dyn Future<Output = Result<Value, Fault>> + Send>>;

/// What carries out the calls of Task states: Lambda and the other services.
pub trait Outside: Send + Sync + 'static {
    /// Makes one call. Dropping the future gives the call up.
    fn call(&self, execution: &Arc<Identity>, call: Call) -> Answer;
}

/// An execution that lives, or has lived.
pub struct Running {
    execution: Mutex<Execution>,
    outside: Arc<dyn Outside>,
    /// Calls and timers under way, to be dropped at the end.
    under_way: Mutex<UnderWay>,
    /// How many events there are. The sender is dropped with the execution alone, so receivers see the last one.
    events: watch::Sender<usize>,
}

#[derive(Default)]
struct UnderWay {
    calls: HashMap<CallId, AbortHandle>,
    timers: Vec<AbortHandle>,
}

impl Running {
    /// Starts an execution. Must be called inside a Tokio runtime.
    pub fn start(machine: Arc<Machine>, identity: Arc<Identity>, outside: Arc<dyn Outside>) -> Arc<Self> {
        let running = Arc::new(Self {
            execution: Mutex::new(Execution::new(machine, identity)),
            outside,
            under_way: Mutex::default(),
            events: watch::Sender::new(0),
        });
        running.deliver(Happened::Started);
        running
    }

    /// Looks at the execution as it is now.
    pub fn look<R>(&self, look: impl FnOnce(&Execution) -> R) -> R {
        look(&lock(&self.execution))
    }

    /// The events from the one at `from`, counted from 0.
    pub fn events_from(&self, from: usize) -> Vec<Event> {
        self.look(|execution| execution.history().get(from..).unwrap_or_default().to_vec())
    }

    /// Tells of new events: the value is how many there are.
    pub fn subscribe(&self) -> watch::Receiver<usize> {
        self.events.subscribe()
    }

    /// Stops it, unless it has ended.
    pub fn stop(self: &Arc<Self>, fault: Fault) {
        self.deliver(Happened::StopRequested { fault });
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

    /// Tells the execution what happened, and does what it wants.
    fn deliver(self: &Arc<Self>, happened: Happened) {
        let (commands, events, ended) = {
            let mut execution = lock(&self.execution);
            let commands = execution.step(happened, OffsetDateTime::now_utc());
            (commands, execution.history().len(), execution.has_ended())
        };
        for command in commands {
            self.carry_out(command);
        }
        if ended {
            lock(&self.under_way).abort_all();
        }
        self.events.send_if_modified(|known| events > std::mem::replace(known, events.max(*known)));
    }

    fn carry_out(self: &Arc<Self>, command: Command) {
        match command {
            Command::StartTask(call) => {
                // Told before the call is made: its answer must not come first.
                self.deliver(Happened::TaskStarted { call: call.id });
                self.make(call);
            }
            Command::CancelTask { call } => {
                if let Some(work) = lock(&self.under_way).calls.remove(&call) {
                    work.abort();
                }
            }
            Command::SetTimer { timer, at } => {
                let this = Arc::downgrade(self);
                let left = (at - OffsetDateTime::now_utc()).max(time::Duration::ZERO).unsigned_abs();
                let waiting = tokio::spawn(async move {
                    tokio::time::sleep(left).await;
                    if let Some(this) = this.upgrade() {
                        this.deliver(Happened::TimerFired { timer });
                    }
                });
                lock(&self.under_way).add_timer(waiting.abort_handle());
            }
        }
    }

    fn make(self: &Arc<Self>, call: Call) {
        let id = call.id;
        // The lock is held from the look to the handle's place: whoever cancels the call after the look finds the handle,
        // and an answer at once finds it there to remove.
        let mut under_way = lock(&self.under_way);
        if !self.look(|execution| execution.waits_for(id)) {
            return;
        }
        let this = Arc::clone(self);
        let work = tokio::spawn(async move {
            let identity = this.look(|execution| execution.identity().clone());
            let happened = match this.outside.call(&identity, call).await {
                Ok(output) => Happened::TaskSucceeded { call: id, output },
                Err(fault) => Happened::TaskFailed { call: id, fault },
            };
            lock(&this.under_way).calls.remove(&id);
            this.deliver(happened);
        });
        under_way.calls.insert(id, work.abort_handle());
    }
}

impl UnderWay {
    fn add_timer(&mut self, timer: AbortHandle) {
        self.timers.retain(|timer| !timer.is_finished());
        self.timers.push(timer);
    }

    fn abort_all(&mut self) {
        for work in self.calls.drain().map(|(_, call)| call).chain(self.timers.drain(..)) {
            work.abort();
        }
    }
}

/// A lock whose holder panicked still holds a value that was left whole: each step is all or nothing for its readers.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

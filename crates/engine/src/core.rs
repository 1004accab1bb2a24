//! The interpreter: what happened goes in, what to do next comes out, and the history grows.
//!
//! [`Execution`] is a value. It does no I/O, takes no lock and looks at no clock; [`Execution::step`] is its one
//! function. So the same code runs live, replays a recorded history, skips waits on a virtual clock and can go on from
//! a journal of what happened.
//!
//! An execution is a set of **branches**: the machine's own graph, each branch of a Parallel state and each iteration
//! of a Map state. A branch is at one state at a time; a branch at a Parallel or Map state waits for the branches it
//! forked.

mod branch;
mod context;
mod evaluations;
mod exit;
mod fork;
mod map_run;
mod parameters;
mod redrive;
pub mod rests;
mod states;
mod task;
pub mod trial;
mod values;

use std::{cell::Cell, collections::VecDeque, sync::Arc, time::Duration};

use asl::{Fault, Machine, Value, fault::names, machine::Resource};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    Revision,
    history::{Event, EventKind, MAX_EVENTS},
    map_run::MapRun,
    mock::Mocked,
};
use branch::{Branch, BranchId, Branches, Next};
use evaluations::Evaluations;
use trial::Notes;

pub use redrive::{NotRedrivable, Redrive};

/// How often branches go on in the beginning of a step: far more often than in most steps, and for less than a millisecond.
const BEGINNING: usize = 256;

/// What an execution is called and belongs to. It never changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// The execution's ARN.
    pub arn: Arc<str>,
    /// The execution's name.
    pub name: Arc<str>,
    /// The state machine's ARN.
    pub state_machine_arn: Arc<str>,
    /// The state machine's name.
    pub state_machine_name: Arc<str>,
    /// The ARN of the version that it was started by, itself or through an alias.
    pub state_machine_version_arn: Option<Arc<str>>,
    /// The ARN of the alias that it was started by.
    pub state_machine_alias_arn: Option<Arc<str>>,
    /// What the state machine was then.
    #[serde(default)]
    pub revision: Arc<Revision>,
    /// The role that the state machine runs as.
    pub role_arn: Arc<str>,
    /// The region, as `TaskScheduled` events give it.
    pub region: Arc<str>,
    /// When it was started.
    pub started_at: OffsetDateTime,
    /// Its input.
    pub input: Value,
    /// The Map Run that it is a child execution of.
    #[serde(default)]
    pub map_run_arn: Option<Arc<str>>,
    /// How many items of the Map Run it has.
    #[serde(default)]
    pub item_count: Option<u64>,
    /// The X-Ray trace that it is part of, for the calls that it makes.
    pub trace_header: Option<Arc<str>>,
    /// What answers calls in place of the services.
    #[serde(default)]
    pub mocked: Option<Mocked>,
    /// Where its random numbers come from: the same seed gives the same execution again.
    pub seed: u64,
}

impl Identity {
    /// Whether it is an execution of an Express machine, which can't be redriven.
    pub fn is_express(&self) -> bool {
        self.arn.split(':').nth(5) == Some("express")
    }
}

/// Something that the outside world tells an execution.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Happened {
    /// It begins. The first thing that happens, once.
    Started,
    /// The outside can't take a call: an activity that does not exist. Nothing of it is written but the error.
    TaskRefused {
        /// The call.
        call: CallId,
        /// Why.
        cause: Arc<str>,
    },
    /// An activity's work can be asked for now. Other calls are taken for scheduled when they are made.
    TaskScheduled {
        /// The call.
        call: CallId,
    },
    /// The outside has begun a call.
    TaskStarted {
        /// The call.
        call: CallId,
        /// The worker who took an activity's work, by the name that it gave.
        worker: Option<Arc<str>>,
    },
    /// The work was handed in: its end comes later.
    TaskSubmitted {
        /// The call.
        call: CallId,
        /// What the service answered to the hand-in.
        output: Value,
    },
    /// Whoever does the work is still at it.
    TaskHeartbeat {
        /// The call.
        call: CallId,
    },
    /// Somebody who has the task's token says how it ends. Once; the history tells first that the work was handed in.
    TaskEnded {
        /// The call.
        call: CallId,
        /// The output, or the error.
        end: Result<Value, Fault>,
    },
    /// A call was answered.
    TaskSucceeded {
        /// The call.
        call: CallId,
        /// The answer.
        output: Value,
    },
    /// A call failed.
    TaskFailed {
        /// The call.
        call: CallId,
        /// Why.
        fault: Fault,
    },
    /// A Map Run has ended.
    MapRunEnded {
        /// Which one.
        run: CallId,
        /// The state's result, or why there is none.
        result: Result<Value, Fault>,
    },
    /// A timer's time has come.
    TimerFired {
        /// The timer.
        timer: TimerId,
    },
    /// Somebody wants it to stop: `StopExecution`.
    StopRequested {
        /// Why, where they say so.
        fault: Fault,
    },
    /// Somebody wants it to go on where it failed: `RedriveExecution`. The one thing that happens after an end.
    Redriven {
        /// What they know the request by.
        client_token: Option<Arc<str>>,
    },
}

/// Something that an execution wants from the outside world.
#[derive(Clone, Debug)]
pub enum Command {
    /// Make this call, and tell when it begins and how it ends.
    StartTask(Call),
    /// The call's answer is not wanted any more.
    CancelTask {
        /// The call.
        call: CallId,
    },
    /// Carry out this Map Run, and tell how it ended.
    StartMapRun(Arc<MapRun>),
    /// The Map Run's end is not wanted any more.
    CancelMapRun {
        /// Which one.
        run: CallId,
    },
    /// Tell when this time has come. A timer is never cancelled; one that nobody waits for any more changes nothing.
    SetTimer {
        /// The timer.
        timer: TimerId,
        /// When.
        at: OffsetDateTime,
    },
}

/// A call of a Task state.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which one.
    pub id: CallId,
    /// The Task state's name.
    pub state: Arc<str>,
    /// What is called.
    pub resource: Resource,
    /// With what: the state's effective input.
    pub input: Value,
    /// How often this state has tried before.
    pub retry_count: u32,
    /// What ends the task when somebody sends it, for those that can be ended so.
    pub token: Option<Arc<str>>,
    /// The role that the task is done with, where it is not the state machine's.
    pub role_arn: Option<Arc<str>>,
    /// How far it has come: a call that is made again need not begin anew.
    pub progress: Progress,
}

/// How far a call has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// The outside has not taken it yet.
    Requested,
    /// It can be begun.
    Scheduled,
    /// It has begun.
    Started,
    /// Its work was handed in, and this was answered; its end comes later.
    Submitted(Value),
}

impl Call {
    /// Whether it was made before, by a runner that was stopped before the answer came.
    pub fn is_made_again(&self) -> bool {
        self.progress != Progress::Requested
    }

    /// An id for what the call makes: the same one whenever it is made, and no other call of any execution has it.
    pub fn uuid(&self, execution: &Identity) -> Uuid {
        uuid::Builder::from_random_bytes(self.id.hashed_with(execution.arn.as_bytes())).into_uuid()
    }
}

/// A call or a Map Run, for as long as the execution lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallId {
    /// Who made it: an answer needs no search.
    branch: BranchId,
    number: u64,
}

impl CallId {
    /// 16 bytes that this text and the call give alone.
    fn hashed_with(self, text: &[u8]) -> [u8; 16] {
        let digest = Sha256::new().chain_update(text).chain_update(self.branch.number().to_be_bytes());
        let digest: [u8; 32] = digest.chain_update(self.number.to_be_bytes()).finalize().into();
        std::array::from_fn(|index| digest[index])
    }
}

/// A timer, for as long as the execution lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TimerId {
    /// Who set it: nobody searches for who waits.
    branch: BranchId,
    number: u64,
}

/// A timer that was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Timer {
    id: TimerId,
    at: OffsetDateTime,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// `SUCCEEDED`
    Succeeded(Value),
    /// `FAILED`
    Failed(Fault),
    /// `TIMED_OUT`
    TimedOut(Fault),
    /// `ABORTED`
    Aborted(Fault),
}

/// An execution of a state machine.
#[derive(Debug)]
pub struct Execution {
    machine: Arc<Machine>,
    identity: Arc<Identity>,
    history: Vec<Event>,
    branches: Branches,
    /// Branches that can go on at once.
    ready: VecDeque<BranchId>,
    commands: Vec<Command>,
    now: OffsetDateTime,
    /// The next call or timer.
    next_number: u64,
    random: Cell<u64>,
    evaluations: Evaluations,
    time_limit: Option<Timer>,
    /// Every call waits for the outside to say that it is scheduled.
    asks_to_schedule: bool,
    /// The history is full: nothing but its last event can be written.
    full: bool,
    redrive: Option<Redrive>,
    /// The machine's own graph as it was at an end before its time.
    wreck: Option<Box<Branch>>,
    /// What is noted where a single state is tried.
    trial: Option<Box<Notes>>,
}

impl Execution {
    /// An execution that has not begun: step it with [`Happened::Started`].
    pub fn new(machine: Arc<Machine>, identity: Arc<Identity>) -> Self {
        Self {
            now: identity.started_at,
            random: Cell::new(identity.seed),
            evaluations: Evaluations::default(),
            machine,
            identity,
            history: Vec::new(),
            branches: Branches::default(),
            ready: VecDeque::new(),
            commands: Vec::new(),
            next_number: 1,
            time_limit: None,
            asks_to_schedule: false,
            full: false,
            redrive: None,
            wreck: None,
            trial: None,
        }
    }

    /// Lets every call be scheduled when [`Happened::TaskScheduled`] says so, as those of activities are, and not when it is
    /// made: for an outside that knows of calls which could not be.
    pub fn ask_to_schedule(&mut self) {
        self.asks_to_schedule = true;
    }

    /// What it is called and belongs to.
    pub fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// The definition that it runs.
    pub fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }

    /// Everything that has happened so far.
    pub fn history(&self) -> &[Event] {
        &self.history
    }

    /// How it ended, once it has.
    pub fn outcome(&self) -> Option<Outcome> {
        match &self.history.last()?.kind {
            EventKind::ExecutionSucceeded { output } => Some(Outcome::Succeeded(output.clone())),
            EventKind::ExecutionFailed(fault) => Some(Outcome::Failed(fault.clone())),
            EventKind::ExecutionTimedOut(fault) => Some(Outcome::TimedOut(fault.clone())),
            EventKind::ExecutionAborted(fault) => Some(Outcome::Aborted(fault.clone())),
            _ => None,
        }
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.history.last().is_some_and(|last| last.kind.ends_execution())
    }

    /// Whether a call's answer is still wanted.
    pub fn waits_for(&self, call: CallId) -> bool {
        self.branches.pending_call(call).is_some()
    }

    /// Whether a Map Run's end is still wanted.
    pub fn waits_for_map_run(&self, run: CallId) -> bool {
        self.branches.map_run(run).is_some()
    }

    /// What it waits for: the calls, Map Runs and timers that it asked for and that have not come back.
    ///
    /// Who brings an execution back to life by stepping it through what happened asks for these once more.
    pub fn outstanding(&self) -> Vec<Command> {
        let timer = |timer: Timer| Command::SetTimer { timer: timer.id, at: timer.at };
        let limit = self.time_limit.filter(|_| !self.has_ended()).map(timer);
        let calls = self.branches.pending().map(|pending| Command::StartTask(pending.call.clone()));
        let runs = self.branches.map_runs().map(|run| Command::StartMapRun(run.clone()));
        let timers = self.branches.timers().map(timer);
        calls.chain(runs).chain(timers).chain(limit).collect()
    }

    /// Whether this would change anything. What comes too late does not: an answer to a cancelled call, a timer that
    /// nobody waits for, anything but a redrive after the end.
    pub fn expects(&self, happened: &Happened) -> bool {
        if let Happened::Redriven { .. } = happened {
            return self.expects_redrive();
        }
        !self.has_ended()
            && match happened {
                Happened::Started => self.history.is_empty(),
                Happened::TaskRefused { call, .. } | Happened::TaskScheduled { call } => {
                    self.has_come_to(*call, &Progress::Requested)
                }
                Happened::TaskStarted { call, .. } => self.has_come_to(*call, &Progress::Scheduled),
                Happened::TaskSubmitted { call, .. } => {
                    let pending = self.branches.pending_call(*call);
                    pending.is_some_and(|pending| pending.call.resource.is_submitted())
                        && self.has_come_to(*call, &Progress::Started)
                }
                Happened::TaskEnded { call, .. } => {
                    self.branches.pending_call(*call).is_some_and(|pending| pending.end.is_none())
                }
                Happened::TaskHeartbeat { call }
                | Happened::TaskSucceeded { call, .. }
                | Happened::TaskFailed { call, .. } => self.waits_for(*call),
                Happened::MapRunEnded { run, .. } => self.waits_for_map_run(*run),
                Happened::TimerFired { timer } => {
                    self.time_limit.is_some_and(|limit| limit.id == *timer) || self.branches.timer(*timer).is_some()
                }
                Happened::StopRequested { .. } => true,
                Happened::Redriven { .. } => false,
            }
    }

    fn has_come_to(&self, call: CallId, progress: &Progress) -> bool {
        self.branches.pending_call(call).is_some_and(|pending| pending.call.progress == *progress)
    }

    /// Takes what happened, at a moment that is not before any earlier one, and returns what to do next.
    ///
    /// Goes on until every branch waits for the outside. What is not expected changes nothing.
    pub fn step(&mut self, happened: Happened, now: OffsetDateTime) -> Vec<Command> {
        let mut commands = self.begin_step(happened, now);
        commands.extend(self.end_step());
        commands
    }

    /// The beginning of a step, which is all of it unless it is a long one: [`Execution::is_stepping`].
    pub(crate) fn begin_step(&mut self, happened: Happened, now: OffsetDateTime) -> Vec<Command> {
        if self.expects(&happened) {
            self.now = now;
            self.take(happened);
            self.run(BEGINNING);
        }
        std::mem::take(&mut self.commands)
    }

    /// Whether a step has begun and not ended.
    pub(crate) fn is_stepping(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The rest of a step.
    pub(crate) fn end_step(&mut self) -> Vec<Command> {
        if self.is_stepping() {
            self.run(usize::MAX);
        }
        std::mem::take(&mut self.commands)
    }

    /// Takes once more what it was told at one moment, when these of its evaluations took too long.
    pub(crate) fn replay(&mut self, happened: Vec<Happened>, now: OffsetDateTime, too_long: Vec<u64>) {
        self.evaluations.replay(too_long);
        for happened in happened {
            self.step(happened, now);
        }
        self.evaluations.take();
    }

    /// Which evaluations took too long since this was asked last, for [`Execution::replay`].
    pub(crate) fn take_too_long(&mut self) -> Vec<u64> {
        self.evaluations.take()
    }

    fn take(&mut self, happened: Happened) {
        match happened {
            Happened::Started => self.start(),
            Happened::TaskRefused { call, cause } => self.task_refused(call, &cause),
            Happened::TaskScheduled { call } => self.task_scheduled(call),
            Happened::TaskStarted { call, worker } => self.task_started(call, worker),
            Happened::TaskSubmitted { call, output } => self.task_submitted(call, output),
            Happened::TaskHeartbeat { call } => self.task_heartbeat(call),
            Happened::TaskEnded { call, end } => self.task_ended(call, end),
            Happened::TaskSucceeded { call, output } => self.task_succeeded(call, &output),
            Happened::TaskFailed { call, fault } => self.task_failed(call, fault),
            Happened::MapRunEnded { run, result } => self.map_run_ended(run, result),
            Happened::TimerFired { timer } if self.time_limit.is_some_and(|limit| limit.id == timer) => {
                self.end(Outcome::TimedOut(Fault::named(names::TIMEOUT)), 0);
            }
            Happened::TimerFired { timer } => self.timer_fired(timer),
            Happened::StopRequested { fault } => self.end(Outcome::Aborted(fault), 0),
            Happened::Redriven { client_token } => self.redrive(client_token),
        }
    }

    fn start(&mut self) {
        // Its start and its first state's entry: what most executions that wait have, and there may be many.
        self.history.reserve_exact(2);
        let (input, role_arn) = (self.identity.input.clone(), self.identity.role_arn.clone());
        self.append(0, EventKind::ExecutionStarted { input: input.clone(), role_arn });
        self.set_time_limit();
        let graph = self.machine.graph.clone();
        let next = Next::Enter(graph.start, input);
        // The first state's event follows none: the service gives it 0.
        let root = self.branches.add(Branch::new(graph, None, 0, next));
        self.ready.push_back(root);
    }

    /// The time that the machine allows begins anew.
    fn set_time_limit(&mut self) {
        if let Some(seconds) = self.machine.timeout_seconds {
            self.time_limit = self.set_timer(BranchId::ROOT, Duration::from_secs(seconds));
        }
    }

    /// A branch can go on: after the others that can, but those that fail are the first.
    fn goes_on(&mut self, id: BranchId) {
        let failing = self.ready.iter().take_while(|ready| self.branches.fails(**ready)).count();
        self.ready.insert(if self.branches.fails(id) { failing } else { self.ready.len() }, id);
    }

    /// Lets branches go on, at most so many times.
    fn run(&mut self, most: usize) {
        let mut left = most;
        while let Some(id) = self.ready.pop_front() {
            while !self.has_ended() && !self.full && self.advance(id) {
                left -= 1;
                if left == 0 {
                    self.ready.push_front(id);
                    return;
                }
            }
        }
        if self.full && !self.has_ended() {
            let cause = format!("The execution reached the maximum number of history events ({MAX_EVENTS}).");
            let last = self.last_event();
            self.end(Outcome::Failed(Fault::runtime(cause)), last);
        }
    }

    /// Ends the execution: the last event, and no call is wanted any more.
    fn end(&mut self, outcome: Outcome, previous_id: u64) {
        let is_early = !matches!(outcome, Outcome::Succeeded(_));
        let kind = match outcome {
            Outcome::Succeeded(output) => EventKind::ExecutionSucceeded { output },
            Outcome::Failed(fault) => EventKind::ExecutionFailed(fault),
            Outcome::TimedOut(fault) => EventKind::ExecutionTimedOut(fault),
            Outcome::Aborted(fault) => EventKind::ExecutionAborted(fault),
        };
        self.push(previous_id, kind);
        let cancelled = self.branches.pending().map(|pending| Command::CancelTask { call: pending.call.id });
        self.commands.extend(cancelled);
        let cancelled = self.branches.map_runs().map(|run| Command::CancelMapRun { run: run.id });
        self.commands.extend(cancelled);
        if is_early {
            self.wreck();
        }
        self.branches.clear();
        self.ready.clear();
    }

    /// Writes an event, unless the history has room only for its last one. Returns the id of the newest event.
    fn append(&mut self, previous_id: u64, kind: EventKind) -> u64 {
        if self.history.len() + 1 >= MAX_EVENTS {
            self.full = true;
            return self.last_event();
        }
        self.push(previous_id, kind)
    }

    fn push(&mut self, previous_id: u64, kind: EventKind) -> u64 {
        let id = self.last_event() + 1;
        self.history.push(Event { id, previous_id, at: self.now, kind });
        id
    }

    fn last_event(&self) -> u64 {
        self.history.len() as u64
    }

    /// Sets a timer; none where its time is later than any date that can be written, which is never.
    fn set_timer(&mut self, branch: BranchId, after: Duration) -> Option<Timer> {
        let id = TimerId { branch, number: self.new_number() };
        let at = time::Duration::try_from(after).ok().and_then(|after| self.now.checked_add(after))?;
        self.commands.push(Command::SetTimer { timer: id, at });
        Some(Timer { id, at })
    }

    fn new_number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    /// 64 random bits, the next of the sequence that the seed begins.
    fn random(&self) -> u64 {
        asl::random::next(&self.random)
    }
}

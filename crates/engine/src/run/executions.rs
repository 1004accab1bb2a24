//! The Standard executions of a runner: those that go on are in memory, all are in the journal.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use asl::{Machine, Value};
use time::OffsetDateTime;

use super::{Outside, Running, lengthy, lock, recent::Recent, record::Recording, stepping};
use crate::{
    core::{Command, Execution, Happened, Identity, NotRedrivable},
    journal::{Definition, DefinitionId, Journal, JournalError, Listed, MOST_STARTS, RecallError, Wanted},
};

/// The Standard executions there are and were.
pub struct Executions {
    journal: Arc<Journal>,
    outside: Arc<dyn Outside>,
    kept: Mutex<Kept>,
    /// One that was being started is there now, or will not be.
    started: Condvar,
    /// Held for a redrive: one at a time.
    redriving: Mutex<()>,
    resumed: AtomicBool,
}

#[derive(Default)]
struct Kept {
    /// Those that have not ended.
    running: HashMap<Arc<str>, Arc<Running>>,
    /// Those that take their first steps, and that nobody else may bring to life meanwhile.
    starting: HashSet<Arc<str>>,
    recent: Recent,
    /// What is compiled, and used by somebody.
    machines: HashMap<DefinitionId, Weak<Machine>>,
}

/// An execution is being started, for as long as this lives.
struct Starting<'a> {
    executions: &'a Executions,
    arn: Arc<str>,
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        lock(&self.executions.kept).starting.remove(&self.arn);
        self.executions.started.notify_all();
    }
}

/// An execution from the journal, and what it still waits for.
type Recalled = (Arc<Running>, Vec<Command>);

/// An execution that was asked for.
pub enum Started {
    /// It is new.
    New(Arc<Running>),
    /// It was there, with this name and this input, and goes on.
    Same(Arc<Running>),
}

impl Started {
    /// The execution.
    pub fn running(&self) -> &Arc<Running> {
        match self {
            Self::New(running) | Self::Same(running) => running,
        }
    }
}

/// Why an execution was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is one with its ARN, which has ended or has another input.
    #[error("there is another execution with this name")]
    Exists,
    /// There is one with its ARN, and it can't be brought back.
    #[error(transparent)]
    Recall(#[from] RecallError),
    /// It can't be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// An execution that somebody wanted to go on where it failed.
pub enum Redriven {
    /// It goes on.
    Now {
        /// The execution. Who holds what it was before sees its earlier end.
        running: Arc<Running>,
        /// When it was redriven.
        at: OffsetDateTime,
        /// How many events it had before.
        events_before: usize,
    },
    /// The same request has come before.
    Before {
        /// When it was redriven then.
        at: OffsetDateTime,
    },
}

impl Redriven {
    /// When it was redriven.
    pub fn at(&self) -> OffsetDateTime {
        match self {
            Self::Now { at, .. } | Self::Before { at } => *at,
        }
    }
}

/// Why an execution was not redriven.
#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    /// There is none with its ARN.
    #[error("there is no such execution")]
    NotFound,
    /// It can't be.
    #[error(transparent)]
    NotRedrivable(#[from] NotRedrivable),
    /// It can't be brought back.
    #[error(transparent)]
    Recall(#[from] RecallError),
    /// It can't be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// The executions that were found in the journal.
#[derive(Default)]
pub struct Resumed {
    /// Those that go on.
    pub running: Vec<Arc<Running>>,
    /// Why others do not.
    pub refused: Vec<RecallError>,
}

impl Executions {
    /// A limit for a list of all there are: more than that, and no more than the journal can count.
    pub const NO_LIMIT: usize = usize::MAX / 2;

    /// The executions of a journal. Those that have not ended go on with [`Executions::resume`].
    pub fn new(journal: Journal, outside: Arc<dyn Outside>) -> Arc<Self> {
        let (kept, redriving, resumed) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        let (journal, started) = (Arc::new(journal), Condvar::new());
        Arc::new(Self { journal, outside, kept, started, redriving, resumed })
    }

    /// Starts an execution. Must be called inside a Tokio runtime.
    pub fn start(self: &Arc<Self>, definition: &Definition, identity: Identity) -> Result<Started, StartError> {
        let (arn, input) = (identity.arn.clone(), identity.input.clone());
        let mut kept = self.kept_without(&arn);
        if let Some(running) = kept.running.get(&arn).cloned() {
            drop(kept);
            return same(&running, &input);
        }
        kept.starting.insert(arn.clone());
        drop(kept);
        let starting = Starting { executions: self, arn: arn.clone() };
        let execution = Execution::new(definition.machine().clone(), Arc::new(identity));
        let now = self.outside.clock().now();
        let begin = || Recording::begin(execution, definition, self.journal.clone(), now);
        let Some((recording, commands)) = stepping(definition.machine().has_jsonata, begin)? else {
            drop(starting);
            return match self.find(&arn)? {
                Some(running) => same(&running, &input),
                None => Err(StartError::Exists),
            };
        };
        let running = Running::of(recording, self.outside.clone(), Arc::downgrade(self));
        let mut kept = lock(&self.kept);
        kept.machines.insert(definition.id, Arc::downgrade(definition.machine()));
        let running = kept.keep(running);
        drop(kept);
        drop(starting);
        running.carry_out(commands);
        Ok(Started::New(running))
    }

    /// What is kept, once this execution is not being started.
    fn kept_without(&self, arn: &str) -> MutexGuard<'_, Kept> {
        let kept = lock(&self.kept);
        if !kept.starting.contains(arn) {
            return kept;
        }
        drop(kept);
        lengthy(|| {
            let is_starting = |kept: &mut Kept| kept.starting.contains(arn);
            self.started.wait_while(lock(&self.kept), is_starting).unwrap_or_else(PoisonError::into_inner)
        })
    }

    /// Lets every execution of the journal that has not ended go on: timers are set for the times that they had, and
    /// calls without an answer are made again. Must be called inside a Tokio runtime, once.
    ///
    /// One at which the last starts of the runner ended is left alone.
    pub fn resume(self: &Arc<Self>) -> Result<Resumed, JournalError> {
        let mut resumed = Resumed::default();
        let earlier_starts = self.journal.earlier_starts()?;
        for arn in self.journal.running()? {
            let Some(ended) = earlier_starts.of(&arn) else {
                resumed.refused.push(RecallError::EndsTheRunner { arn: arn.into(), starts: MOST_STARTS });
                continue;
            };
            self.journal.resumes(&arn, ended + 1)?;
            match self.recall(&arn) {
                Ok(Some((running, outstanding))) => {
                    // Somebody may have looked at it before, and stopped it.
                    let running = self.kept_without(&arn).keep(running);
                    running.resume(outstanding);
                    resumed.running.push(running);
                }
                Ok(None) => {}
                Err(error) => resumed.refused.push(error),
            }
        }
        self.journal.has_resumed()?;
        self.resumed.store(true, Ordering::Release);
        Ok(resumed)
    }

    /// How many executions have not ended and are let go on by nobody yet: what they wait for is unknown here.
    pub fn left(&self) -> Result<usize, JournalError> {
        if self.resumed.load(Ordering::Acquire) {
            return Ok(0);
        }
        let running = self.journal.running()?;
        let kept = lock(&self.kept);
        Ok(running.iter().filter(|arn| !kept.running.contains_key(arn.as_str())).count())
    }

    /// The execution with this ARN.
    pub fn find(self: &Arc<Self>, arn: &str) -> Result<Option<Arc<Running>>, RecallError> {
        let mut kept = self.kept_without(arn);
        if let Some(running) = kept.running.get(arn).cloned().or_else(|| kept.recent.find(arn)) {
            return Ok(Some(running));
        }
        drop(kept);
        let Some((running, _)) = self.recall(arn)? else { return Ok(None) };
        Ok(Some(self.kept_without(arn).keep(running)))
    }

    /// Lets an execution that did not succeed go on where it failed. Must be called inside a Tokio runtime.
    ///
    /// A request with the token of an earlier one, as long as that is remembered, changes nothing.
    pub fn redrive(self: &Arc<Self>, arn: &str, client_token: Option<&str>) -> Result<Redriven, RedriveError> {
        let _one_at_a_time = lock(&self.redriving);
        let now = self.outside.clock().now();
        let found = self.find(arn)?.ok_or(RedriveError::NotFound)?;
        let before = |execution: &Execution| execution.redriven_by(client_token?, now);
        if let Some(at) = found.look(before) {
            return Ok(Redriven::Before { at });
        }
        found.look(|execution| execution.redrivable(now))?;
        // What was held of its earlier life has ended, and is left alone: whoever waits for that end finds it.
        let (running, _) = self.recall(arn)?.ok_or(RedriveError::NotFound)?;
        let events_before = running.look(|execution| execution.history().len());
        lock(&self.kept).replace(running.clone());
        let told = running.tell(Happened::Redriven { client_token: client_token.map(Into::into) });
        let redriven = running.look(|execution| execution.redriven().filter(|_| told.as_ref().is_ok_and(|told| *told)));
        match (told, redriven) {
            (Err(error), _) => {
                self.retire(&running);
                Err(error.into())
            }
            (Ok(_), Some(redrive)) => Ok(Redriven::Now { running, at: redrive.at, events_before }),
            // It was redrivable, and nobody else redrives.
            (Ok(_), None) => Err(NotRedrivable::History.into()),
        }
    }

    /// Keeps what is known of a Map Run, in place of what was. It goes with the execution that it is part of.
    pub fn keep_map_run(&self, arn: &str, execution_arn: &str, record: &str) -> Result<(), JournalError> {
        self.journal.keep_map_run(arn, execution_arn, record)
    }

    /// What is known of the Map Run with this ARN.
    pub fn map_run(&self, arn: &str) -> Result<Option<String>, JournalError> {
        self.journal.map_run(arn)
    }

    /// Keeps what the Express child executions of a Map Run gave, in place of what was. It goes with the Map Run.
    pub fn keep_children(&self, map_run_arn: &str, children: &str) -> Result<(), JournalError> {
        self.journal.keep_children(map_run_arn, children)
    }

    /// What the Express child executions of a Map Run gave, where that is kept.
    pub fn children(&self, map_run_arn: &str) -> Result<Option<String>, JournalError> {
        self.journal.children(map_run_arn)
    }

    /// What is known of the Map Runs of an execution, the newest first.
    pub fn map_runs_of(&self, execution_arn: &str) -> Result<Vec<String>, JournalError> {
        self.journal.map_runs_of(execution_arn)
    }

    /// Executions, newest first, `limit` of them.
    pub fn list(&self, wanted: Wanted<'_>, limit: usize) -> Result<Vec<Listed>, JournalError> {
        self.journal.list(wanted, limit)
    }

    /// The text of the definition that the execution with this ARN was started with.
    pub fn definition(&self, arn: &str) -> Result<String, JournalError> {
        self.journal.definition_of(arn)
    }

    /// How many go on.
    pub fn running(&self) -> usize {
        let kept: Vec<_> = lock(&self.kept).running.values().cloned().collect();
        // One that has just ended may not be put away yet.
        kept.iter().filter(|running| !running.look(Execution::has_ended)).count()
    }

    /// Takes nothing more, and gives up all calls and timers: the executions go on at the next start.
    pub fn close(&self) {
        self.journal.close();
        for running in lock(&self.kept).running.values() {
            running.give_up();
        }
    }

    /// An execution has ended: it is kept for as long as it is asked for.
    pub(super) fn retire(&self, running: &Arc<Running>) {
        let mut kept = lock(&self.kept);
        let arn = &running.identity().arn;
        match kept.running.get(arn) {
            Some(now) if !Arc::ptr_eq(now, running) => {}
            _ => {
                kept.running.remove(arn);
                kept.recent.add(running.clone());
            }
        }
    }

    fn recall(self: &Arc<Self>, arn: &str) -> Result<Option<Recalled>, RecallError> {
        let found = self.journal.find(arn).map_err(|error| RecallError::of(arn, error))?;
        let Some(recorded) = found else { return Ok(None) };
        let machine = self.machine(recorded.definition, arn)?;
        let recall = |machine| Recording::recall(recorded, machine, self.journal.clone());
        // A history may be long.
        let (recording, outstanding) = lengthy(|| recall(machine))?;
        Ok(Some((Running::of(recording, self.outside.clone(), Arc::downgrade(self)), outstanding)))
    }

    fn machine(&self, id: DefinitionId, arn: &str) -> Result<Arc<Machine>, RecallError> {
        if let Some(machine) = lock(&self.kept).machines.get(&id).and_then(Weak::upgrade) {
            return Ok(machine);
        }
        let refused = |problem| RecallError::Definition { arn: arn.into(), problem };
        let text = self.journal.definition(id).map_err(|error| RecallError::of(arn, error))?;
        let definition = Value::parse(&text).map_err(|error| refused(error.to_string()))?;
        let machine = Machine::compile(&definition).map_err(|found| {
            let problems: Vec<_> = found.iter().map(ToString::to_string).collect();
            refused(problems.join("; "))
        })?;
        let machine = Arc::new(machine);
        lock(&self.kept).machines.insert(id, Arc::downgrade(&machine));
        Ok(machine)
    }
}

impl Kept {
    /// Keeps an execution that is about to go on, in place of what is kept of its earlier life.
    fn replace(&mut self, running: Arc<Running>) {
        let arn = running.identity().arn.clone();
        self.recent.remove(&arn);
        self.running.insert(arn, running);
    }

    /// Keeps an execution, unless it is there already: there is one of each. Returns the one that is kept.
    fn keep(&mut self, running: Arc<Running>) -> Arc<Running> {
        let arn = &running.identity().arn;
        if let Some(kept) = self.running.get(arn).cloned().or_else(|| self.recent.find(arn)) {
            return kept;
        }
        if running.look(|execution| execution.has_ended()) {
            self.recent.add(running.clone());
        } else {
            self.running.insert(arn.clone(), running.clone());
        }
        running
    }
}

fn same(running: &Arc<Running>, input: &Value) -> Result<Started, StartError> {
    let goes_on = running.look(|execution| !execution.has_ended());
    if goes_on && running.identity().input == *input {
        Ok(Started::Same(running.clone()))
    } else {
        Err(StartError::Exists)
    }
}

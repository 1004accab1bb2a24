//! Map Runs: what distributed Map states have done outside of their executions.
//!
//! A Map Run reads its items, starts child executions, and writes their results. Nothing of that has to be journalled:
//! after a restart its execution asks for it again, and each child execution has the same name as before, so those that
//! ended count, those that run go on, and the others are started. The items are read once more. What is told of a Map
//! Run, and what `UpdateMapRun` changes, is kept in the journal with its execution.
//!
//! A Map Run that is redriven is asked for in the same way. Standard child executions that did not succeed are redriven;
//! Express ones, of which the journal has no history, are started again. What those that succeeded gave is kept with the
//! Map Run, so that they count again.

mod carry_out;
mod counts;
mod describe;
mod kept;
mod planned;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};

use engine::{
    Identity,
    core::Call,
    journal::JournalError,
    map_run::MapRun,
    run::{Answer, Clock, Executions, MapRunEnd, Outside, Reports, Running},
};
use time::OffsetDateTime;
use tokio::sync::broadcast;

use super::{
    ApiError, Status,
    items::{objects::Objects, writer::Child},
};
use crate::logs::Logs;
use counts::Fate;
use kept::Kept;

pub(super) use kept::Record;

/// How many child executions run at once where the state does not say: what the service allows at most is too much for
/// one machine.
const DEFAULT_CONCURRENCY: usize = 1_000;

/// How many child executions run at once at most, as in the service.
const MAX_CONCURRENCY: usize = 10_000;

/// Carries out Map Runs, and whatever another outside does.
pub(super) struct MapRuns(Arc<Shared>);

/// What every Map Run needs.
struct Shared {
    outside: Arc<dyn Outside>,
    objects: Arc<dyn Objects>,
    logs: Arc<Logs>,
    executions: OnceLock<Weak<Executions>>,
    /// Who is told of child executions that begin.
    started: broadcast::Sender<Arc<Running>>,
    /// Those that are carried out, by their ARNs.
    runs: Mutex<HashMap<Arc<str>, Arc<Kept>>>,
}

/// What `UpdateMapRun` changes: only what is there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    pub(super) max_concurrency: Option<u64>,
    pub(super) tolerated_failure_count: Option<u64>,
    pub(super) tolerated_failure_percentage: Option<f64>,
}

impl MapRuns {
    /// Map Runs whose child executions work with this outside, on these objects.
    pub(super) fn new(
        outside: Arc<dyn Outside>,
        objects: Arc<dyn Objects>,
        logs: Arc<Logs>,
        started: broadcast::Sender<Arc<Running>>,
    ) -> Arc<Self> {
        let (executions, runs) = (OnceLock::new(), Mutex::default());
        Arc::new(Self(Arc::new(Shared { outside, objects, logs, executions, started, runs })))
    }

    /// Names the executions that Standard child executions are part of. Once, before anything runs.
    pub(super) fn connect(&self, executions: &Arc<Executions>) {
        // There is one set of executions.
        let _ = self.0.executions.set(Arc::downgrade(executions));
    }

    /// The Map Run with this ARN.
    pub(super) fn find(&self, arn: &str) -> Result<Record, ApiError> {
        let found = self.0.stored(arn)?.map(|record| self.0.known(record));
        found.ok_or_else(|| ApiError::new("ResourceNotFound", format!("Resource not found: '{arn}'")))
    }

    /// The Map Runs of an execution, the newest first.
    pub(super) fn of(&self, execution_arn: &str) -> Result<Vec<Record>, ApiError> {
        let Some(executions) = self.0.executions() else { return Ok(Vec::new()) };
        let kept = executions.map_runs_of(execution_arn).map_err(|error| ApiError::internal(&error))?;
        kept.iter().map(|text| Ok(self.0.known(parse(text)?))).collect()
    }

    /// The child executions of a Map Run that wait for their redrive, by their ARNs.
    pub(super) fn pending_redrive(&self, arn: &str) -> HashSet<Arc<str>> {
        self.0.runs().get(arn).map(|kept| kept.pending_redrive().clone()).unwrap_or_default()
    }

    /// Whether a child execution of a Map Run waits for its redrive.
    pub(super) fn is_pending_redrive(&self, arn: &str, execution: &str) -> bool {
        self.0.runs().get(arn).is_some_and(|kept| kept.pending_redrive().contains(execution))
    }

    /// Changes how many child executions run at once and how many items may fail, from now on.
    pub(super) fn change(&self, arn: &str, change: Change) -> Result<(), ApiError> {
        let live = self.0.runs().get(arn).cloned();
        if let Some(kept) = live {
            kept.limits.send_modify(|limits| limits.change(change));
            return self.0.write(&kept.record());
        }
        let mut record = self.find(arn)?;
        record.limits.change(change);
        self.0.write(&record)
    }
}

impl Outside for MapRuns {
    fn call(&self, execution: &Arc<Identity>, call: Call, reports: Reports) -> Answer {
        self.0.outside.call(execution, call, reports)
    }

    fn clock(&self) -> Clock {
        self.0.outside.clock()
    }

    fn map_run(&self, execution: &Arc<Identity>, run: Arc<MapRun>) -> MapRunEnd {
        let kept = self.0.begin(execution, &run);
        carry_out::carry_out(self.0.clone(), execution.clone(), run, kept)
    }
}

impl Shared {
    /// A Map Run begins, or goes on.
    fn begin(&self, execution: &Identity, run: &MapRun) -> Arc<Kept> {
        let before = self.stored(&run.arn).unwrap_or_default();
        let mut runs = self.runs();
        let after = runs.get(&run.arn).map(|kept| &**kept);
        let kept = Arc::new(Kept::new(execution, run, before.as_ref(), after));
        runs.insert(run.arn.clone(), kept.clone());
        drop(runs);
        self.try_write(&kept);
        kept
    }

    /// A Map Run has ended. False where it was ended before.
    fn end(&self, kept: &Arc<Kept>, status: Status, at: OffsetDateTime) -> bool {
        if !kept.ends(status, at) {
            return false;
        }
        let mut runs = self.runs();
        // Where it is redriven already, another attempt has its place.
        if runs.get(&kept.about.arn).is_some_and(|now| Arc::ptr_eq(now, kept)) {
            self.try_write(kept);
            runs.remove(&kept.about.arn);
        }
        true
    }

    /// What the journal has of the Map Run with this ARN.
    fn stored(&self, arn: &str) -> Result<Option<Record>, ApiError> {
        let Some(executions) = self.executions() else { return Ok(None) };
        let text = executions.map_run(arn).map_err(|error| ApiError::internal(&error))?;
        text.map(|text| parse(&text)).transpose()
    }

    /// What is known of a Map Run of which the journal has this.
    fn known(&self, mut record: Record) -> Record {
        if let Some(live) = self.runs().get(&record.about.arn) {
            return live.record();
        }
        if record.progress.status == Status::Running
            && let Some(ended_at) = self.end_of(&record.about.execution_arn)
        {
            // The runner was stopped between the end of the execution and that of its Map Run.
            record.abort(ended_at);
        }
        record
    }

    /// When an execution ended, where it has.
    fn end_of(&self, execution_arn: &str) -> Option<OffsetDateTime> {
        let execution = self.executions()?.find(execution_arn).ok()??;
        execution
            .look(|execution| execution.history().last().filter(|last| last.kind.ends_execution()).map(|last| last.at))
    }

    fn write(&self, record: &Record) -> Result<(), ApiError> {
        let Some(executions) = self.executions() else { return Ok(()) };
        let text = serde_json::to_string(record).map_err(|error| ApiError::internal(&error))?;
        let kept = executions.keep_map_run(&record.about.arn, &record.about.execution_arn, &text);
        kept.map_err(|error| ApiError::internal(&error))
    }

    /// What can't be written is told at the next start as it was before. Nothing else comes of it.
    fn try_write(&self, kept: &Kept) {
        if let Err(error) = self.write(&kept.record()) {
            tracing::debug!(arn = &*kept.about.arn, %error, "what is known of a Map Run can't be kept");
        }
    }

    /// Keeps what the Express child executions of a Map Run gave, in case that it is redriven. Where that can't be written,
    /// all are started again.
    fn keep_children(&self, arn: &str, children: &[Child]) {
        let Some(executions) = self.executions() else { return };
        let succeeded: Vec<_> =
            children.iter().map(|child| Some(child).filter(|child| child.has_succeeded())).collect();
        let text = serde_json::to_string(&succeeded).map_err(JournalError::from);
        if let Err(error) = text.and_then(|text| executions.keep_children(arn, &text)) {
            tracing::debug!(arn, %error, "what the child executions of a Map Run gave can't be kept");
        }
    }

    fn executions(&self) -> Option<Arc<Executions>> {
        self.executions.get().and_then(Weak::upgrade)
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Kept>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(text: &str) -> Result<Record, ApiError> {
    serde_json::from_str(text).map_err(|error| ApiError::internal(&error))
}

//! Map Runs: what distributed Map states have done outside of their executions.
//!
//! A Map Run reads its items, starts child executions, and writes their results. It keeps nothing of its own that would
//! have to be journalled: after a restart its execution asks for it again, and each child execution has the same name
//! as before, so those that ended count, those that run go on, and the others are started. The items are read once more.
//! What is known of a Map Run beyond its child executions goes with the runner.

mod carry_out;
mod counts;
mod describe;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use engine::{
    Identity,
    core::Call,
    map_run::{MapRun, Tolerance},
    run::{Answer, Clock, Executions, MapRunEnd, Outside, Reports, Running},
};
use indexmap::IndexMap;
use time::OffsetDateTime;
use tokio::sync::{broadcast, watch};

use super::{ApiError, Status, items::objects::Objects};
use crate::logs::Logs;
use counts::{Counts, Fate};

/// How many child executions run at once where the state does not say: what the service allows at most is too much for
/// one machine.
const DEFAULT_CONCURRENCY: usize = 1_000;

/// How many child executions run at once at most, as in the service.
const MAX_CONCURRENCY: usize = 10_000;

/// How many Map Runs are known after their ends: the oldest are forgotten first.
const KEPT: usize = 10_000;

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
    /// By their ARNs, the oldest first.
    runs: Mutex<IndexMap<Arc<str>, Arc<Kept>>>,
}

/// What is known of a Map Run.
pub(super) struct Kept {
    arn: Arc<str>,
    /// The execution whose state it is.
    execution_arn: Arc<str>,
    state_machine_arn: Arc<str>,
    started_at: OffsetDateTime,
    limits: watch::Sender<Limits>,
    progress: Mutex<Progress>,
}

/// What can be changed while a Map Run runs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Limits {
    /// `MaxConcurrency`; 0 is no limit of its own.
    max_concurrency: u64,
    tolerance: Tolerance,
}

/// How far a Map Run has come.
#[derive(Clone, Copy, Debug)]
struct Progress {
    status: Status,
    stopped_at: Option<OffsetDateTime>,
    /// Of child executions.
    executions: Counts,
    items: Counts,
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
    pub(super) fn find(&self, arn: &str) -> Result<Arc<Kept>, ApiError> {
        let found = self.0.runs().get(arn).cloned();
        found.ok_or_else(|| ApiError::new("ResourceNotFound", format!("Resource not found: '{arn}'")))
    }

    /// The Map Runs of an execution, the newest first.
    pub(super) fn of(&self, execution_arn: &str) -> Vec<Arc<Kept>> {
        self.0.runs().values().rev().filter(|kept| &*kept.execution_arn == execution_arn).cloned().collect()
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
        let kept = Arc::new(Kept::new(execution, &run));
        self.0.keep(kept.clone());
        carry_out::carry_out(self.0.clone(), execution.clone(), run, kept)
    }
}

impl Shared {
    fn keep(&self, kept: Arc<Kept>) {
        let mut runs = self.runs();
        runs.insert(kept.arn.clone(), kept);
        if runs.len() > KEPT {
            let has_ended = |kept: &Arc<Kept>| kept.progress().status != Status::Running;
            if let Some(oldest) = runs.values().position(has_ended) {
                runs.shift_remove_index(oldest);
            }
        }
    }

    fn runs(&self) -> MutexGuard<'_, IndexMap<Arc<str>, Arc<Kept>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn new(execution: &Identity, run: &MapRun) -> Self {
        let limits = Limits { max_concurrency: run.max_concurrency.unwrap_or(0), tolerance: run.tolerance };
        Self {
            arn: run.arn.clone(),
            execution_arn: execution.arn.clone(),
            state_machine_arn: run.state_machine_arn.clone(),
            started_at: run.started_at,
            limits: watch::Sender::new(limits),
            progress: Mutex::new(Progress {
                status: Status::Running,
                stopped_at: None,
                executions: Counts::default(),
                items: Counts::default(),
            }),
        }
    }

    /// Changes how many child executions run at once and how many items may fail, from now on.
    pub(super) fn change(&self, change: Change) {
        self.limits.send_modify(|limits| {
            limits.max_concurrency = change.max_concurrency.unwrap_or(limits.max_concurrency);
            limits.tolerance = Tolerance {
                count: change.tolerated_failure_count.or(limits.tolerance.count),
                percentage: change.tolerated_failure_percentage.or(limits.tolerance.percentage),
            };
        });
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A child execution with so many items comes from one fate to another; from none as it is planned.
    fn moves(&self, items: u64, from: Option<Fate>, to: Fate) {
        let mut progress = self.progress();
        progress.executions.moves(1, from, to);
        progress.items.moves(items, from, to);
    }

    /// It has ended. What ended is ended: only the first time counts.
    fn ends(&self, status: Status, at: OffsetDateTime) {
        let mut progress = self.progress();
        if progress.status == Status::Running {
            progress.status = status;
            progress.stopped_at = Some(at);
        }
    }
}

impl Limits {
    /// How many child executions run at once.
    fn at_once(&self) -> usize {
        match usize::try_from(self.max_concurrency) {
            Ok(0) => DEFAULT_CONCURRENCY,
            Ok(limit) => limit.min(MAX_CONCURRENCY),
            Err(_) => MAX_CONCURRENCY,
        }
    }
}

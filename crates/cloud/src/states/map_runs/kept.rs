//! What is known of Map Runs: of those that are carried out here, and in the journal of all.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use engine::{
    Identity, Status,
    map_run::{MapRun, Tolerance},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::sync::watch;

use super::{
    Change, DEFAULT_CONCURRENCY, MAX_CONCURRENCY,
    counts::{Counts, Fate},
    planned::Planned,
};

/// What is known of a Map Run, as the journal keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::states) struct Record {
    #[serde(flatten)]
    pub(super) about: About,
    pub(super) limits: Limits,
    #[serde(flatten)]
    pub(super) progress: Progress,
}

/// What does not change while a Map Run is carried out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) arn: Arc<str>,
    /// The execution whose state it is.
    pub(super) execution_arn: Arc<str>,
    pub(super) state_machine_arn: Arc<str>,
    pub(super) started_at: OffsetDateTime,
    pub(super) redrives: u64,
    pub(super) redriven_at: Option<OffsetDateTime>,
}

/// What can be changed while a Map Run runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Limits {
    /// `MaxConcurrency`; 0 is no limit of its own.
    pub(super) max_concurrency: u64,
    pub(super) tolerance: Tolerance,
}

/// How far a Map Run has come.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Progress {
    pub(super) status: Status,
    pub(super) stopped_at: Option<OffsetDateTime>,
    /// Of child executions.
    pub(super) executions: Counts,
    pub(super) items: Counts,
}

/// A Map Run that is carried out.
pub(super) struct Kept {
    pub(super) about: About,
    pub(super) limits: watch::Sender<Limits>,
    progress: Mutex<Progress>,
    /// The child executions that wait for their redrive, by their ARNs.
    pending_redrive: Mutex<HashSet<Arc<str>>>,
    /// Held while it is carried out: where it is redriven, what came before ends first.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
}

impl Record {
    /// Nobody carries it out any more, since then.
    pub(super) fn abort(&mut self, at: OffsetDateTime) {
        let Progress { status, stopped_at, executions, items } = &mut self.progress;
        (*status, *stopped_at) = (Status::Aborted, Some(at));
        executions.abort();
        items.abort();
    }
}

impl Kept {
    /// A Map Run of this execution that begins, or goes on with what was known of it.
    pub(super) fn new(execution: &Identity, run: &MapRun, before: Option<&Record>, after: Option<&Self>) -> Self {
        let told = Limits { max_concurrency: run.max_concurrency.unwrap_or(0), tolerance: run.tolerance };
        Self {
            about: About {
                arn: run.arn.clone(),
                execution_arn: execution.arn.clone(),
                state_machine_arn: run.state_machine_arn.clone(),
                started_at: run.started_at,
                redrives: run.redrive.map_or(0, |redrive| redrive.count),
                redriven_at: run.redrive.map(|redrive| redrive.at),
            },
            limits: watch::Sender::new(before.map_or(told, |before| before.limits)),
            progress: Mutex::new(Progress {
                status: Status::Running,
                stopped_at: None,
                executions: Counts::default(),
                items: Counts::default(),
            }),
            pending_redrive: Mutex::default(),
            turn: after.map(|after| after.turn.clone()).unwrap_or_default(),
        }
    }

    pub(super) fn record(&self) -> Record {
        Record { about: self.about.clone(), limits: *self.limits.borrow(), progress: *self.progress() }
    }

    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pending_redrive(&self) -> MutexGuard<'_, HashSet<Arc<str>>> {
        self.pending_redrive.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A child execution comes to another fate; from none as it is planned.
    pub(super) fn moves(&self, planned: &Planned, from: Option<Fate>, to: Fate) {
        let mut progress = self.progress();
        progress.executions.moves(1, from, to);
        progress.items.moves(planned.child.items, from, to);
        drop(progress);
        if let Some(arn) = &planned.arn {
            match to {
                Fate::PendingRedrive => drop(self.pending_redrive().insert(arn.clone())),
                _ => drop(self.pending_redrive().remove(arn)),
            }
        }
    }

    /// A child execution with so many items did not succeed, and is not carried out again.
    pub(super) fn is_not_redrivable(&self, items: u64) {
        let mut progress = self.progress();
        progress.executions.not_redrivable += 1;
        progress.items.not_redrivable += items;
    }

    /// It has ended. What ended is ended: false but for the first time.
    pub(super) fn ends(&self, status: Status, at: OffsetDateTime) -> bool {
        let mut progress = self.progress();
        let is_first = progress.status == Status::Running;
        if is_first {
            progress.status = status;
            progress.stopped_at = Some(at);
        }
        is_first
    }
}

impl Limits {
    pub(super) fn change(&mut self, change: Change) {
        self.max_concurrency = change.max_concurrency.unwrap_or(self.max_concurrency);
        self.tolerance = Tolerance {
            count: change.tolerated_failure_count.or(self.tolerance.count),
            percentage: change.tolerated_failure_percentage.or(self.tolerance.percentage),
        };
    }

    /// How many child executions run at once.
    pub(super) fn at_once(&self) -> usize {
        match usize::try_from(self.max_concurrency) {
            Ok(0) => DEFAULT_CONCURRENCY,
            Ok(limit) => limit.min(MAX_CONCURRENCY),
            Err(_) => MAX_CONCURRENCY,
        }
    }
}

//! An execution with those that it started, and those that these started.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::{Identity, run::Clock};
use indexmap::IndexMap;

use super::progress::Progress;

/// One execution of a family.
#[derive(Debug)]
pub struct Member {
    /// What it is called on the screen.
    pub title: String,
    /// The Map Run that it is a child execution of.
    pub map_run: Option<Arc<str>>,
    /// What it has done.
    pub progress: Progress,
}

/// All of them, by their ARNs, in the order in which they began. The first is the one that is watched.
#[derive(Debug, Default)]
pub struct Family {
    /// The executions.
    pub members: IndexMap<Arc<str>, Member>,
    /// Lines that are to be written once, above what is redrawn.
    pub notes: Vec<String>,
}

/// A family that several tasks see.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared(Arc<Mutex<Family>>);

impl Family {
    /// Adds an execution, which lives in this time.
    pub fn add(&mut self, identity: &Identity, title: &str, clock: &Clock) {
        let (map_run, progress) = (identity.map_run_arn.clone(), Progress::new(clock.clone()));
        self.members.insert(identity.arn.clone(), Member { title: title.to_owned(), map_run, progress });
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Family> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

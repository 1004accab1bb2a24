//! Executions that have ended and may still be asked for: the last ones, so that each look needs no replay.

use std::sync::Arc;

use indexmap::IndexMap;

use super::Running;

/// How many events they have together: some 10 MB without large payloads.
const EVENTS: usize = 50_000;

/// What an execution costs beyond its events, in events.
const OVERHEAD: usize = 50;

/// The executions that have ended and were last used, the oldest use first.
#[derive(Default)]
pub(super) struct Recent {
    executions: IndexMap<Arc<str>, Arc<Running>>,
    weight: usize,
}

impl Recent {
    pub(super) fn add(&mut self, running: Arc<Running>) {
        self.take(&running.identity().arn);
        self.weight += weight(&running);
        self.executions.insert(running.identity().arn.clone(), running);
        // The newest stays, however large it is.
        while self.weight > EVENTS && self.executions.len() > 1 {
            if let Some((_, oldest)) = self.executions.shift_remove_index(0) {
                self.weight -= weight(&oldest);
            }
        }
    }

    pub(super) fn find(&mut self, arn: &str) -> Option<Arc<Running>> {
        let found = self.take(arn)?;
        self.add(found.clone());
        Some(found)
    }

    pub(super) fn remove(&mut self, arn: &str) {
        self.take(arn);
    }

    fn take(&mut self, arn: &str) -> Option<Arc<Running>> {
        let taken = self.executions.shift_remove(arn)?;
        self.weight -= weight(&taken);
        Some(taken)
    }
}

/// It has ended, so this does not change.
fn weight(running: &Running) -> usize {
    running.look(|execution| execution.history().len()) + OVERHEAD
}

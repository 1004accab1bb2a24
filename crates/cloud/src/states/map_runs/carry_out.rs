//! One Map Run, from its items to its result.

use std::{collections::HashMap, sync::Arc, time::Duration};

use asl::{Fault, Value, distributed::ExecutionType};
use engine::{
    Identity, Outcome,
    journal::{Definition, JournalError},
    map_run::{Batch, MapRun, Tolerance},
    run::{MapRunEnd, Running, StartError, Started},
};
use tokio::task::JoinSet;

use super::{Fate, Kept, Shared};
use crate::states::{
    Status,
    items::{
        self,
        writer::{Child, ChildRun},
    },
    logging,
};

/// How long to wait before a child execution that could not be written is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// After how many child executions others have a turn.
const TURN: usize = 16;

/// Carries out a Map Run, from now on. Where that is dropped, it is given up with its child executions.
pub(super) fn carry_out(shared: Arc<Shared>, parent: Arc<Identity>, run: Arc<MapRun>, kept: Arc<Kept>) -> MapRunEnd {
    // While items are read no time is skipped, nor until that begins.
    let busy = shared.outside.clock().busy();
    Box::pin(async move {
        let mut children = Children::new(shared, parent, run, kept);
        let planned = children.plan().await;
        drop(busy);
        let result = match planned {
            Ok(()) => children.run().await,
            Err(fault) => Err(fault),
        };
        children.end(if result.is_ok() { Status::Succeeded } else { Status::Failed });
        result
    })
}

/// The child executions of a Map Run.
struct Children {
    shared: Arc<Shared>,
    parent: Arc<Identity>,
    run: Arc<MapRun>,
    kept: Arc<Kept>,
    definition: Definition,
    /// In the order of their items. Those from `next` on have not begun.
    planned: Vec<Child>,
    next: usize,
    /// Those that have begun and not ended, by their places among all.
    running: HashMap<usize, Arc<Running>>,
    /// How many items have failed.
    failed: u64,
    total: u64,
}

impl Children {
    fn new(shared: Arc<Shared>, parent: Arc<Identity>, run: Arc<MapRun>, kept: Arc<Kept>) -> Self {
        let definition = Definition::new(run.distributed.definition.to_string(), run.distributed.machine.clone());
        let (planned, running) = (Vec::new(), HashMap::new());
        Self { shared, parent, run, kept, definition, planned, next: 0, running, failed: 0, total: 0 }
    }

    /// Reads the items, and makes the inputs of the child executions.
    async fn plan(&mut self) -> Result<(), Fault> {
        let (run, objects) = (self.run.clone(), self.shared.objects.clone());
        let batches = blocking(move || items::batches(&run, &*objects)).await?;
        for Batch { input, items } in batches {
            self.kept.moves(items, None, Fate::Pending);
            self.total += items;
            self.planned.push(Child { input, items, run: None });
        }
        Ok(())
    }

    async fn run(&mut self) -> Result<Value, Fault> {
        let tolerance = self.start_all().await?;
        let busy = self.shared.outside.clock().busy();
        let (run, objects) = (self.run.clone(), self.shared.objects.clone());
        let planned = std::mem::take(&mut self.planned);
        let result = blocking(move || items::result(&run, &*objects, tolerance, &planned)).await;
        drop(busy);
        let mut progress = self.kept.progress();
        progress.executions.results_written = progress.executions.ended();
        progress.items.results_written = progress.items.ended();
        result
    }

    /// Starts one after the other as there is room, until all have ended or too many have failed. Returns what was
    /// tolerated in the end.
    async fn start_all(&mut self) -> Result<Tolerance, Fault> {
        let mut changed = self.kept.limits.subscribe();
        let mut ends = JoinSet::new();
        loop {
            let limits = *changed.borrow_and_update();
            let is_exceeded = limits.tolerance.is_exceeded(self.failed, self.total);
            if is_exceeded {
                self.stop();
            } else if self.running.len() < limits.at_once() && self.next < self.planned.len() {
                if let Some((index, running)) = self.start_next().await? {
                    ends.spawn(async move {
                        running.ended().await;
                        index
                    });
                }
                if self.next.is_multiple_of(TURN) {
                    tokio::task::yield_now().await;
                }
                continue;
            }
            if self.running.is_empty() {
                return Ok(limits.tolerance);
            }
            tokio::select! {
                Some(ended) = ends.join_next() => {
                    // A task that only waits does not panic, and nobody aborts it.
                    if let Ok(index) = ended {
                        self.take_end(index);
                    }
                }
                Ok(()) = changed.changed() => {}
            }
        }
    }

    /// Starts the next child execution. Returns it where it goes on.
    async fn start_next(&mut self) -> Result<Option<(usize, Arc<Running>)>, Fault> {
        let index = self.next;
        let Some(child) = self.planned.get(index) else { return Ok(None) };
        let items = child.items;
        let running = self.start(index, child.input.clone()).await?;
        self.next += 1;
        self.kept.moves(items, Some(Fate::Pending), Fate::Running);
        self.running.insert(index, running.clone());
        if running.look(|execution| execution.has_ended()) {
            self.take_end(index);
            return Ok(None);
        }
        Ok(Some((index, running)))
    }

    /// Starts a child execution, or finds the one that an earlier runner has started.
    async fn start(&self, index: usize, input: Value) -> Result<Arc<Running>, Fault> {
        let now = self.shared.outside.clock().now();
        let identity = self.run.child(&self.parent, index as u64, input, now);
        if self.run.distributed.execution_type == ExecutionType::Express {
            let machine = self.run.distributed.machine.clone();
            return Ok(self.begun(Running::start(machine, Arc::new(identity), self.shared.outside.clone())));
        }
        let Some(executions) = self.shared.executions.get().and_then(std::sync::Weak::upgrade) else {
            return Err(Fault::runtime("The runner stops."));
        };
        loop {
            let error = match executions.start(&self.definition, identity.clone()) {
                Ok(Started::New(running)) => return Ok(self.begun(running)),
                Ok(Started::Same(running)) => return Ok(running),
                Err(StartError::Exists) => match executions.find(&identity.arn) {
                    Ok(Some(running)) => return Ok(running),
                    Ok(None) => continue,
                    Err(error) => return Err(Fault::runtime(error.to_string())),
                },
                Err(StartError::Recall(error)) => return Err(Fault::runtime(error.to_string())),
                // The next runner goes on.
                Err(StartError::Journal(JournalError::Closed)) => return std::future::pending().await,
                Err(StartError::Journal(error)) => error,
            };
            tracing::error!(arn = &*identity.arn, %error, "a child execution waits until it can be written");
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn begun(&self, running: Arc<Running>) -> Arc<Running> {
        logging::follow(&running, 0, &self.shared.logs);
        // Nobody may listen; that is no error.
        let _ = self.shared.started.send(running.clone());
        running
    }

    fn take_end(&mut self, index: usize) {
        let Some(running) = self.running.remove(&index) else { return };
        let is_express = self.run.distributed.execution_type == ExecutionType::Express;
        let Some(ended) = running.look(|execution| ChildRun::of(execution, is_express)) else { return };
        let Some(child) = self.planned.get_mut(index) else { return };
        if !matches!(ended.outcome, Outcome::Succeeded(_)) {
            self.failed += child.items;
        }
        self.kept.moves(child.items, Some(Fate::Running), Fate::of(&ended.outcome));
        child.run = Some(ended);
    }

    /// Stops the child executions that run.
    fn stop(&self) {
        for running in self.running.values() {
            if let Err(error) = running.stop(Fault::default()) {
                tracing::debug!(arn = &*running.identity().arn, %error, "a child execution can't be stopped");
            }
        }
    }

    fn end(&self, status: Status) {
        self.kept.ends(status, self.shared.outside.clock().now());
    }
}

/// Given up: nobody waits for its result any more.
impl Drop for Children {
    fn drop(&mut self) {
        self.stop();
        for index in self.running.keys().copied().collect::<Vec<_>>() {
            self.take_end(index);
        }
        self.end(Status::Aborted);
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Fault::runtime(format!("The Map Run ended in a panic: {error}"))),
    }
}

//! One Map Run, from its items to its result.

use std::{collections::HashMap, sync::Arc, time::Duration};

use asl::{Fault, Value, distributed::ExecutionType};
use engine::{
    Identity, Outcome,
    journal::{Definition, JournalError},
    map_run::{Batch, MapRun, ResultWriter, Tolerance},
    run::{Executions, MapRunEnd, RedriveError, Redriven, Running, StartError, Started},
};
use tokio::{sync::OwnedMutexGuard, task::JoinSet};

use super::{
    Fate, Kept, Shared,
    planned::{Earlier, Planned},
};
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

/// How often a Map Run can be redriven, as in the service.
const MAX_REDRIVES: u64 = 1_000;

/// Carries out a Map Run, from now on. Where that is dropped, it is given up with its child executions.
pub(super) fn carry_out(shared: Arc<Shared>, parent: Arc<Identity>, run: Arc<MapRun>, kept: Arc<Kept>) -> MapRunEnd {
    // While items are read no time is skipped, nor until that begins.
    let busy = shared.outside.clock().busy();
    Box::pin(async move {
        let turn = kept.turn.clone();
        let mut children = Children::new(shared, parent, run, kept);
        children.turn = Some(turn.lock_owned().await);
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
    planned: Vec<Planned>,
    next: usize,
    /// Those that have begun and not ended, by their places among all.
    running: HashMap<usize, Arc<Running>>,
    /// How many items have failed.
    failed: u64,
    total: u64,
    /// Given back when nothing of it is carried out any more.
    turn: Option<OwnedMutexGuard<()>>,
}

impl Children {
    fn new(shared: Arc<Shared>, parent: Arc<Identity>, run: Arc<MapRun>, kept: Arc<Kept>) -> Self {
        let definition = Definition::new(run.distributed.definition.to_string(), run.distributed.machine.clone());
        let (planned, running, turn) = (Vec::new(), HashMap::new(), None);
        Self { shared, parent, run, kept, definition, planned, next: 0, running, failed: 0, total: 0, turn }
    }

    /// Reads the items, and makes the inputs of the child executions.
    async fn plan(&mut self) -> Result<(), Fault> {
        if self.run.redrive.is_some_and(|redrive| redrive.count > MAX_REDRIVES) {
            return Err(Fault::runtime(format!(
                "The Map Run exceeded the maximum number of redrives ({MAX_REDRIVES})."
            )));
        }
        let (run, parent, shared) = (self.run.clone(), self.parent.clone(), self.shared.clone());
        self.planned = blocking(move || {
            let batches = items::batches(&run, &*shared.objects)?;
            let earlier = Earlier::of(&run, shared.executions().as_ref());
            let earlier = earlier.map_err(|error| Fault::runtime(error.to_string()))?;
            let planned = batches.into_iter().enumerate();
            Ok(planned.map(|(index, batch)| earlier.plan(&run, &parent, index, batch)).collect::<Vec<_>>())
        })
        .await?;
        for planned in &self.planned {
            self.kept.moves(planned, None, planned.fate);
            self.total += planned.child.items;
        }
        Ok(())
    }

    async fn run(&mut self) -> Result<Value, Fault> {
        let tolerance = self.start_all().await?;
        self.leave_pending();
        let busy = self.shared.outside.clock().busy();
        let (run, objects) = (self.run.clone(), self.shared.objects.clone());
        let children: Vec<_> = self.planned.iter().map(|planned| planned.child.clone()).collect();
        let result = blocking(move || items::result(&run, &*objects, tolerance, &children)).await;
        drop(busy);
        let is_exported = matches!(self.run.writer, ResultWriter::Export { .. });
        let mut progress = self.kept.progress();
        let progress = &mut *progress;
        for counts in [&mut progress.executions, &mut progress.items] {
            // What never began is exported too.
            counts.results_written = if is_exported { counts.total() } else { counts.ended() };
        }
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
        let Some(Planned { child, fate, .. }) = self.planned.get(index) else { return Ok(None) };
        let running = match (&child.run, fate) {
            // An earlier attempt is remembered.
            (Some(_), _) => None,
            (None, Fate::PendingRedrive) => Some(self.redrive(index, child.batch()).await?),
            (None, _) => Some(self.start(index, child.batch()).await?),
        };
        self.next += 1;
        let Some(running) = running else { return Ok(None) };
        self.running.insert(index, running.clone());
        if running.look(|execution| execution.has_ended()) {
            self.take_end(index);
            return Ok(None);
        }
        self.comes_to(index, Fate::Running);
        Ok(Some((index, running)))
    }

    /// Starts a child execution, or finds the one that an earlier runner has started.
    async fn start(&self, index: usize, batch: Batch) -> Result<Arc<Running>, Fault> {
        let identity = self.identity(index, batch);
        if self.is_express() {
            let machine = self.run.distributed.machine.clone();
            return Ok(self.begun(Running::start(machine, Arc::new(identity), self.shared.outside.clone()), 0));
        }
        let executions = self.executions()?;
        loop {
            let error = match executions.start(&self.definition, identity.clone()) {
                Ok(Started::New(running)) => return Ok(self.begun(running, 0)),
                Ok(Started::Same(running)) => return Ok(running),
                Err(StartError::Exists) => match executions.find(&identity.arn) {
                    Ok(Some(running)) => return Ok(running),
                    Ok(None) => continue,
                    Err(error) => return Err(Fault::runtime(error.to_string())),
                },
                Err(StartError::Recall(error)) => return Err(Fault::runtime(error.to_string())),
                Err(StartError::Journal(error)) => error,
            };
            wait_to_write(&identity, error).await;
        }
    }

    /// Redrives a child execution, or finds it as it is where it can't be redriven any more.
    async fn redrive(&self, index: usize, batch: Batch) -> Result<Arc<Running>, Fault> {
        let identity = self.identity(index, batch);
        let executions = self.executions()?;
        loop {
            let error = match executions.redrive(&identity.arn, None) {
                Ok(Redriven::Now { running, events_before, .. }) => return Ok(self.begun(running, events_before)),
                Ok(Redriven::Before { .. }) | Err(RedriveError::NotRedrivable(_)) => {
                    let found = executions.find(&identity.arn).map_err(|error| Fault::runtime(error.to_string()))?;
                    return found.ok_or_else(|| Fault::runtime("A child execution is gone."));
                }
                Err(error @ (RedriveError::NotFound | RedriveError::Recall(_))) => {
                    return Err(Fault::runtime(error.to_string()));
                }
                Err(RedriveError::Journal(error)) => error,
            };
            wait_to_write(&identity, error).await;
        }
    }

    fn identity(&self, index: usize, batch: Batch) -> Identity {
        self.run.child(&self.parent, index as u64, batch, self.shared.outside.clock().now())
    }

    fn executions(&self) -> Result<Arc<Executions>, Fault> {
        self.shared.executions().ok_or_else(|| Fault::runtime("The runner stops."))
    }

    fn is_express(&self) -> bool {
        self.run.distributed.execution_type == ExecutionType::Express
    }

    /// A child execution has begun to run; what it did before that is logged.
    fn begun(&self, running: Arc<Running>, events_before: usize) -> Arc<Running> {
        logging::follow(&running, events_before, &self.shared.logs);
        // Nobody may listen; that is no error.
        let _ = self.shared.started.send(running.clone());
        running
    }

    fn take_end(&mut self, index: usize) {
        let Some(running) = self.running.remove(&index) else { return };
        let Some(ended) = running.look(|execution| ChildRun::of(execution, self.is_express())) else { return };
        let Some(planned) = self.planned.get_mut(index) else { return };
        let fate = Fate::of(&ended.outcome);
        let items = planned.child.items;
        if !matches!(ended.outcome, Outcome::Succeeded(_)) {
            self.failed += items;
        }
        if planned.fate == Fate::PendingRedrive {
            // It could not be redriven: its end stands.
            self.kept.is_not_redrivable(items);
        }
        planned.child.run = Some(ended);
        self.comes_to(index, fate);
    }

    /// What will not be redriven stays as it was.
    fn leave_pending(&mut self) {
        for index in self.next..self.planned.len() {
            let Some(Planned { fate: Fate::PendingRedrive, before, arn: Some(arn), .. }) = self.planned.get(index)
            else {
                continue;
            };
            let before = *before;
            let found = self.executions().ok().and_then(|executions| executions.find(arn).ok()?);
            let run = found.and_then(|running| running.look(|execution| ChildRun::of(execution, false)));
            if let Some(planned) = self.planned.get_mut(index) {
                planned.child.run = run;
            }
            self.comes_to(index, before);
        }
    }

    fn comes_to(&mut self, index: usize, fate: Fate) {
        if let Some(planned) = self.planned.get_mut(index) {
            self.kept.moves(planned, Some(planned.fate), fate);
            planned.fate = fate;
        }
    }

    /// Stops the child executions that run.
    fn stop(&self) {
        let cause = format!("The map run execution [{}] which was managing this resource was aborted", self.run.arn);
        let fault = Fault { error: None, cause: Some(cause.into()) };
        for running in self.running.values() {
            if let Err(error) = running.stop(fault.clone()) {
                tracing::debug!(arn = &*running.identity().arn, %error, "a child execution can't be stopped");
            }
        }
    }

    fn end(&mut self, status: Status) {
        let has_ended = self.shared.end(&self.kept, status, self.shared.outside.clock().now());
        if has_ended && status != Status::Succeeded && self.is_express() {
            let children: Vec<Child> = self.planned.drain(..).map(|planned| planned.child).collect();
            self.shared.keep_children(&self.run.arn, &children);
        }
    }
}

/// Given up: nobody waits for its result any more.
impl Drop for Children {
    fn drop(&mut self) {
        self.stop();
        for index in self.running.keys().copied().collect::<Vec<_>>() {
            self.take_end(index);
        }
        for index in self.next..self.planned.len() {
            if let Some(Planned { fate: Fate::PendingRedrive, before, .. }) = self.planned.get(index) {
                self.comes_to(index, *before);
            }
        }
        self.end(Status::Aborted);
    }
}

/// Waits before a child execution that could not be written is tried again.
async fn wait_to_write(identity: &Identity, error: JournalError) {
    if let JournalError::Closed = error {
        // The next runner goes on.
        return std::future::pending().await;
    }
    tracing::error!(arn = &*identity.arn, %error, "a child execution waits until it can be written");
    tokio::time::sleep(PAUSE).await;
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Fault::runtime(format!("The Map Run ended in a panic: {error}"))),
    }
}

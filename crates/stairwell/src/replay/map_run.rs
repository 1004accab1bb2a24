//! Plays Map Runs: reads the items, and plays a child execution after the other.

use std::sync::Arc;

use asl::{Value, distributed::ExecutionType};
use cloud::states::items::{
    self,
    writer::{Child, ChildRun},
};
use engine::{
    Execution, Happened, Identity, Outcome,
    map_run::{MapRun, ResultWriter, Source},
};

use super::{
    play::{PlayError, Player},
    recorded_runs::RecordedRun,
};

impl Player<'_> {
    /// Carries out a Map Run, unless one of its child executions waits for something that never comes.
    pub(super) fn carry_out(&mut self, run: &MapRun) -> Result<(), PlayError> {
        let recorded = self.recorded_runs.as_mut().and_then(|runs| runs.next(run));
        self.make_buckets(run, recorded.as_ref());
        let ending = match items::batches(run, self.objects) {
            Ok(batches) => {
                let (total, count) = (batches.iter().map(|batch| batch.items).sum(), batches.len());
                let (mut children, mut failed) = (Vec::with_capacity(count), 0);
                for (index, batch) in batches.into_iter().enumerate() {
                    let mut child = Child { input: batch.input, items: batch.items, run: None };
                    if !run.tolerance.is_exceeded(failed, total) {
                        let identity = run.child(self.execution.identity(), index as u64, child.batch(), self.now);
                        let identity = Arc::new(identity);
                        let ended = match (self.play_child(run, identity.clone()), &recorded) {
                            (Ok(execution), _) => ChildRun::of(&execution, is_express(run)),
                            // What its calls got is not in the recording, but what it made of that may be.
                            (Err(error @ PlayError::NoAnswer { .. }), Some(recorded)) => {
                                let outcome = recorded.child(run, index, count).ok_or(error)?;
                                Some(self.ended(run, &identity, outcome))
                            }
                            (Err(error), _) => return Err(error),
                        };
                        let Some(ended) = ended else { return Ok(()) };
                        if !matches!(ended.outcome, Outcome::Succeeded(_)) {
                            failed += child.items;
                        }
                        child.run = Some(ended);
                    }
                    children.push(child);
                }
                items::result(run, self.objects, run.tolerance, &children)
            }
            Err(fault) => Err(fault),
        };
        self.step(Happened::MapRunEnded { run: run.id, result: ending });
        Ok(())
    }

    /// A bucket with nothing in it is not in the recording: it was there, unless the Map Run has failed for want of it.
    fn make_buckets(&self, run: &MapRun, recorded: Option<&RecordedRun<'_>>) {
        if recorded.is_some_and(RecordedRun::lacked_bucket) {
            return;
        }
        let reads = match &run.source {
            Source::Reader(reader) => Some(&reader.parameters),
            Source::State(_) => None,
        };
        let writes = match &run.writer {
            ResultWriter::Export { parameters, .. } => Some(parameters),
            ResultWriter::State(_) => None,
        };
        for parameters in [reads, writes].into_iter().flatten() {
            if let Some(bucket) = parameters.get("Bucket").and_then(Value::as_str) {
                self.objects.add_bucket(bucket);
            }
        }
    }

    fn play_child(&mut self, run: &MapRun, identity: Arc<Identity>) -> Result<Execution, PlayError> {
        let execution = Execution::new(run.distributed.machine.clone(), identity);
        let mut player = Player::new(execution, self.now, self.objects, std::mem::take(&mut self.answers));
        let played = player.play();
        self.answers = std::mem::take(&mut player.answers);
        self.now = player.now;
        played.map(|()| player.execution)
    }

    /// A child execution of which only the end is known.
    fn ended(&self, run: &MapRun, identity: &Identity, outcome: Outcome) -> ChildRun {
        ChildRun {
            arn: identity.arn.clone(),
            name: identity.name.clone(),
            state_machine_arn: identity.state_machine_arn.clone(),
            is_express: is_express(run),
            started_at: identity.started_at,
            stopped_at: self.now,
            outcome,
            redrives: 0,
        }
    }
}

fn is_express(run: &MapRun) -> bool {
    run.distributed.execution_type == ExecutionType::Express
}

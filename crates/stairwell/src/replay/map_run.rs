//! Plays Map Runs: reads the items, and plays a child execution after the other.

use std::sync::Arc;

use asl::distributed::ExecutionType;
use cloud::states::items::{
    self,
    writer::{Child, ChildRun},
};
use engine::{Execution, Happened, Outcome, map_run::MapRun};

use super::play::{PlayError, Player};

impl Player<'_> {
    /// Carries out a Map Run, unless one of its child executions waits for something that never comes.
    pub(super) fn carry_out(&mut self, run: &MapRun) -> Result<(), PlayError> {
        let ending = match items::batches(run, self.objects) {
            Ok(batches) => {
                let total = batches.iter().map(|batch| batch.items).sum();
                let (mut children, mut failed) = (Vec::with_capacity(batches.len()), 0);
                for (index, batch) in (0..).zip(batches) {
                    let mut child = Child { input: batch.input, items: batch.items, run: None };
                    if !run.tolerance.is_exceeded(failed, total) {
                        let execution = self.play_child(run, index, &child)?;
                        let is_express = run.distributed.execution_type == ExecutionType::Express;
                        let Some(ended) = ChildRun::of(&execution, is_express) else { return Ok(()) };
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

    fn play_child(&mut self, run: &MapRun, index: u64, child: &Child) -> Result<Execution, PlayError> {
        let identity = run.child(self.execution.identity(), index, child.batch(), self.now);
        let execution = Execution::new(run.distributed.machine.clone(), Arc::new(identity));
        let mut player = Player::new(execution, self.now, self.objects, std::mem::take(&mut self.answers));
        let played = player.play();
        self.answers = std::mem::take(&mut player.answers);
        self.now = player.now;
        played.map(|()| player.execution)
    }
}

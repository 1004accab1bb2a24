//! An execution and its record in the journal, which go together.

use std::sync::Arc;

use asl::machine::Resource;
use time::OffsetDateTime;

use super::lengthy;
use crate::{
    core::{Call, Command, Execution, Happened},
    journal::{
        self, Definition, ExecutionRow, Fingerprint, Journal, JournalError, RecallError, Recorded, Replayed, Standing,
        Turn,
    },
};

/// An execution with what it needs to be journalled.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) execution: Execution,
    /// None where it is not journalled.
    record: Option<Record>,
}

/// Where in the journal an execution is.
#[derive(Debug)]
struct Record {
    journal: Arc<Journal>,
    row: ExecutionRow,
    /// How many turns are written.
    turns: u64,
    fingerprint: Fingerprint,
}

impl Recording {
    /// An execution that nobody writes down, and what it wants first.
    pub(super) fn unwritten(mut execution: Execution, now: OffsetDateTime) -> (Self, Vec<Command>) {
        let (commands, _) = tell(&mut execution, Happened::Started, now);
        (Self { execution, record: None }, commands)
    }

    /// An execution that begins, with its first turn written, and what it wants first. None where there is one with its ARN.
    pub(super) fn begin(
        mut execution: Execution,
        definition: &Definition,
        journal: Arc<Journal>,
        at: OffsetDateTime,
    ) -> Result<Option<(Self, Vec<Command>)>, JournalError> {
        let (commands, happened) = tell(&mut execution, Happened::Started, at);
        let too_long = execution.take_too_long();
        let fingerprint = Fingerprint::default().extended(execution.history());
        let turn = Turn { at, happened, too_long, fingerprint };
        let Some(row) = journal.begin(&execution, definition, &turn)? else { return Ok(None) };
        let record = Record { journal, row, turns: 1, fingerprint };
        Ok(Some((Self { execution, record: Some(record) }, commands)))
    }

    /// An execution from the journal, and what it still waits for.
    pub(super) fn recall(
        recorded: Recorded,
        machine: Arc<asl::Machine>,
        journal: Arc<Journal>,
    ) -> Result<(Self, Vec<Command>), RecallError> {
        let arn = &recorded.identity.arn;
        let turns = journal.turns(recorded.row).map_err(|error| RecallError::of(arn, error))?;
        let count = turns.len() as u64;
        let Replayed { execution, fingerprint } = journal::replay(machine, Arc::new(recorded.identity), turns)?;
        let outstanding = execution.outstanding();
        let record = Record { journal, row: recorded.row, turns: count, fingerprint };
        Ok((Self { execution, record: Some(record) }, outstanding))
    }

    /// Tells the execution what happened, and returns what it wants. What can't be written has not happened.
    pub(super) fn tell(&mut self, happened: Happened, now: OffsetDateTime) -> Result<Vec<Command>, JournalError> {
        // The clock may have been set back, but no event is before an earlier one.
        let latest = self.execution.history().last().map_or(OffsetDateTime::UNIX_EPOCH, |last| last.at);
        let at = now.max(latest);
        let before = Standing::of(&self.execution);
        let (commands, happened) = tell(&mut self.execution, happened, at);
        if let Some(record) = &mut self.record
            && let Err(error) = record.write(&mut self.execution, before, at, happened)
        {
            self.execution = record.go_back(&self.execution);
            return Err(error);
        }
        Ok(commands)
    }
}

impl Record {
    fn write(
        &mut self,
        execution: &mut Execution,
        before: Standing,
        at: OffsetDateTime,
        happened: Vec<Happened>,
    ) -> Result<(), JournalError> {
        let fingerprint = self.fingerprint.extended(execution.history());
        let turn = Turn { at, happened, too_long: execution.take_too_long(), fingerprint };
        self.journal.append(self.row, self.turns + 1, &turn, before, execution)?;
        self.turns += 1;
        self.fingerprint = fingerprint;
        Ok(())
    }

    /// The execution as the journal has it.
    ///
    /// Where even that can't be read, one that has not begun, so that nobody sees what was not written. It expects
    /// nothing any more; the next start of the runner finds it in the journal.
    fn go_back(&mut self, execution: &Execution) -> Execution {
        let (machine, identity) = (execution.machine().clone(), execution.identity().clone());
        let turns = self.journal.turns(self.row).map_err(|error| RecallError::of(&identity.arn, error));
        let count = turns.as_ref().map_or(0, Vec::len);
        match turns.and_then(|turns| journal::replay(machine.clone(), identity.clone(), turns)) {
            Ok(replayed) => {
                self.turns = count as u64;
                self.fingerprint = replayed.fingerprint;
                replayed.execution
            }
            Err(error) => {
                tracing::error!(arn = &*identity.arn, %error, "an execution is lost until the next start");
                Execution::new(machine, identity)
            }
        }
    }
}

/// Tells an execution what happened, and that each call that it wants has begun: that is written together, and before
/// the call is made, so that its answer does not come first. Returns what it wants, and all that it was told.
///
/// An activity's work begins when a worker takes it.
fn tell(execution: &mut Execution, happened: Happened, at: OffsetDateTime) -> (Vec<Command>, Vec<Happened>) {
    let mut told = vec![happened.clone()];
    let mut commands = execution.begin_step(happened, at);
    if execution.is_stepping() {
        commands.extend(lengthy(|| execution.end_step()));
    }
    let calls = commands.iter().filter_map(|command| match command {
        Command::StartTask(Call { resource: Resource::Activity { .. }, .. }) => None,
        Command::StartTask(call) => Some(Happened::TaskStarted { call: call.id, worker: None }),
        _ => None,
    });
    for started in calls.collect::<Vec<_>>() {
        if execution.expects(&started) {
            told.push(started.clone());
            commands.extend(execution.step(started, at));
        }
    }
    (commands, told)
}

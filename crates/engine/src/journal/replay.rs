//! From the rows of an execution to the execution.

use std::sync::Arc;

use asl::Machine;

use super::{Fingerprint, JournalError, Turn};
use crate::core::{Execution, Identity};

/// Why an execution can't be brought back from the journal.
#[derive(Debug, thiserror::Error)]
pub enum RecallError {
    /// The journal can't be read.
    #[error(transparent)]
    Journal(JournalError),
    /// What the journal has of it is not understood.
    #[error(
        "{arn}: what the journal has of it is not understood ({problem}), so it was written by another version. Let \
         that version finish it, or move the journal away to start without executions"
    )]
    Unreadable {
        /// The execution.
        arn: Arc<str>,
        /// What is not understood.
        problem: serde_json::Error,
    },
    /// The interpreter makes something else of what happened than the one that was there when it happened.
    #[error(
        "{arn}: what it was told makes another history than it had (turn {turn}: {found} events, where there were \
         {written}), so it was run by another version of the interpreter. Let that version finish it, or move the \
         journal away to start without executions"
    )]
    Diverged {
        /// The execution.
        arn: Arc<str>,
        /// The turn after which the histories differ, counted from 1.
        turn: usize,
        /// The events that there were.
        written: usize,
        /// The events that there are now.
        found: usize,
    },
    /// Every start of the runner ended while it was let go on.
    #[error(
        "{arn}: the last {starts} starts of the runner ended while it was let go on, so it is left as it is. Stop it \
         (StopExecution); a redrive (RedriveExecution) lets it go on after that"
    )]
    EndsTheRunner {
        /// The execution.
        arn: Arc<str>,
        /// How many starts.
        starts: u32,
    },
    /// Its definition is not accepted any more.
    #[error(
        "{arn}: its definition is not accepted any more ({problem}). Let the version that started it finish it, or \
         move the journal away to start without executions"
    )]
    Definition {
        /// The execution.
        arn: Arc<str>,
        /// What is wrong with the definition.
        problem: String,
    },
}

impl RecallError {
    /// An error of the journal, met on the way to an execution.
    pub(crate) fn of(arn: &str, error: JournalError) -> Self {
        match error {
            JournalError::Json(problem) => Self::Unreadable { arn: arn.into(), problem },
            error => Self::Journal(error),
        }
    }
}

/// An execution as it was.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) execution: Execution,
    pub(crate) fingerprint: Fingerprint,
}

/// Tells an execution once more what it was told.
pub(crate) fn replay(
    machine: Arc<Machine>,
    identity: Arc<Identity>,
    turns: impl IntoIterator<Item = Turn>,
) -> Result<Replayed, RecallError> {
    let mut execution = Execution::new(machine, identity);
    let mut fingerprint = Fingerprint::default();
    for (index, turn) in turns.into_iter().enumerate() {
        execution.replay(turn.happened, turn.at, turn.too_long);
        fingerprint = fingerprint.extended(execution.history());
        if fingerprint != turn.fingerprint {
            return Err(RecallError::Diverged {
                arn: execution.identity().arn.clone(),
                turn: index + 1,
                written: turn.fingerprint.events,
                found: fingerprint.events,
            });
        }
    }
    Ok(Replayed { execution, fingerprint })
}

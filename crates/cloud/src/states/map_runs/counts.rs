//! How many child executions of a Map Run, or how many of their items, have come how far.

use asl::Value;
use engine::{Outcome, Status};
use serde::{Deserialize, Serialize};

/// How far a child execution has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Pending,
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
    /// It did not succeed, and is to go on.
    PendingRedrive,
}

impl Fate {
    const ALL: [Self; 7] = [
        Self::Aborted,
        Self::Failed,
        Self::Pending,
        Self::PendingRedrive,
        Self::Running,
        Self::Succeeded,
        Self::TimedOut,
    ];

    pub(super) fn of(outcome: &Outcome) -> Self {
        Self::of_status(Status::after(Some(outcome)))
    }

    pub(super) fn of_status(status: Status) -> Self {
        match status {
            Status::Running => Self::Running,
            Status::Succeeded => Self::Succeeded,
            Status::Failed => Self::Failed,
            Status::TimedOut => Self::TimedOut,
            Status::Aborted => Self::Aborted,
            Status::PendingRedrive => Self::PendingRedrive,
        }
    }

    /// The name on the wire.
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timedOut",
            Self::Aborted => "aborted",
            Self::PendingRedrive => "pendingRedrive",
        }
    }
}

/// How many have which fate.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Counts {
    of_fate: [u64; 7],
    /// How many results were written.
    pub(super) results_written: u64,
    /// How many of those that did not succeed can't be redriven any more.
    pub(super) not_redrivable: u64,
}

impl Counts {
    pub(super) fn moves(&mut self, count: u64, from: Option<Fate>, to: Fate) {
        if let Some(from) = from {
            *self.count(from) -= count;
        }
        *self.count(to) += count;
    }

    fn count(&mut self, fate: Fate) -> &mut u64 {
        &mut self.of_fate[fate as usize]
    }

    /// Those that began and ended.
    pub(super) fn ended(&self) -> u64 {
        let open = [Fate::Pending, Fate::Running, Fate::PendingRedrive].map(|fate| self.of_fate[fate as usize]);
        self.total() - open.iter().sum::<u64>()
    }

    pub(super) fn total(&self) -> u64 {
        self.of_fate.iter().sum()
    }

    /// Nobody carries them out any more.
    pub(super) fn abort(&mut self) {
        for open in [Fate::Running, Fate::PendingRedrive] {
            let count = *self.count(open);
            self.moves(count, Some(open), Fate::Aborted);
        }
    }

    /// As `DescribeMapRun` gives them.
    pub(super) fn describe(&self) -> Value {
        let counted = Fate::ALL.map(|fate| (fate.name(), self.of_fate[fate as usize]));
        let others = [
            ("resultsWritten", self.results_written),
            ("total", self.total()),
            ("failuresNotRedrivable", self.not_redrivable),
        ];
        let fields = counted.into_iter().chain(others).map(|(name, count)| (name.into(), Value::from(count)));
        fields.collect::<asl::value::Object>().into()
    }
}

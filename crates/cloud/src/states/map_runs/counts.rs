//! How many child executions of a Map Run, or how many of their items, have come how far.

use asl::Value;
use engine::Outcome;

/// How far a child execution has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Pending,
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
}

impl Fate {
    const ALL: [Self; 6] = [Self::Aborted, Self::Failed, Self::Pending, Self::Running, Self::Succeeded, Self::TimedOut];

    pub(super) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Succeeded(_) => Self::Succeeded,
            Outcome::Failed(_) => Self::Failed,
            Outcome::TimedOut(_) => Self::TimedOut,
            Outcome::Aborted(_) => Self::Aborted,
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
        }
    }
}

/// How many have which fate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    of_fate: [u64; 6],
    /// How many results were written.
    pub(super) results_written: u64,
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
        let open = [Fate::Pending, Fate::Running].map(|fate| self.of_fate[fate as usize]);
        self.total() - open.iter().sum::<u64>()
    }

    fn total(&self) -> u64 {
        self.of_fate.iter().sum()
    }

    /// As `DescribeMapRun` gives them. Nothing is ever redriven.
    pub(super) fn describe(&self) -> Value {
        let counted = Fate::ALL.map(|fate| (fate.name(), self.of_fate[fate as usize]));
        let others = [
            ("resultsWritten", self.results_written),
            ("total", self.total()),
            ("failuresNotRedrivable", 0),
            ("pendingRedrive", 0),
        ];
        let fields = counted.into_iter().chain(others).map(|(name, count)| (name.into(), Value::from(count)));
        fields.collect::<asl::value::Object>().into()
    }
}

//! What an execution rests at: states that wait for a time or for somebody, with nothing at work.

use std::sync::Arc;

use asl::machine::{Pattern, Resource};
use time::OffsetDateTime;

use super::{Execution, Progress, branch::WaitsFor};

/// A state that waits, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// The event of the state's entry.
    pub entered_event: u64,
    /// The state's name.
    pub state: Arc<str>,
    /// What it waits for.
    pub until: Until,
}

/// What ends a rest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Until {
    /// A Wait state's time.
    Time(OffsetDateTime),
    /// The time of the next try of a state whose last one has failed.
    Retry(OffsetDateTime),
    /// Somebody who has this task token.
    Callback {
        /// The token.
        token: Arc<str>,
    },
    /// A worker who asks for this activity's work.
    Worker {
        /// The activity's ARN.
        activity: Arc<str>,
    },
}

impl Until {
    /// Whether it ends by itself.
    pub fn is_time(&self) -> bool {
        matches!(self, Self::Time(_) | Self::Retry(_))
    }
}

impl Execution {
    /// The states that rest now. One whose work another execution does, or a worker who has taken it, is at work.
    pub fn rests(&self) -> Vec<Rest> {
        let rests = self.branches.all().filter_map(|branch| {
            let visit = branch.visit.as_ref()?;
            let until = match branch.waits_for.as_ref()? {
                WaitsFor::Wait(timer) => Until::Time((*timer)?.at),
                WaitsFor::Retry(timer) => Until::Retry((*timer)?.at),
                WaitsFor::Call(pending) => match (&pending.call.resource, &pending.call.progress) {
                    (Resource::Service { pattern: Pattern::WaitForTaskToken, .. }, Progress::Submitted(_)) => {
                        Until::Callback { token: pending.call.token.clone()? }
                    }
                    (Resource::Activity { arn }, Progress::Scheduled) => Until::Worker { activity: arn.clone() },
                    _ => return None,
                },
                _ => return None,
            };
            Some(Rest { entered_event: visit.entered_event, state: branch.state()?.name.clone(), until })
        });
        rests.collect()
    }
}

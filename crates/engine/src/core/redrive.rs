//! Redrives: an execution that did not succeed goes on where it failed.
//!
//! What an execution leaves when it ends before its time is kept: the branches that had not ended well, each at the state
//! that it was at. A redrive does the work of those states once more. What has ended well stays as it is.

use std::{fmt, sync::Arc};

use asl::{Fault, fault::names, machine::Kind};
use time::OffsetDateTime;

use super::{
    CallId, Command, Execution, Outcome,
    branch::{Branch, BranchId, Next, Parent, WaitsFor},
    fork::Fork,
};
use crate::{
    history::{EventKind, MAX_EVENTS},
    map_run::MapRun,
};

/// How long after its end an execution can be redriven.
const PERIOD: time::Duration = time::Duration::days(14);

/// How long after its start an execution can be redriven: none may be open for longer.
const LONGEST: time::Duration = time::Duration::days(365);

/// How many tokens of redrives are remembered, and for how long.
const TOKENS: usize = 10;
const TOKEN_PERIOD: time::Duration = time::Duration::minutes(15);

/// The last redrive of an execution, or of a Map Run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redrive {
    /// How many redrives there were, with this one.
    pub count: u64,
    /// When it was.
    pub at: OffsetDateTime,
    /// The event that tells of it.
    pub event: u64,
}

/// Why an execution can't be redriven. As text it is what the service gives as `redriveStatusReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRedrivable {
    /// It goes on.
    #[error("Execution is RUNNING and cannot be redriven")]
    Running,
    /// It ended well.
    #[error("Execution is SUCCEEDED and cannot be redriven")]
    Succeeded,
    /// Its history has no room for the redrive and what comes of it.
    #[error("Execution history event limit exceeded")]
    History,
    /// It was started too long ago.
    #[error("Execution has exceeded the max execution time")]
    MaxTime,
    /// It ended too long ago.
    #[error("Execution redrivable period exceeded")]
    Period,
}

/// What is left of the work of a state that has others work: of a Parallel or Map state.
pub(super) enum Wreckage {
    /// Its branches or iterations that had begun and not ended well, in their order.
    Fork { fork: Fork, branches: Vec<Branch> },
    /// Its Map Run.
    MapRun(Arc<MapRun>),
}

impl fmt::Debug for Wreckage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fork { branches, .. } => f.debug_list().entries(branches).finish(),
            Self::MapRun(run) => f.write_str(&run.arn),
        }
    }
}

impl Branch {
    /// Waits for nothing any more. What it waited for is kept with `branches`, those that it had forked.
    pub(super) fn halt(&mut self, mut branches: Vec<Branch>) {
        let wreckage = match self.waits_for.take() {
            Some(WaitsFor::Fork(fork)) => {
                branches.sort_by_key(|branch| branch.parent.map(|parent| parent.index));
                Wreckage::Fork { fork, branches }
            }
            Some(WaitsFor::MapRun(run)) => Wreckage::MapRun(run),
            // The state's work begins anew; one that was to be retried has what was left of it already.
            Some(WaitsFor::Call(_) | WaitsFor::Wait(_) | WaitsFor::Retry(_)) | None => return,
        };
        self.wreckage = Some(Box::new(wreckage));
    }

    /// The state that it is at has failed with this. Whatever is too large is made once more, all of it.
    pub(super) fn keep_wreckage(&mut self, fault: &Fault) {
        if fault.is(names::DATA_LIMIT_EXCEEDED) {
            self.wreckage = None;
        }
    }
}

impl Execution {
    /// The last redrive, where there was one.
    pub fn redriven(&self) -> Option<Redrive> {
        self.redrive
    }

    /// Whether it can be redriven at this moment.
    pub fn redrivable(&self, now: OffsetDateTime) -> Result<(), NotRedrivable> {
        match self.outcome() {
            None => return Err(NotRedrivable::Running),
            Some(Outcome::Succeeded(_)) => return Err(NotRedrivable::Succeeded),
            Some(Outcome::Failed(_) | Outcome::TimedOut(_) | Outcome::Aborted(_)) => {}
        }
        let ended_at = self.history.last().map_or(now, |last| last.at);
        if !self.has_room_for_redrive() {
            Err(NotRedrivable::History)
        } else if now - self.identity.started_at >= LONGEST {
            Err(NotRedrivable::MaxTime)
        } else if now - ended_at >= PERIOD {
            Err(NotRedrivable::Period)
        } else {
            Ok(())
        }
    }

    /// When somebody had it redriven with this token, as long as that is remembered: a request that comes again is no
    /// other one.
    pub fn redriven_by(&self, client_token: &str, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let with_token = self.history.iter().rev().filter_map(|event| match &event.kind {
            EventKind::ExecutionRedriven { client_token: Some(token), .. } => Some((token, event.at)),
            _ => None,
        });
        let mut remembered = with_token.take(TOKENS).take_while(|(_, at)| now - *at < TOKEN_PERIOD);
        remembered.find(|(token, _)| &***token == client_token).map(|(_, at)| at)
    }

    /// Whether [`super::Happened::Redriven`] would change anything.
    pub(super) fn expects_redrive(&self) -> bool {
        self.wreck.is_some() && self.has_room_for_redrive()
    }

    /// Whether there is room for the event that tells of it and at least one more.
    fn has_room_for_redrive(&self) -> bool {
        self.history.len() + 1 < MAX_EVENTS
    }

    /// Takes every branch out, as they are, for a redrive.
    pub(super) fn wreck(&mut self) {
        // What can't be redriven leaves nothing.
        if !self.identity.is_express() {
            self.wreck = self.wrecked(BranchId::ROOT).map(Box::new);
        }
    }

    fn wrecked(&mut self, id: BranchId) -> Option<Branch> {
        let children = self.branches.children_of(id);
        let forked = children.into_iter().filter_map(|child| self.wrecked(child)).collect();
        let mut branch = self.branches.remove(id)?;
        branch.halt(forked);
        Some(branch)
    }

    pub(super) fn redrive(&mut self, client_token: Option<Arc<str>>) {
        let Some(wreck) = self.wreck.take() else { return };
        let count = self.redrive.map_or(0, |last| last.count) + 1;
        let event = self.push(self.last_event(), EventKind::ExecutionRedriven { count, client_token });
        self.redrive = Some(Redrive { count, at: self.now, event });
        self.set_time_limit();
        self.revive(*wreck, None);
    }

    /// Puts a branch back in its place. Its events follow the entry of its state, which is not entered again.
    fn revive(&mut self, mut branch: Branch, parent: Option<Parent>) {
        branch.parent = parent;
        let wreckage = branch.wreckage.take();
        if let Some(visit) = &mut branch.visit {
            branch.last_event = visit.entered_event;
            visit.retries.fill(0);
            branch.next = wreckage.is_none().then_some(Next::Work);
        }
        let id = self.branches.add(branch);
        match wreckage.map(|wreckage| *wreckage) {
            None => {}
            Some(Wreckage::Fork { fork, branches }) => self.revive_fork(id, fork, branches),
            Some(Wreckage::MapRun(run)) => self.redrive_map_run(id, &run),
        }
        self.goes_on(id);
    }

    fn revive_fork(&mut self, id: BranchId, fork: Fork, branches: Vec<Branch>) {
        let Some(branch) = self.branches.get_mut(id) else { return };
        branch.waits_for = Some(WaitsFor::Fork(fork));
        let running = branches.len();
        for branch in branches {
            let parent = branch.parent.map(|parent| Parent { branch: id, ..parent });
            self.revive(branch, parent);
        }
        let Some((graph, visit)) = self.at(id) else { return };
        if let Kind::Map(map) = &graph.state(visit.state).kind
            && let Err(error) = self.start_iterations(id, map, running, visit.entered_event)
        {
            self.give_up_fork(id);
            self.evaluation_failed(id, error);
        }
    }

    fn redrive_map_run(&mut self, id: BranchId, run: &Arc<MapRun>) {
        let redrive = run.redrive.map_or(0, |last| last.count) + 1;
        let kind = EventKind::MapRunRedriven { map_run_arn: run.arn.clone(), count: redrive };
        let event = self.append(run.follows, kind);
        let run = Arc::new(MapRun {
            id: CallId { branch: id, number: self.new_number() },
            redrive: Some(Redrive { count: redrive, at: self.now, event }),
            ..(**run).clone()
        });
        self.commands.push(Command::StartMapRun(run.clone()));
        if let Some(branch) = self.branches.get_mut(id) {
            branch.last_event = event;
            branch.waits_for = Some(WaitsFor::MapRun(run));
        }
    }

    /// What the end of the execution follows where a state fails as it is taken up again, before any event of its own.
    pub(super) fn before_failure(&self, branch: &Branch) -> u64 {
        match (&branch.visit, &self.redrive) {
            (Some(visit), Some(redrive))
                if branch.last_event == visit.entered_event && visit.entered_event < redrive.event =>
            {
                redrive.event
            }
            _ => branch.last_event,
        }
    }
}

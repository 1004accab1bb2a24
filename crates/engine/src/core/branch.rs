//! Branches: the threads of control of an execution.

use std::sync::Arc;

use asl::{
    Fault, Value,
    machine::{Graph, State, StateId},
    value::Object,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Call, CallId, Timer, TimerId, context::MapItem, fork::Fork, redrive::Wreckage};
use crate::{history::Limits, map_run::MapRun};

/// A branch's place among all that the execution ever had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct BranchId(usize);

impl BranchId {
    /// The machine's own graph, the first branch of every execution.
    pub(super) const ROOT: Self = Self(0);

    pub(super) fn number(self) -> u64 {
        self.0 as u64
    }
}

/// Where control is in one graph.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) graph: Arc<Graph>,
    /// The branch that forked this one; none for the machine's own graph.
    pub(super) parent: Option<Parent>,
    /// What the next event follows.
    pub(super) last_event: u64,
    /// The element of the innermost Map state around it.
    pub(super) map_item: Option<Arc<MapItem>>,
    /// Every variable that it can read: its own and, as they were when it was forked, those around it.
    pub(super) variables: Arc<Object>,
    pub(super) next: Option<Next>,
    pub(super) visit: Option<Visit>,
    pub(super) waits_for: Option<WaitsFor>,
    /// What is left of the state's work where that has failed, or was given up.
    pub(super) wreckage: Option<Box<Wreckage>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Parent {
    pub(super) branch: BranchId,
    /// Which branch of the Parallel state, or iteration of the Map state.
    pub(super) index: usize,
}

/// What a branch does when it is its turn.
#[derive(Debug)]
pub(super) enum Next {
    /// Enter a state.
    Enter(StateId, Value),
    /// Do the work of the state that it is at: the first time, or again.
    Work,
    /// Fail, as the state that it is at has.
    Fail(Box<Fault>),
}

/// A stay at a state, from entry to exit, over all its retries.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) state: StateId,
    /// What the event of the entry follows.
    pub(super) before_entry: u64,
    pub(super) entered_event: u64,
    pub(super) entered_at: OffsetDateTime,
    /// The state's raw input.
    pub(super) input: Value,
    /// How often each retrier has retried, in their order.
    pub(super) retries: Vec<u32>,
}

impl Visit {
    pub(super) fn retry_count(&self) -> u32 {
        self.retries.iter().sum()
    }
}

/// What a branch waits for.
#[derive(Debug)]
pub(super) enum WaitsFor {
    /// A call's end.
    Call(Box<Pending>),
    /// The end of a Wait state; none is never.
    Wait(Option<Timer>),
    /// The delay before a retry; none is never.
    Retry(Option<Timer>),
    /// The end of a Map Run.
    MapRun(Arc<MapRun>),
    /// The branches that it forked.
    Fork(Fork),
}

/// A call whose end has not come.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) call: Call,
    pub(super) limits: Limits,
    pub(super) timeout: Option<Timer>,
    pub(super) heartbeat: Option<Timer>,
    /// What somebody with the token said before the work was handed in, or taken.
    pub(super) end: Option<Result<Value, Fault>>,
}

impl Branch {
    pub(super) fn new(graph: Arc<Graph>, parent: Option<Parent>, last_event: u64, next: Next) -> Self {
        Self {
            graph,
            parent,
            last_event,
            map_item: None,
            variables: Arc::default(),
            next: Some(next),
            visit: None,
            waits_for: None,
            wreckage: None,
        }
    }

    /// The state that it is at.
    pub(super) fn state(&self) -> Option<&State> {
        self.visit.as_ref().map(|visit| self.graph.state(visit.state))
    }
}

/// The branches that are alive.
#[derive(Debug, Default)]
pub(super) struct Branches(Vec<Option<Branch>>);

impl Branches {
    pub(super) fn add(&mut self, branch: Branch) -> BranchId {
        if self.0.is_empty() {
            // Most executions have one branch all their life, and a vector would make room for four.
            self.0.reserve_exact(1);
        }
        self.0.push(Some(branch));
        BranchId(self.0.len() - 1)
    }

    pub(super) fn get(&self, id: BranchId) -> Option<&Branch> {
        self.0.get(id.0)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: BranchId) -> Option<&mut Branch> {
        self.0.get_mut(id.0)?.as_mut()
    }

    pub(super) fn remove(&mut self, id: BranchId) -> Option<Branch> {
        self.0.get_mut(id.0)?.take()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Those that are alive, in the order in which they began.
    pub(super) fn all(&self) -> impl Iterator<Item = &Branch> {
        self.alive().map(|(_, branch)| branch)
    }

    /// The calls whose ends are waited for.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.alive().filter_map(|(_, branch)| branch.pending())
    }

    /// The Map Runs whose ends are waited for.
    pub(super) fn map_runs(&self) -> impl Iterator<Item = &Arc<MapRun>> {
        self.alive().filter_map(|(_, branch)| branch.map_run())
    }

    /// The Map Run with this id, where its end is waited for.
    pub(super) fn map_run(&self, run: CallId) -> Option<&Arc<MapRun>> {
        self.get(run.branch)?.map_run().filter(|waiting| waiting.id == run)
    }

    /// The timers that somebody waits for, but for the execution's own.
    pub(super) fn timers(&self) -> impl Iterator<Item = Timer> {
        self.alive().flat_map(|(_, branch)| branch.timers())
    }

    /// What a branch knows of this call, where it waits for it.
    pub(super) fn pending_call(&self, call: CallId) -> Option<&Pending> {
        self.get(call.branch)?.pending().filter(|pending| pending.call.id == call)
    }

    /// The same, to be changed.
    pub(super) fn pending_mut(&mut self, call: CallId) -> Option<&mut Pending> {
        match &mut self.get_mut(call.branch)?.waits_for {
            Some(WaitsFor::Call(pending)) if pending.call.id == call => Some(pending),
            _ => None,
        }
    }

    /// The timer with this id, where somebody waits for it.
    pub(super) fn timer(&self, timer: TimerId) -> Option<Timer> {
        self.get(timer.branch)?.timers().into_iter().find(|set| set.id == timer)
    }

    /// Whether what this branch does next is to fail.
    pub(super) fn fails(&self, id: BranchId) -> bool {
        self.get(id).is_some_and(|branch| matches!(branch.next, Some(Next::Fail(_))))
    }

    pub(super) fn children_of(&self, parent: BranchId) -> Vec<BranchId> {
        self.alive().filter(|(_, branch)| branch.parent.is_some_and(|p| p.branch == parent)).map(|(id, _)| id).collect()
    }

    fn alive(&self) -> impl Iterator<Item = (BranchId, &Branch)> {
        self.0.iter().enumerate().filter_map(|(index, branch)| Some((BranchId(index), branch.as_ref()?)))
    }
}

impl Branch {
    pub(super) fn pending(&self) -> Option<&Pending> {
        match &self.waits_for {
            Some(WaitsFor::Call(pending)) => Some(pending),
            _ => None,
        }
    }

    pub(super) fn map_run(&self) -> Option<&Arc<MapRun>> {
        match &self.waits_for {
            Some(WaitsFor::MapRun(run)) => Some(run),
            _ => None,
        }
    }

    fn timers(&self) -> Vec<Timer> {
        match &self.waits_for {
            Some(WaitsFor::Call(pending)) => pending.timeout.into_iter().chain(pending.heartbeat).collect(),
            Some(WaitsFor::Wait(timer) | WaitsFor::Retry(timer)) => timer.iter().copied().collect(),
            Some(WaitsFor::MapRun(_) | WaitsFor::Fork(_)) | None => Vec::new(),
        }
    }
}

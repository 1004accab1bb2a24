//! How a state leads to others of its graph.

use crate::{
    machine::{ChoiceRule, Graph, Kind, State, StateId, Transition},
    retry::Catcher,
    template::Template,
};

/// A transition from a state to another.
#[derive(Clone, Copy)]
pub(super) struct Edge<'m> {
    pub(super) to: StateId,
    pub(super) way: Way<'m>,
}

/// Why a transition is made.
#[derive(Clone, Copy)]
pub(super) enum Way<'m> {
    /// The state is done, or no rule of a Choice state holds.
    Done,
    /// A rule of a Choice state holds.
    Chosen(&'m ChoiceRule),
    /// An error is caught.
    Caught(&'m Catcher),
}

impl<'m> Edge<'m> {
    /// Every transition of a state.
    pub(super) fn of(state: &'m State) -> Vec<Self> {
        let rules = match &state.kind {
            Kind::Choice(choice) => choice.rules.as_slice(),
            _ => &[],
        };
        let rules = rules.iter().map(|rule| Self { to: rule.next, way: Way::Chosen(rule) });
        let done = match (&state.kind, state.transition()) {
            (Kind::Choice(choice), _) => choice.default,
            (_, Some(Transition::Next(next))) => Some(next),
            (_, Some(Transition::End) | None) => None,
        };
        let done = done.map(|to| Self { to, way: Way::Done });
        let caught = state.catchers().iter().map(|catcher| Self { to: catcher.next, way: Way::Caught(catcher) });
        rules.chain(done).chain(caught).collect()
    }

    /// The variables that are set on this way out of a state.
    pub(super) fn assign(self, state: &'m State) -> Option<&'m Template> {
        match self.way {
            Way::Done => state.assign.as_ref(),
            Way::Chosen(rule) => rule.assign.as_ref(),
            Way::Caught(catcher) => catcher.assign.as_ref(),
        }
    }
}

/// Which states of a graph come after which.
pub(super) struct Order(Vec<Vec<StateId>>);

impl Order {
    pub(super) fn of(graph: &Graph) -> Self {
        Self(graph.states.iter().map(|state| Edge::of(state).iter().map(|edge| edge.to).collect()).collect())
    }

    /// For each state by its id, whether it is one of these or may come after one of them.
    pub(super) fn from(&self, starts: &[StateId]) -> Vec<bool> {
        let mut reached = vec![false; self.0.len()];
        let mut left = starts.to_vec();
        while let Some(StateId(id)) = left.pop() {
            if let Some(reached) = reached.get_mut(id)
                && !std::mem::replace(reached, true)
            {
                left.extend(self.0.get(id).into_iter().flatten());
            }
        }
        reached
    }
}

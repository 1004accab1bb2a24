//! Variables that are read where nothing before can have assigned them, and calls of functions that do not exist.
//!
//! Only what is certain is told: a variable may be there if one way to the state assigns it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    diagnostic::{Code, Findings, Pointer},
    edges::{Edge, Order},
    fields::nearest,
    scope::{assigns, variables},
    uses::{Use, Used, uses},
};
use crate::{
    jsonata,
    machine::{Graph, Kind, Machine, Map, Processing, State, StateId},
};

/// A function of the language that the service does not have.
const EVAL: &str = "eval";

/// Names of variables.
type Names = BTreeSet<Arc<str>>;

/// Reports what is read and is never there.
pub(super) fn check(machine: &Machine, findings: &mut Findings) {
    let functions = jsonata::function_names().collect();
    let mut assigning = BTreeMap::new();
    for state in machine.states() {
        for name in assigns(state).into_iter().flat_map(|(assign, _)| variables(assign)) {
            assigning.entry(name).or_insert_with(|| state.name.clone());
        }
    }
    Check { functions, assigning, findings }.graph(&machine.graph, &Outside::default());
}

struct Check<'f> {
    functions: BTreeSet<&'static str>,
    /// A state that assigns a variable, by the variable's name.
    assigning: BTreeMap<Arc<str>, Arc<str>>,
    findings: &'f mut Findings,
}

/// What is known of the variables around a graph.
#[derive(Default)]
struct Outside {
    /// Those that its states can read.
    visible: Names,
    /// Those that they can't, because they are executions of their own.
    hidden: Names,
}

/// The variables of one graph: for each, which of its states come after an assignment.
struct Inside(BTreeMap<Arc<str>, Vec<bool>>);

impl Inside {
    fn of(graph: &Graph) -> Self {
        let mut assigned: BTreeMap<Arc<str>, Vec<StateId>> = BTreeMap::new();
        for state in &graph.states {
            for edge in Edge::of(state) {
                for name in edge.assign(state).into_iter().flat_map(variables) {
                    assigned.entry(name).or_default().push(edge.to);
                }
            }
        }
        let order = Order::of(graph);
        Self(assigned.into_iter().map(|(name, starts)| (name, order.from(&starts))).collect())
    }

    /// Those that may be assigned when a state is entered.
    fn before(&self, state: usize) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter().filter(move |(_, after)| after.get(state) == Some(&true)).map(|(name, _)| name)
    }

    fn has(&self, name: &str, state: usize) -> bool {
        self.0.get(name).is_some_and(|after| after.get(state) == Some(&true))
    }
}

impl Check<'_> {
    fn graph(&mut self, graph: &Graph, outside: &Outside) {
        let inside = Inside::of(graph);
        for (index, state) in graph.states.iter().enumerate() {
            let is_visible = |name: &str| outside.visible.contains(name) || inside.has(name, index);
            let mut told = BTreeSet::new();
            for Use { at, used, .. } in uses(state) {
                for name in used.variables().into_iter().filter(|name| !is_visible(name)) {
                    let is_function = matches!(used, Used::Jsonata(_)) && self.functions.contains(name);
                    if !is_function && told.insert((at.to_string(), name)) {
                        let near = outside.visible.iter().chain(inside.before(index));
                        let help = self.help(name, state, near, &outside.hidden);
                        let message = format!("No state before this one assigns the variable '${name}'");
                        self.findings.warning_with_help(Code::NeverAssigned, &at, message, help);
                    }
                }
                if let Used::Jsonata(jsonata) = used {
                    for name in jsonata.functions() {
                        if !self.functions.contains(&**name) && !is_visible(name) {
                            self.no_function(&at, name);
                        }
                    }
                }
            }
            let inner = state.graphs();
            if !inner.is_empty() {
                let around = inside_of(state, outside, inside.before(index));
                for graph in inner {
                    self.graph(graph, &around);
                }
            }
        }
    }

    /// What may be meant, or why a variable is not there.
    fn help<'n>(
        &self,
        name: &str,
        state: &State,
        near: impl Iterator<Item = &'n Arc<str>>,
        hidden: &Names,
    ) -> Option<String> {
        if hidden.contains(name) {
            let help = "the states of a distributed Map state can't read variables from outside: give it to them with \
                        'ItemSelector'";
            return Some(help.to_owned());
        }
        if let Some(near) = nearest(name, near.map(|near| &**near)) {
            return Some(meant(near));
        }
        if assigns(state).into_iter().any(|(assign, _)| variables(assign).iter().any(|assigned| &**assigned == name)) {
            return Some("what a state assigns is there from the next state on".to_owned());
        }
        match self.assigning.get(name) {
            Some(other) => Some(format!("'{other}' assigns it, but not on a way to this state, or in another scope")),
            None => nearest(name, self.assigning.keys().map(|known| &**known)).map(meant),
        }
    }

    fn no_function(&mut self, at: &Pointer, name: &str) {
        let help = if name == EVAL {
            Some("Step Functions leaves it out of JSONata; '$parse' reads JSON text".to_owned())
        } else {
            nearest(name, self.functions.iter().copied()).map(meant)
        };
        self.findings.warning_with_help(Code::NoFunction, at, format!("There is no function '${name}'"), help);
    }
}

fn meant(name: &str) -> String {
    format!("did you mean '${name}'?")
}

/// What the graphs inside of a state have around them, before it was entered.
fn inside_of<'n>(state: &State, outside: &'n Outside, before: impl Iterator<Item = &'n Arc<str>>) -> Outside {
    let visible: Names = outside.visible.iter().chain(before).cloned().collect();
    match &state.kind {
        Kind::Map(Map { processing: Processing::Distributed(_), .. }) => {
            Outside { visible: Names::new(), hidden: outside.hidden.iter().cloned().chain(visible).collect() }
        }
        _ => Outside { visible, hidden: outside.hidden.clone() },
    }
}

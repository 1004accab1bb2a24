//! `StartAt` and `States`: a whole machine, a branch, or a processor.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{
    diagnostic::{Code, Diagnostic},
    fields::{Fields, Language, Type, did_you_mean},
    state,
};
use crate::{
    machine::{Graph, StateId},
    value::Value,
};

/// The longest name of a state, in characters.
const MAX_NAME: usize = 80;

/// How deep graphs may nest: hostile definitions must not exhaust the stack.
pub(super) const MAX_NESTING: usize = 32;

/// The states of one graph by name, for `Next` to look up, and what holds for all of them.
pub(super) struct Names {
    ids: IndexMap<Arc<str>, StateId>,
    nesting: usize,
    /// The machine's own language, whatever that of a state around this graph.
    pub(super) language: Language,
}

impl Names {
    /// The state that a field names; reports a name that no state has.
    pub(super) fn target(&self, fields: &mut Fields<'_>, field: &'static str) -> Option<StateId> {
        let name = fields.text(field)?;
        let target = self.ids.get(&name).copied();
        if target.is_none() {
            let at = fields.at.child(field).to_string();
            fields.findings.add(Diagnostic {
                help: did_you_mean(&name, self.ids.keys().map(|known| &**known)),
                ..Diagnostic::error(Code::MissingTransitionTarget, format!("Missing 'Next' target: {name}"), at)
            });
        }
        target
    }
}

/// Compiles the graph that `fields` holds.
pub(super) fn graph(fields: &mut Fields<'_>) -> Option<Graph> {
    nested_graph(fields, fields.language, 0)
}

/// Compiles a branch or a processor of a state, whose graph has these names.
pub(super) fn inner_graph(mut inner: Fields<'_>, outer: &Names) -> Option<Graph> {
    if outer.nesting == MAX_NESTING {
        let message = format!("The states are nested deeper than {MAX_NESTING} levels");
        inner.findings.error(Code::TooDeeplyNested, &inner.at, message);
        return None;
    }
    inner.take("Comment");
    let graph = nested_graph(&mut inner, outer.language, outer.nesting + 1);
    inner.close();
    graph
}

fn nested_graph(fields: &mut Fields<'_>, language: Language, nesting: usize) -> Option<Graph> {
    fields.require_all(&["StartAt", "States"]);
    let states = fields.take("States");
    let Some(states) = states else {
        fields.take("StartAt");
        return None;
    };
    let states = match states {
        Value::Object(states) if !states.is_empty() => states,
        Value::Object(_) => {
            fields.error("States", "Value cannot be empty");
            Names { ids: IndexMap::new(), nesting, language }.target(fields, "StartAt");
            return None;
        }
        _ => {
            fields.take("StartAt");
            fields.type_error("States", Type::Object);
            return None;
        }
    };
    let ids = states.keys().enumerate().map(|(index, name)| (name.clone(), StateId(index))).collect();
    let names = Names { ids, nesting, language };
    let start = names.target(fields, "StartAt");
    let at = fields.at.child("States");
    let mut compiled = Vec::with_capacity(states.len());
    for (name, value) in states.iter() {
        let at = at.child(name);
        if name.chars().count() > MAX_NAME {
            let message = format!("State name '{name}' exceeds the {MAX_NAME}-character limit allowed by the service");
            fields.findings.error(Code::InvalidStateName, &at, message);
        }
        if let Some(mut fields) = fields.open_below(value, at, language) {
            compiled.extend(state::state(name, &names, &mut fields));
            fields.close();
        }
    }
    // With a state missing, ids would point at the wrong ones; the reason has been reported.
    (compiled.len() == states.len()).then_some(Graph { start: start?, states: compiled })
}

//! Expressions that only name a value: `$states.input.order.id`, `$count`. They need no engine.

use jsonata_core::ast::{AstNode, PathStep};

use super::{
    States,
    references::{STATES, states_object},
};
use crate::{Value, context::Environment};

/// A variable and the names of fields below it.
pub(super) struct Plain {
    variable: String,
    fields: Vec<String>,
}

/// What a plain path selects.
pub(super) enum Found {
    /// This value.
    Value(Value),
    /// Nothing: undefined.
    Nothing,
    /// The engine must decide: a variable that is not assigned may be a function, and a field of an array is a field of
    /// each of its items.
    Unknown,
}

impl Plain {
    /// The plain path that an expression is, or nothing.
    pub(super) fn of(ast: &AstNode) -> Option<Self> {
        let (variable, rest) = match ast {
            AstNode::Variable(name) => (name, [].as_slice()),
            AstNode::Path { steps } => match steps.split_first()? {
                (first, rest) if is_bare(first) => match &first.node {
                    AstNode::Variable(name) => (name, rest),
                    _ => return None,
                },
                _ => return None,
            },
            _ => return None,
        };
        let fields = rest
            .iter()
            .map(|step| match &step.node {
                AstNode::Name(name) if is_bare(step) => Some(name.clone()),
                _ => None,
            })
            .collect::<Option<_>>()?;
        (!variable.is_empty()).then(|| Self { variable: variable.clone(), fields })
    }

    /// What it selects.
    pub(super) fn find(&self, states: &States<'_>, environment: &dyn Environment) -> Found {
        let (value, fields) = if self.variable == STATES {
            match self.fields.split_first() {
                None => return Found::Value(states_object(states, environment)),
                Some((field, rest)) => {
                    let found = match (field.as_str(), states) {
                        ("input", states) => Some(states.input.clone()),
                        ("result", states) => states.result.cloned(),
                        ("errorOutput", states) => states.error_output.cloned(),
                        ("context", _) => Some(environment.context()),
                        _ => None,
                    };
                    match found {
                        Some(value) => (value, rest),
                        None => return Found::Nothing,
                    }
                }
            }
        } else {
            match environment.variable(&self.variable) {
                Some(value) => (value, self.fields.as_slice()),
                None => return Found::Unknown,
            }
        };
        let mut at = &value;
        for field in fields {
            match at {
                Value::Object(object) => match object.get(field.as_str()) {
                    Some(found) => at = found,
                    None => return Found::Nothing,
                },
                Value::Array(_) => return Found::Unknown,
                _ => return Found::Nothing,
            }
        }
        Found::Value(at.clone())
    }
}

/// Whether a step has neither predicates nor bindings.
pub(super) fn is_bare(step: &PathStep) -> bool {
    step.stages.is_empty()
        && step.focus.is_none()
        && step.index_var.is_none()
        && step.ancestor_label.is_none()
        && !step.is_tuple
        && !step.inner_tuple
}

//! Expressions that only name a value: `$states.input.orders[0].id`, `$count`. They need no engine.

use jsonata_core::ast::{AstNode, PathStep, Stage, UnaryOp};

use super::{
    States,
    references::{STATES, states_object},
};
use crate::{Value, context::Environment};

/// A variable and the way below it.
pub(super) struct Plain {
    variable: String,
    way: Vec<Turn>,
}

/// What a plain path names.
pub(crate) struct NamedPlace<'e> {
    /// The variable, without the `$`.
    pub(crate) variable: &'e str,
    /// The fields right after it, up to the first index.
    pub(crate) fields: Vec<&'e str>,
    /// Whether that is the whole path.
    pub(crate) is_all: bool,
}

enum Turn {
    /// `.name`
    Field(String),
    /// `[0]`, or `[-1]` for the last one
    Index(i64),
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
        let mut way = Vec::new();
        let variable = match ast {
            AstNode::Variable(name) => name,
            AstNode::Path { steps } => {
                let (first, rest) = steps.split_first()?;
                let AstNode::Variable(name) = &first.node else { return None };
                way.extend(indices(first)?);
                for step in rest {
                    let AstNode::Name(field) = &step.node else { return None };
                    way.push(Turn::Field(field.clone()));
                    way.extend(indices(step)?);
                }
                name
            }
            _ => return None,
        };
        (!variable.is_empty()).then(|| Self { variable: variable.clone(), way })
    }

    /// The variable with the fields that are named right after it.
    pub(super) fn named(&self) -> NamedPlace<'_> {
        let fields: Vec<_> = self
            .way
            .iter()
            .map_while(|turn| match turn {
                Turn::Field(name) => Some(name.as_str()),
                Turn::Index(_) => None,
            })
            .collect();
        NamedPlace { variable: &self.variable, is_all: fields.len() == self.way.len(), fields }
    }

    /// What it selects.
    pub(super) fn find(&self, states: &States<'_>, environment: &dyn Environment) -> Found {
        let (value, way) = match (self.variable.as_str(), self.way.split_first()) {
            (STATES, None) => return Found::Value(states_object(states, environment)),
            (STATES, Some((Turn::Field(field), rest))) => match of_states(field, states, environment) {
                Some(value) => (value, rest),
                None => return Found::Nothing,
            },
            (STATES, Some((Turn::Index(_), _))) => return Found::Unknown,
            (name, _) => match environment.variable(name) {
                Some(value) => (value, self.way.as_slice()),
                None => return Found::Unknown,
            },
        };
        let mut at = &value;
        for turn in way {
            let next = match (turn, at) {
                (Turn::Field(field), Value::Object(object)) => object.get(field.as_str()),
                (Turn::Field(_), Value::Array(_)) => return Found::Unknown,
                (Turn::Field(_), _) => None,
                (Turn::Index(index), Value::Array(items)) => at_index(items, *index),
                // Anything else is the only item of its array.
                (Turn::Index(0 | -1), Value::Object(_)) => Some(at),
                (Turn::Index(_), _) => return Found::Unknown,
            };
            match (turn, next) {
                // What becomes of an array in an array is the engine's matter.
                (Turn::Index(_), Some(Value::Array(_))) => return Found::Unknown,
                (_, Some(next)) => at = next,
                (_, None) => return Found::Nothing,
            }
        }
        Found::Value(at.clone())
    }
}

/// A field of `$states`.
pub(super) fn of_states(field: &str, states: &States<'_>, environment: &dyn Environment) -> Option<Value> {
    match field {
        "input" => Some(states.input.clone()),
        "result" => states.result.cloned(),
        "errorOutput" => states.error_output.cloned(),
        "context" => Some(environment.context()),
        _ => None,
    }
}

fn at_index(items: &[Value], index: i64) -> Option<&Value> {
    let index = match usize::try_from(index) {
        Ok(index) => index,
        Err(_) => items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    items.get(index)
}

/// The predicates of a step, if they all are whole numbers and it has nothing else.
fn indices(step: &PathStep) -> Option<Vec<Turn>> {
    step.stages
        .iter()
        .map(|stage| match stage {
            Stage::Filter(filter) => whole(filter).map(Turn::Index),
            _ => None,
        })
        .collect::<Option<_>>()
        .filter(|_| !binds(step))
}

fn whole(node: &AstNode) -> Option<i64> {
    match node {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number that is not too large")]
        AstNode::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => Some(*number as i64),
        AstNode::Unary { op: UnaryOp::Negate, operand } => whole(operand).map(|number| -number),
        _ => None,
    }
}

/// Whether a step has neither predicates nor bindings.
pub(super) fn is_bare(step: &PathStep) -> bool {
    step.stages.is_empty() && !binds(step)
}

fn binds(step: &PathStep) -> bool {
    step.focus.is_some()
        || step.index_var.is_some()
        || step.ancestor_label.is_some()
        || step.is_tuple
        || step.inner_tuple
}

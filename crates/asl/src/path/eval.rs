//! Finding what a path names.

use std::{cell::Cell, fmt::Write, sync::Arc};

use super::Step;
use crate::value::{Object, Value};

/// How many places one search may come by. A payload has room for no more than 131,072 values, while a path with several
/// `..` comes by each of them very often.
const MOST_PLACES: usize = 1 << 22;

/// A path does not lead to a value.
///
/// Worded as the service words it: `Missing property in path $['no']`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// There is no such place.
    #[error("{0}")]
    Nowhere(String),
    /// The path ends in an index past the end of an array. The service's templates take this for null.
    #[error("{0}")]
    PastEnd(String),
    /// An index is asked of what is no array.
    #[error("{0}")]
    NoArray(String),
    /// It leads to, or through, more places than there is room for. This is a limit of its own.
    #[error("the path leads through more than {MOST_PLACES} places of this value")]
    TooMany,
}

impl Missing {
    pub(super) fn variable(name: &str) -> Self {
        Self::Nowhere(format!("Variable '{name}' is not assigned"))
    }
}

pub(super) fn find(steps: &[Step], root: &Value) -> Result<Value, Missing> {
    let mut value = root;
    for at in 0..steps.len() {
        let (before, from_here) = steps.split_at(at);
        value = match from_here {
            [Step::Field(name), ..] => value.get(name).ok_or_else(|| missing_field(value, before, from_here))?,
            [Step::Index(index), ..] => {
                element(value, *index).ok_or_else(|| missing_index(value, before, *index, from_here))?
            }
            [Step::Fields(names)] => {
                return together(value, names).ok_or_else(|| missing_field(value, before, from_here));
            }
            [Step::Slice { .. } | Step::Indexes(_), ..] if value.as_array().is_none() => {
                return Err(no_array(value, from_here));
            }
            [Step::Filter(_), ..] if !matches!(value, Value::Array(_) | Value::Object(_)) => {
                return Err(Missing::NoArray(format!(
                    "Filter: {} can not be applied to primitives. Current context is: {value}",
                    fragments(from_here)
                )));
            }
            _ => {
                let search = Search::of(root);
                let found = search.collect(from_here, value);
                return if search.is_over() { Err(Missing::TooMany) } else { Ok(found.into()) };
            }
        };
    }
    Ok(value.clone())
}

/// Several fields of an object, as an object of those that it has.
fn together(value: &Value, names: &[Arc<str>]) -> Option<Value> {
    let Value::Object(fields) = value else { return None };
    let found = names.iter().filter_map(|name| Some((name.clone(), fields.get(name)?.clone())));
    Some(found.collect::<Object>().into())
}

/// A search for what a path names, which may be any number of places.
pub(super) struct Search<'a> {
    /// What `$` stands for in a filter.
    pub(super) root: &'a Value,
    /// How many places it may still come by.
    left: Cell<usize>,
}

impl<'a> Search<'a> {
    fn of(root: &'a Value) -> Self {
        Self { root, left: Cell::new(MOST_PLACES) }
    }

    /// It came by too many places: what it has found is not all.
    fn is_over(&self) -> bool {
        self.left.get() == 0
    }

    /// It comes by one more place, unless it is over.
    fn goes_on(&self) -> bool {
        self.left.set(self.left.get().saturating_sub(1));
        !self.is_over()
    }

    /// What the steps name below `value`, leaving out what is not there.
    pub(super) fn collect(&self, steps: &[Step], value: &Value) -> Vec<Value> {
        let mut found = Vec::new();
        self.add(steps, value, &mut found);
        found
    }

    fn add(&self, steps: &[Step], value: &Value, found: &mut Vec<Value>) {
        if !self.goes_on() {
            return;
        }
        let Some((step, rest)) = steps.split_first() else {
            found.push(value.clone());
            return;
        };
        let mut go_on = |value: &Value| self.add(rest, value, found);
        match step {
            Step::Field(name) => value.get(name).into_iter().for_each(go_on),
            Step::Fields(names) if rest.is_empty() => found.extend(together(value, names)),
            Step::Fields(names) => names.iter().filter_map(|name| value.get(name)).for_each(go_on),
            Step::Index(index) => element(value, *index).into_iter().for_each(go_on),
            Step::Indexes(indexes) => indexes.iter().filter_map(|index| element(value, *index)).for_each(go_on),
            Step::Slice { from, to } => slice(value, *from, *to).iter().for_each(go_on),
            Step::Wildcard => children(value, &mut go_on),
            Step::Filter(filter) => match value {
                Value::Array(items) => items.iter().filter(|item| filter.keeps(item, self)).for_each(go_on),
                Value::Object(_) if filter.keeps(value, self) => go_on(value),
                _ => {}
            },
            // Several fields at the end are taken from where all of them are.
            Step::Descend => self.descend(value, &mut |value| match rest {
                [Step::Fields(names)] if !names.iter().all(|name| value.get(name).is_some()) => {}
                _ => go_on(value),
            }),
        }
    }

    fn descend(&self, value: &Value, go_on: &mut dyn FnMut(&Value)) {
        if self.goes_on() {
            go_on(value);
            children(value, &mut |child| self.descend(child, go_on));
        }
    }
}

fn children(value: &Value, go_on: &mut impl FnMut(&Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(go_on),
        Value::Object(fields) => fields.values().for_each(go_on),
        _ => {}
    }
}

fn element(value: &Value, index: i64) -> Option<&Value> {
    let items = value.as_array()?;
    items.get(position(index, items.len())?)
}

/// Where an index points in an array of this length; a negative one counts from the end.
fn position(index: i64, len: usize) -> Option<usize> {
    let from_start = if index < 0 { index.checked_add(i64::try_from(len).ok()?)? } else { index };
    usize::try_from(from_start).ok()
}

fn slice(value: &Value, from: Option<i64>, to: Option<i64>) -> &[Value] {
    let Some(items) = value.as_array() else { return &[] };
    let clamp = |index: i64| position(index, items.len()).unwrap_or(0).min(items.len());
    let from = from.map_or(0, clamp);
    let to = to.map_or(items.len(), clamp);
    items.get(from..to).unwrap_or(&[])
}

fn missing_field(value: &Value, before: &[Step], from_here: &[Step]) -> Missing {
    let (place, name) = (place(before), fragments(from_here.get(..1).unwrap_or_default()));
    Missing::Nowhere(match value {
        Value::Object(_) | Value::Null => format!("Missing property in path {place}{name}"),
        other => format!(
            "Expected to find an object with property {name} in path {place} but found '{}'. This is not a json \
             object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'.",
            java_name(other)
        ),
    })
}

fn missing_index(value: &Value, before: &[Step], index: i64, from_here: &[Step]) -> Missing {
    match value {
        Value::Array(_) => {
            let text = format!("Index out of bounds when evaluating path {}[{index}]", place(before));
            if from_here.len() == 1 && index >= 0 { Missing::PastEnd(text) } else { Missing::Nowhere(text) }
        }
        _ => no_array(value, from_here),
    }
}

fn no_array(value: &Value, from_here: &[Step]) -> Missing {
    Missing::NoArray(format!(
        "Filter: {} can only be applied to arrays. Current context is: {value}",
        fragments(from_here)
    ))
}

/// The service names a place in Jayway's normal form: `$['a'][0]`.
fn place(steps: &[Step]) -> String {
    format!("${}", fragments(steps))
}

fn fragments(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        let bound = |bound: &Option<i64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        // Writing to a String can't fail.
        let _ = match step {
            Step::Field(name) => write!(text, "['{name}']"),
            Step::Fields(names) => write!(text, "['{}']", names.join("','")),
            Step::Index(index) => write!(text, "[{index}]"),
            Step::Indexes(indexes) => {
                write!(text, "[{}]", indexes.iter().map(i64::to_string).collect::<Vec<_>>().join(","))
            }
            Step::Slice { from, to } => write!(text, "[{}:{}]", bound(from), bound(to)),
            Step::Wildcard => write!(text, "[*]"),
            Step::Descend => write!(text, ".."),
            Step::Filter(_) => write!(text, "[?]"),
        };
    }
    text
}

fn java_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "com.fasterxml.jackson.databind.node.TextNode",
        Value::Bool(_) => "com.fasterxml.jackson.databind.node.BooleanNode",
        Value::Number(number) if number.is_f64() => "com.fasterxml.jackson.databind.node.DoubleNode",
        Value::Number(_) => "com.fasterxml.jackson.databind.node.IntNode",
        Value::Array(_) => "com.fasterxml.jackson.databind.node.ArrayNode",
        Value::Object(_) => "com.fasterxml.jackson.databind.node.ObjectNode",
        Value::Null => "com.fasterxml.jackson.databind.node.NullNode",
    }
}

impl From<Missing> for Arc<str> {
    fn from(missing: Missing) -> Self {
        missing.to_string().into()
    }
}

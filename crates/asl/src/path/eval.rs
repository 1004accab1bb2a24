//! Finding what a path names.

use std::{fmt::Write, sync::Arc};

use super::Step;
use crate::value::Value;

/// A definite path leads nowhere in this value.
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
}

impl Missing {
    pub(super) fn variable(name: &str) -> Self {
        Self::Nowhere(format!("Variable '{name}' is not assigned"))
    }
}

pub(super) fn find(steps: &[Step], root: &Value) -> Result<Value, Missing> {
    let mut value = root;
    for (at, step) in steps.iter().enumerate() {
        value = match step {
            Step::Field(name) => value.get(name).ok_or_else(|| missing_field(value, &steps[..at], name))?,
            Step::Index(index) => {
                let is_last = at + 1 == steps.len();
                element(value, *index).ok_or_else(|| missing_index(value, &steps[..at], *index, is_last))?
            }
            _ => {
                let mut found = Vec::new();
                collect(&steps[at..], value, root, &mut found);
                return Ok(found.into());
            }
        };
    }
    Ok(value.clone())
}

/// Collects what the steps name below `value`, leaving out what is not there.
pub(super) fn collect(steps: &[Step], value: &Value, root: &Value, found: &mut Vec<Value>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(value.clone());
        return;
    };
    let mut go_on = |value: &Value| collect(rest, value, root, found);
    match step {
        Step::Field(name) => value.get(name).into_iter().for_each(go_on),
        Step::Fields(names) => names.iter().filter_map(|name| value.get(name)).for_each(go_on),
        Step::Index(index) => element(value, *index).into_iter().for_each(go_on),
        Step::Indexes(indexes) => indexes.iter().filter_map(|index| element(value, *index)).for_each(go_on),
        Step::Slice { from, to } => slice(value, *from, *to).iter().for_each(go_on),
        Step::Wildcard => children(value, &mut go_on),
        Step::Filter(filter) => match value {
            Value::Array(items) => items.iter().filter(|item| filter.keeps(item, root)).for_each(go_on),
            Value::Object(_) if filter.keeps(value, root) => go_on(value),
            _ => {}
        },
        Step::Descend => descend(value, &mut go_on),
    }
}

fn children(value: &Value, go_on: &mut impl FnMut(&Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(go_on),
        Value::Object(fields) => fields.values().for_each(go_on),
        _ => {}
    }
}

fn descend(value: &Value, go_on: &mut dyn FnMut(&Value)) {
    go_on(value);
    children(value, &mut |child| descend(child, go_on));
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

fn missing_field(value: &Value, before: &[Step], name: &str) -> Missing {
    let place = place(before);
    Missing::Nowhere(match value {
        Value::Object(_) | Value::Null => format!("Missing property in path {place}['{name}']"),
        other => format!(
            "Expected to find an object with property ['{name}'] in path {place} but found '{}'. This is not a json \
             object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'.",
            java_name(other)
        ),
    })
}

fn missing_index(value: &Value, before: &[Step], index: i64, is_last: bool) -> Missing {
    let place = place(before);
    match value {
        Value::Array(_) => {
            let text = format!("Index out of bounds when evaluating path {place}[{index}]");
            if is_last && index >= 0 { Missing::PastEnd(text) } else { Missing::Nowhere(text) }
        }
        _ => Missing::NoArray(format!("Filter: [{index}] can only be applied to arrays. Current context is: {value}")),
    }
}

/// The service names a place in Jayway's normal form: `$['a'][0]`.
fn place(steps: &[Step]) -> String {
    let mut text = String::from("$");
    for step in steps {
        // Writing to a String can't fail.
        let _ = match step {
            Step::Field(name) => write!(text, "['{name}']"),
            Step::Index(index) => write!(text, "[{index}]"),
            _ => Ok(()),
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

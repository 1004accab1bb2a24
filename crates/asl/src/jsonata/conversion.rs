//! Values of an execution to values of the engine, and back.

use std::sync::Arc;

use indexmap::IndexMap;
use jsonata_core::value::JValue;

use super::error::EvaluationError;
use crate::value::{Number, Object, Value};

/// The most memory that a result may stand for, in bytes: the service's limit. A number counts as eight bytes, a
/// character of a string as one.
pub(super) const MEMORY_LIMIT: usize = 873_782 * 8;

/// How deep a result may nest: JSON text that nests deeper can't be read again.
const DEPTH_LIMIT: usize = 127;

/// A value for the engine. Numbers become doubles there.
pub(super) fn from_value(value: &Value) -> JValue {
    match value {
        Value::Null => JValue::Null,
        Value::Bool(flag) => JValue::Bool(*flag),
        Value::Number(number) => number.as_f64().map_or(JValue::Null, JValue::Number),
        Value::String(text) => JValue::string(&**text),
        Value::Array(items) => JValue::array(items.iter().map(from_value).collect()),
        Value::Object(fields) => JValue::object(object(fields)),
    }
}

fn object(fields: &Object) -> IndexMap<String, JValue> {
    fields.iter().map(|(key, value)| (key.to_string(), from_value(value))).collect()
}

/// A result of the engine. Nothing for undefined and for functions, which JSON can't express: fields that hold them are
/// left out, and in an array they are null.
///
/// The engine shares parts between values, so a small value may stand for an endless text: it is limited here.
pub(super) fn to_value(value: &JValue) -> Result<Option<Value>, EvaluationError> {
    let mut left = MEMORY_LIMIT;
    convert(value, &mut left, DEPTH_LIMIT)
}

/// Whether a value is too large when it is written out.
pub(super) fn holds_too_much(value: &JValue) -> bool {
    let mut left = MEMORY_LIMIT;
    let mut waiting = vec![value];
    while let Some(value) = waiting.pop() {
        match left.checked_sub(size(value)) {
            Some(rest) => left = rest,
            None => return true,
        }
        match value {
            JValue::Array(items) => waiting.extend(items),
            JValue::Object(fields) => waiting.extend(fields.values()),
            _ => {}
        }
    }
    false
}

fn size(value: &JValue) -> usize {
    match value {
        JValue::String(text) => text.len(),
        JValue::Object(fields) => fields.keys().map(String::len).sum(),
        JValue::Array(_) => 0,
        _ => 8,
    }
}

fn convert(value: &JValue, left: &mut usize, depth: usize) -> Result<Option<Value>, EvaluationError> {
    *left = left.checked_sub(size(value).max(1)).ok_or_else(EvaluationError::memory)?;
    let inside = || depth.checked_sub(1).ok_or_else(EvaluationError::stack);
    Ok(match value {
        JValue::Null => Some(Value::Null),
        JValue::Bool(flag) => Some(Value::Bool(*flag)),
        JValue::Number(number) => Some(to_number(*number)),
        JValue::String(text) => Some(Value::from(&**text)),
        JValue::Array(items) => {
            let inside = inside()?;
            let items: Result<Vec<Value>, EvaluationError> =
                items.iter().map(|item| Ok(convert(item, left, inside)?.unwrap_or_default())).collect();
            Some(Value::from(items?))
        }
        JValue::Object(fields) => {
            let inside = inside()?;
            let mut object = Object::with_capacity(fields.len());
            for (key, value) in fields.iter() {
                if let Some(value) = convert(value, left, inside)? {
                    object.insert(Arc::from(key.as_str()), value);
                }
            }
            Some(Value::from(object))
        }
        _ => None,
    })
}

/// A whole number prints without a fraction. JSON has no infinity and no "not a number": the service answers their names.
fn to_number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9.0e18 {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number in the range of an i64")]
        return Value::from(number as i64);
    }
    match Number::from_f64(number) {
        Some(number) => Value::Number(number),
        None if number.is_nan() => Value::from("NaN"),
        None if number > 0.0 => Value::from("Infinity"),
        None => Value::from("-Infinity"),
    }
}

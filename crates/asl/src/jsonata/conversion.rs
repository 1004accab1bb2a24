//! Values of an execution to values of the engine, and back.

use std::sync::Arc;

use indexmap::IndexMap;
use jsonata_core::value::JValue;

use super::error::EvaluationError;
use crate::value::{Number, Object, Value};

/// The most memory that a result may stand for, in bytes: the service's limit. A number counts as eight bytes, a
/// character of a string as one.
const MEMORY_LIMIT: usize = 873_782 * 8;

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
    convert(value, &mut left)
}

fn convert(value: &JValue, left: &mut usize) -> Result<Option<Value>, EvaluationError> {
    let size = match value {
        JValue::String(text) => text.len().max(8),
        _ => 8,
    };
    *left = left.checked_sub(size).ok_or_else(EvaluationError::memory)?;
    Ok(match value {
        JValue::Null => Some(Value::Null),
        JValue::Bool(flag) => Some(Value::Bool(*flag)),
        JValue::Number(number) => Some(to_number(*number)),
        JValue::String(text) => Some(Value::from(&**text)),
        JValue::Array(items) => {
            let items: Result<Vec<Value>, EvaluationError> =
                items.iter().map(|item| Ok(convert(item, left)?.unwrap_or_default())).collect();
            Some(Value::from(items?))
        }
        JValue::Object(fields) => {
            let mut object = Object::with_capacity(fields.len());
            for (key, value) in fields.iter() {
                *left = left.checked_sub(key.len()).ok_or_else(EvaluationError::memory)?;
                if let Some(value) = convert(value, left)? {
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

//! JSON whose parts are shared, not copied.
//!
//! Cloning a [`Value`], or taking a part out of one, costs a reference count whatever its size. A copy is made only
//! along the path where a result is written into a value that somebody else still holds.

use std::{fmt, sync::Arc};

use indexmap::IndexMap;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor},
};
pub use serde_json::Number;

/// How many arrays and objects may be inside one another in what goes from state to state. JSON text that is read has fewer
/// (127). Without a limit a loop that wraps its input would end the process, for all that is done to a value goes into it by
/// recursion.
pub const NESTING_LIMIT: usize = 200;

/// The fields of an object, in the order they were written.
pub type Object = IndexMap<Arc<str>, Value>;

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number
    Number(Number),
    /// A string
    String(Arc<str>),
    /// An array
    Array(Arc<Vec<Value>>),
    /// An object
    Object(Arc<Object>),
}

impl Value {
    /// `{}`
    pub fn empty_object() -> Self {
        Self::Object(Arc::default())
    }

    /// Reads JSON text.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The field of an object, or nothing.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.get(key),
            _ => None,
        }
    }

    /// The text of a string, or nothing.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of an array, or nothing.
    pub fn as_array(&self) -> Option<&Arc<Vec<Self>>> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The whole number that this is, or nothing.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// JSON's name of its type: `null`, `boolean`, `number`, `string`, `array`, `object`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// Whether two values are one and the same piece of memory: then what was found out about one holds for the other.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::String(a), Self::String(b)) => Arc::ptr_eq(a, b),
            (Self::Array(a), Self::Array(b)) => Arc::ptr_eq(a, b),
            (Self::Object(a), Self::Object(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// How many bytes its compact JSON text has. Stops counting soon after `limit`, and more than `limit` it is as well
    /// where it is nested deeper than [`NESTING_LIMIT`].
    pub fn text_len(&self, limit: usize) -> usize {
        let mut left = limit;
        if count(self, &mut left, NESTING_LIMIT) { limit - left } else { limit + 1 }
    }
}

/// Takes what `value` needs from `left`; false once there is not enough, or it is nested deeper than `depth`.
fn count(value: &Value, left: &mut usize, depth: usize) -> bool {
    let take = |left: &mut usize, bytes: usize| match left.checked_sub(bytes) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    };
    match value {
        Value::Null | Value::Bool(true) => take(left, 4),
        Value::Bool(false) => take(left, 5),
        Value::Number(number) => take(left, number.to_string().len()),
        Value::String(text) => take(left, quoted_len(text)),
        Value::Array(_) | Value::Object(_) if depth == 0 => false,
        Value::Array(items) => {
            take(left, 2 + items.len().saturating_sub(1)) && items.iter().all(|item| count(item, left, depth - 1))
        }
        Value::Object(fields) => {
            take(left, 2 + fields.len().saturating_sub(1))
                && fields.iter().all(|(key, value)| take(left, quoted_len(key) + 1) && count(value, left, depth - 1))
        }
    }
}

/// The length of a string's JSON text with its quotes and escapes.
fn quoted_len(text: &str) -> usize {
    2 + text
        .bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
            0x00..=0x1f => 6,
            _ => 1,
        })
        .sum::<usize>()
}

/// Compact JSON text.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items.iter()),
            Self::Object(fields) => serializer.collect_map(fields.iter()),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(Self)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        // `-0` is an integer to the service, and prints as `0`.
        if number == 0.0 && number.is_sign_negative() {
            return Ok(Value::from(0_i64));
        }
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::with_capacity(items.size_hint().unwrap_or(0).min(1024));
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(Arc::new(array)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Object::new();
        while let Some((key, value)) = entries.next_entry::<String, Value>()? {
            object.insert(key.into(), value);
        }
        Ok(Value::Object(Arc::new(object)))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::Array(Arc::new(items))
    }
}

impl From<Object> for Value {
    fn from(fields: Object) -> Self {
        Self::Object(Arc::new(fields))
    }
}

impl<K: Into<Arc<str>>, const N: usize> From<[(K, Value); N]> for Value {
    fn from(fields: [(K, Value); N]) -> Self {
        fields.into_iter().map(|(key, value)| (key.into(), value)).collect::<Object>().into()
    }
}

impl From<&serde_json::Value> for Value {
    fn from(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(flag) => Self::Bool(*flag),
            serde_json::Value::Number(number) => Self::Number(number.clone()),
            serde_json::Value::String(text) => Self::from(text.as_str()),
            serde_json::Value::Array(items) => items.iter().map(Self::from).collect::<Vec<_>>().into(),
            serde_json::Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| (Arc::from(key.as_str()), Self::from(value)))
                .collect::<Object>()
                .into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_len_is_the_length_of_the_text() {
        for text in [
            "null",
            "true",
            "false",
            "-1.5",
            "1e300",
            r#""a\"b\\c\n\u0001 é""#,
            "[]",
            "[1,[2,3],{}]",
            r#"{"a":1,"b":{"c":[null]}}"#,
        ] {
            let value = Value::parse(text).unwrap();
            assert_eq!(value.text_len(10_000), value.to_string().len(), "{text}");
        }
    }

    #[test]
    fn text_len_stops_at_the_limit() {
        assert_eq!(Value::from("x".repeat(100)).text_len(10), 11);
    }

    #[test]
    fn text_len_is_over_any_limit_where_values_are_nested_too_deep() {
        let nested = |depth| (1..depth).fold(Value::from(Vec::new()), |inside, _| Value::from(vec![inside]));
        assert_eq!(nested(NESTING_LIMIT).text_len(10_000), 2 * NESTING_LIMIT);
        assert_eq!(nested(NESTING_LIMIT + 1).text_len(10_000), 10_001);
    }

    #[test]
    fn the_order_of_fields_is_kept() {
        assert_eq!(Value::parse(r#"{"b":1,"a":2}"#).unwrap().to_string(), r#"{"b":1,"a":2}"#);
    }
}

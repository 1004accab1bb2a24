//! How queries and bodies are written.

use std::fmt;

use asl::{Value, value::Object};
use percent_encoding::utf8_percent_encode;

use crate::states::sdk::{ENCODED, text};

/// Pairs of a query or a form.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Names with a value each, or with several, of which each is a pair.
    pub(super) fn of(fields: &Object) -> Self {
        let pairs = fields.iter().flat_map(|(name, value)| {
            let values = match value {
                Value::Array(values) => values.to_vec(),
                value => vec![value.clone()],
            };
            values.into_iter().map(|value| (name.to_string(), written(&value)))
        });
        Self(pairs.collect())
    }

    /// The same with several values alone, which stand in one pair, separated by commas.
    pub(super) fn of_lists(fields: &Object) -> Self {
        let pairs = fields.iter().map(|(name, values)| {
            let values = values.as_array().map_or(&[][..], |values| values);
            (name.to_string(), values.iter().map(written).collect::<Vec<_>>().join(","))
        });
        Self(pairs.collect())
    }

    /// As it follows an address that has this query.
    pub(super) fn after(&self, query: Option<&str>) -> String {
        match (query, self.0.is_empty()) {
            (_, true) => String::new(),
            (None, false) => format!("?{}", self.pairs()),
            (Some(_), false) => format!("&{}", self.pairs()),
        }
    }

    fn pairs(&self) -> String {
        let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let pairs = self.0.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// As it follows an address without a query.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.after(None))
    }
}

/// A value in a pair: a text as it is, what has parts as JSON.
fn written(value: &Value) -> String {
    text(value).unwrap_or_else(|| value.to_string())
}

/// A value without the fields of objects that are `null`.
pub(super) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_nulls).collect::<Vec<_>>().into(),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| **value != Value::Null);
            fields.map(|(name, value)| (name.clone(), without_nulls(value))).collect::<Object>().into()
        }
        value => value.clone(),
    }
}

/// How a body is written: `Transform`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As JSON.
    Json,
    /// As a form, with arrays like this.
    Form(Arrays),
}

/// How an array stands in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrays {
    /// `a[0]=x&a[1]=y`
    Indices,
    /// `a[]=x&a[]=y`
    Brackets,
    /// `a=x,y`
    Commas,
    /// `a=x&a=y`
    Repeat,
}

impl Encoding {
    /// Reads `Transform`; nothing where it is not understood.
    pub(super) fn read(transform: Option<&Value>) -> Option<Self> {
        let Some(transform) = transform else { return Some(Self::Json) };
        let format = transform.get("RequestEncodingOptions").and_then(|options| options.get("ArrayFormat"));
        match transform.get("RequestBodyEncoding").and_then(Value::as_str) {
            None | Some("NONE") if format.is_none() => Some(Self::Json),
            Some("URL_ENCODED") => match format.map(Value::as_str) {
                None | Some(Some("INDICES")) => Some(Self::Form(Arrays::Indices)),
                Some(Some("BRACKETS")) => Some(Self::Form(Arrays::Brackets)),
                Some(Some("COMMAS")) => Some(Self::Form(Arrays::Commas)),
                Some(Some("REPEAT")) => Some(Self::Form(Arrays::Repeat)),
                Some(_) => None,
            },
            _ => None,
        }
    }

    /// The type of such a body.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form(_) => "application/x-www-form-urlencoded",
        }
    }

    /// Writes a body. Only an object can be a form.
    pub(super) fn body(self, body: &Value) -> Option<String> {
        match (self, body) {
            (Self::Json, body) => Some(body.to_string()),
            (Self::Form(arrays), Value::Object(fields)) => {
                let mut pairs = Vec::new();
                fields.iter().for_each(|(name, value)| arrays.pairs(name.to_string(), value, &mut pairs));
                Some(Query(pairs).pairs())
            }
            (Self::Form(_), _) => None,
        }
    }
}

impl Arrays {
    fn pairs(self, name: String, value: &Value, pairs: &mut Vec<(String, String)>) {
        match (self, value) {
            (_, Value::Null) => {}
            (_, Value::Object(fields)) => {
                fields.iter().for_each(|(field, value)| self.pairs(format!("{name}[{field}]"), value, pairs));
            }
            (Self::Commas, Value::Array(items)) => {
                pairs.push((name, items.iter().map(written).collect::<Vec<_>>().join(",")));
            }
            (_, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let name = match self {
                        Self::Indices => format!("{name}[{index}]"),
                        Self::Brackets => format!("{name}[]"),
                        Self::Commas | Self::Repeat => name.clone(),
                    };
                    self.pairs(name, item, pairs);
                }
            }
            (_, value) => pairs.push((name, written(value))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_its_arrays_as_it_is_asked_for() {
        let body = Value::parse(r#"{"a":["x","y z"],"b":{"c":1},"d":null,"e":true}"#).unwrap();
        for (format, expected) in [
            (r#""INDICES""#, "a%5B0%5D=x&a%5B1%5D=y%20z&b%5Bc%5D=1&e=true"),
            (r#""BRACKETS""#, "a%5B%5D=x&a%5B%5D=y%20z&b%5Bc%5D=1&e=true"),
            (r#""COMMAS""#, "a=x%2Cy%20z&b%5Bc%5D=1&e=true"),
            (r#""REPEAT""#, "a=x&a=y%20z&b%5Bc%5D=1&e=true"),
        ] {
            let transform = format!(
                r#"{{"RequestBodyEncoding":"URL_ENCODED","RequestEncodingOptions":{{"ArrayFormat":{format}}}}}"#
            );
            let encoding = Encoding::read(Some(&Value::parse(&transform).unwrap())).unwrap();
            assert_eq!(encoding.body(&body).as_deref(), Some(expected), "{format}");
            assert_eq!(encoding.body(&Value::from("text")), None);
        }
    }

    #[test]
    fn a_transform_that_is_not_understood_is_none() {
        for (transform, expected) in [
            ("{}", Some(Encoding::Json)),
            (r#"{"RequestBodyEncoding":"NONE"}"#, Some(Encoding::Json)),
            (r#"{"RequestBodyEncoding":"URL_ENCODED"}"#, Some(Encoding::Form(Arrays::Indices))),
            (r#"{"RequestBodyEncoding":"XML"}"#, None),
            (r#"{"RequestEncodingOptions":{"ArrayFormat":"COMMAS"}}"#, None),
            (r#"{"RequestBodyEncoding":"URL_ENCODED","RequestEncodingOptions":{"ArrayFormat":"TABS"}}"#, None),
        ] {
            assert_eq!(Encoding::read(Some(&Value::parse(transform).unwrap())), expected, "{transform}");
        }
    }
}

//! Puts placeholders in the place of what differs from one execution to the next.

use std::{collections::HashMap, sync::LazyLock};

use asl::{Value, value::Object};
use regex::{Captures, Regex};

use super::history::{detail, type_of};

/// A UUID.
static UUID: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").ok());

/// What can be a task token, where one is expected: long, and in base 64.
static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("[A-Za-z0-9+/]{60,}={0,2}").ok());

/// The placeholders of a case: the same text gets the same one everywhere.
pub(super) struct Mask<'a> {
    /// What the definition says is the same in every execution.
    definition: &'a str,
    tokens: Vec<String>,
    uuids: HashMap<String, usize>,
}

impl<'a> Mask<'a> {
    /// Finds the task tokens that events of the service hold. `definition` is the definition's text.
    pub(super) fn new(definition: &'a str, events: &[Value]) -> Self {
        let mut mask = Self { definition, tokens: Vec::new(), uuids: HashMap::new() };
        for event in events {
            let hands_one_out = type_of(event) == "TaskScheduled"
                && detail(event, "resource").is_some_and(|resource| resource.ends_with(".waitForTaskToken"));
            if let (true, Some(parameters)) = (hands_one_out, detail(event, "parameters")) {
                mask.find_tokens(parameters);
            }
        }
        mask
    }

    fn find_tokens(&mut self, parameters: &str) {
        // The text is JSON, which may write a slash with a backslash before it.
        let parameters = parameters.replace(r"\/", "/");
        for found in TOKEN.iter().flat_map(|token| token.find_iter(&parameters)) {
            let token = found.as_str();
            if !self.tokens.iter().any(|known| known == token) && !self.definition.contains(token) {
                self.tokens.push(token.to_owned());
            }
        }
    }

    /// The value with placeholders, in names of fields too: they may be made of values.
    pub(super) fn apply(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.apply(item)).collect::<Vec<_>>().into(),
            Value::Object(fields) => {
                let fields = fields.iter().map(|(key, value)| (self.text(key).into(), self.apply(value)));
                fields.collect::<Object>().into()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn text(&mut self, text: &str) -> String {
        let mut masked = text.to_owned();
        for (index, token) in self.tokens.iter().enumerate() {
            masked = masked.replace(token.as_str(), &format!("<task_token:{}>", index + 1));
        }
        let Some(uuid) = &*UUID else { return masked };
        let masked = uuid.replace_all(&masked, |found: &Captures<'_>| {
            let found = &found[0];
            if self.definition.contains(found) {
                return found.to_owned();
            }
            let next = self.uuids.len() + 1;
            format!("<uuid:{}>", self.uuids.entry(found.to_owned()).or_insert(next))
        });
        masked.into_owned()
    }
}

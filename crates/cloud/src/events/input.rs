//! What a target gets of an event.
//!
//! Source: the `EventBridge` User Guide, "Amazon `EventBridge` input transformation".

use std::collections::BTreeMap;

use sam::TargetInput;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The rule that has matched, as a template can name it.
pub(super) struct Matched<'a> {
    pub(super) rule_arn: &'a str,
    pub(super) rule_name: &'a str,
    pub(super) event: &'a Value,
}

impl Matched<'_> {
    /// The text that the target gets.
    pub(super) fn input(&self, input: &TargetInput) -> String {
        match input {
            TargetInput::Event => self.event.to_string(),
            TargetInput::Constant(value) => value.to_string(),
            TargetInput::Path(path) => find(self.event, path).unwrap_or(&Value::Null).to_string(),
            TargetInput::Transformed { paths, template } => self.transformed(paths, template),
        }
    }

    /// A template with `<names>` in it. Where a name stands in a JSON text it is replaced by what its value says, and else by
    /// the value as JSON. What is not in the event is replaced by nothing.
    fn transformed(&self, paths: &BTreeMap<String, String>, template: &str) -> String {
        let mut text = String::with_capacity(template.len());
        let mut is_in_text = false;
        let mut rest = template;
        while let Some(at) = rest.find(['"', '\\', '<']) {
            let (before, found) = rest.split_at(at);
            text.push_str(before);
            let mut characters = found.chars();
            match characters.next() {
                Some('\\') => {
                    // What is escaped is taken with its escape.
                    text.push('\\');
                    text.extend(characters.next());
                }
                Some('"') => {
                    is_in_text = !is_in_text;
                    text.push('"');
                }
                _ => match found
                    .find('>')
                    .and_then(|end| self.value(paths, found.get(1..end)?).map(|value| (end, value)))
                {
                    Some((end, value)) => {
                        insert(&value, is_in_text, &mut text);
                        characters = found.get(end + 1..).unwrap_or_default().chars();
                    }
                    None => text.push('<'),
                },
            }
            rest = characters.as_str();
        }
        text.push_str(rest);
        text
    }

    /// What a name stands for: nothing, where the event does not have it; none for a name that is not known.
    fn value(&self, paths: &BTreeMap<String, String>, name: &str) -> Option<Value> {
        if let Some(path) = paths.get(name) {
            return Some(find(self.event, path).cloned().unwrap_or_else(|| Value::from("")));
        }
        Some(match name {
            "aws.events.rule-arn" => Value::from(self.rule_arn),
            "aws.events.rule-name" => Value::from(self.rule_name),
            "aws.events.event.ingestion-time" => {
                Value::from(OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default())
            }
            "aws.events.event" => {
                let mut event = self.event.clone();
                if let Value::Object(fields) = &mut event {
                    fields.shift_remove("detail");
                }
                event
            }
            "aws.events.event.json" => self.event.clone(),
            _ => return None,
        })
    }
}

fn insert(value: &Value, is_in_text: bool, text: &mut String) {
    if is_in_text {
        let said = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let quoted = Value::from(said).to_string();
        text.push_str(quoted.get(1..quoted.len() - 1).unwrap_or_default());
    } else {
        text.push_str(&value.to_string());
    }
}

/// The part of an event at a path: `$.detail.items[0].name`.
fn find<'a>(event: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = event;
    for part in path.trim().strip_prefix('$')?.split('.').filter(|part| !part.is_empty()) {
        let (name, indices) = part.find('[').map_or((part, ""), |at| part.split_at(at));
        if !name.is_empty() {
            value = value.get(name)?;
        }
        for index in indices.split(['[', ']']).filter(|index| !index.is_empty()) {
            value = match index.trim_matches(['\'', '"']) {
                name if name.len() != index.len() => value.get(name)?,
                number => value.get(number.parse::<usize>().ok()?)?,
            };
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_target_gets_what_its_input_says() {
        let event = json!({
            "source": "shop",
            "detail": { "id": 7, "name": "a \"b\"", "items": [{ "sku": "x" }], "is-new": true },
            "resources": ["arn:1"],
        });
        let matched = Matched { rule_arn: "arn:rule", rule_name: "rule", event: &event };
        let transformed = |paths: &[(&str, &str)], template: &str| TargetInput::Transformed {
            paths: paths.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect(),
            template: template.to_owned(),
        };
        for (input, expected) in [
            (TargetInput::Constant(json!([1])), "[1]"),
            (TargetInput::Path("$.detail.items[0]".into()), r#"{"sku":"x"}"#),
            (TargetInput::Path("$.detail['is-new']".into()), "true"),
            (TargetInput::Path("$.nothing".into()), "null"),
            (
                transformed(&[("id", "$.detail.id"), ("name", "$.detail.name")], r#"{"id": <id>, "name": <name>}"#),
                r#"{"id": 7, "name": "a \"b\""}"#,
            ),
            (
                transformed(&[("id", "$.detail.id"), ("name", "$.detail.name")], r#""<name> is <id> of <rest>""#),
                r#""a \"b\" is 7 of <rest>""#,
            ),
            (transformed(&[("all", "$.detail.items")], r#"{"a": "\"<all>"}"#), r#"{"a": "\"[{\"sku\":\"x\"}]"}"#),
            (transformed(&[("none", "$.none")], r#"{"a": <none>, "b": "<none>"}"#), r#"{"a": "", "b": ""}"#),
            (
                transformed(&[], r#"{"rule": <aws.events.rule-name>, "at": "<aws.events.rule-arn>"}"#),
                r#"{"rule": "rule", "at": "arn:rule"}"#,
            ),
        ] {
            assert_eq!(matched.input(&input), expected, "{input:?}");
        }
        let whole = matched.input(&transformed(&[], "<aws.events.event.json>"));
        assert_eq!(serde_json::from_str::<Value>(&whole).unwrap(), event);
    }
}

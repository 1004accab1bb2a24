//! Holds parameters to the model.

use std::fmt::Write;

use asl::{Value, value::Object};

use super::{Member, Shape, Structure, Text};
use crate::states::ApiError;

/// Fails for parameters that the model does not allow: everything that is wrong, in one message.
///
/// A parameter that is `null` is one that is not there. One that the operation does not have is refused too: the service
/// would ignore it, and whoever sent it would wait for what it was to do.
pub(in crate::states) fn check(parameters: &Structure, request: &Value) -> Result<(), ApiError> {
    let mut checker = Checker::default();
    checker.structure(parameters, request, "")?;
    match checker.failures.as_slice() {
        [] => Ok(()),
        [failure] => Err(ApiError::validation(format!("1 validation error detected: {failure}"))),
        failures => {
            let (count, all) = (failures.len(), failures.join("; "));
            Err(ApiError::validation(format!("{count} validation errors detected: {all}")))
        }
    }
}

#[derive(Default)]
struct Checker {
    failures: Vec<String>,
}

impl Checker {
    fn structure(&mut self, structure: &Structure, value: &Value, place: &str) -> Result<(), ApiError> {
        let Value::Object(fields) = value else { return Err(wrong_type("an object", place)) };
        if let Some(name) = fields.keys().find(|name| structure.members.iter().all(|member| *member.name != ***name)) {
            let place = member_place(place, name);
            return Err(ApiError::new("SerializationException", format!("There is no parameter '{place}'")));
        }
        structure.members.iter().try_for_each(|member| self.member(member, fields, place))
    }

    fn member(&mut self, member: &Member, fields: &Object, place: &str) -> Result<(), ApiError> {
        let place = member_place(place, member.name);
        match fields.get(member.name).unwrap_or(&Value::Null) {
            Value::Null if member.required => {
                self.failures
                    .push(format!("Value null at '{place}' failed to satisfy constraint: Member must not be null"));
                Ok(())
            }
            Value::Null => Ok(()),
            value => self.value(member.shape, value, &place),
        }
    }

    fn value(&mut self, shape: &Shape, value: &Value, place: &str) -> Result<(), ApiError> {
        match (shape, value) {
            (Shape::Text(text), Value::String(value)) => self.text(text, value, place),
            (Shape::Payload { max_bytes }, Value::String(value)) => {
                if value.len() > *max_bytes {
                    self.fail(None, place, &format!("have length less than or equal to {max_bytes}"));
                }
            }
            (Shape::Enumeration(names), Value::String(value)) => {
                if !names.contains(&&**value) {
                    self.fail(Some(value), place, &format!("satisfy enum value set: [{}]", names.join(", ")));
                }
            }
            (Shape::Integer { min, max }, Value::Number(number)) => {
                let Some(integer) = number.as_i64() else { return Err(wrong_type("a whole number", place)) };
                let shown = number.to_string();
                if integer < *min {
                    self.fail(Some(&shown), place, &format!("have value greater than or equal to {min}"));
                }
                if integer > *max {
                    self.fail(Some(&shown), place, &format!("have value less than or equal to {max}"));
                }
            }
            (Shape::Float { min, max }, Value::Number(number)) => {
                let Some(value) = number.as_f64() else { return Err(wrong_type("a number", place)) };
                let shown = number.to_string();
                if value < *min {
                    self.fail(Some(&shown), place, &format!("have value greater than or equal to {min}"));
                }
                if value > *max {
                    self.fail(Some(&shown), place, &format!("have value less than or equal to {max}"));
                }
            }
            (Shape::Boolean, Value::Bool(_)) => {}
            (Shape::List { item, min, max }, Value::Array(items)) => {
                self.length(items.len(), *min, *max, Some(&shown(shape, value)), place);
                for (index, value) in items.iter().enumerate() {
                    let place = format!("{place}.{}.member", index + 1);
                    match value {
                        Value::Null => return Err(wrong_type("a value", &place)),
                        value => self.value(item, value, &place)?,
                    }
                }
            }
            (Shape::Structure(structure), value) => self.structure(structure, value, place)?,
            (Shape::Text(_) | Shape::Payload { .. } | Shape::Enumeration(_), _) => {
                return Err(wrong_type("a string", place));
            }
            (Shape::Integer { .. }, _) => return Err(wrong_type("a whole number", place)),
            (Shape::Float { .. }, _) => return Err(wrong_type("a number", place)),
            (Shape::Boolean, _) => return Err(wrong_type("true or false", place)),
            (Shape::List { .. }, _) => return Err(wrong_type("a list", place)),
        }
        Ok(())
    }

    fn text(&mut self, text: &Text, value: &str, place: &str) {
        let shown = (!text.secret).then_some(value);
        self.length(value.chars().count(), text.min, text.max, shown, place);
        if let Some(pattern) = text.pattern.as_ref().filter(|pattern| !(pattern.matches)(value)) {
            self.fail(shown, place, &format!("satisfy regular expression pattern: {}", pattern.text));
        }
    }

    fn length(&mut self, length: usize, min: usize, max: usize, shown: Option<&str>, place: &str) {
        if length < min {
            self.fail(shown, place, &format!("have length greater than or equal to {min}"));
        }
        if length > max {
            self.fail(shown, place, &format!("have length less than or equal to {max}"));
        }
    }

    fn fail(&mut self, value: Option<&str>, place: &str, must: &str) {
        let value = value.map(|value| format!(" '{value}'")).unwrap_or_default();
        self.failures.push(format!("Value{value} at '{place}' failed to satisfy constraint: Member must {must}"));
    }
}

fn member_place(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

fn wrong_type(expected: &str, place: &str) -> ApiError {
    let at = if place.is_empty() { "the request".to_owned() } else { format!("'{place}'") };
    ApiError::new("SerializationException", format!("Expected {expected} at {at}"))
}

/// A value as the service shows it in a message: `[Tag(key=a, value=b)]`.
fn shown(shape: &Shape, value: &Value) -> String {
    match (shape, value) {
        (Shape::List { item, .. }, Value::Array(items)) => {
            let items: Vec<_> = items.iter().map(|value| shown(item, value)).collect();
            format!("[{}]", items.join(", "))
        }
        (Shape::Structure(structure), Value::Object(fields)) => {
            let mut text = format!("{}(", structure.name);
            for (index, member) in structure.members.iter().enumerate() {
                let separator = if index == 0 { "" } else { ", " };
                let value = fields.get(member.name).unwrap_or(&Value::Null);
                // Writing to a string does not fail.
                let _ = write!(text, "{separator}{}={}", member.name, shown(member.shape, value));
            }
            text + ")"
        }
        (_, Value::String(text)) => text.to_string(),
        (_, value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::operations::parameters_of;
    use super::*;

    fn refusal(operation: &str, request: &str) -> String {
        let request = Value::parse(request).unwrap();
        match check(parameters_of(operation).unwrap(), &request) {
            Ok(()) => "taken".into(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn parameters_are_held_to_the_model_in_the_services_words() {
        let route = |count: usize, weight: &str| {
            let route = format!(r#"{{"stateMachineVersionArn":"v","weight":{weight}}}"#);
            format!(r#"{{"name":"a","routingConfiguration":[{}]}}"#, vec![route; count].join(","))
        };
        for (operation, request, said) in [
            ("ListActivities", r#"{"maxResults":0}"#, "taken"),
            ("ListActivities", r#"{"maxResults":1000,"nextToken":null}"#, "taken"),
            (
                "ListActivities",
                r#"{"maxResults":1001}"#,
                "ValidationException: 1 validation error detected: Value '1001' at 'maxResults' failed to satisfy \
                 constraint: Member must have value less than or equal to 1000",
            ),
            (
                "ListActivities",
                r#"{"maxResults":-1,"nextToken":""}"#,
                "ValidationException: 2 validation errors detected: Value '-1' at 'maxResults' failed to satisfy \
                 constraint: Member must have value greater than or equal to 0; Value '' at 'nextToken' failed to satisfy \
                 constraint: Member must have length greater than or equal to 1",
            ),
            (
                "DescribeActivity",
                "{}",
                "ValidationException: 1 validation error detected: Value null at 'activityArn' failed to satisfy \
                 constraint: Member must not be null",
            ),
            (
                "DescribeExecution",
                r#"{"executionArn":"a","includedData":"NONE"}"#,
                "ValidationException: 1 validation error detected: Value 'NONE' at 'includedData' failed to satisfy \
                 constraint: Member must satisfy enum value set: [ALL_DATA, METADATA_ONLY]",
            ),
            (
                "CreateStateMachineAlias",
                &route(3, "1"),
                "ValidationException: 1 validation error detected: Value \
                 '[RoutingConfigurationListItem(stateMachineVersionArn=v, weight=1), \
                 RoutingConfigurationListItem(stateMachineVersionArn=v, weight=1), \
                 RoutingConfigurationListItem(stateMachineVersionArn=v, weight=1)]' at 'routingConfiguration' failed to \
                 satisfy constraint: Member must have length less than or equal to 2",
            ),
            (
                "CreateStateMachineAlias",
                &route(2, "101"),
                "ValidationException: 2 validation errors detected: Value '101' at \
                 'routingConfiguration.1.member.weight' failed to satisfy constraint: Member must have value less than or \
                 equal to 100; Value '101' at 'routingConfiguration.2.member.weight' failed to satisfy constraint: Member \
                 must have value less than or equal to 100",
            ),
            (
                "StartExecution",
                &format!(r#"{{"stateMachineArn":"a","input":"{}"}}"#, "x".repeat(262_145)),
                "ValidationException: 1 validation error detected: Value at 'input' failed to satisfy constraint: Member \
                 must have length less than or equal to 262144",
            ),
            (
                "StartExecution",
                r#"{"stateMachineArn":"a","traceHeader":"é"}"#,
                r"ValidationException: 1 validation error detected: Value 'é' at 'traceHeader' failed to satisfy constraint: Member must satisfy regular expression pattern: \p{ASCII}*",
            ),
            ("StopExecution", r#"{"executionArn":1}"#, "SerializationException: Expected a string at 'executionArn'"),
            ("StopExecution", "[]", "SerializationException: Expected an object at the request"),
            (
                "StopExecution",
                r#"{"executionArn":"a","reason":"b"}"#,
                "SerializationException: There is no parameter 'reason'",
            ),
            (
                "UntagResource",
                r#"{"resourceArn":"a","tagKeys":[null]}"#,
                "SerializationException: Expected a value at 'tagKeys.1.member'",
            ),
        ] {
            assert_eq!(refusal(operation, request), said, "{operation}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let said = refusal("StopExecution", &format!(r#"{{"executionArn":"a","error":"{}"}}"#, "s".repeat(257)));
        assert!(said.contains("Value at 'error' failed"), "{said}");
    }
}

//! What services answer, which a mocked result is held to.

use std::fmt;

use asl::{
    Value,
    machine::{Pattern, Resource},
};
use engine::services::{Model, Service, Shape, Style, values::find};
use serde::Deserialize;

/// The integrations whose answers no model describes.
const WITHOUT_MODEL: &[&str] = &["apigateway", "http"];

/// Where an optimized integration has another name for a service than the SDK integration.
const OPTIMIZED_NAMES: &[(&str, &str)] = &[("states", "sfn"), ("events", "eventbridge")];

/// What of a mocked result is held to the model.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub(in crate::states) enum FieldValidation {
    /// What must be there is there, and what is there is of its type and within its limits.
    #[default]
    Strict,
    /// What is there is of its type and within its limits.
    Present,
    /// Nothing.
    None,
}

/// What is wrong with a mocked result: a field has a value that it can't have. An empty name is the whole result.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    field: String,
    must: &'static str,
}

/// The words are the service's.
impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, must } = self;
        if field.is_empty() { write!(f, "Mocked result {must}") } else { write!(f, "Field '{field}' {must}") }
    }
}

/// Holds a mocked result of a task to the model of what it calls. Fields that the model does not have are let be. Of an
/// action that no model is there for it is only known that it answers an object.
pub(super) fn check(resource: &Resource, result: &Value, validation: FieldValidation) -> Result<(), Misfit> {
    let Resource::Service { service, action, pattern, .. } = resource else { return Ok(()) };
    let sdk = service.strip_prefix("aws-sdk:");
    let (service, style) = sdk.map_or((&**service, Style::Optimised), |service| (service, Style::Sdk));
    // Whoever has the token says what the result is.
    let is_free = *pattern == Pattern::WaitForTaskToken || WITHOUT_MODEL.contains(&service);
    if is_free || validation == FieldValidation::None {
        return Ok(());
    }
    let service = OPTIMIZED_NAMES.iter().find(|(name, _)| *name == service).map_or(service, |(_, name)| name);
    let model = Service::find(service).and_then(Service::model);
    let action = answers_as(service, action, *pattern);
    match model.zip(action).and_then(|(model, action)| Some((model, model.actions.get(action)?))) {
        Some((model, action)) => match &action.output {
            Some(shape) => Checker { model, style, validation }.check("", model.shape(shape), result),
            None => Ok(()),
        },
        None if matches!(result, Value::Object(_)) => Ok(()),
        None => Err(Misfit { field: String::new(), must: "must be an object" }),
    }
}

/// The action whose answer is the task's result: of a job that is waited for, the one that describes it.
fn answers_as<'a>(service: &str, action: &'a str, pattern: Pattern) -> Option<&'a str> {
    match (service, action, pattern) {
        (_, action, Pattern::RequestResponse) => Some(action),
        ("sfn", "startExecution.sync" | "startExecution.sync:2", _) => Some("describeExecution"),
        ("athena", "startQueryExecution.sync", _) => Some("getQueryExecution"),
        _ => None,
    }
}

struct Checker<'a> {
    model: &'a Model,
    style: Style,
    validation: FieldValidation,
}

impl Checker<'_> {
    fn check(&self, field: &str, shape: &Shape, value: &Value) -> Result<(), Misfit> {
        let must = |must| Err(Misfit { field: field.to_owned(), must });
        match (shape, value) {
            (Shape::Any, _) | (Shape::Boolean, Value::Bool(_)) | (Shape::Timestamp { .. }, Value::String(_)) => Ok(()),
            (Shape::String { min, max, values }, Value::String(text)) => {
                if values.as_ref().is_some_and(|values| !values.iter().any(|value| **value == **text)) {
                    must("is not an expected value")
                } else {
                    length(text, *min, *max).map_or(Ok(()), must)
                }
            }
            (Shape::Blob { min, max }, Value::String(text)) => length(text, *min, *max).map_or(Ok(()), must),
            (Shape::Number { min, max }, Value::Number(number)) => {
                let number = number.as_f64().unwrap_or(f64::NAN);
                if min.is_some_and(|min| number < min) {
                    must("is less than the minimum value")
                } else if max.is_some_and(|max| number > max) {
                    must("exceeds the maximum value")
                } else {
                    Ok(())
                }
            }
            (Shape::List { item, .. }, Value::Array(items)) => {
                items.iter().try_for_each(|value| self.check(field, self.model.of(item), value))
            }
            (Shape::Map { value: member, .. }, Value::Object(fields)) => {
                fields.iter().try_for_each(|(key, value)| self.check(key, self.model.of(member), value))
            }
            (Shape::Structure(shape), Value::Object(fields)) => {
                let mut required = shape.required.iter().map(|name| self.style.member(name));
                let missing = required.find(|name| !fields.contains_key(name.as_str()));
                if let Some(name) = missing.filter(|_| self.validation == FieldValidation::Strict) {
                    return Err(Misfit { field: name, must: "is required" });
                }
                let known =
                    fields.iter().filter_map(|(key, value)| Some((key, find(shape, self.style, key)?.1, value)));
                known.into_iter().try_for_each(|(key, member, value)| self.check(key, self.model.of(member), value))
            }
            (Shape::String { .. } | Shape::Blob { .. } | Shape::Timestamp { .. }, _) => must("must be a string"),
            (Shape::Number { .. }, _) => must("must be a number"),
            (Shape::Boolean, _) => must("must be a boolean"),
            (Shape::List { .. }, _) => must("must be an array"),
            (Shape::Map { .. } | Shape::Structure(_), _) => must("must be an object"),
        }
    }
}

/// What is wrong with the length of a text, in characters.
fn length(text: &str, min: Option<usize>, max: Option<usize>) -> Option<&'static str> {
    let length = text.chars().count();
    if min.is_some_and(|min| length < min) {
        Some("is smaller than the minimum length")
    } else if max.is_some_and(|max| length > max) {
        Some("exceeds the maximum length")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(resource: &str, result: &str, validation: FieldValidation) -> String {
        let (service, action) = resource.strip_prefix("aws-sdk:").unwrap_or(resource).split_once(':').unwrap();
        let pattern = match action.split_once('.') {
            None => Pattern::RequestResponse,
            Some((_, "waitForTaskToken")) => Pattern::WaitForTaskToken,
            Some(_) => Pattern::Sync,
        };
        let arn = format!("arn:aws:states:::{resource}").into();
        let resource = Resource::Service { arn, service: service.into(), action: action.into(), pattern };
        match check(&resource, &Value::parse(result).unwrap(), validation) {
            Ok(()) => "taken".into(),
            Err(misfit) => misfit.to_string(),
        }
    }

    #[test]
    fn mocked_results_are_held_to_what_services_answer() {
        use FieldValidation::{None, Present, Strict};
        for (resource, result, validation, said) in [
            ("sqs:sendMessage", r#"{"MessageId":"a","Other":{}}"#, Strict, "taken"),
            ("sqs:sendMessage", r#"{"MessageId":1}"#, Strict, "Field 'MessageId' must be a string"),
            ("sqs:sendMessage", r#"{"MessageId":1}"#, None, "taken"),
            ("sqs:sendMessage", r#""sent""#, Strict, "Mocked result must be an object"),
            (
                "aws-sdk:lambda:getFunction",
                r#"{"Configuration":[]}"#,
                Present,
                "Field 'Configuration' must be an object",
            ),
            ("aws-sdk:lambda:getFunction", r#"{"Tags":{"a":1}}"#, Present, "Field 'a' must be a string"),
            ("states:startExecution", r#"{"ExecutionArn":"a","StartDate":"b"}"#, Strict, "taken"),
            ("states:startExecution", r#"{"ExecutionArn":"a"}"#, Strict, "Field 'StartDate' is required"),
            ("states:startExecution", r#"{"ExecutionArn":"a"}"#, Present, "taken"),
            (
                "aws-sdk:sfn:startExecution",
                r#"{"ExecutionArn":""}"#,
                Present,
                "Field 'ExecutionArn' is smaller than the minimum length",
            ),
            ("states:startExecution.sync:2", r#"{"Output":{}}"#, Present, "Field 'Output' must be a string"),
            (
                "aws-sdk:kms:describeKey",
                r#"{"KeyMetadata":{"Enabled":"yes"}}"#,
                Present,
                "Field 'Enabled' must be a boolean",
            ),
            ("sqs:sendMessage.waitForTaskToken", r#"{"MessageId":1}"#, Strict, "taken"),
            ("http:invoke", "[]", Strict, "taken"),
            ("aws-sdk:braket:getJob", r#"{"any":1}"#, Strict, "taken"),
            ("aws-sdk:braket:getJob", "[]", Strict, "Mocked result must be an object"),
            ("aws-sdk:braket:getJob", "[]", None, "taken"),
            ("ecs:runTask.sync", r#"{"TaskArn":"a"}"#, Strict, "taken"),
        ] {
            assert_eq!(refusal(resource, result, validation), said, "{resource} {result} {validation:?}");
        }
    }
}

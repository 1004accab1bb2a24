//! What services answer, which a mocked result is held to.
//!
//! The models are written by `scripts/response-models`.

use std::{collections::HashMap, fmt};

use asl::{
    Value,
    machine::{Pattern, Resource},
};
use serde::Deserialize;

/// The services whose answers are known, by the name that an SDK integration has for them.
static MODELS: &[(&str, &str)] = &[
    ("athena", include_str!("models/athena.json")),
    ("batch", include_str!("models/batch.json")),
    ("cloudwatch", include_str!("models/cloudwatch.json")),
    ("codebuild", include_str!("models/codebuild.json")),
    ("dynamodb", include_str!("models/dynamodb.json")),
    ("ecs", include_str!("models/ecs.json")),
    ("eventbridge", include_str!("models/events.json")),
    ("glue", include_str!("models/glue.json")),
    ("kms", include_str!("models/kms.json")),
    ("lambda", include_str!("models/lambda.json")),
    ("s3", include_str!("models/s3.json")),
    ("secretsmanager", include_str!("models/secretsmanager.json")),
    ("sfn", include_str!("models/sfn.json")),
    ("sns", include_str!("models/sns.json")),
    ("sqs", include_str!("models/sqs.json")),
    ("sts", include_str!("models/sts.json")),
];

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

/// What is wrong with a mocked result.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// A field has a value that it can't have. An empty name is the whole result.
    Field { name: String, must: &'static str },
    /// It is not known what the action answers.
    Unknown { action: String },
}

/// The words are the service's, but those for an action that is not known.
impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field { name, must } if name.is_empty() => write!(f, "Mocked result {must}"),
            Self::Field { name, must } => write!(f, "Field '{name}' {must}"),
            Self::Unknown { action } => write!(
                f,
                "the local Step Functions does not know what '{action}' answers: set 'fieldValidationMode' to NONE"
            ),
        }
    }
}

/// Holds a mocked result of a task to the model of what it calls. Fields that the model does not have are let be.
pub(super) fn check(resource: &Resource, result: &Value, validation: FieldValidation) -> Result<(), Misfit> {
    let Resource::Service { service, action, pattern, .. } = resource else { return Ok(()) };
    let service = service.strip_prefix("aws-sdk:").unwrap_or(service);
    // Whoever has the token says what the result is.
    let is_free = *pattern == Pattern::WaitForTaskToken || WITHOUT_MODEL.contains(&service);
    if is_free || validation == FieldValidation::None {
        return Ok(());
    }
    let unknown = || Misfit::Unknown { action: format!("{service}:{action}") };
    let service = OPTIMIZED_NAMES.iter().find(|(name, _)| *name == service).map_or(service, |(_, name)| name);
    let action = answers_as(service, action, *pattern).ok_or_else(unknown)?;
    let (_, text) = MODELS.iter().find(|(name, _)| *name == service).ok_or_else(unknown)?;
    let model: Model = serde_json::from_str(text).map_err(|_| unknown())?;
    let shape = model.actions.get(action).ok_or_else(unknown)?;
    Checker { shapes: &model.shapes, validation }.check("", shape, result)
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

/// What the actions of a service answer.
#[derive(Deserialize)]
struct Model {
    /// The name of each action's answer.
    actions: HashMap<String, String>,
    /// What the names stand for, but those of the simple types.
    shapes: HashMap<String, Shape>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Shape {
    String {
        min: Option<usize>,
        max: Option<usize>,
        #[serde(rename = "enum")]
        values: Option<Vec<String>>,
    },
    Number {
        min: Option<f64>,
        max: Option<f64>,
    },
    List {
        item: String,
    },
    Map {
        value: String,
    },
    Structure {
        members: HashMap<String, String>,
        #[serde(default)]
        required: Vec<String>,
    },
}

struct Checker<'a> {
    shapes: &'a HashMap<String, Shape>,
    validation: FieldValidation,
}

impl Checker<'_> {
    fn check(&self, field: &str, shape: &str, value: &Value) -> Result<(), Misfit> {
        let must = |must| Err(Misfit::Field { name: field.to_owned(), must });
        match (shape, value) {
            ("any", _) | ("string", Value::String(_)) | ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => {
                return Ok(());
            }
            ("string", _) => return must("must be a string"),
            ("number", _) => return must("must be a number"),
            ("boolean", _) => return must("must be a boolean"),
            _ => {}
        }
        match (self.shapes.get(shape), value) {
            (Some(Shape::String { min, max, values }), Value::String(text)) => {
                let length = text.chars().count();
                if values.as_ref().is_some_and(|values| !values.iter().any(|value| **value == **text)) {
                    must("is not an expected value")
                } else if min.is_some_and(|min| length < min) {
                    must("is smaller than the minimum length")
                } else if max.is_some_and(|max| length > max) {
                    must("exceeds the maximum length")
                } else {
                    Ok(())
                }
            }
            (Some(Shape::Number { min, max }), Value::Number(number)) => {
                let number = number.as_f64().unwrap_or(f64::NAN);
                if min.is_some_and(|min| number < min) {
                    must("is less than the minimum value")
                } else if max.is_some_and(|max| number > max) {
                    must("exceeds the maximum value")
                } else {
                    Ok(())
                }
            }
            (Some(Shape::List { item }), Value::Array(items)) => {
                items.iter().try_for_each(|value| self.check(field, item, value))
            }
            (Some(Shape::Map { value: shape }), Value::Object(fields)) => {
                fields.iter().try_for_each(|(key, value)| self.check(key, shape, value))
            }
            (Some(Shape::Structure { members, required }), Value::Object(fields)) => {
                let missing = required.iter().find(|name| !fields.contains_key(name.as_str()));
                if let Some(name) = missing.filter(|_| self.validation == FieldValidation::Strict) {
                    return Err(Misfit::Field { name: name.clone(), must: "is required" });
                }
                let known = fields.iter().filter_map(|(key, value)| Some((key, members.get(&**key)?, value)));
                known.into_iter().try_for_each(|(key, shape, value)| self.check(key, shape, value))
            }
            (Some(Shape::String { .. }), _) => must("must be a string"),
            (Some(Shape::Number { .. }), _) => must("must be a number"),
            (Some(Shape::List { .. }), _) => must("must be an array"),
            (Some(Shape::Map { .. } | Shape::Structure { .. }), _) => must("must be an object"),
            // Every name in a model is one of its shapes, which a test makes sure of.
            (None, _) => Ok(()),
        }
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
    fn every_name_in_a_model_stands_for_something() {
        for (service, text) in MODELS {
            let model: Model = serde_json::from_str(text).unwrap();
            let of_shape = |shape: &Shape| match shape {
                Shape::String { .. } | Shape::Number { .. } => Vec::new(),
                Shape::List { item: name } | Shape::Map { value: name } => vec![name.clone()],
                Shape::Structure { members, required } => {
                    assert!(required.iter().all(|name| members.contains_key(name)), "{service}: {required:?}");
                    members.values().cloned().collect()
                }
            };
            let names = model.actions.values().cloned().chain(model.shapes.values().flat_map(of_shape));
            for name in names {
                let is_simple = ["any", "string", "number", "boolean"].contains(&&*name);
                assert!(is_simple || model.shapes.contains_key(&name), "{service}: {name}");
            }
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
        ] {
            assert_eq!(refusal(resource, result, validation), said, "{resource} {result} {validation:?}");
        }
        let unknown = refusal("aws-sdk:braket:getJob", "{}", Strict);
        assert!(unknown.contains("'braket:getJob'") && unknown.contains("NONE"), "{unknown}");
    }
}

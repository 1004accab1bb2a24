//! What a `Resource` names.

use asl::{Value, value::Object};

use super::{
    Action, Model, Service, Structure, Style,
    values::{self, Misfit, Reader},
};

/// How a task's call goes to a service.
#[derive(Clone, Copy, Debug)]
pub enum Integration {
    /// `aws-sdk:…`: as the SDK calls it.
    Sdk,
    /// As Step Functions has it for this service alone.
    Optimised(&'static Optimised),
}

/// An optimised integration, by what it calls a service and the service's errors.
#[derive(Debug)]
pub struct Optimised {
    /// In a `Resource`: `events`.
    pub name: &'static str,
    /// The service's name in SDK integrations: `eventbridge`.
    service: &'static str,
    /// What its errors' names begin with: `EventBridge`.
    pub prefix: &'static str,
    /// The service's name in causes: `AmazonEventBridge`.
    pub client: &'static str,
    /// The actions, with the patterns that they have beside request and response.
    actions: &'static [(&'static str, &'static [&'static str])],
}

const TOKEN: &str = "waitForTaskToken";

static OPTIMISED: [Optimised; 8] = [
    Optimised {
        name: "apigateway",
        service: "execute-api",
        prefix: "ApiGateway",
        client: "ApiGateway",
        actions: &[("invoke", &[TOKEN])],
    },
    Optimised {
        name: "dynamodb",
        service: "dynamodb",
        prefix: "DynamoDB",
        client: "AmazonDynamoDBv2",
        actions: &[("getItem", &[]), ("putItem", &[]), ("updateItem", &[]), ("deleteItem", &[])],
    },
    Optimised {
        name: "events",
        service: "eventbridge",
        prefix: "EventBridge",
        client: "AmazonEventBridge",
        actions: &[("putEvents", &[TOKEN])],
    },
    Optimised { name: "http", service: "http", prefix: "Http", client: "Http", actions: &[("invoke", &[])] },
    Optimised {
        name: "lambda",
        service: "lambda",
        prefix: "Lambda",
        client: "AWSLambda",
        actions: &[("invoke", &[TOKEN])],
    },
    Optimised { name: "sns", service: "sns", prefix: "SNS", client: "AmazonSNS", actions: &[("publish", &[TOKEN])] },
    Optimised {
        name: "sqs",
        service: "sqs",
        prefix: "SQS",
        client: "AmazonSQS",
        actions: &[("sendMessage", &[TOKEN])],
    },
    Optimised {
        name: "states",
        service: "sfn",
        prefix: "StepFunctions",
        client: "AWSStepFunctions",
        actions: &[("startExecution", &["sync", "sync:2", TOKEN])],
    },
];

/// The optimised integrations whose actions no model describes.
const ELSEWHERE: [&str; 13] = [
    "athena",
    "batch",
    "bedrock",
    "codebuild",
    "databrew",
    "ecs",
    "eks",
    "elasticmapreduce",
    "emr-containers",
    "emr-serverless",
    "glue",
    "mediaconvert",
    "sagemaker",
];

/// Whether Step Functions has an optimised integration of this name, of which nothing more is known here.
pub fn is_optimised_elsewhere(service: &str) -> bool {
    ELSEWHERE.contains(&service)
}

/// The actions of optimised integrations that are known, as a `Resource` names them: `sqs:sendMessage`.
pub fn optimised_actions() -> impl Iterator<Item = String> {
    let names = |optimised: &'static Optimised| {
        optimised.actions.iter().map(|(action, _)| format!("{}:{action}", optimised.name))
    };
    OPTIMISED.iter().flat_map(names)
}

/// An action of a service, by the integration that calls it.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// How it is called.
    pub integration: Integration,
    /// The service.
    pub service: &'static Service,
    /// What is known of the service.
    pub model: &'static Model,
    /// The action's name, without a pattern: `getItem`.
    pub name: &'static str,
    /// What it takes and answers.
    pub action: &'static Action,
}

impl Operation {
    /// The action that a `Resource` names by its parts (`aws-sdk:s3` and `getObject`), where a model says what it takes.
    pub fn of(service: &str, action: &str) -> Option<Self> {
        let (name, pattern) = action.split_once('.').map_or((action, None), |(name, pattern)| (name, Some(pattern)));
        let (integration, service, has_pattern) = match service.strip_prefix("aws-sdk:") {
            Some(service) => (Integration::Sdk, service, pattern.is_none_or(|pattern| pattern == TOKEN)),
            None => {
                let optimised = OPTIMISED.iter().find(|optimised| optimised.name == service)?;
                let (_, patterns) = optimised.actions.iter().find(|(action, _)| *action == name)?;
                let has_pattern = pattern.is_none_or(|pattern| patterns.contains(&pattern));
                (Integration::Optimised(optimised), optimised.service, has_pattern)
            }
        };
        let service = Service::find(service).filter(|_| has_pattern)?;
        let model = service.model().filter(|model| model.protocol.is_some())?;
        let (name, action) = model.actions.get_key_value(name)?;
        Some(Self { integration, service, model, name, action })
    }

    /// How it writes the names of members.
    pub fn style(&self) -> Style {
        match self.integration {
            Integration::Sdk => Style::Sdk,
            Integration::Optimised(_) => Style::Optimised,
        }
    }

    /// The names of the parameters that must be there.
    pub fn required(&self) -> impl Iterator<Item = String> {
        let shape = self.model.structure(self.action.input.as_deref());
        let is_given = |shape: &Structure, name: &str| shape.members.get(name).is_some_and(|member| member.token);
        let required =
            shape.into_iter().flat_map(move |shape| shape.required.iter().filter(move |name| !is_given(shape, name)));
        required.map(|name| self.style().member(name))
    }

    /// Fails where a parameter is none of the action's, or has a value that it can't have.
    pub fn check_field(&self, name: &str, value: Option<&Value>) -> Result<(), Misfit> {
        let shape = self.model.structure(self.action.input.as_deref());
        let reader = Reader { model: self.model, style: self.style(), token: "" };
        let (own, member) = shape
            .and_then(|shape| values::find(shape, self.style(), name))
            .ok_or_else(|| Misfit::Unknown(name.to_owned()))?;
        let is_payload = shape.is_some_and(|shape| shape.payload.as_deref() == Some(own));
        match value {
            None | Some(Value::Null) => Ok(()),
            Some(value) => reader.value(name, member, value, is_payload).map(drop),
        }
    }

    /// A task's parameters, as they are sent. A token of idempotency that they do not have is `token`.
    pub fn parameters(&self, parameters: &Value, token: &str) -> Result<Object, Misfit> {
        let Value::Object(fields) = parameters else { return Err(Misfit::NoObject) };
        let empty = Structure::default();
        let shape = self.model.structure(self.action.input.as_deref()).unwrap_or(&empty);
        let sent = Reader { model: self.model, style: self.style(), token }.parameters(shape, fields)?;
        match self.required().find(|name| !fields.contains_key(name.as_str())) {
            None => Ok(sent),
            Some(name) => Err(Misfit::Missing(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(resource: &str, parameters: &str) -> Result<String, String> {
        let (service, action) = resource.rsplit_once(':').unwrap();
        let operation = Operation::of(service, action).ok_or("unknown")?;
        let sent = operation.parameters(&Value::parse(parameters).unwrap(), "token");
        sent.map(|sent| Value::from(sent).to_string()).map_err(|misfit| misfit.to_string())
    }

    #[test]
    fn actions_are_known_with_their_patterns() {
        for (resource, is_known) in [
            ("dynamodb:getItem", true),
            ("dynamodb:getItem.waitForTaskToken", false),
            ("dynamodb:query", false),
            ("aws-sdk:dynamodb:query", true),
            ("aws-sdk:dynamodb:query.waitForTaskToken", true),
            ("aws-sdk:dynamodb:query.sync", false),
            ("aws-sdk:dynamodb:select", false),
            ("sqs:sendMessage.waitForTaskToken", true),
            ("events:putEvents.sync", false),
            ("athena:startQueryExecution.sync", false),
            ("aws-sdk:kms:encrypt", false),
        ] {
            let (service, action) = resource.rsplit_once(':').unwrap();
            assert_eq!(Operation::of(service, action).is_some(), is_known, "{resource}");
        }
    }

    #[test]
    fn parameters_are_read_by_the_model() {
        for (resource, given, expected) in [
            ("aws-sdk:sfn:startExecution", r#"{"StateMachineArn":"a","Input":null}"#, Ok(r#"{"stateMachineArn":"a"}"#)),
            ("aws-sdk:s3:getObject", r#"{"Bucket":"b","Key":"k"}"#, Ok(r#"{"Bucket":"b","Key":"k"}"#)),
            ("aws-sdk:s3:getObject", r#"{"Bucket":"b"}"#, Err("The field 'Key' is required but was missing")),
            (
                "aws-sdk:s3:getObject",
                r#"{"Bucket":"b","Key":"k","Kye":"k"}"#,
                Err("The field 'Kye' is not supported by Step Functions"),
            ),
            (
                "aws-sdk:s3:putObject",
                r#"{"Bucket":"b","Key":"k","Body":{"a":[1]},"SsekmsKeyId":"x"}"#,
                Ok(r#"{"Bucket":"b","Key":"k","Body":{"a":[1]},"SSEKMSKeyId":"x"}"#),
            ),
            (
                "aws-sdk:s3:putObject",
                r#"{"Bucket":"b","Key":"k","Body":"a"}"#,
                Ok(r#"{"Bucket":"b","Key":"k","Body":"a"}"#),
            ),
            (
                "dynamodb:putItem",
                r#"{"TableName":"t","Item":{"k":{"BOOL":"true"},"n":null}}"#,
                Ok(r#"{"TableName":"t","Item":{"k":{"BOOL":true}}}"#),
            ),
            ("dynamodb:putItem", r#"{"TableName":"t","Item":null}"#, Ok(r#"{"TableName":"t"}"#)),
            (
                "aws-sdk:dynamodb:putItem",
                r#"{"TableName":"t","Item":{"k":{"BOOL":true}}}"#,
                Err("The field 'BOOL' is not supported by Step Functions"),
            ),
            (
                "aws-sdk:dynamodb:query",
                r#"{"TableName":"t","Limit":"many"}"#,
                Err("The value of the field 'Limit' has an invalid format"),
            ),
            (
                "sqs:sendMessage",
                r#"{"QueueUrl":"u","MessageBody":{"a":1}}"#,
                Ok(r#"{"QueueUrl":"u","MessageBody":"{\"a\":1}"}"#),
            ),
            (
                "apigateway:invoke",
                r#"{"ApiEndpoint":"a","Method":"GET","Headers":{"x":"y"}}"#,
                Err("The value of the field 'Headers' has an invalid format"),
            ),
            (
                "aws-sdk:secretsmanager:createSecret",
                r#"{"Name":"n"}"#,
                Ok(r#"{"Name":"n","ClientRequestToken":"token"}"#),
            ),
            ("dynamodb:getItem", "[]", Err("The parameters are no object")),
        ] {
            assert_eq!(
                parameters(resource, given),
                expected.map(str::to_owned).map_err(str::to_owned),
                "{resource} {given}"
            );
        }
    }
}

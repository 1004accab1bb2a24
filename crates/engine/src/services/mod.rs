//! The services that Task states call, as AWS describes them.
//!
//! - [`Operation`] is what a `Resource` names: an action of a service, by the SDK or an optimised integration
//! - [`Model`] is what the service's actions take and answer. `scripts/service-models` writes the models, but for those of
//!   `apigateway` and `http`, which are Step Functions' own
//! - [`Style`] is how Step Functions writes the names of members
//! - [`values`] is how parameters become what is sent, and answers become results

mod integration;
mod model;
mod names;
pub mod values;

use std::sync::OnceLock;

pub use integration::{Integration, Operation, Optimised, is_optimised_elsewhere, optimised_actions};
pub use model::{Action, Member, Model, Place, Protocol, Shape, Structure, TimestampFormat};
pub use names::{Style, exception};

/// A service, by the names that Step Functions has for it.
#[derive(Debug)]
pub struct Service {
    /// In the `Resource` of an SDK integration: `dynamodb` in `aws-sdk:dynamodb:getItem`.
    pub name: &'static str,
    /// In the errors of SDK integrations: `DynamoDb`.
    pub title: &'static str,
    text: &'static str,
    model: OnceLock<Option<Model>>,
}

/// Every service that a model is there for.
static SERVICES: [Service; 22] = [
    // The name of what is invoked: `aws-sdk:apigateway` is the service that makes APIs.
    Service::new("execute-api", "ApiGateway", include_str!("models/apigateway.json")),
    Service::new("athena", "Athena", include_str!("models/athena.json")),
    Service::new("batch", "Batch", include_str!("models/batch.json")),
    Service::new("cloudwatch", "CloudWatch", include_str!("models/cloudwatch.json")),
    Service::new("cloudwatchlogs", "CloudWatchLogs", include_str!("models/logs.json")),
    Service::new("codebuild", "CodeBuild", include_str!("models/codebuild.json")),
    Service::new("dynamodb", "DynamoDb", include_str!("models/dynamodb.json")),
    Service::new("dynamodbstreams", "DynamoDbStreams", include_str!("models/dynamodbstreams.json")),
    Service::new("ecs", "Ecs", include_str!("models/ecs.json")),
    Service::new("eventbridge", "EventBridge", include_str!("models/events.json")),
    Service::new("glue", "Glue", include_str!("models/glue.json")),
    Service::new("http", "Http", include_str!("models/http.json")),
    Service::new("kms", "Kms", include_str!("models/kms.json")),
    Service::new("lambda", "Lambda", include_str!("models/lambda.json")),
    Service::new("s3", "S3", include_str!("models/s3.json")),
    Service::new("scheduler", "Scheduler", include_str!("models/scheduler.json")),
    Service::new("secretsmanager", "SecretsManager", include_str!("models/secretsmanager.json")),
    Service::new("sfn", "Sfn", include_str!("models/stepfunctions.json")),
    Service::new("sns", "Sns", include_str!("models/sns.json")),
    Service::new("sqs", "Sqs", include_str!("models/sqs.json")),
    Service::new("ssm", "Ssm", include_str!("models/ssm.json")),
    Service::new("sts", "Sts", include_str!("models/sts.json")),
];

impl Service {
    const fn new(name: &'static str, title: &'static str, text: &'static str) -> Self {
        Self { name, title, text, model: OnceLock::new() }
    }

    /// The service with this name of SDK integrations, where there is a model for it.
    pub fn find(name: &str) -> Option<&'static Self> {
        SERVICES.iter().find(|service| service.name == name)
    }

    /// Whether its model has every action that there is, with what it takes.
    pub fn is_complete(&self) -> bool {
        self.model().is_some_and(|model| model.protocol.is_some() && !model.partial)
    }

    /// Its model, which is read once. A test makes sure that each can be read.
    pub fn model(&self) -> Option<&Model> {
        self.model.get_or_init(|| serde_json::from_str(self.text).ok()).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_a_model_stands_for_something() {
        for service in &SERVICES {
            let model: Model = serde_json::from_str(service.text).unwrap();
            let of_shape = |shape: &Shape| match shape {
                Shape::List { item, .. } => vec![item.shape.clone()],
                Shape::Map { key, value, .. } => vec![key.shape.clone(), value.shape.clone()],
                Shape::Structure(Structure { members, required, payload }) => {
                    let named = required.iter().chain(payload);
                    assert!(named.into_iter().all(|name| members.contains_key(name)), "{}: {required:?}", service.name);
                    members.values().map(|member| member.shape.clone()).collect()
                }
                _ => Vec::new(),
            };
            let of_actions = model.actions.values().flat_map(|action| [&action.input, &action.output]);
            let names = of_actions.flatten().cloned().chain(model.shapes.values().flat_map(of_shape));
            for name in names {
                let is_simple = ["any", "string", "number", "boolean", "blob", "timestamp"].contains(&&*name);
                assert!(is_simple || model.shapes.contains_key(&name), "{}: {name}", service.name);
            }
        }
    }
}

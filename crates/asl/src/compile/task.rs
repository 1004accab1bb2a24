//! Task states.

use super::{
    fields::{Fields, Reads, Type},
    graph::Names,
    retry,
    state::{MAX_SECONDS, transition},
};
use crate::{
    machine::{Count, Pattern, Resource, Task},
    template::Template,
    value::Value,
};

pub(super) fn task(names: &Names, fields: &mut Fields<'_>) -> Option<Task> {
    fields.require("Resource");
    let resource = resource(fields);
    let timeout = fields.count_or_expression("TimeoutSeconds", "TimeoutSecondsPath", 1..=MAX_SECONDS);
    let heartbeat = fields.count_or_expression("HeartbeatSeconds", "HeartbeatSecondsPath", 1..=MAX_SECONDS);
    if let (Some(Count::Literal(timeout)), Some(Count::Literal(heartbeat))) = (&timeout, &heartbeat)
        && heartbeat >= timeout
    {
        fields.error("HeartbeatSeconds", format!("Value must be smaller than 'TimeoutSeconds', which is {timeout}"));
    }
    let credentials = credentials(fields);
    if credentials.is_some() && matches!(resource, Some(Resource::Activity { .. })) {
        fields.error(CREDENTIALS, "The field 'Credentials' is not supported for activities");
    }
    let on_error = retry::on_error(names, fields);
    let transition = transition(names, fields);
    Some(Task { resource: resource?, timeout, heartbeat, credentials, on_error, transition: transition? })
}

const CREDENTIALS: &str = "Credentials";

/// `Credentials`: an object with `RoleArn`, which may be found at run time.
fn credentials(fields: &mut Fields<'_>) -> Option<Template> {
    let value = fields.take(CREDENTIALS)?;
    let mut inner = fields.inner(CREDENTIALS, &value)?;
    let is_named = inner.has("RoleArn") || inner.has("RoleArn.$");
    if !is_named {
        inner.object_error("The field 'RoleArn' is required but was missing");
    }
    match inner.take("RoleArn") {
        None | Some(Value::String(_)) => {}
        Some(_) => inner.type_error("RoleArn", Type::String),
    }
    inner.take("RoleArn.$");
    inner.close();
    fields.template(CREDENTIALS, Reads::Input)
}

/// `arn:<partition>:lambda:<region>:<account>:function:<name>`, an activity's, or
/// `arn:<partition>:states:::<service>:<action>`.
fn resource(fields: &mut Fields<'_>) -> Option<Resource> {
    let arn = fields.text("Resource")?;
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "lambda", _, _, function] if function.starts_with("function:") => {
            Some(Resource::Function { arn: arn.clone() })
        }
        ["arn", _, "states", _, _, activity] if activity.starts_with("activity:") => {
            Some(Resource::Activity { arn: arn.clone() })
        }
        ["arn", _, "states", _, _, integration] => {
            let resource = service_and_action(integration).and_then(|(service, action)| {
                let pattern = pattern(action).filter(|pattern| is_offered(service, action, *pattern))?;
                Some(Resource::Service { arn: arn.clone(), service: service.into(), action: action.into(), pattern })
            });
            if resource.is_none() {
                fields.error("Resource", Resource::not_recognized(&arn));
            }
            resource
        }
        _ => {
            fields.error("Resource", "Value is not a valid resource ARN");
            None
        }
    }
}

/// `states` and `startExecution.sync:2`, or `aws-sdk:s3` and `getObject`.
fn service_and_action(integration: &str) -> Option<(&str, &str)> {
    const SDK: &str = "aws-sdk:";
    let named = if integration.starts_with(SDK) { SDK.len() } else { 0 };
    let colon = named + integration.get(named..)?.find(':')?;
    Some((integration.get(..colon)?, integration.get(colon + 1..)?))
}

fn pattern(action: &str) -> Option<Pattern> {
    match action.split_once('.') {
        None => Some(Pattern::RequestResponse),
        Some((_, "sync" | "sync:2")) => Some(Pattern::Sync),
        Some((_, "waitForTaskToken")) => Some(Pattern::WaitForTaskToken),
        Some(_) => None,
    }
}

/// Whether a service's integration has a pattern, as far as a service has it for none of its actions.
///
/// What each service has is told by the Developer Guide, "Integrating services with Step Functions".
fn is_offered(service: &str, action: &str, pattern: Pattern) -> bool {
    match pattern {
        Pattern::RequestResponse => true,
        Pattern::Sync if action.ends_with(".sync:2") => service == "states",
        Pattern::Sync => !service.starts_with("aws-sdk:") && !WITHOUT_JOBS.contains(&service),
        Pattern::WaitForTaskToken => !WITHOUT_TOKENS.contains(&service),
    }
}

const WITHOUT_JOBS: &[&str] = &["lambda", "sns", "sqs", "dynamodb", "events", "apigateway", "bedrock-agentcore"];

const WITHOUT_TOKENS: &[&str] = &[
    "athena",
    "batch",
    "codebuild",
    "elasticmapreduce",
    "emr-containers",
    "emr-serverless",
    "glue",
    "databrew",
    "mediaconvert",
    "sagemaker",
    "dynamodb",
    "bedrock-agentcore",
];

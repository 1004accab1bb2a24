//! Task states.

use super::{
    fields::{Fields, Reads},
    graph::Names,
    retry,
    state::{MAX_SECONDS, transition},
};
use crate::{
    machine::{Pattern, Resource, Task},
    template::Template,
    value::Value,
};

pub(super) fn task(names: &Names, fields: &mut Fields<'_>) -> Option<Task> {
    fields.require("Resource");
    let resource = resource(fields);
    let timeout = fields.count_or_expression("TimeoutSeconds", "TimeoutSecondsPath", 1..=MAX_SECONDS);
    let heartbeat = fields.count_or_expression("HeartbeatSeconds", "HeartbeatSecondsPath", 1..=MAX_SECONDS);
    let credentials = credentials(fields);
    let on_error = retry::on_error(names, fields);
    let transition = transition(names, fields);
    Some(Task { resource: resource?, timeout, heartbeat, credentials, on_error, transition: transition? })
}

/// `Credentials`: an object with `RoleArn`, which may be found at run time.
fn credentials(fields: &mut Fields<'_>) -> Option<Template> {
    const NAME: &str = "Credentials";
    let value = fields.look(NAME)?.clone();
    let mut inner = fields.inner(NAME, &value)?;
    let is_named = inner.has("RoleArn") || inner.has("RoleArn.$");
    if !is_named {
        inner.object_error("These fields are required: [RoleArn]");
    }
    match inner.take("RoleArn") {
        None | Some(Value::String(_)) => {}
        Some(_) => inner.error("RoleArn", "Value is not of type 'String'"),
    }
    inner.take("RoleArn.$");
    inner.close();
    fields.template(NAME, Reads::Input)
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
                let pattern = pattern(action)?;
                Some(Resource::Service { arn: arn.clone(), service: service.into(), action: action.into(), pattern })
            });
            if resource.is_none() {
                fields.error("Resource", format!("The resource provided {arn} is not recognized"));
            }
            resource
        }
        _ => {
            fields.error("Resource", format!("Value is not a valid resource ARN: {arn}"));
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

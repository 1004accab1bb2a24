//! What the resource of a Task state is, to the local cloud.

use engine::services::{Operation, Service, is_optimised_elsewhere};

use super::http::Endpoint;
use crate::route::is_here;

/// What is done for a call of a service.
#[derive(Clone, Copy, Debug)]
pub(in crate::states) enum Action {
    /// `lambda:invoke`
    Invoke,
    /// `states:startExecution`
    StartExecution(Sync),
    /// The service is asked, in its own protocol.
    Call(Operation),
    /// An HTTP endpoint is called.
    Http(Endpoint, Operation),
    /// The service is not here: the call fails.
    Elsewhere,
}

/// How `startExecution` waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::states) enum Sync {
    /// Not for the end.
    No,
    /// `.sync`
    First,
    /// `.sync:2`
    Second,
}

impl Action {
    /// What is done for a resource (`aws-sdk:s3` and `getObject`); nothing where Step Functions does not have it.
    ///
    /// Of a service that no model is there for, any action may be one.
    pub(in crate::states) fn of(service: &str, action: &str) -> Option<Self> {
        let (name, pattern) = action.split_once('.').unwrap_or((action, ""));
        match (service, Operation::of(service, action)) {
            ("lambda", Some(_)) => Some(Self::Invoke),
            ("states", Some(_)) => Some(Self::StartExecution(match pattern {
                "sync" => Sync::First,
                "sync:2" => Sync::Second,
                _ => Sync::No,
            })),
            ("apigateway", Some(operation)) => Some(Self::Http(Endpoint::Api, operation)),
            ("http", Some(operation)) => Some(Self::Http(Endpoint::Http, operation)),
            (_, Some(operation)) if is_here(&operation.model.signing_name) => Some(Self::Call(operation)),
            (_, Some(_)) => Some(Self::Elsewhere),
            (service, None) => match service.strip_prefix("aws-sdk:") {
                Some(sdk) => {
                    let is_known = Service::find(sdk).is_some_and(Service::is_complete);
                    let is_one = !is_known && is_name(name) && ["", "waitForTaskToken"].contains(&pattern);
                    is_one.then_some(Self::Elsewhere)
                }
                None => is_optimised_elsewhere(service).then_some(Self::Elsewhere),
            },
        }
    }
}

/// Whether it can be an action's: `getObject`.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_called_here_or_elsewhere_or_are_none() {
        for (resource, expected) in [
            ("lambda:invoke.waitForTaskToken", "here"),
            ("states:startExecution.sync:2", "here"),
            ("dynamodb:getItem", "here"),
            ("apigateway:invoke.waitForTaskToken", "here"),
            ("http:invoke", "here"),
            ("aws-sdk:s3:getObject", "here"),
            ("aws-sdk:sfn:sendTaskSuccess", "here"),
            ("aws-sdk:kms:encrypt", "elsewhere"),
            ("aws-sdk:ec2:runInstances.waitForTaskToken", "elsewhere"),
            ("aws-sdk:apigateway:getRestApis", "elsewhere"),
            ("aws-sdk:ssm:sendCommand", "elsewhere"),
            ("ecs:runTask.sync", "elsewhere"),
            ("aws-sdk:s3:getObjekt", "nothing"),
            ("aws-sdk:s3:getObject.sync", "nothing"),
            ("aws-sdk:ec2:runInstances.sync", "nothing"),
            ("aws-sdk:ec2:RunInstances", "nothing"),
            ("dynamodb:query", "nothing"),
            ("http:invoke.waitForTaskToken", "nothing"),
            ("ec2:runInstances", "nothing"),
        ] {
            let (service, action) = match resource.strip_prefix("aws-sdk:") {
                Some(rest) => resource.split_at("aws-sdk:".len() + rest.find(':').unwrap()),
                None => resource.split_at(resource.find(':').unwrap()),
            };
            let found = match Action::of(service, &action[1..]) {
                Some(Action::Elsewhere) => "elsewhere",
                Some(_) => "here",
                None => "nothing",
            };
            assert_eq!(found, expected, "{resource}");
        }
    }
}

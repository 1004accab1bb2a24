//! Where the resources of a local cloud are: the parts that their ARNs and URLs share.

use sam::Target;

/// Region, account and address.
#[derive(Clone, Debug)]
pub struct Location {
    /// The region that ARNs name.
    pub region: String,
    /// The account that ARNs name: twelve digits.
    pub account: String,
    /// The address of the port: `http://127.0.0.1:4566`.
    pub endpoint: String,
}

impl Location {
    /// The ARN of a service's resource.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }

    /// The ARN of what can be a target.
    pub fn arn_of(&self, target: &Target) -> String {
        match target {
            Target::Function(name) => self.arn("lambda", &format!("function:{name}")),
            Target::StateMachine(arn) | Target::Queue(arn) | Target::Topic(arn) => arn.clone(),
            Target::LogGroup(name) => self.arn("logs", &format!("log-group:{name}")),
            Target::EventBus(name) => self.arn("events", &format!("event-bus/{name}")),
        }
    }

    /// What an ARN of this region and account names in a service; nothing for any other text.
    pub fn resource_of<'a>(&self, service: &str, arn: &'a str) -> Option<&'a str> {
        match arn.splitn(6, ':').collect::<Vec<_>>()[..] {
            ["arn", _, its_service, region, account, resource]
                if its_service == service && region == self.region && account == self.account =>
            {
                Some(resource)
            }
            _ => None,
        }
    }
}

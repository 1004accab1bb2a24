//! `AWS::SQS::Queue`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    Queue,
    properties::Properties,
    template::{Reported, Resource, Template},
};

/// What CloudFormation and `CreateQueue` call alike.
const ATTRIBUTES: [&str; 9] = [
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "VisibilityTimeout",
];

pub(crate) fn read(template: &Template, id: &str, resource: &Resource) -> Result<Queue, Reported> {
    let properties = Properties::of(template, id, resource);
    let mut attributes = BTreeMap::new();
    for name in ATTRIBUTES {
        let value = properties.json(name).map(|value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        });
        // A queue that is no FIFO queue has no such attribute.
        attributes.extend(
            value
                .filter(|value| (name, value.as_str()) != ("FifoQueue", "false"))
                .map(|value| (name.to_owned(), value)),
        );
    }
    Ok(Queue { logical_id: id.to_owned(), name: template.physical_name(id, resource, resource.at)?, attributes })
}

//! `AWS::SQS::Queue`.

use crate::{
    Queue,
    properties::Properties,
    resources::topic::attributes,
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
    let mut attributes = attributes(&Properties::of(template, id, resource), &ATTRIBUTES);
    // A queue that is no FIFO queue has no such attribute.
    attributes.retain(|name, value| (name.as_str(), value.as_str()) != ("FifoQueue", "false"));
    Ok(Queue { logical_id: id.to_owned(), name: template.physical_name(id, resource, resource.at)?, attributes })
}

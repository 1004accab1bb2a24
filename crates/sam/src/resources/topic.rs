//! `AWS::SNS::Topic` and `AWS::SNS::Subscription`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    Application, Subscription, Topic,
    properties::Properties,
    template::{Reported, Resource, Template},
    yaml::Data,
};

/// What CloudFormation and `CreateTopic` call alike.
const OF_TOPIC: [&str; 3] = ["ContentBasedDeduplication", "DisplayName", "FifoTopic"];

/// What CloudFormation and `Subscribe` call alike.
const OF_SUBSCRIPTION: [&str; 4] = ["FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"];

pub(crate) fn read(
    template: &Template,
    id: &str,
    resource: &Resource,
    application: &mut Application,
) -> Result<(), Reported> {
    let properties = Properties::of(template, id, resource);
    let arn = template.attribute(id, "TopicArn", resource.at)?;
    let mut attributes = attributes(&properties, &OF_TOPIC);
    // A topic that is no FIFO topic has no such attribute.
    attributes.retain(|name, value| (name.as_str(), value.as_str()) != ("FifoTopic", "false"));
    application.topics.push(Topic { logical_id: id.to_owned(), arn: arn.clone(), attributes });
    let list = properties.raw("Subscription").and_then(|list| list.as_list()).unwrap_or_default();
    for (index, node) in list.iter().enumerate() {
        let place = format!("Subscription/{index}");
        let Data::Map(map) = &node.data else {
            properties.wrong_type(&place, "a map", node);
            continue;
        };
        let inner = Properties::over(template, properties.place_of(&place), node.at, map);
        inner.check_names("a subscription of a topic", &["Endpoint", "Protocol"]);
        // A problem is noted where it is found; the others are read all the same.
        let _ = subscribe(&inner, &format!("{id}{index}"), arn.clone(), application);
    }
    Ok(())
}

pub(crate) fn read_subscription(
    template: &Template,
    id: &str,
    resource: &Resource,
    application: &mut Application,
) -> Result<(), Reported> {
    let properties = Properties::of(template, id, resource);
    let topic_arn = properties.required_text("TopicArn").ok_or(Reported)?;
    subscribe(&properties, id, topic_arn, application)
}

fn subscribe(
    properties: &Properties,
    id: &str,
    topic_arn: String,
    application: &mut Application,
) -> Result<(), Reported> {
    let protocol = properties.required_text("Protocol").ok_or(Reported)?;
    let endpoint = properties.required_text("Endpoint").ok_or(Reported)?;
    match protocol.as_str() {
        "sqs" | "lambda" => {
            let attributes = attributes(properties, &OF_SUBSCRIPTION);
            let logical_id = id.to_owned();
            application.subscriptions.push(Subscription { logical_id, topic_arn, protocol, endpoint, attributes });
        }
        "application" | "email" | "email-json" | "firehose" | "http" | "https" | "sms" => {
            let reason = "Topics send to queues and functions; nothing leaves this machine.";
            properties.template.leave_out(properties.place.clone(), &protocol, reason);
        }
        _ => return Err(properties.refuse("Protocol", &protocol, "SNS has no such protocol")),
    }
    Ok(())
}

/// Properties as the texts that the API takes.
pub(crate) fn attributes(properties: &Properties, names: &[&str]) -> BTreeMap<String, String> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    names.iter().filter_map(|name| Some(((*name).to_owned(), text(properties.json(name)?)))).collect()
}

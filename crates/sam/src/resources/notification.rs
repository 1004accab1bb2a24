//! Whom a bucket tells of its objects: its `NotificationConfiguration`, and the `S3` events of functions.

use crate::{
    Application, BucketNotification, Target,
    properties::Properties,
    resources::target,
    template::{Reported, Resource, Template},
    yaml::{Data, Node},
};

/// The lists of a `NotificationConfiguration`, and what the ARN is called in each.
const LISTS: [(&str, &str); 3] =
    [("LambdaConfigurations", "Function"), ("QueueConfigurations", "Queue"), ("TopicConfigurations", "Topic")];

/// Reads those of a bucket into it.
pub(crate) fn read(template: &Template, id: &str, resource: &Resource, application: &mut Application) {
    let properties = Properties::of(template, id, resource);
    let Some(configuration) = properties.inner("NotificationConfiguration") else { return };
    for (list, of_arn) in LISTS {
        let nodes = configuration.raw(list).and_then(Node::as_list).unwrap_or_default();
        for (index, node) in nodes.iter().enumerate() {
            let place = format!("{list}/{index}");
            let Data::Map(map) = &node.data else {
                configuration.wrong_type(&place, "a map", node);
                continue;
            };
            let inner = Properties::over(template, configuration.place_of(&place), node.at, map);
            inner.check_names("a notification of a bucket", &["Event", "Filter", of_arn]);
            let Some(arn) = inner.required_text(match of_arn {
                "Function" => "Function",
                "Queue" => "Queue",
                _ => "Topic",
            }) else {
                continue;
            };
            let Some(event) = inner.required_text("Event") else { continue };
            if let Some(target) = target::of_arn(&inner, "a notification", &arn, application) {
                add(&inner, id, vec![event], target, application);
            }
        }
    }
}

/// Reads the `S3` event of a function.
pub(crate) fn read_event(event: &Properties, function: &str, application: &mut Application) -> Result<(), Reported> {
    let name = event.required_text("Bucket").ok_or(Reported)?;
    let bucket = application.buckets.iter().find(|bucket| bucket.name == name || bucket.logical_id == name);
    let Some(bucket) = bucket.map(|bucket| bucket.logical_id.clone()) else {
        let known = application.buckets.iter().map(|bucket| bucket.logical_id.as_str());
        return Err(event.template.report_unknown("bucket", &name, known, event.at("Bucket")));
    };
    let Some(events) = event.value("Events")? else { return Err(event.missing("Events")) };
    let list = events.as_list().unwrap_or(std::slice::from_ref(&events));
    let events = list.iter().filter_map(|event| event.as_text().map(str::to_owned)).collect();
    add(event, &bucket, events, Target::Function(function.to_owned()), application);
    Ok(())
}

fn add(properties: &Properties, bucket: &str, events: Vec<String>, target: Target, application: &mut Application) {
    let (mut prefix, mut suffix) = (String::new(), String::new());
    let key = properties.inner("Filter").and_then(|filter| filter.inner("S3Key"));
    let rules = key.and_then(|key| key.json("Rules")).unwrap_or_default();
    for rule in rules.as_array().into_iter().flatten() {
        let text = |name: &str| rule.get(name).and_then(|value| value.as_str()).unwrap_or_default();
        match text("Name").to_ascii_lowercase().as_str() {
            "prefix" => text("Value").clone_into(&mut prefix),
            "suffix" => text("Value").clone_into(&mut suffix),
            _ => {}
        }
    }
    if let Some(bucket) = application.buckets.iter_mut().find(|one| one.logical_id == bucket) {
        bucket.notifications.push(BucketNotification { events, prefix, suffix, target });
    }
}

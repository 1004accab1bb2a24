//! `AWS::S3::Bucket`.

use crate::{
    Bucket,
    properties::Properties,
    template::{Reported, Resource, Template},
};

const NOTIFICATIONS: &[&str] =
    &["EventBridgeConfiguration", "LambdaConfigurations", "QueueConfigurations", "TopicConfigurations"];

pub(crate) fn read(template: &Template, id: &str, resource: &Resource) -> Result<Bucket, Reported> {
    let properties = Properties::of(template, id, resource);
    let versioning = properties.inner("VersioningConfiguration");
    let event_bridge = properties.inner("NotificationConfiguration").is_some_and(|notifications| {
        notifications.check_names("a NotificationConfiguration", NOTIFICATIONS);
        let configuration = notifications.inner("EventBridgeConfiguration");
        // CloudFormation switches it on where the configuration is there and does not say otherwise.
        configuration.is_some_and(|configuration| configuration.boolean("EventBridgeEnabled").unwrap_or(true))
    });
    Ok(Bucket {
        logical_id: id.to_owned(),
        name: template.physical_name(id, resource, resource.at)?,
        versioned: versioning.and_then(|versioning| versioning.text("Status")).as_deref() == Some("Enabled"),
        event_bridge,
        notifications: Vec::new(),
    })
}

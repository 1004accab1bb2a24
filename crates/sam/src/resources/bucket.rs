//! `AWS::S3::Bucket`.

use crate::{
    Bucket,
    properties::Properties,
    template::{Reported, Resource, Template},
};

pub(crate) fn read(template: &Template, id: &str, resource: &Resource) -> Result<Bucket, Reported> {
    let properties = Properties::of(template, id, resource);
    let versioning = properties.inner("VersioningConfiguration");
    let event_bridge = properties.inner("NotificationConfiguration").is_some_and(|notifications| {
        for (name, _) in notifications.names().filter(|(name, _)| *name != "EventBridgeConfiguration") {
            let reason = "A bucket tells EventBridge of its objects, and nobody else.";
            template.leave_out(notifications.place_of(name), &resource.kind, reason);
        }
        let configuration = notifications.inner("EventBridgeConfiguration");
        // CloudFormation switches it on where the configuration is there and does not say otherwise.
        configuration.is_some_and(|configuration| configuration.boolean("EventBridgeEnabled").unwrap_or(true))
    });
    Ok(Bucket {
        logical_id: id.to_owned(),
        name: template.physical_name(id, resource, resource.at)?,
        versioned: versioning.and_then(|versioning| versioning.text("Status")).as_deref() == Some("Enabled"),
        event_bridge,
    })
}

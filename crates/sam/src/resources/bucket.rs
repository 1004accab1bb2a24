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
    let name = template.physical_name(id, resource, resource.at)?;
    if !is_bucket_name(&name) {
        let reason =
            "a bucket's name has 3 to 63 small letters, digits, `-` and `.`, with a letter or a digit at both ends";
        return Err(properties.refuse("BucketName", &name, reason));
    }
    Ok(Bucket {
        logical_id: id.to_owned(),
        name,
        versioned: versioning.and_then(|versioning| versioning.text("Status")).as_deref() == Some("Enabled"),
        event_bridge,
        notifications: Vec::new(),
    })
}

/// Source: the S3 User Guide, "General purpose bucket naming rules".
fn is_bucket_name(name: &str) -> bool {
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.chars().all(|c| is_alphanumeric(c) || c == '-' || c == '.')
        && name.starts_with(is_alphanumeric)
        && name.ends_with(is_alphanumeric)
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
}

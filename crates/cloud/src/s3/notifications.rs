//! Whom a bucket tells of its objects.

#[allow(clippy::wildcard_imports, reason = "a type for each part of a configuration")]
use s3s::dto::*;
use s3s::{S3Result, s3_error};
use sam::{BucketNotification, Target};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event::ObjectEvent;
use crate::location::Location;

/// The events that a bucket can be asked to tell and does tell, and those of changes that do not happen here. Source: the S3
/// User Guide, "Supported event types for SQS, SNS, and Lambda".
const EVENTS: [&str; 27] = [
    "s3:TestEvent",
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectRestore:*",
    "s3:ObjectRestore:Post",
    "s3:ObjectRestore:Completed",
    "s3:ObjectRestore:Delete",
    "s3:ReducedRedundancyLostObject",
    "s3:Replication:*",
    "s3:Replication:OperationFailedReplication",
    "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationReplicatedAfterThreshold",
    "s3:Replication:OperationNotTracked",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
];

/// The events of access lists, which no bucket has here.
const OF_ACCESS_LISTS: &str = "s3:ObjectAcl:Put";

/// Whom a bucket tells of its objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notifications {
    /// Whether each change is an event of `EventBridge`.
    pub event_bridge: bool,
    /// Who is told directly.
    pub direct: Vec<Notification>,
}

/// Who is told of some changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The `configurationId` of its events.
    pub id: String,
    /// The ARN of a function, a queue or a topic.
    pub arn: String,
    /// Of what, as `s3:ObjectCreated:*`.
    pub events: Vec<String>,
    /// What the object's key begins with.
    pub prefix: String,
    /// What the object's key ends with.
    pub suffix: String,
}

impl Notification {
    /// Whether it is about a change.
    pub fn is_about(&self, change: &ObjectEvent) -> bool {
        let name = change.kind.notification_name();
        let is_asked = |asked: &String| {
            let asked = asked.strip_prefix("s3:").unwrap_or(asked);
            asked.strip_suffix('*').map_or(asked == name, |beginning| name.starts_with(beginning))
        };
        self.events.iter().any(is_asked) && change.key.starts_with(&self.prefix) && change.key.ends_with(&self.suffix)
    }

    fn new(
        id: Option<NotificationId>,
        arn: String,
        events: EventList,
        filter: Option<NotificationConfigurationFilter>,
    ) -> S3Result<Self> {
        let events: Vec<String> = events.into_iter().map(Into::into).collect();
        if let Some(unknown) =
            events.iter().find(|event| !EVENTS.contains(&event.as_str()) && *event != OF_ACCESS_LISTS)
        {
            return Err(s3_error!(InvalidArgument, "The event '{unknown}' is not supported for notifications"));
        }
        let (prefix, suffix) = filtered(filter)?;
        Ok(Self { id: id.unwrap_or_else(|| Uuid::new_v4().to_string()), arn, events, prefix, suffix })
    }

    fn filter(&self) -> Option<NotificationConfigurationFilter> {
        let rule = |name, value: &str| {
            let value = (!value.is_empty()).then(|| value.to_owned())?;
            Some(FilterRule { name: Some(FilterRuleName::from_static(name)), value: Some(value) })
        };
        let rules = [rule("Prefix", &self.prefix), rule("Suffix", &self.suffix)];
        let rules: FilterRuleList = rules.into_iter().flatten().collect();
        (!rules.is_empty())
            .then_some(NotificationConfigurationFilter { key: Some(S3KeyFilter { filter_rules: Some(rules) }) })
    }

    fn told_events(&self) -> EventList {
        self.events.iter().cloned().map(Event::from).collect()
    }
}

/// What a key begins and ends with.
fn filtered(filter: Option<NotificationConfigurationFilter>) -> S3Result<(String, String)> {
    let (mut prefix, mut suffix) = (None, None);
    for FilterRule { name, value } in filter.and_then(|filter| filter.key?.filter_rules).unwrap_or_default() {
        let name = name.map(|name| name.as_str().to_ascii_lowercase()).unwrap_or_default();
        let place = match name.as_str() {
            "prefix" => &mut prefix,
            "suffix" => &mut suffix,
            _ => return Err(s3_error!(InvalidArgument, "filter rule name must be either prefix or suffix")),
        };
        if place.replace(value.unwrap_or_default()).is_some() {
            return Err(s3_error!(InvalidArgument, "Cannot specify more than one {name} rule in a filter."));
        }
    }
    Ok((prefix.unwrap_or_default(), suffix.unwrap_or_default()))
}

impl Notifications {
    /// Those that the template describes. What the API has set before is gone, as after a deployment.
    pub fn of_template(bucket: &sam::Bucket, location: &Location) -> Self {
        let direct = bucket.notifications.iter().enumerate().map(|(number, told)| {
            let BucketNotification { events, prefix, suffix, target } = told.clone();
            Notification { id: format!("template-{number}"), arn: location.arn_of(&target), events, prefix, suffix }
        });
        Self { event_bridge: bucket.event_bridge, direct: direct.collect() }
    }

    /// What a client asks for.
    pub(super) fn of(configuration: NotificationConfiguration) -> S3Result<Self> {
        let NotificationConfiguration {
            event_bridge_configuration,
            lambda_function_configurations,
            queue_configurations,
            topic_configurations,
        } = configuration;
        let functions = lambda_function_configurations.into_iter().flatten().map(|one| {
            let arn = checked(one.lambda_function_arn, |target| matches!(target, Target::Function(_)))?;
            Notification::new(one.id, arn, one.events, one.filter)
        });
        let queues = queue_configurations.into_iter().flatten().map(|one| {
            let arn = checked(one.queue_arn, |target| matches!(target, Target::Queue(_)))?;
            Notification::new(one.id, arn, one.events, one.filter)
        });
        let topics = topic_configurations.into_iter().flatten().map(|one| {
            let arn = checked(one.topic_arn, |target| matches!(target, Target::Topic(_)))?;
            Notification::new(one.id, arn, one.events, one.filter)
        });
        let direct = functions.chain(queues).chain(topics).collect::<S3Result<_>>()?;
        Ok(Self { event_bridge: event_bridge_configuration.is_some(), direct })
    }

    /// What a client is told.
    pub(super) fn told(&self) -> GetBucketNotificationConfigurationOutput {
        let mut told = GetBucketNotificationConfigurationOutput {
            event_bridge_configuration: self.event_bridge.then(EventBridgeConfiguration::default),
            ..Default::default()
        };
        for one in &self.direct {
            let (id, events, filter) = (Some(one.id.clone()), one.told_events(), one.filter());
            match Target::of_arn(&one.arn) {
                Some(Target::Queue(queue_arn)) => {
                    let one = QueueConfiguration { events, filter, id, queue_arn };
                    told.queue_configurations.get_or_insert_default().push(one);
                }
                Some(Target::Topic(topic_arn)) => {
                    let one = TopicConfiguration { events, filter, id, topic_arn };
                    told.topic_configurations.get_or_insert_default().push(one);
                }
                _ => {
                    let one = LambdaFunctionConfiguration { events, filter, id, lambda_function_arn: one.arn.clone() };
                    told.lambda_function_configurations.get_or_insert_default().push(one);
                }
            }
        }
        told
    }
}

/// An ARN of the kind that is asked for.
fn checked(arn: String, is_right: impl FnOnce(&Target) -> bool) -> S3Result<String> {
    match Target::of_arn(&arn) {
        Some(target) if is_right(&target) => Ok(arn),
        _ => Err(s3_error!(InvalidArgument, "The ARN could not be parsed")),
    }
}

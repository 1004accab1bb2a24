//! The SNS API.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    Publication, Sns, Topic, failure,
    subscription::{Described, Subscription},
};
use crate::{
    protocol::{Dialect, Failure, Form, JSON_1_0, Names, Operations, Parameters, after, done, page},
    sqs::Attribute,
};

/// How many messages one call takes.
const MAX_BATCH: usize = 10;

/// How many topics or subscriptions a page has.
const PAGE: usize = 100;

/// The attributes of a topic that can be set.
const OF_TOPIC: &[&str] = &[
    "ContentBasedDeduplication",
    "DisplayName",
    "FifoTopic",
    "KmsMasterKeyId",
    "Policy",
    "SignatureVersion",
    "TracingConfig",
];

type Answer = Result<Value, Failure>;

impl Operations for Sns {
    const DIALECT: Dialect = Dialect {
        title: "SNS",
        content_type: JSON_1_0,
        namespace: "http://sns.amazonaws.com/doc/2010-03-31/",
        max_body: 2 * 1024 * 1024,
        names: Names {
            parameters: &[
                ("Attributes", Form::Entries("key", "value")),
                ("MessageAttributes", Form::Entries("Name", "Value")),
            ],
            answers: &[],
            typed: &["ReturnSubscriptionArn"],
        },
    };

    async fn operate(&self, operation: &str, parameters: Parameters) -> Answer {
        match operation {
            "CreateTopic" => self.create_topic(parameters.read()?),
            "DeleteTopic" => self.delete_topic(&parameters.read()?),
            "GetTopicAttributes" => self.get_topic_attributes(&parameters.read()?),
            "SetTopicAttributes" => self.set_topic_attributes(parameters.read()?),
            "ListTopics" => Ok(self.list_topics(&parameters.read()?)),
            "Subscribe" => self.subscribe(parameters.read()?),
            "Unsubscribe" => self.unsubscribe(&parameters.read()?),
            "GetSubscriptionAttributes" => self.get_subscription_attributes(&parameters.read()?),
            "SetSubscriptionAttributes" => self.set_subscription_attributes(parameters.read()?),
            "ListSubscriptions" => Ok(self.list_subscriptions(&parameters.read()?)),
            "ListSubscriptionsByTopic" => self.list_subscriptions_by_topic(&parameters.read()?),
            "Publish" => self.publish_message(parameters.read()?),
            "PublishBatch" => self.publish_batch(parameters.read()?),
            "TagResource" => self.tag_resource(parameters.read()?),
            "UntagResource" => self.untag_resource(&parameters.read()?),
            "ListTagsForResource" => self.list_tags(&parameters.read()?),
            other => Err(Failure::no_operation(Self::DIALECT.title, other)),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CreateTopic {
    name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OfTopic {
    topic_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SetTopicAttributes {
    topic_arn: String,
    attribute_name: String,
    attribute_value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Page {
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PageOfTopic {
    topic_arn: String,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Subscribe {
    topic_arn: String,
    protocol: String,
    endpoint: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    /// Whether the ARN is told of a subscription that waits to be confirmed. None does here.
    #[serde(rename = "ReturnSubscriptionArn")]
    _return_subscription_arn: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OfSubscription {
    subscription_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SetSubscriptionAttributes {
    subscription_arn: String,
    attribute_name: String,
    attribute_value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Publish {
    topic_arn: Option<String>,
    target_arn: Option<String>,
    phone_number: Option<String>,
    message: String,
    subject: Option<String>,
    message_structure: Option<String>,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PublishBatch {
    topic_arn: String,
    publish_batch_request_entries: Vec<PublishEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PublishEntry {
    id: String,
    message: String,
    subject: Option<String>,
    message_structure: Option<String>,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OfResource {
    resource_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagResource {
    resource_arn: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UntagResource {
    resource_arn: String,
    tag_keys: Vec<String>,
}

/// Topics.
impl Sns {
    fn create_topic(&self, request: CreateTopic) -> Answer {
        let CreateTopic { name, attributes, tags } = request;
        let is_fifo = attributes.get("FifoTopic").is_some_and(|value| value == "true");
        check_name(&name, is_fifo)?;
        if let Some(unknown) = attributes.keys().find(|name| !OF_TOPIC.contains(&name.as_str())) {
            return Err(failure::invalid_parameter(&format!("Attributes Reason: Unknown attribute {unknown}")));
        }
        let arn = self.location.arn("sns", &name);
        self.change(|inner| {
            if let Some(topic) = inner.topics.get(&arn) {
                let is_as_asked = attributes.iter().all(|(name, value)| topic.attributes.get(name) == Some(value));
                if !is_as_asked {
                    let reason = "Attributes Reason: Topic already exists with different attributes";
                    return Err(failure::invalid_parameter(reason));
                }
            } else {
                let tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
                inner.topics.insert(arn.clone(), Topic { attributes, tags, is_of_template: false });
            }
            Ok(json!({ "TopicArn": arn }))
        })
    }

    fn delete_topic(&self, request: &OfTopic) -> Answer {
        self.change(|inner| {
            inner.topics.remove(&request.topic_arn);
            inner.subscriptions.retain(|_, subscription| subscription.topic_arn() != request.topic_arn);
            Ok(done())
        })
    }

    fn get_topic_attributes(&self, request: &OfTopic) -> Answer {
        let inner = self.inner();
        let topic = inner.topics.get(&request.topic_arn).ok_or_else(failure::topic_not_found)?;
        let of_topic = inner.subscriptions.values().filter(|one| one.topic_arn() == request.topic_arn);
        let mut attributes = topic.attributes.clone();
        for (name, value) in [
            ("TopicArn", request.topic_arn.clone()),
            ("Owner", self.location.account.clone()),
            ("SubscriptionsConfirmed", of_topic.count().to_string()),
            ("SubscriptionsPending", "0".to_owned()),
            ("SubscriptionsDeleted", "0".to_owned()),
        ] {
            attributes.insert(name.to_owned(), value);
        }
        attributes.entry("DisplayName".to_owned()).or_default();
        Ok(json!({ "Attributes": attributes }))
    }

    fn set_topic_attributes(&self, request: SetTopicAttributes) -> Answer {
        let SetTopicAttributes { topic_arn, attribute_name, attribute_value } = request;
        if !OF_TOPIC.contains(&attribute_name.as_str()) || attribute_name == "FifoTopic" {
            return Err(failure::invalid_parameter("AttributeName"));
        }
        self.change(|inner| {
            let topic = inner.topics.get_mut(&topic_arn).ok_or_else(failure::topic_not_found)?;
            topic.attributes.insert(attribute_name, attribute_value.unwrap_or_default());
            Ok(done())
        })
    }

    fn list_topics(&self, request: &Page) -> Value {
        let inner = self.inner();
        let topics = inner.topics.range(after(request.next_token.as_deref()));
        page("Topics", topics.map(|(arn, _)| (arn.as_str(), json!({ "TopicArn": arn }))), PAGE)
    }

    fn tag_resource(&self, request: TagResource) -> Answer {
        self.change(|inner| {
            let topic = inner.topics.get_mut(&request.resource_arn).ok_or_else(failure::resource_not_found)?;
            topic.tags.extend(request.tags.into_iter().map(|tag| (tag.key, tag.value)));
            Ok(done())
        })
    }

    fn untag_resource(&self, request: &UntagResource) -> Answer {
        self.change(|inner| {
            let topic = inner.topics.get_mut(&request.resource_arn).ok_or_else(failure::resource_not_found)?;
            topic.tags.retain(|key, _| !request.tag_keys.contains(key));
            Ok(done())
        })
    }

    fn list_tags(&self, request: &OfResource) -> Answer {
        let inner = self.inner();
        let topic = inner.topics.get(&request.resource_arn).ok_or_else(failure::resource_not_found)?;
        let tags: Vec<_> = topic.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        Ok(json!({ "Tags": tags }))
    }
}

/// Subscriptions.
impl Sns {
    fn subscribe(&self, request: Subscribe) -> Answer {
        let Subscribe { topic_arn, protocol, endpoint, attributes, .. } = request;
        let endpoint = endpoint.ok_or_else(|| failure::invalid_parameter("Endpoint"))?;
        self.change(|inner| {
            if !inner.topics.contains_key(&topic_arn) {
                return Err(failure::topic_not_found());
            }
            let described = Described { topic_arn, protocol, endpoint, attributes };
            let there = inner.subscriptions.iter().find(|(_, one)| {
                let one = one.described();
                (&one.topic_arn, &one.protocol, &one.endpoint)
                    == (&described.topic_arn, &described.protocol, &described.endpoint)
            });
            if let Some((arn, one)) = there {
                if one.described().attributes != described.attributes {
                    let reason = "Attributes Reason: Subscription already exists with different attributes";
                    return Err(failure::invalid_parameter(reason));
                }
                return Ok(json!({ "SubscriptionArn": arn }));
            }
            let arn = format!("{}:{}", described.topic_arn, Uuid::new_v4());
            let subscription = Subscription::new(described, false)?;
            inner.subscriptions.insert(arn.clone(), subscription);
            Ok(json!({ "SubscriptionArn": arn }))
        })
    }

    fn unsubscribe(&self, request: &OfSubscription) -> Answer {
        self.change(|inner| {
            inner.subscriptions.remove(&request.subscription_arn);
            Ok(done())
        })
    }

    fn get_subscription_attributes(&self, request: &OfSubscription) -> Answer {
        let inner = self.inner();
        let arn = &request.subscription_arn;
        let described = inner.subscriptions.get(arn).ok_or_else(failure::subscription_not_found)?.described();
        let mut attributes = described.attributes.clone();
        for (name, value) in [
            ("SubscriptionArn", arn.clone()),
            ("TopicArn", described.topic_arn.clone()),
            ("Protocol", described.protocol.clone()),
            ("Endpoint", described.endpoint.clone()),
            ("Owner", self.location.account.clone()),
            ("PendingConfirmation", "false".to_owned()),
            ("ConfirmationWasAuthenticated", "true".to_owned()),
        ] {
            attributes.insert(name.to_owned(), value);
        }
        attributes.entry("RawMessageDelivery".to_owned()).or_insert_with(|| "false".to_owned());
        Ok(json!({ "Attributes": attributes }))
    }

    fn set_subscription_attributes(&self, request: SetSubscriptionAttributes) -> Answer {
        self.change(|inner| {
            let subscription =
                inner.subscriptions.get_mut(&request.subscription_arn).ok_or_else(failure::subscription_not_found)?;
            let mut described = subscription.described().clone();
            match request.attribute_value.filter(|value| !value.is_empty()) {
                Some(value) => drop(described.attributes.insert(request.attribute_name, value)),
                None => drop(described.attributes.remove(&request.attribute_name)),
            }
            *subscription = Subscription::new(described, subscription.is_of_template())?;
            Ok(done())
        })
    }

    fn list_subscriptions(&self, request: &Page) -> Value {
        let inner = self.inner();
        let subscriptions = inner.subscriptions.range(after(request.next_token.as_deref()));
        page("Subscriptions", subscriptions.map(|(arn, one)| (arn.as_str(), self.told(arn, one.described()))), PAGE)
    }

    fn list_subscriptions_by_topic(&self, request: &PageOfTopic) -> Answer {
        let inner = self.inner();
        if !inner.topics.contains_key(&request.topic_arn) {
            return Err(failure::topic_not_found());
        }
        let subscriptions = inner
            .subscriptions
            .range(after(request.next_token.as_deref()))
            .filter(|(_, one)| one.topic_arn() == request.topic_arn);
        let told = subscriptions.map(|(arn, one)| (arn.as_str(), self.told(arn, one.described())));
        Ok(page("Subscriptions", told, PAGE))
    }

    fn told(&self, arn: &str, described: &Described) -> Value {
        json!({
            "SubscriptionArn": arn,
            "Owner": self.location.account,
            "Protocol": described.protocol,
            "Endpoint": described.endpoint,
            "TopicArn": described.topic_arn,
        })
    }
}

/// Messages.
impl Sns {
    fn publish_message(&self, request: Publish) -> Answer {
        if let Some(number) = &request.phone_number {
            if request.topic_arn.or(request.target_arn).is_some() {
                return Err(failure::invalid_parameter("PhoneNumber Reason: a message has one destination"));
            }
            return tell_text_message(number, &request.message);
        }
        let arn = request.topic_arn.or(request.target_arn).ok_or_else(|| failure::invalid_parameter("TopicArn"))?;
        let entry = PublishEntry {
            id: String::new(),
            message: request.message,
            subject: request.subject,
            message_structure: request.message_structure,
            message_attributes: request.message_attributes,
            message_deduplication_id: request.message_deduplication_id,
            message_group_id: request.message_group_id,
        };
        self.publish_entry(&arn, entry).map(Value::Object)
    }

    fn publish_entry(&self, arn: &str, entry: PublishEntry) -> Result<Map<String, Value>, Failure> {
        let by_protocol = match entry.message_structure.as_deref() {
            None => BTreeMap::new(),
            Some("json") => by_protocol(&entry.message)?,
            Some(_) => return Err(failure::invalid_parameter("MessageStructure")),
        };
        let publication = Publication {
            message: entry.message,
            subject: entry.subject,
            by_protocol,
            attributes: entry.message_attributes,
            group_id: entry.message_group_id,
            deduplication_id: entry.message_deduplication_id,
        };
        let published = self.publish(arn, &publication)?;
        let mut answer = Map::from_iter([("MessageId".to_owned(), json!(published.message_id))]);
        answer.extend(published.sequence_number.map(|number| ("SequenceNumber".to_owned(), json!(number))));
        Ok(answer)
    }

    fn publish_batch(&self, request: PublishBatch) -> Answer {
        let entries = request.publish_batch_request_entries;
        let mut ids = HashSet::new();
        if entries.is_empty() {
            return Err(Failure::new("EmptyBatchRequest", "The batch request doesn't contain any entries."));
        }
        if entries.len() > MAX_BATCH {
            let message = "The batch request contains more entries than permissible.";
            return Err(Failure::new("TooManyEntriesInBatchRequest", message));
        }
        if entries.iter().any(|entry| !ids.insert(entry.id.clone())) {
            let message = "Two or more batch entries in the request have the same Id.";
            return Err(Failure::new("BatchEntryIdsNotDistinct", message));
        }
        if !self.has_topic(&request.topic_arn) {
            return Err(failure::topic_not_found());
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            let id = entry.id.clone();
            match self.publish_entry(&request.topic_arn, entry) {
                Ok(mut answer) => {
                    answer.insert("Id".to_owned(), id.into());
                    successful.push(Value::Object(answer));
                }
                Err(failure) => failed.push(json!({
                    "Id": id, "Code": failure.code, "Message": failure.message, "SenderFault": true,
                })),
            }
        }
        Ok(json!({ "Successful": successful, "Failed": failed }))
    }
}

/// No text message leaves this machine: who watches the terminal reads it instead.
fn tell_text_message(number: &str, message: &str) -> Answer {
    if !is_phone_number(number) {
        let reason = format!("PhoneNumber Reason: {number} is not valid to publish to");
        return Err(failure::invalid_parameter(&reason));
    }
    if message.is_empty() {
        return Err(failure::invalid_parameter("Empty message"));
    }
    tracing::warn!("text message to {number}, which stays here: {message}");
    Ok(json!({ "MessageId": Uuid::new_v4().to_string() }))
}

/// Whether E.164 writes numbers so: `+`, then up to 15 digits.
fn is_phone_number(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or_default();
    (2..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// What each protocol gets, of a message that says so.
fn by_protocol(message: &str) -> Result<BTreeMap<String, String>, Failure> {
    let refused = |reason: &str| failure::invalid_parameter(&format!("Message Structure - {reason}"));
    let fields: Map<String, Value> =
        serde_json::from_str(message).map_err(|_| refused("JSON message body failed to parse"))?;
    if !fields.get("default").is_some_and(Value::is_string) {
        return Err(refused("No default entry in JSON message body"));
    }
    Ok(fields.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect())
}

fn check_name(name: &str, is_fifo: bool) -> Result<(), Failure> {
    let stem = name.strip_suffix(".fifo");
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_name = |stem: &str| !stem.is_empty() && name.len() <= 256 && stem.bytes().all(is_allowed);
    if is_fifo && stem.is_none() {
        let reason = "Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, \
                      numbers, underscores, and hyphens, and must be between 1 and 256 characters long.";
        return Err(failure::invalid_parameter(reason));
    }
    match stem {
        Some(stem) if is_fifo && is_name(stem) => Ok(()),
        None if is_name(name) => Ok(()),
        _ => Err(failure::invalid_parameter("Topic Name")),
    }
}

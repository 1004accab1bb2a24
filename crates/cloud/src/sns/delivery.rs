//! What subscribers get.
//!
//! Source: the SNS Developer Guide, "Amazon SNS message delivery raw format" and "Fanout Amazon SNS events".

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{Publication, Published, Sns, subscription::Subscription};
use crate::{
    lambda::InvokeOptions,
    sqs::{Attribute, Outgoing, is_fifo},
    wire,
};

/// A message that was published.
pub(super) struct Notification<'a> {
    pub(super) topic_arn: &'a str,
    /// The address of the port.
    pub(super) endpoint: &'a str,
    pub(super) publication: &'a Publication,
    pub(super) published: &'a Published,
    /// Of a message of a FIFO topic.
    pub(super) deduplication_id: Option<String>,
    pub(super) at: OffsetDateTime,
}

impl Sns {
    /// Gives a message to a subscriber, or to its dead-letter queue.
    pub(super) fn deliver(&self, arn: &str, subscription: &Subscription, notification: &Notification<'_>) {
        let described = subscription.described();
        let delivered = match described.protocol.as_str() {
            "sqs" => {
                let message = if subscription.is_raw() { notification.raw() } else { notification.in_envelope(arn) };
                self.put(&described.endpoint, &message)
            }
            _ => {
                let event = notification.event(arn);
                let invoked = self.lambda.invoke_event(
                    &described.endpoint,
                    Bytes::from(event.to_string()),
                    InvokeOptions::default(),
                );
                invoked.map(drop).map_err(|error| error.to_string())
            }
        };
        let Err(error) = delivered else { return };
        tracing::warn!(subscription = arn, error, "a message could not be delivered");
        if let Some(queue) = subscription.dead_letter_queue() {
            let text = |value: &str| Attribute {
                data_type: "String".to_owned(),
                string_value: Some(value.to_owned()),
                binary_value: None,
            };
            let mut message = notification.in_envelope(arn);
            message.attributes = BTreeMap::from([
                ("ErrorMessage".to_owned(), text(&error)),
                ("RequestID".to_owned(), text(&notification.published.message_id)),
            ]);
            if let Err(error) = self.put(&queue, &message) {
                tracing::error!(subscription = arn, error, "a message is lost: its dead-letter queue does not take it");
            }
        }
    }

    fn put(&self, queue_arn: &str, message: &Outgoing) -> Result<(), String> {
        let queue = self.sqs.name_of(queue_arn).ok_or_else(|| format!("there is no queue {queue_arn}"))?;
        // A standard queue takes no deduplication id; a FIFO topic can have one all the same.
        let deduplication_id = message.deduplication_id.clone().filter(|_| is_fifo(&queue));
        let message = Outgoing { deduplication_id, ..message.clone() };
        self.sqs.send(&queue, &message).map(drop).map_err(|failure| failure.to_string())
    }
}

impl Notification<'_> {
    fn message(&self, protocol: &str) -> &str {
        let by_protocol = &self.publication.by_protocol;
        by_protocol.get(protocol).or_else(|| by_protocol.get("default")).unwrap_or(&self.publication.message)
    }

    /// The message alone, its attributes as those of the queue's.
    fn raw(&self) -> Outgoing {
        Outgoing { attributes: self.publication.attributes.clone(), ..self.outgoing(self.message("sqs").to_owned()) }
    }

    fn in_envelope(&self, subscription_arn: &str) -> Outgoing {
        let mut envelope = Map::from_iter([("Type".to_owned(), json!("Notification"))]);
        envelope.insert("MessageId".to_owned(), json!(self.published.message_id));
        envelope
            .extend(self.published.sequence_number.as_ref().map(|number| ("SequenceNumber".to_owned(), json!(number))));
        envelope.insert("TopicArn".to_owned(), json!(self.topic_arn));
        envelope.extend(self.publication.subject.as_ref().map(|subject| ("Subject".to_owned(), json!(subject))));
        envelope.insert("Message".to_owned(), json!(self.message("sqs")));
        envelope.insert("Timestamp".to_owned(), json!(wire::timestamp(self.at)));
        envelope.insert("SignatureVersion".to_owned(), json!("1"));
        envelope.insert("Signature".to_owned(), json!(""));
        envelope.insert("SigningCertURL".to_owned(), json!(""));
        envelope.insert("UnsubscribeURL".to_owned(), json!(self.unsubscribe(subscription_arn)));
        if !self.publication.attributes.is_empty() {
            envelope.insert("MessageAttributes".to_owned(), self.attributes());
        }
        self.outgoing(Value::Object(envelope).to_string())
    }

    fn outgoing(&self, body: String) -> Outgoing {
        Outgoing {
            body,
            group_id: self.publication.group_id.clone(),
            deduplication_id: self.deduplication_id.clone(),
            ..Outgoing::default()
        }
    }

    /// The event of a function.
    fn event(&self, subscription_arn: &str) -> Value {
        json!({
            "Records": [{
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription_arn,
                "Sns": {
                    "Type": "Notification",
                    "MessageId": self.published.message_id,
                    "TopicArn": self.topic_arn,
                    "Subject": self.publication.subject,
                    "Message": self.message("lambda"),
                    "Timestamp": wire::timestamp(self.at),
                    "SignatureVersion": "1",
                    "Signature": "",
                    "SigningCertUrl": "",
                    "UnsubscribeUrl": self.unsubscribe(subscription_arn),
                    "MessageAttributes": self.attributes(),
                },
            }],
        })
    }

    fn attributes(&self) -> Value {
        let told = |(name, attribute): (&String, &Attribute)| {
            let value = attribute.string_value.as_ref().or(attribute.binary_value.as_ref());
            (name.clone(), json!({ "Type": attribute.data_type, "Value": value }))
        };
        Value::Object(self.publication.attributes.iter().map(told).collect())
    }

    fn unsubscribe(&self, subscription_arn: &str) -> String {
        format!("{}/?Action=Unsubscribe&SubscriptionArn={subscription_arn}", self.endpoint)
    }
}

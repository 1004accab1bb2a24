//! Subscriptions and their filters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Publication, failure};
use crate::{events::Pattern, protocol::Failure, sqs::Attribute};

/// How many fields a filter policy can have.
const MAX_FIELDS: usize = 5;

/// A subscription, as it is described.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Described {
    pub(super) topic_arn: String,
    pub(super) protocol: String,
    pub(super) endpoint: String,
    pub(super) attributes: BTreeMap<String, String>,
}

impl Described {
    /// As a template describes it.
    pub(super) fn of(subscription: &sam::Subscription) -> Self {
        let sam::Subscription { topic_arn, protocol, endpoint, attributes, .. } = subscription.clone();
        Self { topic_arn, protocol, endpoint, attributes }
    }
}

/// A subscription that can be delivered to.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    described: Described,
    filter: Option<(Pattern, Scope)>,
    is_of_template: bool,
}

/// What a filter looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Attributes,
    Body,
}

impl Subscription {
    /// Reads the attributes of a subscription, or tells what is wrong with them.
    pub(super) fn new(described: Described, is_of_template: bool) -> Result<Self, Failure> {
        match described.protocol.as_str() {
            "sqs" | "lambda" => {}
            other => {
                let reason =
                    format!("this runner has no subscriptions of the protocol {other}: only of sqs and lambda");
                return Err(failure::invalid_parameter(&reason));
            }
        }
        for (name, value) in &described.attributes {
            check(name, value)?;
        }
        let scope = match described.attributes.get("FilterPolicyScope").map(String::as_str) {
            Some("MessageBody") => Scope::Body,
            _ => Scope::Attributes,
        };
        let policy = described.attributes.get("FilterPolicy").filter(|policy| !policy.is_empty() && *policy != "{}");
        let filter = policy.map(|policy| filter(policy)).transpose()?.map(|pattern| (pattern, scope));
        Ok(Self { described, filter, is_of_template })
    }

    pub(super) fn described(&self) -> &Described {
        &self.described
    }

    pub(super) fn topic_arn(&self) -> &str {
        &self.described.topic_arn
    }

    pub(super) fn is_of_template(&self) -> bool {
        self.is_of_template
    }

    pub(super) fn is_raw(&self) -> bool {
        self.described.attributes.get("RawMessageDelivery").is_some_and(|value| value == "true")
    }

    /// The ARN of the queue that gets what can't be delivered.
    pub(super) fn dead_letter_queue(&self) -> Option<String> {
        let policy: Value = serde_json::from_str(self.described.attributes.get("RedrivePolicy")?).ok()?;
        policy.get("deadLetterTargetArn")?.as_str().map(str::to_owned)
    }

    /// Whether the filter policy lets a message through.
    pub(super) fn lets_through(&self, publication: &Publication) -> bool {
        match &self.filter {
            None => true,
            Some((pattern, Scope::Attributes)) => pattern.matches(&of_attributes(&publication.attributes)),
            Some((pattern, Scope::Body)) => {
                let body = serde_json::from_str::<Value>(&publication.message).ok().filter(Value::is_object);
                body.is_some_and(|body| pattern.matches(&body))
            }
        }
    }
}

fn check(name: &str, value: &str) -> Result<(), Failure> {
    let is_one_of = |values: &[&str]| {
        let refused = || failure::invalid_parameter(&format!("{name}: {value}"));
        values.contains(&value).then_some(()).ok_or_else(refused)
    };
    match name {
        "RawMessageDelivery" => is_one_of(&["true", "false"]),
        "FilterPolicyScope" => is_one_of(&["MessageAttributes", "MessageBody"]),
        "FilterPolicy" => Ok(()),
        "RedrivePolicy" => match serde_json::from_str::<Value>(value) {
            Ok(policy) if policy["deadLetterTargetArn"].is_string() => Ok(()),
            _ if value.is_empty() => Ok(()),
            _ => Err(failure::invalid_parameter("RedrivePolicy: failed to parse JSON.")),
        },
        other => {
            let reason = format!("AttributeName: this runner does not have the attribute {other}");
            Err(failure::invalid_parameter(&reason))
        }
    }
}

/// Filter policies are written as event patterns are, and mean the same.
fn filter(policy: &str) -> Result<Pattern, Failure> {
    let refused = |reason: &str| failure::invalid_parameter(&format!("FilterPolicy: {reason}"));
    let policy: Value = serde_json::from_str(policy).map_err(|_| refused("failed to parse JSON."))?;
    if fields(&policy) > MAX_FIELDS {
        return Err(refused("Filter policy can not have more than 5 keys"));
    }
    Pattern::parse(&policy).map_err(|error| refused(&error.to_string()))
}

fn fields(policy: &Value) -> usize {
    policy
        .as_object()
        .map_or(0, |fields_of| fields_of.values().map(|value| if value.is_object() { fields(value) } else { 1 }).sum())
}

/// Attributes as a filter sees them. One that is binary is not seen.
fn of_attributes(attributes: &BTreeMap<String, Attribute>) -> Value {
    let value = |attribute: &Attribute| {
        let text = attribute.string_value.as_ref()?;
        match attribute.data_type.as_str() {
            "String.Array" => serde_json::from_str(text).ok(),
            kind if kind.split('.').next() == Some("Number") => serde_json::from_str(text).ok(),
            _ => Some(Value::from(text.as_str())),
        }
    };
    let fields = attributes.iter().filter_map(|(name, attribute)| Some((name.clone(), value(attribute)?)));
    Value::Object(fields.collect::<Map<_, _>>())
}

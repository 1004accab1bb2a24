//! The attributes of a queue.
//!
//! Source: the SQS API reference, `SetQueueAttributes`.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{failure, is_fifo};
use crate::protocol::Failure;

/// The longest message, with its attributes, in bytes.
pub(super) const MAX_MESSAGE: usize = 1024 * 1024;
/// The longest time that a message can be hidden.
pub(super) const MAX_VISIBILITY: u32 = 43_200;
/// The longest time that a message can be delayed.
pub(super) const MAX_DELAY: u32 = 900;
/// The longest time that a call waits for a message.
pub(super) const MAX_WAIT: u32 = 20;

/// The whole numbers that can be set: name, smallest, largest, default.
const NUMBERS: &[(&str, u32, u32, u32)] = &[
    ("DelaySeconds", 0, MAX_DELAY, 0),
    ("MaximumMessageSize", 1024, 1_048_576, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600, 345_600),
    ("ReceiveMessageWaitTimeSeconds", 0, MAX_WAIT, 0),
    ("VisibilityTimeout", 0, MAX_VISIBILITY, 30),
];

/// The other attributes that can be set, with the values that each can have; none for any text.
const TEXTS: &[(&str, &[&str])] = &[
    ("ContentBasedDeduplication", &["true", "false"]),
    ("DeduplicationScope", &["queue", "messageGroup"]),
    ("FifoQueue", &["true"]),
    ("FifoThroughputLimit", &["perQueue", "perMessageGroupId"]),
    ("KmsDataKeyReusePeriodSeconds", &[]),
    ("KmsMasterKeyId", &[]),
    ("Policy", &[]),
    ("RedriveAllowPolicy", &[]),
    ("RedrivePolicy", &[]),
    ("SqsManagedSseEnabled", &["true", "false"]),
];

/// The attributes that only a FIFO queue has.
const OF_FIFO: &[&str] = &["ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "FifoThroughputLimit"];

/// The attributes that were set, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes(BTreeMap<String, String>);

/// Where messages go that were received too often.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RedrivePolicy {
    /// The ARN of the dead-letter queue.
    pub(super) dead_letter_target_arn: String,
    /// How often a message is received before it goes there: a number, or its text.
    #[serde(deserialize_with = "whole_number")]
    pub(super) max_receive_count: u32,
}

/// Clients write it as a number or as a text, and SQS takes both.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = match &value {
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number
        .filter(|number| (1..=1000).contains(number))
        .ok_or_else(|| serde::de::Error::custom("no count from 1 to 1000"))
}

impl Attributes {
    /// The attributes of a new queue.
    pub(super) fn new(given: BTreeMap<String, String>, queue: &str) -> Result<Self, Failure> {
        let mut attributes = Self::default();
        attributes.set(given, queue)?;
        Ok(attributes)
    }

    /// As they were written to the disk.
    pub(super) fn stored(attributes: BTreeMap<String, String>) -> Self {
        Self(attributes)
    }

    /// Changes some; an empty text takes one away.
    pub(super) fn set(&mut self, given: BTreeMap<String, String>, queue: &str) -> Result<(), Failure> {
        for (name, value) in &given {
            check(name, value, queue)?;
        }
        self.0.extend(given);
        self.0.retain(|_, value| !value.is_empty());
        Ok(())
    }

    pub(super) fn all(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// The first that would be another than it is.
    pub(super) fn first_other<'a>(&self, given: &'a BTreeMap<String, String>) -> Option<&'a str> {
        let differs = |(name, value): &(&String, &String)| self.text(name).as_deref() != Some(value.as_str());
        given.iter().find(differs).map(|(name, _)| name.as_str())
    }

    /// The value of an attribute, its default among them.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let default = || NUMBERS.iter().find(|(number, ..)| *number == name).map(|(.., default)| default.to_string());
        self.0.get(name).cloned().or_else(default)
    }

    pub(super) fn number(&self, name: &str) -> u32 {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    pub(super) fn seconds(&self, name: &str) -> Duration {
        Duration::from_secs(self.number(name).into())
    }

    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.0.get(name).is_some_and(|set| set == value)
    }

    pub(super) fn redrive_policy(&self) -> Option<RedrivePolicy> {
        serde_json::from_str(self.0.get("RedrivePolicy")?).ok()
    }

    /// Everything that can be asked for, defaults among them.
    pub(super) fn described(&self) -> BTreeMap<String, String> {
        let defaults = NUMBERS.iter().map(|(name, .., default)| ((*name).to_owned(), default.to_string()));
        let encrypted = [("SqsManagedSseEnabled".to_owned(), "true".to_owned())];
        defaults.chain(encrypted).chain(self.0.clone()).collect()
    }
}

fn check(name: &str, value: &str, queue: &str) -> Result<(), Failure> {
    if OF_FIFO.contains(&name) && !is_fifo(queue) {
        return Err(failure::unknown_attribute(name));
    }
    if let Some((_, smallest, largest, _)) = NUMBERS.iter().find(|(number, ..)| *number == name) {
        let is_allowed = value.parse::<u32>().is_ok_and(|number| (*smallest..=*largest).contains(&number));
        return if is_allowed { Ok(()) } else { Err(failure::attribute_value(name)) };
    }
    let Some((_, values)) = TEXTS.iter().find(|(text, _)| *text == name) else {
        return Err(failure::unknown_attribute(name));
    };
    let is_json = || serde_json::from_str::<Value>(value).is_ok_and(|value| value.is_object());
    let is_allowed = match name {
        "RedrivePolicy" => value.is_empty() || serde_json::from_str::<RedrivePolicy>(value).is_ok(),
        "Policy" | "RedriveAllowPolicy" => value.is_empty() || is_json(),
        _ => values.is_empty() || values.contains(&value),
    };
    if is_allowed { Ok(()) } else { Err(failure::attribute_value(name)) }
}

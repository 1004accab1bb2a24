//! Messages, and the digests by which clients check them.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::failure;
use crate::protocol::Failure;

/// How many attributes a message can have.
const MAX_ATTRIBUTES: usize = 10;

/// The longest name of an attribute, and of its type, in characters.
const MAX_NAME: usize = 256;

/// A message attribute, as the API has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Attribute {
    /// `String`, `Number` or `Binary`, and a label of the sender's after a dot.
    pub data_type: String,
    /// The value, of all but binary ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// The value of a binary one, in Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

/// A message on its way to a queue.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// The body.
    pub body: String,
    /// The sender's own attributes.
    pub attributes: BTreeMap<String, Attribute>,
    /// How long it stays hidden, in seconds; as the queue has it, where it is not said.
    pub delay_seconds: Option<u32>,
    /// The group that it is part of.
    pub group_id: Option<String>,
    /// By which a FIFO queue knows it from others.
    pub deduplication_id: Option<String>,
    /// The X-Ray trace that it is part of.
    pub trace_header: Option<String>,
}

/// What is answered to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The message's id.
    pub message_id: String,
    /// Its place in a FIFO queue.
    pub sequence_number: Option<String>,
}

/// A message that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The message's id.
    pub message_id: String,
    /// By which it is deleted.
    pub receipt_handle: String,
    /// The body.
    pub body: String,
    /// The sender's own attributes.
    pub attributes: BTreeMap<String, Attribute>,
    /// What SQS tells about it: `SentTimestamp`, `ApproximateReceiveCount`.
    pub system_attributes: BTreeMap<&'static str, String>,
}

impl Outgoing {
    /// Refuses what no queue takes.
    pub(super) fn check(&self, max_size: u32) -> Result<(), Failure> {
        if self.body.is_empty() {
            return Err(failure::missing_parameter("MessageBody"));
        }
        if !self.body.chars().all(is_allowed) {
            return Err(failure::message_contents());
        }
        if self.attributes.len() > MAX_ATTRIBUTES {
            let message =
                format!("Number of message attributes [{}] exceeds the allowed maximum [10].", self.attributes.len());
            return Err(Failure::new("InvalidParameterValue", message));
        }
        for (name, attribute) in &self.attributes {
            attribute.check(name)?;
        }
        let max_size = usize::try_from(max_size).unwrap_or(usize::MAX);
        if self.size() > max_size {
            let message =
                format!("One or more parameters are invalid. Reason: Message must be shorter than {max_size} bytes.");
            return Err(Failure::new("InvalidParameterValue", message));
        }
        Ok(())
    }

    /// Its length with its attributes, in bytes.
    pub(super) fn size(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|(name, value)| name.len() + value.data_type.len() + value.length());
        self.body.len() + attributes.sum::<usize>()
    }
}

impl Attribute {
    fn is_binary(&self) -> bool {
        self.data_type.split('.').next() == Some("Binary")
    }

    fn length(&self) -> usize {
        self.string_value.as_ref().or(self.binary_value.as_ref()).map_or(0, String::len)
    }

    fn check(&self, name: &str) -> Result<(), Failure> {
        let kind = self.data_type.split('.').next().unwrap_or_default();
        let refused = |what: &str| {
            let message = format!("The message attribute '{name}' {what}.");
            Err(Failure::new("InvalidParameterValue", message))
        };
        if !is_name(name) {
            return refused(
                "has a name that is none: 1 to 256 letters, digits, underscores, hyphens and periods, no period at an end or \
                 beside another one, and no AWS. or Amazon. before it",
            );
        }
        if self.data_type.len() > MAX_NAME {
            return refused("has a type that is longer than 256 characters");
        }
        match (kind, &self.string_value, &self.binary_value) {
            ("String" | "Number", Some(value), None) if value.is_empty() => refused("must contain non-empty value"),
            ("String" | "Number", Some(value), None) if !value.chars().all(is_allowed) => {
                refused("has a character that no message can have")
            }
            ("Number", Some(value), None) if !is_number(value) => refused("is a Number, and its value is none"),
            ("String" | "Number", Some(_), None) => Ok(()),
            ("Binary", None, Some(value)) if STANDARD.decode(value).is_ok() => Ok(()),
            ("String" | "Number" | "Binary", ..) => {
                refused("must contain a value of its type, which is not empty, and no other value")
            }
            _ => refused(
                "has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String",
            ),
        }
    }
}

/// Whether an attribute can be called so. Source: the SQS API reference, `MessageAttributeValue`, and the Developer Guide,
/// "Message attribute components".
fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let lower = name.to_ascii_lowercase();
    (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(is_allowed)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !["aws.", "amazon."].iter().any(|kept| lower.starts_with(kept))
}

/// Whether a text is a number in digits: `NaN` and `inf` are none.
fn is_number(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'))
        && value.parse::<f64>().is_ok()
}

/// The characters that a body can have.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// By which a message is known where its content is to tell: its SHA-256.
pub(crate) fn digest_of_content(body: &str) -> String {
    hexadecimal(&Sha256::digest(body.as_bytes()))
}

/// `MD5OfMessageBody`.
pub(crate) fn digest_of_body(body: &str) -> String {
    hexadecimal(&Md5::digest(body.as_bytes()))
}

/// `MD5OfMessageAttributes`, of messages that have some.
///
/// Source: the SQS Developer Guide, "Calculating the MD5 message digest for message attributes".
pub(crate) fn digest_of_attributes(attributes: &BTreeMap<String, Attribute>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    for (name, attribute) in attributes {
        for text in [name, &attribute.data_type] {
            add(&mut digest, text.as_bytes());
        }
        match (&attribute.string_value, &attribute.binary_value) {
            (_, Some(value)) if attribute.is_binary() => {
                digest.update([2]);
                add(&mut digest, &STANDARD.decode(value).unwrap_or_default());
            }
            (value, _) => {
                digest.update([1]);
                add(&mut digest, value.as_deref().unwrap_or_default().as_bytes());
            }
        }
    }
    Some(hexadecimal(&digest.finalize()))
}

/// A part of what is digested, its length before it.
fn add(digest: &mut Md5, bytes: &[u8]) {
    digest.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    digest.update(bytes);
}

/// Bytes in hexadecimal digits.
fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

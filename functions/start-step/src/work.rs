//! What an event asks for: an execution, by name and input.

use std::fmt::Write;

use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Error;
use crate::event::{Document, ObjectCreated, S3Record};

/// Step Functions takes no more as the input of an execution, in bytes.
pub(crate) const INPUT_LIMIT: usize = 262_144;

/// Step Functions takes no more as the name of an execution, in characters.
const NAME_LIMIT: usize = 80;

/// Hexadecimal digits of the hash in a name: 128 bits.
const HASH_DIGITS: usize = 32;

/// An execution to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) name: String,
    /// A JSON document.
    pub(crate) input: String,
}

/// The input for a file event. The same whichever way the event came.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    bucket: &'a str,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<&'a str>,
}

impl Work {
    /// An execution whose name follows from what makes the event the one it is.
    pub(crate) fn new(kind: &str, identity: &[&str], input: String) -> Result<Self, Error> {
        if input.len() > INPUT_LIMIT {
            return Err(Error::TooLarge(input.len()));
        }
        Ok(Self { name: execution_name(kind, identity), input })
    }

    /// What a document asks for. `kind` and `identity` name a document that has no identity of its own.
    pub(crate) fn of_document(document: Document, kind: &str, identity: &str) -> Vec<Result<Self, Error>> {
        match document {
            Document::S3Notification(records) => records.into_iter().map(of_record).collect(),
            Document::S3TestEvent => Vec::new(),
            Document::ObjectCreated(created) => vec![of_object_created(&created)],
            Document::EventBridge { id, event } => {
                vec![Self::new("event", &[&id], event.to_string())]
            }
            Document::Other(document) => vec![of_other(&document, kind, identity)],
        }
    }
}

fn of_other(document: &Value, kind: &str, identity: &str) -> Result<Work, Error> {
    match document["idempotencyKey"].as_str() {
        Some(key) => Work::new("key", &[key], document.to_string()),
        None => Work::new(kind, &[identity], document.to_string()),
    }
}

fn of_record(record: S3Record) -> Result<Work, Error> {
    let (bucket, object) = (record.s3.bucket.name, record.s3.object);
    let spaced = object.key.replace('+', " ");
    let Ok(key) = percent_decode_str(&spaced).decode_utf8() else {
        return Err(Error::Key(object.key));
    };
    let version_id = object.version_id.as_deref();
    let file = File { bucket: &bucket, key: &key, size: object.size, version_id };
    of_file(&file, &object.sequencer)
}

fn of_object_created(created: &ObjectCreated) -> Result<Work, Error> {
    let object = &created.object;
    let file = File {
        bucket: &created.bucket.name,
        key: &object.key,
        size: object.size,
        version_id: object.version_id.as_deref(),
    };
    of_file(&file, &object.sequencer)
}

fn of_file(file: &File<'_>, sequencer: &str) -> Result<Work, Error> {
    let input = serde_json::to_string(file).map_err(|reason| Error::Shape { event: "file", reason })?;
    // The key comes last: the name shows the end of it.
    Work::new("file", &[file.bucket, sequencer, file.key], input)
}

/// `<kind>-<the end of the identity, for people>-<hash of kind and identity>`, of letters, digits, `-` and `_` alone, which
/// both Step Functions and its logs take.
fn execution_name(kind: &str, identity: &[&str]) -> String {
    // As JSON, so that the parts can't run into each other.
    let whole = serde_json::json!([kind, identity]).to_string();
    let digest = Sha256::digest(whole);
    let mut hash = String::new();
    for byte in digest.iter().take(HASH_DIGITS / 2) {
        let _ = write!(hash, "{byte:02x}");
    }

    let room = NAME_LIMIT - HASH_DIGITS - kind.len() - 2;
    let last = identity.last().copied().unwrap_or_default();
    let beginning = last.chars().count().saturating_sub(room);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let readable: String = last.chars().skip(beginning).map(plain).collect();
    format!("{kind}-{readable}-{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_step_functions_takes() {
        let long = "directory/".repeat(100);
        for identity in ["1", "", "incoming/größe 1+2.csv", "a:b/c?d*e\"f\u{7}", &long] {
            let name = execution_name("document", &[identity]);
            assert!(name.len() <= NAME_LIMIT, "{name}");
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            assert!(name.chars().all(allowed), "{name}");
        }
        assert_eq!(execution_name("file", &["b", "0A", &format!("{long}end.csv")]).len(), NAME_LIMIT);
    }

    #[test]
    fn a_name_shows_what_it_is_for() {
        let name = execution_name("file", &["data", "0A1B", "incoming/large file.csv"]);
        assert!(name.starts_with("file-incoming-large-file-csv-"), "{name}");
    }

    #[test]
    fn the_name_follows_from_the_identity_and_nothing_else() {
        let identities: [&[&str]; 6] = [&["a", "b"], &["ab"], &["a", "b", ""], &["b", "a"], &["a/b"], &["a-b"]];
        let mut names: Vec<String> = identities.iter().map(|identity| execution_name("file", identity)).collect();
        names.push(execution_name("event", identities[0]));
        assert_eq!(names[0], execution_name("file", identities[0]));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), identities.len() + 1);
    }
}

//! The events, told apart by their shape. Each type has the fields that the function reads.

use function_kit::HttpRequest;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Error;

/// What the function is invoked with.
pub(crate) enum Event {
    /// An API Gateway HTTP API request, payload format 2.0.
    Http(HttpRequest),
    /// A batch of SQS messages.
    Batch(Vec<Message>),
    /// What may also be the body of a message.
    Document(Document),
}

/// A JSON document, told by its shape.
pub(crate) enum Document {
    /// The records of an S3 notification.
    S3Notification(Vec<S3Record>),
    /// What S3 sends when a notification is set up.
    S3TestEvent,
    /// "Object Created" of S3, through `EventBridge`.
    ObjectCreated(ObjectCreated),
    /// Another `EventBridge` event.
    EventBridge { id: String, event: Value },
    /// Any other object.
    Other(Value),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    pub(crate) message_id: String,
    pub(crate) body: String,
}

#[derive(Deserialize)]
pub(crate) struct S3Record {
    pub(crate) s3: S3Entity,
}

#[derive(Deserialize)]
pub(crate) struct S3Entity {
    pub(crate) bucket: Bucket,
    pub(crate) object: NotifiedObject,
}

#[derive(Deserialize)]
pub(crate) struct Bucket {
    pub(crate) name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NotifiedObject {
    /// URL-encoded, with `+` for a space.
    pub(crate) key: String,
    pub(crate) size: Option<u64>,
    pub(crate) version_id: Option<String>,
    pub(crate) sequencer: String,
}

#[derive(Deserialize)]
pub(crate) struct ObjectCreated {
    pub(crate) bucket: Bucket,
    pub(crate) object: CreatedObject,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CreatedObject {
    /// As it is.
    pub(crate) key: String,
    pub(crate) size: Option<u64>,
    pub(crate) version_id: Option<String>,
    pub(crate) sequencer: String,
}

impl Event {
    pub(crate) fn recognise(payload: Value) -> Result<Self, Error> {
        if payload["requestContext"]["http"].is_object() && payload["version"] == "2.0" {
            return read("HTTP API request", payload).map(Self::Http);
        }
        if payload["requestContext"].is_object() && payload["httpMethod"].is_string() {
            return Err(Error::Unsupported("an HTTP request of payload format 1.0".to_owned()));
        }
        if source_of_records(&payload) == Some("aws:sqs") {
            return records("SQS batch", payload).map(Self::Batch);
        }
        Document::recognise(payload).map(Self::Document)
    }
}

impl Document {
    pub(crate) fn recognise(document: Value) -> Result<Self, Error> {
        if !document.is_object() {
            return Err(Error::NotAnObject("document"));
        }
        if document["Records"].as_array().is_some_and(Vec::is_empty) {
            return Err(Error::NoRecords);
        }
        match source_of_records(&document) {
            Some("aws:s3") => return records("S3 notification", document).map(Self::S3Notification),
            Some(source) => return Err(Error::Unsupported(format!("records of {source}"))),
            None => {}
        }
        if document["Service"] == "Amazon S3" && document["Event"] == "s3:TestEvent" {
            return Ok(Self::S3TestEvent);
        }
        let (Some(source), Some(detail_type)) = (document["source"].as_str(), document["detail-type"].as_str()) else {
            return Ok(Self::Other(document));
        };
        if source == "aws.s3" && detail_type == "Object Created" {
            let detail = document["detail"].clone();
            return read("EventBridge event Object Created", detail).map(Self::ObjectCreated);
        }
        let id = read("id of the EventBridge event", document["id"].clone())?;
        Ok(Self::EventBridge { id, event: document })
    }
}

/// The service whose records these are: SNS alone writes the name with a capital.
fn source_of_records(payload: &Value) -> Option<&str> {
    let record = &payload["Records"][0];
    record["eventSource"].as_str().or_else(|| record["EventSource"].as_str())
}

fn records<T: DeserializeOwned>(event: &'static str, mut payload: Value) -> Result<Vec<T>, Error> {
    read(event, payload["Records"].take())
}

fn read<T: DeserializeOwned>(event: &'static str, value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|reason| Error::Shape { event, reason })
}

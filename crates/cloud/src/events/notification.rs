//! Changes of S3 objects as buckets tell them directly.
//!
//! Source: the S3 User Guide, "Event message structure", version 2.1.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sam::BucketNotification;
use serde_json::{Value, json};

use crate::{
    s3::{EventKind, ObjectEvent},
    wire,
};

/// What a key keeps when it is written as in a form.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/').remove(b' ');

/// Whether a notification is about a change.
pub(super) fn is_about(notification: &BucketNotification, change: &ObjectEvent) -> bool {
    let name = name(change);
    let is_asked = |asked: &String| {
        let asked = asked.strip_prefix("s3:").unwrap_or(asked);
        asked.strip_suffix('*').map_or(asked == name, |beginning| name.starts_with(beginning))
    };
    notification.events.iter().any(is_asked)
        && change.key.starts_with(&notification.prefix)
        && change.key.ends_with(&notification.suffix)
}

/// The event of a change.
pub(super) fn event(change: &ObjectEvent, region: &str, account: &str) -> Value {
    let key = utf8_percent_encode(&change.key, KEPT).to_string().replace(' ', "+");
    let mut object = json!({ "key": key });
    if let EventKind::Created(_) = change.kind {
        object["size"] = json!(change.size);
    }
    if let Some(e_tag) = &change.e_tag {
        object["eTag"] = json!(e_tag);
    }
    if let Some(version) = &change.version_id {
        object["versionId"] = json!(version);
    }
    if !change.sequencer.is_empty() {
        object["sequencer"] = json!(change.sequencer);
    }
    json!({
        "Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": region,
            "eventTime": wire::timestamp(change.time),
            "eventName": name(change),
            "userIdentity": { "principalId": change.requester.as_deref().unwrap_or("anonymous") },
            "requestParameters": {
                "sourceIPAddress": change.source_ip.map(|address| address.to_string()).unwrap_or_default(),
            },
            "responseElements": { "x-amz-request-id": change.request_id, "x-amz-id-2": change.request_id },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "template",
                "bucket": {
                    "name": change.bucket,
                    "ownerIdentity": { "principalId": account },
                    "arn": format!("arn:aws:s3:::{}", change.bucket),
                },
                "object": object,
            },
        }],
    })
}

fn name(change: &ObjectEvent) -> &'static str {
    match change.kind {
        EventKind::Created(reason) => reason.notification_name(),
        EventKind::Deleted(deletion) => deletion.notification_name(),
        EventKind::Tagged(tags) => tags.notification_name(),
    }
}

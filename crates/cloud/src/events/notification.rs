//! Changes of S3 objects as buckets tell them directly.
//!
//! Source: the S3 User Guide, "Event message structure", version 2.1.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{
    s3::{EventKind, ObjectEvent},
    wire,
};

/// What a key keeps when it is written as in a form.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/').remove(b' ');

/// The event of a change, as the notification with this id tells it.
pub(super) fn event(id: &str, change: &ObjectEvent, region: &str, account: &str) -> Value {
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
            "eventName": change.kind.notification_name(),
            "userIdentity": { "principalId": change.requester.as_deref().unwrap_or("anonymous") },
            "requestParameters": {
                "sourceIPAddress": change.source_ip.map(|address| address.to_string()).unwrap_or_default(),
            },
            "responseElements": { "x-amz-request-id": change.request_id, "x-amz-id-2": change.request_id },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": id,
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

//! Changes of S3 objects as `EventBridge` events.
//!
//! Source: the S3 User Guide, "`EventBridge` event message structure".

use serde_json::{Value, json};

use crate::s3::{EventKind, ObjectEvent};

/// The detail type and the detail.
pub(super) fn detail(change: &ObjectEvent) -> (&'static str, Value) {
    let mut object = json!({ "key": change.key });
    if !change.sequencer.is_empty() {
        object["sequencer"] = json!(change.sequencer);
    }
    if let Some(version) = &change.version_id {
        object["version-id"] = json!(version);
    }
    let mut detail = json!({
        "version": "0",
        "bucket": { "name": change.bucket },
        "request-id": change.request_id,
        "requester": change.requester.as_deref().unwrap_or("anonymous"),
    });
    if let Some(address) = change.source_ip {
        detail["source-ip-address"] = json!(address.to_string());
    }
    let detail_type = match change.kind {
        EventKind::Created(reason) => {
            object["size"] = json!(change.size);
            object["etag"] = json!(change.e_tag);
            detail["reason"] = json!(reason.as_str());
            "Object Created"
        }
        EventKind::Deleted(deletion) => {
            detail["reason"] = json!("DeleteObject");
            detail["deletion-type"] = json!(deletion.as_str());
            "Object Deleted"
        }
        EventKind::Tagged(tags) => {
            object["etag"] = json!(change.e_tag);
            tags.as_str()
        }
    };
    detail["object"] = object;
    (detail_type, detail)
}

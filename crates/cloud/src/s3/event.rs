//! What is told about every object that appears or goes.

use std::{net::IpAddr, sync::Arc};

use time::OffsetDateTime;
use tokio::sync::mpsc::UnboundedSender;

/// Who is told of changes, in the thread that makes them: the request of a change is answered after it was told. A thread that
/// may block.
pub trait Listener: Send + Sync + 'static {
    /// An object was written or deleted, and the change is on disk.
    fn changed(&self, event: ObjectEvent);
}

impl Listener for UnboundedSender<ObjectEvent> {
    fn changed(&self, event: ObjectEvent) {
        if self.send(event).is_err() {
            tracing::debug!("nobody listens to the events of S3 any more");
        }
    }
}

impl<L: Listener> Listener for Arc<L> {
    fn changed(&self, event: ObjectEvent) {
        L::changed(self, event);
    }
}

/// An object was written or deleted, and the change is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectEvent {
    /// What happened.
    pub kind: EventKind,
    /// The bucket's name.
    pub bucket: String,
    /// The key, as it is: not URL-encoded.
    pub key: String,
    /// The object's size in bytes; 0 for a deletion.
    pub size: u64,
    /// The object's `ETag` without quotes; none for a deletion.
    pub e_tag: Option<String>,
    /// The version, in a bucket that keeps versions.
    pub version_id: Option<String>,
    /// Orders the events of a key: the later event has the greater text. 18 hexadecimal digits. Empty for a change of tags,
    /// which has no place in that order.
    pub sequencer: String,
    /// The id of the request that did it.
    pub request_id: String,
    /// When it was done.
    pub time: OffsetDateTime,
    /// The access key id that signed the request, if any did.
    pub requester: Option<String>,
    /// The address of the client, when the request came over the network.
    pub source_ip: Option<IpAddr>,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It was written.
    Created(Reason),
    /// It was deleted.
    Deleted(Deletion),
    /// Its tags were changed.
    Tagged(TagChange),
}

/// The operation that wrote an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// `PutObject`.
    Put,
    /// A form posted by a browser.
    Post,
    /// `CopyObject`.
    Copy,
    /// `CompleteMultipartUpload`.
    CompleteMultipartUpload,
}

impl Reason {
    /// The `reason` of the service's "Object Created" event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Put => "PutObject",
            Self::Post => "POST Object",
            Self::Copy => "CopyObject",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
        }
    }

    /// The `eventName` of the service's notification, without the `s3:` in front.
    pub fn notification_name(self) -> &'static str {
        match self {
            Self::Put => "ObjectCreated:Put",
            Self::Post => "ObjectCreated:Post",
            Self::Copy => "ObjectCreated:Copy",
            Self::CompleteMultipartUpload => "ObjectCreated:CompleteMultipartUpload",
        }
    }
}

impl EventKind {
    /// The `eventName` of the service's notification, without the `s3:` in front.
    pub fn notification_name(self) -> &'static str {
        match self {
            Self::Created(reason) => reason.notification_name(),
            Self::Deleted(deletion) => deletion.notification_name(),
            Self::Tagged(tags) => tags.notification_name(),
        }
    }
}

/// What was done to an object's tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagChange {
    /// `PutObjectTagging`.
    Added,
    /// `DeleteObjectTagging`.
    Deleted,
}

impl TagChange {
    /// The `detail-type` of the service's event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "Object Tags Added",
            Self::Deleted => "Object Tags Deleted",
        }
    }

    /// The `eventName` of the service's notification, without the `s3:` in front.
    pub fn notification_name(self) -> &'static str {
        match self {
            Self::Added => "ObjectTagging:Put",
            Self::Deleted => "ObjectTagging:Delete",
        }
    }
}

/// How an object was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// An object or a version is gone.
    Permanent,
    /// A delete marker hides the versions.
    Marker,
}

impl Deletion {
    /// The `deletion-type` of the service's "Object Deleted" event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "Permanently Deleted",
            Self::Marker => "Delete Marker Created",
        }
    }

    /// The `eventName` of the service's notification, without the `s3:` in front.
    pub fn notification_name(self) -> &'static str {
        match self {
            Self::Permanent => "ObjectRemoved:Delete",
            Self::Marker => "ObjectRemoved:DeleteMarkerCreated",
        }
    }
}

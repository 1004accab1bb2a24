//! The operations of S3, each handed on to the module of its kind.
#![allow(clippy::unused_async, reason = "the trait is asynchronous; what only reads the index does not wait")]

mod buckets;
mod copy;
mod delete;
mod lists;
mod multipart;
mod notifications;
mod read;
mod refuse;
mod settings;
mod tags;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use http::Extensions;
#[allow(clippy::wildcard_imports, reason = "an input and an output for every operation")]
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};
use time::OffsetDateTime;

pub(super) use lists::storage_class;

use super::{
    event::{EventKind, Listener, ObjectEvent, Reason, TagChange},
    request::Caller,
    store::{Committed, Deleted, Retagged, Store, sequencer},
};

/// The account that owns everything here.
pub(super) const ACCOUNT: &str = "000000000000";

/// The store behind the protocol.
pub(super) struct Operations {
    store: Arc<Store>,
    listener: Arc<dyn Listener>,
}

impl Operations {
    pub(super) fn new(store: Arc<Store>, listener: Arc<dyn Listener>) -> Self {
        Self { store, listener }
    }

    fn store(&self) -> Arc<Store> {
        Arc::clone(&self.store)
    }

    /// Tells about what a request changes.
    pub(super) fn teller(&self, request: &Extensions) -> Teller {
        Teller { listener: self.listener.clone(), caller: request.get::<Caller>().cloned() }
    }
}

/// Goes where a change is made, so that the change is told even if the client is gone by then.
pub(super) struct Teller {
    listener: Arc<dyn Listener>,
    caller: Option<Caller>,
}

impl Teller {
    pub(super) fn created(&self, reason: Reason, bucket: &str, committed: &Committed) {
        let Committed { version, content, visible_id } = committed;
        self.tell(ObjectEvent {
            size: content.size,
            e_tag: Some(content.e_tag.clone()),
            version_id: visible_id.clone(),
            time: version.modified,
            ..self.event(EventKind::Created(reason), bucket, &version.key, version.sequence)
        });
    }

    fn deleted(&self, bucket: &str, key: &str, deleted: &Deleted) {
        if let Some(what) = deleted.what {
            let event = self.event(EventKind::Deleted(what), bucket, key, deleted.sequence);
            self.tell(ObjectEvent { version_id: deleted.version_id.clone(), ..event });
        }
    }

    fn tagged(&self, change: TagChange, bucket: &str, retagged: &Retagged) {
        let Retagged { version, visible_id } = retagged;
        self.tell(ObjectEvent {
            e_tag: version.content.as_ref().map(|content| content.e_tag.clone()),
            version_id: visible_id.clone(),
            sequencer: String::new(),
            ..self.event(EventKind::Tagged(change), bucket, &version.key, 0)
        });
    }

    fn event(&self, kind: EventKind, bucket: &str, key: &str, sequence: u64) -> ObjectEvent {
        let caller = self.caller.as_ref();
        ObjectEvent {
            kind,
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            size: 0,
            e_tag: None,
            version_id: None,
            sequencer: sequencer(sequence),
            request_id: caller.map(|caller| caller.request_id.clone()).unwrap_or_default(),
            time: OffsetDateTime::now_utc(),
            requester: caller.and_then(|caller| caller.requester.clone()),
            source_ip: caller.and_then(|caller| caller.source_ip),
        }
    }

    fn tell(&self, event: ObjectEvent) {
        self.listener.changed(event);
    }
}

/// Writes the methods of the trait: each calls the function of this name.
macro_rules! operations {
    ($($module:ident :: $operation:ident ( $input:ident ) -> $output:ident;)+) => {
        #[async_trait]
        impl s3s::S3 for Operations {
            $(
                async fn $operation(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    $module::$operation(self, request).await
                }
            )+
        }
    };
}

operations! {
    buckets::create_bucket(CreateBucketInput) -> CreateBucketOutput;
    buckets::delete_bucket(DeleteBucketInput) -> DeleteBucketOutput;
    buckets::head_bucket(HeadBucketInput) -> HeadBucketOutput;
    buckets::get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput;
    buckets::get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput;
    buckets::put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput;
    notifications::get_bucket_notification_configuration(GetBucketNotificationConfigurationInput) -> GetBucketNotificationConfigurationOutput;
    notifications::put_bucket_notification_configuration(PutBucketNotificationConfigurationInput) -> PutBucketNotificationConfigurationOutput;
    settings::get_bucket_accelerate_configuration(GetBucketAccelerateConfigurationInput) -> GetBucketAccelerateConfigurationOutput;
    settings::get_bucket_acl(GetBucketAclInput) -> GetBucketAclOutput;
    settings::get_bucket_cors(GetBucketCorsInput) -> GetBucketCorsOutput;
    settings::get_bucket_encryption(GetBucketEncryptionInput) -> GetBucketEncryptionOutput;
    settings::get_bucket_lifecycle_configuration(GetBucketLifecycleConfigurationInput) -> GetBucketLifecycleConfigurationOutput;
    settings::get_bucket_logging(GetBucketLoggingInput) -> GetBucketLoggingOutput;
    settings::get_bucket_ownership_controls(GetBucketOwnershipControlsInput) -> GetBucketOwnershipControlsOutput;
    settings::get_bucket_policy(GetBucketPolicyInput) -> GetBucketPolicyOutput;
    settings::get_bucket_replication(GetBucketReplicationInput) -> GetBucketReplicationOutput;
    settings::get_bucket_request_payment(GetBucketRequestPaymentInput) -> GetBucketRequestPaymentOutput;
    settings::get_bucket_website(GetBucketWebsiteInput) -> GetBucketWebsiteOutput;
    settings::get_object_lock_configuration(GetObjectLockConfigurationInput) -> GetObjectLockConfigurationOutput;
    settings::get_public_access_block(GetPublicAccessBlockInput) -> GetPublicAccessBlockOutput;
    tags::get_bucket_tagging(GetBucketTaggingInput) -> GetBucketTaggingOutput;
    tags::put_bucket_tagging(PutBucketTaggingInput) -> PutBucketTaggingOutput;
    tags::delete_bucket_tagging(DeleteBucketTaggingInput) -> DeleteBucketTaggingOutput;
    tags::get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput;
    tags::put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput;
    tags::delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput;
    lists::list_buckets(ListBucketsInput) -> ListBucketsOutput;
    lists::list_objects(ListObjectsInput) -> ListObjectsOutput;
    lists::list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output;
    lists::list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput;
    write::put_object(PutObjectInput) -> PutObjectOutput;
    copy::copy_object(CopyObjectInput) -> CopyObjectOutput;
    read::get_object(GetObjectInput) -> GetObjectOutput;
    read::head_object(HeadObjectInput) -> HeadObjectOutput;
    delete::delete_object(DeleteObjectInput) -> DeleteObjectOutput;
    delete::delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput;
    multipart::create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput;
    multipart::upload_part(UploadPartInput) -> UploadPartOutput;
    multipart::upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput;
    multipart::complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput;
    multipart::abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput;
    multipart::list_parts(ListPartsInput) -> ListPartsOutput;
    multipart::list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput;
}

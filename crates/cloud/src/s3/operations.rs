//! The operations of S3, each handed on to the module of its kind.

mod buckets;
mod copy;
mod delete;
mod lists;
mod multipart;
mod read;
mod refuse;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use http::Extensions;
#[allow(clippy::wildcard_imports, reason = "an input and an output for every operation")]
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};
use time::OffsetDateTime;
use tokio::sync::mpsc;

use super::{
    event::{EventKind, ObjectEvent},
    request::Caller,
    store::{Store, sequencer},
};

/// The account that owns everything here.
pub(super) const ACCOUNT: &str = "000000000000";

/// The store behind the protocol.
#[derive(Debug)]
pub(super) struct Operations {
    store: Arc<Store>,
    events: mpsc::UnboundedSender<ObjectEvent>,
}

/// The part of an event that the operation knows.
struct Change<'a> {
    kind: EventKind,
    bucket: &'a str,
    key: &'a str,
    size: u64,
    e_tag: Option<String>,
    version_id: Option<String>,
    sequence: u64,
    time: OffsetDateTime,
}

impl Operations {
    pub(super) fn new(store: Arc<Store>, events: mpsc::UnboundedSender<ObjectEvent>) -> Self {
        Self { store, events }
    }

    fn store(&self) -> Arc<Store> {
        Arc::clone(&self.store)
    }

    fn tell(&self, request: &Extensions, change: Change<'_>) {
        let caller = request.get::<Caller>().cloned();
        let event = ObjectEvent {
            kind: change.kind,
            bucket: change.bucket.to_owned(),
            key: change.key.to_owned(),
            size: change.size,
            e_tag: change.e_tag,
            version_id: change.version_id,
            sequencer: sequencer(change.sequence),
            request_id: caller.as_ref().map(|caller| caller.request_id.clone()).unwrap_or_default(),
            time: change.time,
            source_ip: caller.as_ref().and_then(|caller| caller.source_ip),
            requester: caller.and_then(|caller| caller.requester),
        };
        if self.events.send(event).is_err() {
            tracing::debug!("nobody listens to the events of S3 any more");
        }
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
    multipart::complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput;
    multipart::abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput;
    multipart::list_parts(ListPartsInput) -> ListPartsOutput;
    multipart::list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput;
}

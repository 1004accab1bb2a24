//! The tags of objects and of buckets.

#[allow(clippy::wildcard_imports, reason = "an input and an output for every operation")]
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::{Operations, refuse::other_owner};
use crate::s3::{
    blocking,
    event::TagChange,
    tags::{OF_BUCKET, OF_OBJECT, Tags, of_document, told},
};

pub(super) async fn get_object_tagging(
    operations: &Operations,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let input = request.input;
    other_owner(input.expected_bucket_owner.as_ref())?;
    let (tag_set, version_id) = operations.store.with_bucket(&input.bucket, |bucket| {
        let version = bucket.find(&input.key, input.version_id.as_deref())?;
        let tags = version.content.as_ref().map(|content| told(&content.tags)).unwrap_or_default();
        Ok((tags, bucket.visible_id(version)))
    })?;
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id }))
}

pub(super) async fn put_object_tagging(
    operations: &Operations,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let input = request.input;
    other_owner(input.expected_bucket_owner.as_ref())?;
    let tags = of_document(input.tagging.tag_set, OF_OBJECT)?;
    let (store, teller) = (operations.store(), operations.teller(&request.extensions));
    let version_id = blocking(move || {
        let retagged = store.set_tags(&input.bucket, &input.key, input.version_id.as_deref(), tags)?;
        teller.tagged(TagChange::Added, &input.bucket, &retagged);
        Ok(retagged.visible_id)
    })
    .await?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id }))
}

pub(super) async fn delete_object_tagging(
    operations: &Operations,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let input = request.input;
    other_owner(input.expected_bucket_owner.as_ref())?;
    let (store, teller) = (operations.store(), operations.teller(&request.extensions));
    let version_id = blocking(move || {
        let retagged = store.set_tags(&input.bucket, &input.key, input.version_id.as_deref(), Tags::new())?;
        teller.tagged(TagChange::Deleted, &input.bucket, &retagged);
        Ok(retagged.visible_id)
    })
    .await?;
    Ok(S3Response::new(DeleteObjectTaggingOutput { version_id }))
}

pub(super) async fn get_bucket_tagging(
    operations: &Operations,
    request: S3Request<GetBucketTaggingInput>,
) -> S3Result<S3Response<GetBucketTaggingOutput>> {
    let input = request.input;
    other_owner(input.expected_bucket_owner.as_ref())?;
    let tag_set = operations.store.with_bucket(&input.bucket, |bucket| Ok(told(&bucket.info.tags)))?;
    if tag_set.is_empty() {
        return Err(s3_error!(NoSuchTagSet, "The TagSet does not exist"));
    }
    Ok(S3Response::new(GetBucketTaggingOutput { tag_set }))
}

pub(super) async fn put_bucket_tagging(
    operations: &Operations,
    request: S3Request<PutBucketTaggingInput>,
) -> S3Result<S3Response<PutBucketTaggingOutput>> {
    let input = request.input;
    other_owner(input.expected_bucket_owner.as_ref())?;
    let (store, tags) = (operations.store(), of_document(input.tagging.tag_set, OF_BUCKET)?);
    blocking(move || store.set_bucket_tags(&input.bucket, tags)).await?;
    Ok(S3Response::new(PutBucketTaggingOutput {}))
}

pub(super) async fn delete_bucket_tagging(
    operations: &Operations,
    request: S3Request<DeleteBucketTaggingInput>,
) -> S3Result<S3Response<DeleteBucketTaggingOutput>> {
    let input = request.input;
    other_owner(input.expected_bucket_owner.as_ref())?;
    let store = operations.store();
    blocking(move || store.set_bucket_tags(&input.bucket, Tags::new())).await?;
    Ok(S3Response::new(DeleteBucketTaggingOutput {}))
}

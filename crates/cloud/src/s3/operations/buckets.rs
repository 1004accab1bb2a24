//! Buckets themselves.

#[allow(clippy::wildcard_imports, reason = "an input and an output for every operation")]
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::{
    Operations,
    refuse::{other_owner, refuse, unsupported},
};
use crate::s3::{blocking, store::Versioning};

/// The region of the local cloud.
const REGION: &str = "us-east-1";

pub(super) async fn create_bucket(
    operations: &Operations,
    request: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let input = request.input;
    refuse!(input; grant_full_control, grant_read, grant_read_acp, grant_write, grant_write_acp);
    if input.object_lock_enabled_for_bucket == Some(true) {
        return Err(unsupported("object_lock_enabled_for_bucket"));
    }
    if let Some(acl) = input.acl.as_ref().filter(|acl| acl.as_str() != BucketCannedACL::PRIVATE) {
        return Err(unsupported(&format!("acl with the value {}", acl.as_str())));
    }
    let (store, bucket) = (operations.store(), input.bucket);
    let location = Some(format!("/{bucket}"));
    // In us-east-1, creating one's own bucket again is no error.
    blocking(move || store.create_bucket(&bucket, Versioning::Off)).await?;
    Ok(S3Response::new(CreateBucketOutput { location }))
}

pub(super) async fn delete_bucket(
    operations: &Operations,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    other_owner(request.input.expected_bucket_owner.as_ref())?;
    let store = operations.store();
    blocking(move || store.delete_bucket(&request.input.bucket)).await?;
    Ok(S3Response::new(DeleteBucketOutput {}))
}

pub(super) async fn head_bucket(
    operations: &Operations,
    request: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    other_owner(request.input.expected_bucket_owner.as_ref())?;
    operations.store.with_bucket(&request.input.bucket, |_| Ok(()))?;
    Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(REGION.to_owned()), ..Default::default() }))
}

pub(super) async fn get_bucket_location(
    operations: &Operations,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    other_owner(request.input.expected_bucket_owner.as_ref())?;
    operations.store.with_bucket(&request.input.bucket, |_| Ok(()))?;
    // The service's answer for us-east-1 is empty.
    Ok(S3Response::new(GetBucketLocationOutput::default()))
}

pub(super) async fn get_bucket_versioning(
    operations: &Operations,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    other_owner(request.input.expected_bucket_owner.as_ref())?;
    let versioning = operations.store.with_bucket(&request.input.bucket, |bucket| Ok(bucket.info.versioning))?;
    let status = match versioning {
        Versioning::Off => None,
        Versioning::Enabled => Some(BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED)),
        Versioning::Suspended => Some(BucketVersioningStatus::from_static(BucketVersioningStatus::SUSPENDED)),
    };
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..Default::default() }))
}

pub(super) async fn put_bucket_versioning(
    operations: &Operations,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let input = request.input;
    other_owner(input.expected_bucket_owner.as_ref())?;
    refuse!(input; mfa);
    refuse!(input.versioning_configuration; mfa_delete);
    let versioning = match input.versioning_configuration.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        _ => {
            return Err(s3_error!(IllegalVersioningConfigurationException, "The status is Enabled or Suspended"));
        }
    };
    let store = operations.store();
    blocking(move || store.set_versioning(&input.bucket, versioning)).await?;
    Ok(S3Response::new(PutBucketVersioningOutput {}))
}

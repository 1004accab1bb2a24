//! Whom buckets tell.

#[allow(clippy::wildcard_imports, reason = "an input and an output for every operation")]
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::{Operations, refuse::other_owner};
use crate::s3::{blocking, notifications::Notifications};

pub(super) async fn get_bucket_notification_configuration(
    operations: &Operations,
    request: S3Request<GetBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<GetBucketNotificationConfigurationOutput>> {
    let input = request.input;
    other_owner(input.expected_bucket_owner.as_ref())?;
    let told = operations.store.with_bucket(&input.bucket, |bucket| Ok(bucket.info.notifications.told()))?;
    Ok(S3Response::new(told))
}

pub(super) async fn put_bucket_notification_configuration(
    operations: &Operations,
    request: S3Request<PutBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<PutBucketNotificationConfigurationOutput>> {
    let input = request.input;
    other_owner(input.expected_bucket_owner.as_ref())?;
    let notifications = Notifications::of(input.notification_configuration)?;
    let store = operations.store();
    blocking(move || store.set_notifications(&input.bucket, notifications)).await?;
    Ok(S3Response::new(PutBucketNotificationConfigurationOutput {}))
}

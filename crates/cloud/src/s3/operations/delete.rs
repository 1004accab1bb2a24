//! Deleting objects.

use http::Extensions;
#[allow(clippy::wildcard_imports, reason = "an input and an output for every operation")]
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::{
    Operations,
    refuse::{other_owner, refuse},
};
use crate::s3::{blocking, condition::WriteCondition, store::Deleted};

/// The most keys in one `DeleteObjects`.
const MOST_KEYS: usize = 1000;

pub(super) async fn delete_object(
    operations: &Operations,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let input = request.input;
    refuse!(input; bypass_governance_retention, if_match_last_modified_time, if_match_size, mfa);
    other_owner(input.expected_bucket_owner.as_ref())?;
    let condition = WriteCondition { if_match: input.if_match, if_none_match: None };
    let deleted =
        delete(operations, &request.extensions, &input.bucket, &input.key, input.version_id, condition).await?;
    Ok(S3Response::new(DeleteObjectOutput {
        delete_marker: deleted.marker.then_some(true),
        version_id: deleted.version_id,
        ..Default::default()
    }))
}

pub(super) async fn delete_objects(
    operations: &Operations,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let input = request.input;
    refuse!(input; bypass_governance_retention, mfa);
    other_owner(input.expected_bucket_owner.as_ref())?;
    operations.store.with_bucket(&input.bucket, |_| Ok(()))?;
    if input.delete.objects.len() > MOST_KEYS {
        return Err(s3_error!(MalformedXML, "More than {MOST_KEYS} keys"));
    }
    let mut output = DeleteObjectsOutput { deleted: Some(Vec::new()), errors: Some(Vec::new()), ..Default::default() };
    for object in input.delete.objects {
        refuse!(object; last_modified_time, size);
        let condition = WriteCondition { if_match: object.e_tag.map(ETagCondition::ETag), if_none_match: None };
        let asked = object.version_id.clone();
        match delete(operations, &request.extensions, &input.bucket, &object.key, object.version_id, condition).await {
            Ok(deleted) => output.deleted.get_or_insert_default().push(DeletedObject {
                delete_marker: deleted.marker.then_some(true),
                delete_marker_version_id: deleted.version_id.filter(|_| deleted.marker),
                key: Some(object.key),
                version_id: asked,
            }),
            Err(error) => output.errors.get_or_insert_default().push(Error {
                code: Some(error.code().as_str().to_owned()),
                key: Some(object.key),
                message: error.message().map(str::to_owned),
                version_id: asked,
            }),
        }
    }
    if input.delete.quiet == Some(true) {
        output.deleted = None;
    }
    Ok(S3Response::new(output))
}

async fn delete(
    operations: &Operations,
    extensions: &Extensions,
    bucket: &str,
    key: &str,
    version_id: Option<String>,
    condition: WriteCondition,
) -> S3Result<Deleted> {
    let (store, teller) = (operations.store(), operations.teller(extensions));
    let (bucket, key) = (bucket.to_owned(), key.to_owned());
    blocking(move || {
        let deleted = store.delete(&bucket, &key, version_id.as_deref(), &condition)?;
        teller.deleted(&bucket, &key, &deleted);
        Ok(deleted)
    })
    .await
}

//! Objects in one piece.

use http::Method;
#[allow(clippy::wildcard_imports, reason = "an input and an output for every operation")]
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::{
    Operations,
    refuse::{acl, encryption, other_owner, refuse, storage_class},
};
use crate::s3::{
    blocking,
    condition::WriteCondition,
    event::Reason,
    object::{Content, attributes, checksums},
    receive::{Expected, receive},
    store::Committed,
    tags::of_header,
};

pub(super) async fn put_object(
    operations: &Operations,
    request: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let mut input = request.input;
    // A form posted by a browser comes here as well.
    let reason = if request.method == Method::POST { Reason::Post } else { Reason::Put };
    refuse!(input; bucket_key_enabled, grant_full_control, grant_read, grant_read_acp, grant_write_acp,
        object_lock_legal_hold_status, object_lock_mode, object_lock_retain_until_date, sse_customer_algorithm,
        ssekms_encryption_context, ssekms_key_id, write_offset_bytes);
    if reason == Reason::Post {
        // A form has its tags in another notation.
        refuse!(input; tagging);
    }
    acl(input.acl.as_ref())?;
    encryption(input.server_side_encryption.as_ref())?;
    storage_class(input.storage_class.as_ref())?;
    other_owner(input.expected_bucket_owner.as_ref())?;

    let tags = of_header(input.tagging.as_deref())?;

    let data = operations.store.new_data(&input.bucket, &input.key)?;
    let expected = Expected::new(
        (&request.headers, &request.extensions),
        input.content_length,
        input.content_md5.take(),
        checksums!(input),
        input.checksum_algorithm.as_ref(),
    );
    let received = receive(input.body.take(), data.path(), expected).await?;
    let content = Content {
        file: String::new(),
        size: received.size,
        e_tag: received.e_tag(),
        attributes: attributes!(input),
        checksums: received.checksums,
        parts: Vec::new(),
        tags,
    };
    let condition = WriteCondition { if_match: input.if_match, if_none_match: input.if_none_match };

    let (store, teller) = (operations.store(), operations.teller(&request.extensions));
    let Committed { content, visible_id, .. } = blocking(move || {
        let committed = store.commit(&input.bucket, &input.key, data, content, &condition)?;
        teller.created(reason, &input.bucket, &committed);
        Ok(committed)
    })
    .await?;
    Ok(S3Response::new(PutObjectOutput {
        e_tag: Some(content.e_tag()),
        version_id: visible_id,
        checksum_crc32: content.checksums.crc32,
        checksum_crc32c: content.checksums.crc32c,
        checksum_crc64nvme: content.checksums.crc64nvme,
        checksum_sha1: content.checksums.sha1,
        checksum_sha256: content.checksums.sha256,
        ..Default::default()
    }))
}

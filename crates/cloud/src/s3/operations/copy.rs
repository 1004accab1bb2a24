//! Copies inside the store.

use std::{fs::File, io};

#[allow(clippy::wildcard_imports, reason = "an input and an output for every operation")]
use s3s::dto::*;
use s3s::{
    S3Request, S3Response, S3Result,
    crypto::{Checksum as _, Md5},
    s3_error,
};

use super::{
    Operations,
    refuse::{acl, encryption, other_owner, refuse, storage_class, unsupported},
};
use crate::s3::{
    blocking,
    condition::{ReadCondition, WriteCondition},
    event::Reason,
    object::{Checksums, Content, attributes},
    receive::hex,
    store::{Committed, internal},
    tags::of_header,
};

pub(super) async fn copy_object(
    operations: &Operations,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let mut input = request.input;
    refuse!(input; bucket_key_enabled, checksum_algorithm, copy_source_sse_customer_algorithm, grant_full_control,
        grant_read, grant_read_acp, grant_write_acp, object_lock_legal_hold_status, object_lock_mode,
        object_lock_retain_until_date, sse_customer_algorithm, ssekms_encryption_context, ssekms_key_id);
    acl(input.acl.as_ref())?;
    encryption(input.server_side_encryption.as_ref())?;
    storage_class(input.storage_class.as_ref())?;
    other_owner(input.expected_bucket_owner.as_ref())?;
    other_owner(input.expected_source_bucket_owner.as_ref())?;

    let CopySource::Bucket { bucket: source_bucket, key: source_key, version_id: source_version } = input.copy_source
    else {
        return Err(unsupported("copy_source with an access point"));
    };
    let replace = input.metadata_directive.as_ref().is_some_and(|d| d.as_str() == MetadataDirective::REPLACE);
    let to_itself = *source_bucket == *input.bucket && *source_key == *input.key && source_version.is_none();
    if to_itself && !replace && input.storage_class.is_none() && input.tagging_directive.is_none() {
        return Err(s3_error!(InvalidRequest, "A copy of an object to itself must change something."));
    }
    let condition = ReadCondition {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };
    let replacement = attributes!(input);
    let tags = of_header(input.tagging.as_deref())?;
    let replace_tags = input.tagging_directive.as_ref().is_some_and(|d| d.as_str() == TaggingDirective::REPLACE);

    let data = operations.store.new_data(&input.bucket, &input.key)?;
    let (store, teller) = (operations.store(), operations.teller(&request.extensions));
    let (Committed { version, content, visible_id }, source_id) = blocking(move || {
        let mut source = store.open_data(&source_bucket, &source_key, source_version.as_deref())?;
        condition.check_source(&source.version, &source.content)?;
        let mut whole = File::create(data.path()).map_err(internal)?;
        io::copy(&mut source.file, &mut whole).map_err(internal)?;
        let mut content = source.content;
        if replace {
            content.attributes = replacement;
        } else if replacement.storage_class.is_some() {
            content.attributes.storage_class = replacement.storage_class;
        }
        if replace_tags {
            content.tags = tags;
        }
        if !content.parts.is_empty() {
            // A copy is in one piece whatever its source was.
            content =
                Content { e_tag: md5_of(data.path())?, parts: Vec::new(), checksums: Checksums::default(), ..content };
        }
        let committed = store.commit(&input.bucket, &input.key, data, content, &WriteCondition::default())?;
        teller.created(Reason::Copy, &input.bucket, &committed);
        Ok((committed, source.visible_id))
    })
    .await?;

    let result = CopyObjectResult {
        e_tag: Some(content.e_tag()),
        last_modified: Some(version.last_modified()),
        ..Default::default()
    };
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: source_id,
        version_id: visible_id,
        ..Default::default()
    }))
}

fn md5_of(path: &std::path::Path) -> S3Result<String> {
    struct Hash(Md5);
    impl io::Write for Hash {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hash = Hash(Md5::new());
    let mut file = io::BufReader::with_capacity(1024 * 1024, File::open(path).map_err(internal)?);
    io::copy(&mut file, &mut hash).map_err(internal)?;
    Ok(hex(&hash.0.finalize()))
}

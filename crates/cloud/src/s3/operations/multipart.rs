//! Uploads in parts.

use std::{
    io::{Seek as _, SeekFrom},
    ops::Range,
};

#[allow(clippy::wildcard_imports, reason = "an input and an output for every operation")]
use s3s::dto::*;
use s3s::{
    S3Request, S3Response, S3Result,
    crypto::{Checksum as _, Md5},
    s3_error,
};
use time::OffsetDateTime;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use super::{
    Operations,
    lists::{encoded, limit},
    read::signed,
    refuse::{acl, encryption, other_owner, refuse, storage_class, unsupported},
};
use crate::s3::{
    blocking,
    condition::{ReadCondition, WriteCondition},
    event::Reason,
    object::{Checksums, Content, attributes, checksums},
    receive::{Expected, hex, receive},
    store::{Committed, internal},
    tags::of_header,
    uploads::{Part as StoredPart, Upload, UploadFolder},
};

const PART_NUMBERS: std::ops::RangeInclusive<i32> = 1..=10_000;

/// The smallest part, but for the last: 5 MiB.
const SMALLEST_PART: u64 = 5 * 1024 * 1024;

pub(super) async fn create_multipart_upload(
    operations: &Operations,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let mut input = request.input;
    refuse!(input; bucket_key_enabled, grant_full_control, grant_read, grant_read_acp, grant_write_acp,
        object_lock_legal_hold_status, object_lock_mode, object_lock_retain_until_date, sse_customer_algorithm,
        ssekms_encryption_context, ssekms_key_id);
    acl(input.acl.as_ref())?;
    encryption(input.server_side_encryption.as_ref())?;
    storage_class(input.storage_class.as_ref())?;
    other_owner(input.expected_bucket_owner.as_ref())?;
    operations.store.with_bucket(&input.bucket, |_| Ok(()))?;
    let upload = Upload {
        key: input.key.clone(),
        initiated: OffsetDateTime::now_utc(),
        attributes: attributes!(input),
        tags: of_header(input.tagging.as_deref())?,
    };
    let (store, bucket) = (operations.store(), input.bucket.clone());
    let id = blocking(move || UploadFolder::create(&store, &bucket, &upload)).await?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: input.checksum_algorithm,
        ..Default::default()
    }))
}

pub(super) async fn upload_part(
    operations: &Operations,
    request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let mut input = request.input;
    refuse!(input; sse_customer_algorithm);
    other_owner(input.expected_bucket_owner.as_ref())?;
    check_part_number(input.part_number)?;
    let expected = Expected::new(
        (&request.headers, &request.extensions),
        input.content_length,
        input.content_md5.take(),
        checksums!(input),
        input.checksum_algorithm.as_ref(),
    );
    let store = operations.store();
    let folder =
        blocking(move || Ok(UploadFolder::open(&store, &input.bucket, &input.key, &input.upload_id)?.0)).await?;
    let arriving = Arriving(folder.receiving());
    let received = receive(input.body.take(), &arriving.0, expected).await?;
    let received = blocking(move || {
        folder.keep(&arriving.0, input.part_number, &received)?;
        Ok(received)
    })
    .await?;
    Ok(S3Response::new(UploadPartOutput {
        e_tag: Some(ETag::Strong(received.e_tag())),
        checksum_crc32: received.checksums.crc32,
        checksum_crc32c: received.checksums.crc32c,
        checksum_crc64nvme: received.checksums.crc64nvme,
        checksum_sha1: received.checksums.sha1,
        checksum_sha256: received.checksums.sha256,
        ..Default::default()
    }))
}

/// A part that is a range of another object, or all of it.
pub(super) async fn upload_part_copy(
    operations: &Operations,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let input = request.input;
    refuse!(input; copy_source_sse_customer_algorithm, sse_customer_algorithm);
    other_owner(input.expected_bucket_owner.as_ref())?;
    other_owner(input.expected_source_bucket_owner.as_ref())?;
    check_part_number(input.part_number)?;
    let CopySource::Bucket { bucket, key, version_id } = input.copy_source else {
        return Err(unsupported("copy_source with an access point"));
    };
    let condition = ReadCondition {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };

    let (store, range) = (operations.store(), input.copy_source_range);
    let (folder, file, length, source_id) = blocking(move || {
        let folder = UploadFolder::open(&store, &input.bucket, &input.key, &input.upload_id)?.0;
        let mut source = store.open_data(&bucket, &key, version_id.as_deref())?;
        condition.check_source(&source.version, &source.content)?;
        let bytes = match range {
            Some(range) => source_range(&range, source.content.size)?,
            None => 0..source.content.size,
        };
        source.file.seek(SeekFrom::Start(bytes.start)).map_err(internal)?;
        Ok((folder, source.file, bytes.end - bytes.start, source.visible_id))
    })
    .await?;
    let body = StreamingBlob::wrap(ReaderStream::new(tokio::fs::File::from_std(file).take(length)));
    let arriving = Arriving(folder.receiving());
    let received = receive(Some(body), &arriving.0, Expected::default()).await?;
    let received = blocking(move || {
        folder.keep(&arriving.0, input.part_number, &received)?;
        Ok(received)
    })
    .await?;
    let result = CopyPartResult {
        e_tag: Some(ETag::Strong(received.e_tag())),
        last_modified: Some(OffsetDateTime::now_utc().into()),
        ..Default::default()
    };
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: source_id,
        ..Default::default()
    }))
}

/// The bytes of `bytes=first-last`, the one form that S3 takes here; all of them must be there.
fn source_range(range: &str, size: u64) -> S3Result<Range<u64>> {
    let (first, last) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).unwrap_or_default();
    let (Ok(first), Ok(last)) = (first.parse::<u64>(), last.parse::<u64>()) else {
        return Err(s3_error!(
            InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last"
        ));
    };
    if first > last || last >= size {
        return Err(s3_error!(InvalidArgument, "Range specified is not valid for source object of size: {size}"));
    }
    Ok(first..last + 1)
}

fn check_part_number(number: i32) -> S3Result<()> {
    if PART_NUMBERS.contains(&number) {
        return Ok(());
    }
    Err(s3_error!(InvalidArgument, "Part numbers are from 1 to 10000"))
}

/// A part's file while it comes in; what is left of it goes with this.
struct Arriving(std::path::PathBuf);

impl Drop for Arriving {
    fn drop(&mut self) {
        // It is not there any more when the part was kept.
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(super) async fn complete_multipart_upload(
    operations: &Operations,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let input = request.input;
    // The parts' checksums were compared as they came in; one over all of them is not computed.
    refuse!(input; checksum_crc32, checksum_crc32c, checksum_crc64nvme, checksum_sha1, checksum_sha256,
        sse_customer_algorithm);
    other_owner(input.expected_bucket_owner.as_ref())?;
    let condition = WriteCondition { if_match: input.if_match, if_none_match: input.if_none_match };
    let wanted = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let data = operations.store.new_data(&input.bucket, &input.key)?;
    let (store, teller) = (operations.store(), operations.teller(&request.extensions));
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let Committed { content, visible_id, .. } = blocking(move || {
        let (folder, upload) = UploadFolder::open(&store, &bucket, &key, &input.upload_id)?;
        let _alone = folder.lock()?;
        let parts = chosen(&wanted, &folder.parts()?)?;
        let size = parts.iter().map(|part| part.size).sum();
        if input.mpu_object_size.is_some_and(|expected| expected != signed(size)) {
            return Err(s3_error!(InvalidRequest, "The parts are {size} bytes together, not as announced"));
        }
        UploadFolder::join(&parts, &data)?;
        let content = Content {
            file: String::new(),
            size,
            e_tag: e_tag(&parts),
            attributes: upload.attributes,
            checksums: Checksums::default(),
            parts: parts.iter().map(|part| part.size).collect(),
            tags: upload.tags,
        };
        let committed = store.commit(&bucket, &key, data, content, &condition)?;
        teller.created(Reason::CompleteMultipartUpload, &bucket, &committed);
        if let Err(error) = folder.remove() {
            tracing::warn!(%error, bucket, key, "what is left of an upload that is done can't be removed");
        }
        Ok(committed)
    })
    .await?;
    Ok(S3Response::new(CompleteMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(content.e_tag()),
        version_id: visible_id,
        ..Default::default()
    }))
}

/// The parts a client wants to join, if they are there, in order and large enough.
fn chosen(wanted: &[CompletedPart], there: &std::collections::BTreeMap<i32, StoredPart>) -> S3Result<Vec<StoredPart>> {
    let mut parts: Vec<StoredPart> = Vec::with_capacity(wanted.len());
    for part in wanted {
        let number = part.part_number.unwrap_or_default();
        let found = there
            .get(&number)
            .filter(|found| part.e_tag.as_ref().is_some_and(|e_tag| e_tag.value() == found.e_tag))
            .ok_or_else(|| s3_error!(InvalidPart, "Part {number} was not received, or has another ETag"))?;
        if let Some(before) = parts.last() {
            if before.number >= number {
                return Err(s3_error!(InvalidPartOrder, "The parts are not in ascending order"));
            }
            if before.size < SMALLEST_PART {
                return Err(s3_error!(EntityTooSmall, "Part {} is smaller than 5 MiB", before.number));
            }
        }
        parts.push(found.clone());
    }
    if parts.is_empty() {
        return Err(s3_error!(MalformedXML, "You must specify at least one part"));
    }
    Ok(parts)
}

/// The MD5 of the parts' MD5s, and how many they are.
fn e_tag(parts: &[StoredPart]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        let digits = part.e_tag.as_bytes().chunks(2);
        let bytes: Vec<u8> =
            digits.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
        md5.update(&bytes);
    }
    format!("{}-{}", hex(&md5.finalize()), parts.len())
}

pub(super) async fn abort_multipart_upload(
    operations: &Operations,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let input = request.input;
    refuse!(input; if_match_initiated_time);
    other_owner(input.expected_bucket_owner.as_ref())?;
    let store = operations.store();
    blocking(move || {
        let (folder, _) = UploadFolder::open(&store, &input.bucket, &input.key, &input.upload_id)?;
        let _alone = folder.lock()?;
        folder.remove()
    })
    .await?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

pub(super) async fn list_parts(
    operations: &Operations,
    request: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let input = request.input;
    refuse!(input; sse_customer_algorithm);
    other_owner(input.expected_bucket_owner.as_ref())?;
    let (store, bucket, key, id) =
        (operations.store(), input.bucket.clone(), input.key.clone(), input.upload_id.clone());
    let (parts, upload) = blocking(move || {
        let (folder, upload) = UploadFolder::open(&store, &bucket, &key, &id)?;
        Ok((folder.parts()?, upload))
    })
    .await?;
    let after = input.part_number_marker.unwrap_or_default();
    let limit = limit(input.max_parts)?;
    let mut rest = parts.range(after.saturating_add(1)..).map(|(_, part)| part);
    let listed: Vec<Part> = rest.by_ref().take(limit).map(described).collect();
    let last = listed.last().and_then(|part| part.part_number);
    let is_truncated = rest.next().is_some();
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        max_parts: i32::try_from(limit).ok(),
        is_truncated: Some(is_truncated),
        next_part_number_marker: last.filter(|_| is_truncated),
        part_number_marker: input.part_number_marker,
        parts: Some(listed),
        storage_class: upload.attributes.storage_class.map(StorageClass::from),
        ..Default::default()
    }))
}

fn described(part: &StoredPart) -> Part {
    Part {
        e_tag: Some(ETag::Strong(part.e_tag.clone())),
        last_modified: Some(Timestamp::from(part.modified)),
        part_number: Some(part.number),
        size: Some(signed(part.size)),
        ..Default::default()
    }
}

pub(super) async fn list_multipart_uploads(
    operations: &Operations,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = request.input;
    refuse!(input; delimiter);
    other_owner(input.expected_bucket_owner.as_ref())?;
    let (store, bucket) = (operations.store(), input.bucket.clone());
    let uploads = blocking(move || UploadFolder::all(&store, &bucket)).await?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let limit = limit(input.max_uploads)?;
    let skipped = on_pages_before(&uploads, input.key_marker.as_deref(), input.upload_id_marker.as_deref());
    let mut rest = uploads.into_iter().skip(skipped).filter(|(_, upload)| upload.key.starts_with(&prefix)).peekable();
    let listed: Vec<(String, Upload)> = rest.by_ref().take(limit).collect();
    let is_truncated = rest.peek().is_some();
    let last = listed.last().filter(|_| is_truncated);
    let url = input.encoding_type.as_ref();
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        is_truncated: Some(is_truncated),
        key_marker: input.key_marker.map(|marker| encoded(marker, url)),
        upload_id_marker: input.upload_id_marker,
        max_uploads: i32::try_from(limit).ok(),
        next_key_marker: last.map(|(_, upload)| encoded(upload.key.clone(), url)),
        next_upload_id_marker: last.map(|(id, _)| id.clone()),
        prefix: input.prefix.map(|prefix| encoded(prefix, url)),
        uploads: Some(
            listed
                .iter()
                .map(|(id, upload)| MultipartUpload {
                    initiated: Some(Timestamp::from(upload.initiated)),
                    key: Some(encoded(upload.key.clone(), url)),
                    upload_id: Some(id.clone()),
                    ..Default::default()
                })
                .collect(),
        ),
        encoding_type: input.encoding_type,
        ..Default::default()
    }))
}

/// How many uploads the pages before held: those up to the marker, in order of key and age.
fn on_pages_before(uploads: &[(String, Upload)], key_marker: Option<&str>, id_marker: Option<&str>) -> usize {
    let Some(marker) = key_marker else { return 0 };
    let last = id_marker.and_then(|last| uploads.iter().position(|(id, upload)| id == last && upload.key == marker));
    match last {
        Some(last) => last + 1,
        None => uploads.partition_point(|(_, upload)| upload.key.as_str() <= marker),
    }
}

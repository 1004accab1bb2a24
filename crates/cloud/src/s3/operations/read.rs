//! Objects and their heads.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    ops,
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
#[allow(clippy::wildcard_imports, reason = "an input and an output for every operation")]
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use super::{
    Operations,
    refuse::{other_owner, refuse},
};
use crate::s3::{
    blocking,
    condition::ReadCondition,
    object::{Checksums, Content},
    store::internal,
};

/// Up to this many bytes an object is read at once, and beyond that in pieces of this size.
const PIECE: usize = 256 * 1024;

/// Takes the conditions out of an input structure.
macro_rules! conditions {
    ($input:expr) => {
        ReadCondition {
            if_match: $input.if_match.take(),
            if_none_match: $input.if_none_match.take(),
            if_modified_since: $input.if_modified_since.take(),
            if_unmodified_since: $input.if_unmodified_since.take(),
        }
    };
}

/// Fills the output of a read with what both kinds share.
macro_rules! described {
    ($output:ident, $content:expr, $version:expr, $visible_id:expr, $span:expr, $checksums:expr, $part:expr) => {
        $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: $content.attributes.cache_control.clone(),
            content_disposition: $content.attributes.content_disposition.clone(),
            content_encoding: $content.attributes.content_encoding.clone(),
            content_language: $content.attributes.content_language.clone(),
            content_length: Some(signed($span.bytes.end - $span.bytes.start)),
            content_range: $span.header.clone(),
            content_type: Some($content.attributes.content_type()),
            e_tag: Some($content.e_tag()),
            expires: $content.attributes.expires.clone(),
            last_modified: Some($version.last_modified()),
            metadata: $content.attributes.metadata.clone(),
            parts_count: $part.and_then(|_| i32::try_from($content.parts.len()).ok()).filter(|count| *count > 0),
            storage_class: $content.attributes.storage_class.clone().map(StorageClass::from),
            version_id: $visible_id,
            website_redirect_location: $content.attributes.website_redirect_location.clone(),
            checksum_crc32: $checksums.crc32,
            checksum_crc32c: $checksums.crc32c,
            checksum_crc64nvme: $checksums.crc64nvme,
            checksum_sha1: $checksums.sha1,
            checksum_sha256: $checksums.sha256,
            ..Default::default()
        }
    };
}

pub(super) async fn head_object(
    operations: &Operations,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let mut input = request.input;
    refuse!(input; sse_customer_algorithm);
    other_owner(input.expected_bucket_owner.as_ref())?;
    let (version, visible_id) = operations.store.with_bucket(&input.bucket, |bucket| {
        let version = bucket.find(&input.key, input.version_id.as_deref())?;
        Ok((Arc::clone(version), bucket.visible_id(version)))
    })?;
    let content = version.content.as_ref().ok_or_else(|| s3_error!(NoSuchKey))?;
    conditions!(input).check(&version, content)?;
    let span = Span::of(content, input.range, input.part_number)?;
    let checksums = span.checksums(content, input.checksum_mode.as_ref());
    let part = input.part_number;
    let mut output = described!(HeadObjectOutput, content, version, visible_id, span, checksums, part);
    output.content_type = input.response_content_type.or(output.content_type);
    Ok(S3Response::new(output))
}

pub(super) async fn get_object(
    operations: &Operations,
    request: S3Request<GetObjectInput>,
) -> S3Result<S3Response<GetObjectOutput>> {
    let mut input = request.input;
    refuse!(input; sse_customer_algorithm);
    other_owner(input.expected_bucket_owner.as_ref())?;
    let store = operations.store();
    let condition = conditions!(input);
    let (range, part) = (input.range, input.part_number);
    let (opened, span, start) = blocking(move || {
        let mut opened = store.open_data(&input.bucket, &input.key, input.version_id.as_deref())?;
        condition.check(&opened.version, &opened.content)?;
        let span = Span::of(&opened.content, range, part)?;
        let start = read_start(&mut opened.file, &span.bytes).map_err(internal)?;
        Ok((opened, span, start))
    })
    .await?;
    let checksums = span.checksums(&opened.content, input.checksum_mode.as_ref());
    let mut output =
        described!(GetObjectOutput, opened.content, opened.version, opened.visible_id, span, checksums, part);
    output.tag_count = i32::try_from(opened.content.tags.len()).ok().filter(|count| *count > 0);
    output.body = Some(if let Some(whole) = start {
        StreamingBlob::from(s3s::Body::from(whole))
    } else {
        let rest = tokio::fs::File::from_std(opened.file).take(span.bytes.end - span.bytes.start);
        StreamingBlob::wrap(ReaderStream::with_capacity(rest, PIECE))
    });
    Ok(S3Response::new(output))
}

/// Goes to the start of the span, and reads it if it is small.
fn read_start(file: &mut File, bytes: &ops::Range<u64>) -> std::io::Result<Option<Bytes>> {
    if bytes.start > 0 {
        file.seek(SeekFrom::Start(bytes.start))?;
    }
    match usize::try_from(bytes.end - bytes.start) {
        Ok(length) if length <= PIECE => {
            let mut whole = vec![0; length];
            file.read_exact(&mut whole)?;
            Ok(Some(whole.into()))
        }
        _ => Ok(None),
    }
}

/// The bytes that are asked for.
struct Span {
    bytes: ops::Range<u64>,
    /// The `Content-Range` header, unless it is all of the object.
    header: Option<String>,
}

impl Span {
    fn of(content: &Content, range: Option<Range>, part: Option<i32>) -> S3Result<Self> {
        let size = content.size;
        let bytes = match (range, part) {
            (None, None) => {
                return Ok(Self { bytes: 0..size, header: None });
            }
            (Some(_), Some(_)) => {
                return Err(s3_error!(InvalidRequest, "Either a range or a part number"));
            }
            (Some(range), None) => {
                range.check(size).ok().filter(|bytes| !bytes.is_empty()).ok_or_else(|| unsatisfiable(size))?
            }
            (None, Some(part)) => part_bytes(content, part)?,
        };
        let header = format!("bytes {}-{}/{size}", bytes.start, bytes.end.saturating_sub(1));
        Ok(Self { header: (!bytes.is_empty()).then_some(header), bytes })
    }

    /// A checksum is of the whole object, and is given to a client that asks.
    fn checksums(&self, content: &Content, mode: Option<&ChecksumMode>) -> Checksums {
        match (&self.header, mode) {
            (None, Some(_)) => content.checksums.clone(),
            _ => Checksums::default(),
        }
    }
}

fn part_bytes(content: &Content, part: i32) -> S3Result<ops::Range<u64>> {
    let before = usize::try_from(part).ok().and_then(|part| part.checked_sub(1));
    let whole = [content.size];
    let parts = if content.parts.is_empty() { &whole[..] } else { &content.parts };
    let found = before.and_then(|before| Some((parts.get(..before)?.iter().sum::<u64>(), *parts.get(before)?)));
    let (start, length) = found.ok_or_else(|| s3_error!(InvalidPart, "The object has no such part"))?;
    Ok(start..start + length)
}

fn unsatisfiable(size: u64) -> S3Error {
    let mut error = s3_error!(InvalidRange, "The requested range is not satisfiable");
    if let Ok(value) = HeaderValue::from_str(&format!("bytes */{size}")) {
        error.set_headers(HeaderMap::from_iter([(header::CONTENT_RANGE, value)]));
    }
    error
}

/// Sizes are signed in the protocol; no file is as large as to matter.
pub(super) fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

//! Listings of buckets, objects and versions.

use std::ops::Bound;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
#[allow(clippy::wildcard_imports, reason = "an input and an output for every operation")]
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::{
    ACCOUNT, Operations,
    read::signed,
    refuse::{other_owner, refuse},
};
use crate::s3::{
    listing::{PAGE, Page, Query, list},
    object::Version,
    store::Bucket,
};

pub(super) async fn list_buckets(
    operations: &Operations,
    request: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let input = request.input;
    refuse!(input; bucket_region);
    let buckets = operations.store.buckets().into_iter().collect();
    let query = Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: None,
        after: input.continuation_token.as_deref(),
        limit: input.max_buckets.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX),
    };
    let page = list(&buckets, &query, |name, info| {
        Some(s3s::dto::Bucket {
            name: Some(name.to_owned()),
            creation_date: Some(Timestamp::from(info.created)),
            bucket_region: None,
        })
    });
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(page.items),
        continuation_token: page.next,
        owner: Some(owner()),
        prefix: input.prefix,
    }))
}

pub(super) async fn list_objects(
    operations: &Operations,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let input = request.input;
    refuse!(input; optional_object_attributes);
    other_owner(input.expected_bucket_owner.as_ref())?;
    let url = input.encoding_type.as_ref();
    let limit = limit(input.max_keys)?;
    let query = Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref(),
        after: input.marker.as_deref(),
        limit,
    };
    let page = operations.store.with_bucket(&input.bucket, |bucket| Ok(objects(bucket, &query, url, true)))?;
    Ok(S3Response::new(ListObjectsOutput {
        is_truncated: Some(page.next.is_some()),
        next_marker: page.next.map(|next| encoded(next, url)),
        contents: Some(page.items),
        common_prefixes: Some(page.common_prefixes.into_iter().map(|prefix| common(prefix, url)).collect()),
        name: Some(input.bucket),
        max_keys: i32::try_from(limit).ok(),
        prefix: Some(encoded(input.prefix.unwrap_or_default(), url)),
        marker: Some(encoded(input.marker.unwrap_or_default(), url)),
        delimiter: input.delimiter.map(|delimiter| encoded(delimiter, url)),
        encoding_type: input.encoding_type,
        ..Default::default()
    }))
}

pub(super) async fn list_objects_v2(
    operations: &Operations,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let input = request.input;
    refuse!(input; optional_object_attributes);
    other_owner(input.expected_bucket_owner.as_ref())?;
    let url = input.encoding_type.as_ref();
    let limit = limit(input.max_keys)?;
    let after = match &input.continuation_token {
        Some(token) => Some(from_token(token)?),
        None => input.start_after.clone(),
    };
    let query = Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref(),
        after: after.as_deref(),
        limit,
    };
    let with_owner = input.fetch_owner == Some(true);
    let page = operations.store.with_bucket(&input.bucket, |bucket| Ok(objects(bucket, &query, url, with_owner)))?;
    Ok(S3Response::new(ListObjectsV2Output {
        is_truncated: Some(page.next.is_some()),
        key_count: i32::try_from(page.items.len() + page.common_prefixes.len()).ok(),
        next_continuation_token: page.next.map(|next| BASE64_URL_SAFE_NO_PAD.encode(next)),
        contents: Some(page.items),
        common_prefixes: Some(page.common_prefixes.into_iter().map(|prefix| common(prefix, url)).collect()),
        name: Some(input.bucket),
        max_keys: i32::try_from(limit).ok(),
        prefix: Some(encoded(input.prefix.unwrap_or_default(), url)),
        delimiter: input.delimiter.map(|delimiter| encoded(delimiter, url)),
        start_after: input.start_after.map(|start| encoded(start, url)),
        continuation_token: input.continuation_token,
        encoding_type: input.encoding_type,
        ..Default::default()
    }))
}

fn objects(bucket: &Bucket, query: &Query<'_>, url: Option<&EncodingType>, with_owner: bool) -> Page<Object> {
    list(&bucket.keys, query, |key, versions| {
        let version = versions.last()?;
        let content = version.content.as_ref()?;
        Some(Object {
            e_tag: Some(content.e_tag()),
            key: Some(encoded(key.to_owned(), url)),
            last_modified: Some(version.last_modified()),
            owner: with_owner.then(owner),
            size: Some(signed(content.size)),
            storage_class: Some(ObjectStorageClass::from(storage_class(version))),
            ..Default::default()
        })
    })
}

pub(super) async fn list_object_versions(
    operations: &Operations,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let input = request.input;
    refuse!(input; delimiter, optional_object_attributes);
    other_owner(input.expected_bucket_owner.as_ref())?;
    let limit = limit(input.max_keys)?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let markers = (input.key_marker.as_deref(), input.version_id_marker.as_deref());
    let url = input.encoding_type.as_ref();
    let mut output =
        operations.store.with_bucket(&input.bucket, |bucket| Ok(versions(bucket, prefix, markers, limit, url)))?;
    output.name = Some(input.bucket);
    output.max_keys = i32::try_from(limit).ok();
    output.prefix = input.prefix.map(|prefix| encoded(prefix, url));
    output.key_marker = input.key_marker.map(|marker| encoded(marker, url));
    output.version_id_marker = input.version_id_marker;
    output.encoding_type = input.encoding_type;
    Ok(S3Response::new(output))
}

/// Versions and delete markers, by key and then from the newest to the oldest.
fn versions(
    bucket: &Bucket,
    prefix: &str,
    (key_marker, id_marker): (Option<&str>, Option<&str>),
    limit: usize,
    url: Option<&EncodingType>,
) -> ListObjectVersionsOutput {
    let start = key_marker.unwrap_or_default().max(prefix);
    let mut rest = bucket
        .keys
        .range::<str, _>((Bound::Included(start), Bound::Unbounded))
        .take_while(|(key, _)| key.starts_with(prefix))
        .flat_map(|(key, versions)| {
            let skipped = match (key_marker == Some(key), id_marker) {
                (false, _) => 0,
                (true, None) => versions.len(),
                // The page before ended with this version.
                (true, Some(id)) => versions.iter().rev().position(|version| version.id == id).map_or(0, |at| at + 1),
            };
            versions.iter().rev().enumerate().skip(skipped).map(move |(at, version)| (key, version, at == 0))
        })
        .peekable();
    let mut output = ListObjectVersionsOutput::default();
    for (key, version, is_latest) in rest.by_ref().take(limit) {
        let key_text = Some(encoded(key.clone(), url));
        output.next_key_marker.clone_from(&key_text);
        output.next_version_id_marker = Some(version.id.clone());
        match &version.content {
            Some(content) => output.versions.get_or_insert_default().push(ObjectVersion {
                e_tag: Some(content.e_tag()),
                is_latest: Some(is_latest),
                key: key_text,
                last_modified: Some(version.last_modified()),
                owner: Some(owner()),
                size: Some(signed(content.size)),
                storage_class: Some(ObjectVersionStorageClass::from(storage_class(version))),
                version_id: Some(version.id.clone()),
                ..Default::default()
            }),
            None => output.delete_markers.get_or_insert_default().push(DeleteMarkerEntry {
                is_latest: Some(is_latest),
                key: key_text,
                last_modified: Some(version.last_modified()),
                owner: Some(owner()),
                version_id: Some(version.id.clone()),
            }),
        }
    }
    let is_truncated = rest.peek().is_some() && limit > 0;
    if !is_truncated {
        (output.next_key_marker, output.next_version_id_marker) = (None, None);
    }
    output.is_truncated = Some(is_truncated);
    output
}

pub(in crate::s3) fn storage_class(version: &Version) -> String {
    let stored = version.content.as_ref().and_then(|content| content.attributes.storage_class.clone());
    stored.unwrap_or_else(|| StorageClass::STANDARD.to_owned())
}

fn owner() -> Owner {
    Owner { display_name: None, id: Some(ACCOUNT.to_owned()) }
}

fn common(prefix: String, url: Option<&EncodingType>) -> CommonPrefix {
    CommonPrefix { prefix: Some(encoded(prefix, url)) }
}

/// How many entries make a page.
pub(super) fn limit(asked: Option<i32>) -> S3Result<usize> {
    match asked.map(usize::try_from) {
        None => Ok(PAGE),
        Some(Ok(limit)) => Ok(limit.min(PAGE)),
        Some(Err(_)) => Err(s3_error!(InvalidArgument, "The page size must not be negative")),
    }
}

fn from_token(token: &str) -> S3Result<String> {
    let key = BASE64_URL_SAFE_NO_PAD.decode(token).ok().and_then(|key| String::from_utf8(key).ok());
    key.ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}

/// What is not percent-encoded.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// A key as the client wants it: percent-encoded, since XML cannot carry every character.
pub(super) fn encoded(key: String, url: Option<&EncodingType>) -> String {
    match url {
        None => key,
        Some(_) => utf8_percent_encode(&key, PLAIN).to_string(),
    }
}

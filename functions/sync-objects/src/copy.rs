//! Copying one object inside S3.

use aws_sdk_s3::operation::create_multipart_upload::CreateMultipartUploadOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use function_kit::{ServiceError, ServiceErrorKind};
use futures::{StreamExt, TryStreamExt, stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::SyncObjects;
use crate::handler::{Difference, Done, has_changed};

/// How many parts of one object are on their way at once.
const PARTS_AT_ONCE: usize = 8;

/// What stands as it is in the header that names a source.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Copies the object that was compared.
pub(crate) async fn copy(function: &SyncObjects, difference: &Difference) -> Result<Done, ServiceError> {
    match parts_of(&difference.e_tag) {
        None => whole(function, difference).await,
        Some(count) => in_parts(function, difference, count).await,
    }
}

/// How many parts the object was uploaded in, where it was: its `ETag` ends in `-<parts>`.
fn parts_of(e_tag: &str) -> Option<i32> {
    e_tag.trim_matches('"').rsplit_once('-')?.1.parse().ok().filter(|count| *count > 0)
}

/// `CopyObject` takes up to 5 GiB; more cannot be uploaded in one piece either.
async fn whole(function: &SyncObjects, difference: &Difference) -> Result<Done, ServiceError> {
    let SyncObjects { s3, target, .. } = function;
    let request = s3.copy_object().bucket(target).key(&difference.key).copy_source(source_of(function, difference));
    match request.copy_source_if_match(&difference.e_tag).send().await {
        Ok(_) => Ok(Done::Copied),
        Err(error) if has_changed(&error) => Ok(Done::Changed),
        Err(error) => Err(ServiceError::new("CopyObject", &error)),
    }
}

async fn in_parts(function: &SyncObjects, difference: &Difference, count: i32) -> Result<Done, ServiceError> {
    let Some(first) = head(function, difference, 1).await? else { return Ok(Done::Changed) };
    let Some(ranges) = ranges(function, difference, count, &first).await? else { return Ok(Done::Changed) };
    let Some(tags) = tags(function, difference).await? else { return Ok(Done::Changed) };
    let upload = begin(function, difference, first, tags).await?;
    let id = upload.upload_id.unwrap_or_default();
    let result = fill(function, difference, &id, ranges).await;
    if !matches!(result, Ok(Done::Copied)) {
        let SyncObjects { s3, target, .. } = function;
        let abort = s3.abort_multipart_upload().bucket(target).key(&difference.key).upload_id(id).send().await;
        if let Err(error) = abort {
            // The bucket's lifecycle takes away what stays behind.
            tracing::warn!("{}: {}", difference.key, ServiceError::new("AbortMultipartUpload", &error));
        }
    }
    result
}

/// The head of one part; nothing where the object is another one by now.
async fn head(
    function: &SyncObjects,
    difference: &Difference,
    part: i32,
) -> Result<Option<HeadObjectOutput>, ServiceError> {
    let request = function.s3.head_object().bucket(&function.source).key(&difference.key).part_number(part);
    match request.if_match(&difference.e_tag).send().await {
        Ok(head) => Ok(Some(head)),
        Err(error) => {
            // The answer has no body, and so no code.
            let status = error.raw_response().map(|answer| answer.status().as_u16());
            let error = ServiceError::new("HeadObject", &error);
            let changed = status == Some(412) || error.kind == ServiceErrorKind::ObjectNotFound;
            if changed { Ok(None) } else { Err(error) }
        }
    }
}

/// The bytes of each part, `first-last`. Clients upload all parts but the last one in one size; where the first and the last
/// do not look like that, each is asked for.
async fn ranges(
    function: &SyncObjects,
    difference: &Difference,
    count: i32,
    first: &HeadObjectOutput,
) -> Result<Option<Vec<String>>, ServiceError> {
    let size = |head: &HeadObjectOutput| head.content_length.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
    let Some(last) = head(function, difference, count).await? else { return Ok(None) };
    let (part, last) = (size(first), size(&last));
    let full_parts = u64::from(count.unsigned_abs()) - 1;
    let even = part * full_parts + last == difference.size;
    let mut sizes = Vec::new();
    for number in 1..count {
        if number == 1 || even {
            sizes.push(part);
            continue;
        }
        match head(function, difference, number).await? {
            Some(head) => sizes.push(size(&head)),
            None => return Ok(None),
        }
    }
    sizes.push(last);
    let mut begin = 0;
    let range = |bytes: u64| {
        let range = format!("bytes={begin}-{}", (begin + bytes).saturating_sub(1));
        begin += bytes;
        range
    };
    Ok(Some(sizes.into_iter().map(range).collect()))
}

/// The object's tags, as the header of a new object has them; nothing where the object is not there any more. `CopyObject`
/// takes them along by itself.
async fn tags(function: &SyncObjects, difference: &Difference) -> Result<Option<String>, ServiceError> {
    let request = function.s3.get_object_tagging().bucket(&function.source).key(&difference.key);
    let tags = match request.send().await {
        Ok(answer) => answer.tag_set,
        Err(error) if has_changed(&error) => return Ok(None),
        Err(error) => return Err(ServiceError::new("GetObjectTagging", &error)),
    };
    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let pairs: Vec<String> = tags.iter().map(|tag| format!("{}={}", encoded(&tag.key), encoded(&tag.value))).collect();
    Ok(Some(pairs.join("&")))
}

/// Begins an upload that has all that the object's head tells of it, and its tags.
async fn begin(
    function: &SyncObjects,
    difference: &Difference,
    head: HeadObjectOutput,
    tags: String,
) -> Result<CreateMultipartUploadOutput, ServiceError> {
    let SyncObjects { s3, target, .. } = function;
    s3.create_multipart_upload()
        .bucket(target)
        .key(&difference.key)
        .set_cache_control(head.cache_control)
        .set_content_disposition(head.content_disposition)
        .set_content_encoding(head.content_encoding)
        .set_content_language(head.content_language)
        .set_content_type(head.content_type)
        .set_metadata(head.metadata)
        .set_tagging(Some(tags).filter(|tags| !tags.is_empty()))
        .send()
        .await
        .map_err(|error| ServiceError::new("CreateMultipartUpload", &error))
}

async fn fill(
    function: &SyncObjects,
    difference: &Difference,
    id: &str,
    ranges: Vec<String>,
) -> Result<Done, ServiceError> {
    let SyncObjects { s3, target, .. } = function;
    let part = async |(number, range): (i32, String)| {
        let request = s3.upload_part_copy().bucket(target).key(&difference.key).upload_id(id).part_number(number);
        let request = request.copy_source(source_of(function, difference)).copy_source_range(range);
        match request.copy_source_if_match(&difference.e_tag).send().await {
            Ok(copied) => {
                let e_tag = copied.copy_part_result.and_then(|result| result.e_tag);
                Ok(CompletedPart::builder().part_number(number).set_e_tag(e_tag).build())
            }
            Err(error) if has_changed(&error) => Err(Stopped::Changed),
            Err(error) => Err(Stopped::Failed(ServiceError::new("UploadPartCopy", &error))),
        }
    };
    let parts = stream::iter((1..).zip(ranges)).map(part).buffered(PARTS_AT_ONCE).try_collect().await;
    let parts = match parts {
        Ok(parts) => parts,
        Err(Stopped::Changed) => return Ok(Done::Changed),
        Err(Stopped::Failed(error)) => return Err(error),
    };
    let whole = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let request = s3.complete_multipart_upload().bucket(target).key(&difference.key).upload_id(id);
    request
        .multipart_upload(whole)
        .send()
        .await
        .map(|_| Done::Copied)
        .map_err(|error| ServiceError::new("CompleteMultipartUpload", &error))
}

/// Why a part was not copied.
enum Stopped {
    Changed,
    Failed(ServiceError),
}

fn source_of(function: &SyncObjects, difference: &Difference) -> String {
    format!("{}/{}", function.source, utf8_percent_encode(&difference.key, PLAIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_an_object_are_told_by_its_e_tag() {
        for (e_tag, parts) in [
            ("\"0123456789abcdef0123456789abcdef\"", None),
            ("\"0123456789abcdef0123456789abcdef-3\"", Some(3)),
            ("0123-10000", Some(10_000)),
            ("\"0123-0\"", None),
            ("\"0123-x\"", None),
            ("", None),
        ] {
            assert_eq!(parts_of(e_tag), parts, "{e_tag}");
        }
    }
}

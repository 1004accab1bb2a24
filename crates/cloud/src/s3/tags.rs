//! The tags of objects and of buckets.
//!
//! Source: the S3 User Guide, "Categorizing your objects using tags" and "Using cost allocation S3 bucket tags".

use std::collections::BTreeMap;

use http::StatusCode;
use percent_encoding::percent_decode_str;
use s3s::{
    S3Error, S3ErrorCode, S3Result,
    dto::{Tag, TagSet},
    s3_error,
};

/// Tags by their keys.
pub(super) type Tags = BTreeMap<String, String>;

/// How many tags an object has at most.
pub(super) const OF_OBJECT: usize = 10;

/// How many tags a bucket has at most.
pub(super) const OF_BUCKET: usize = 50;

/// The longest key and the longest value, in characters.
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// The tags of a new object, as the header `x-amz-tagging` has them: like the parameters of an address.
pub(super) fn of_header(header: Option<&str>) -> S3Result<Tags> {
    let malformed = || {
        s3_error!(
            InvalidArgument,
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name \
             duplicates."
        )
    };
    let mut tags = Tags::new();
    for pair in header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let pair = pair.replace('+', " ");
        let (key, value) = pair.split_once('=').unwrap_or((&pair, ""));
        let decode =
            |text| percent_decode_str(text).decode_utf8().map(|text| text.into_owned()).map_err(|_| malformed());
        if tags.insert(decode(key)?, decode(value)?).is_some() {
            return Err(malformed());
        }
    }
    check(&tags, OF_OBJECT)?;
    Ok(tags)
}

/// The tags of a request's document, of which there can be so many.
pub(super) fn of_document(set: TagSet, most: usize) -> S3Result<Tags> {
    let mut tags = Tags::new();
    for tag in set {
        let key = tag.key.ok_or_else(invalid_key)?;
        if tags.insert(key, tag.value.unwrap_or_default()).is_some() {
            return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
        }
    }
    check(&tags, most)?;
    Ok(tags)
}

/// Tags as an answer has them.
pub(super) fn told(tags: &Tags) -> TagSet {
    tags.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect()
}

fn check(tags: &Tags, most: usize) -> S3Result<()> {
    if tags.len() > most {
        let what = if most == OF_OBJECT { "Object" } else { "Bucket" };
        let message = format!("{what} tags cannot be greater than {most}");
        let mut error = S3Error::with_message(S3ErrorCode::Custom("BadRequest".into()), message);
        error.set_status_code(StatusCode::BAD_REQUEST);
        return Err(error);
    }
    let is_allowed = |letter: char| letter.is_alphanumeric() || letter.is_whitespace() || "+-=._:/@".contains(letter);
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > LONGEST_KEY || !key.chars().all(is_allowed) {
            return Err(invalid_key());
        }
        if key.starts_with("aws:") {
            return Err(s3_error!(InvalidTag, "System tags cannot be added/updated by requester"));
        }
        if value.chars().count() > LONGEST_VALUE || !value.chars().all(is_allowed) {
            return Err(s3_error!(InvalidTag, "The TagValue you have provided is invalid"));
        }
    }
    Ok(())
}

fn invalid_key() -> S3Error {
    s3_error!(InvalidTag, "The TagKey you have provided is invalid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_tags_as_an_address_has_parameters() {
        let tags = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect::<Tags>()
        };
        for (header, expected) in [
            (None, tags(&[])),
            (Some(""), tags(&[])),
            (Some("a=1&b=two+words"), tags(&[("a", "1"), ("b", "two words")])),
            (Some("gr%C3%B6%C3%9Fe=5%2F6&empty"), tags(&[("größe", "5/6"), ("empty", "")])),
        ] {
            assert_eq!(of_header(header).unwrap(), expected, "{header:?}");
        }
    }

    #[test]
    fn what_can_be_no_tag_is_refused() {
        let eleven: Vec<String> = (0..11).map(|number| format!("k{number}=v")).collect();
        let (long_key, long_value) = (format!("{}=v", "k".repeat(129)), format!("k={}", "v".repeat(257)));
        for (header, code) in [
            ("a=1&a=2", "InvalidArgument"),
            ("a=%FF", "InvalidArgument"),
            (&*eleven.join("&"), "BadRequest"),
            (&*long_key, "InvalidTag"),
            (&*long_value, "InvalidTag"),
            ("=v", "InvalidTag"),
            ("aws:a=v", "InvalidTag"),
            ("a=%3Cv%3E", "InvalidTag"),
        ] {
            assert_eq!(of_header(Some(header)).unwrap_err().code().as_str(), code, "{header}");
        }
    }
}

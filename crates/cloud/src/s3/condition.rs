//! `If-Match` and its kin.

use http::{HeaderMap, header};
use s3s::{
    S3Error, S3ErrorCode, S3Result,
    dto::{ETagCondition, Timestamp},
    s3_error,
};
use time::OffsetDateTime;

use super::object::{Content, Version};

/// What must hold for an object to be written or deleted.
#[derive(Debug, Default)]
pub(super) struct WriteCondition {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
}

impl WriteCondition {
    /// Checks against the object that is there, if one is.
    pub(super) fn check(&self, current: Option<&Content>) -> S3Result<()> {
        match &self.if_none_match {
            Some(ETagCondition::Any) if current.is_some() => {
                return Err(s3_error!(PreconditionFailed, "If-None-Match: the object is there"));
            }
            Some(ETagCondition::ETag(_)) => {
                return Err(s3_error!(NotImplemented, "A write takes If-None-Match with * only"));
            }
            _ => {}
        }
        match (&self.if_match, current) {
            (None, _) | (Some(ETagCondition::Any), Some(_)) => Ok(()),
            (Some(_), None) => Err(s3_error!(NoSuchKey, "If-Match: the object is not there")),
            (Some(ETagCondition::ETag(wanted)), Some(content)) if content.e_tag().strong_cmp(wanted) => Ok(()),
            (Some(ETagCondition::ETag(_)), Some(_)) => {
                Err(s3_error!(PreconditionFailed, "If-Match: the object has another ETag"))
            }
        }
    }
}

/// What must hold for an object to be read.
#[derive(Debug, Default)]
#[allow(clippy::struct_field_names, reason = "the names of the headers")]
pub(super) struct ReadCondition {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

impl ReadCondition {
    /// Checks in the order of HTTP: an `ETag` decides alone where one is given. `NotModified` is the answer to a
    /// client that has the object already.
    pub(super) fn check(&self, version: &Version, content: &Content) -> S3Result<()> {
        let matches = |condition: &ETagCondition| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(e_tag) => content.e_tag().weak_cmp(e_tag),
        };
        let newer_than = |time: &Timestamp| {
            // Dates in headers have no fractions of a second.
            version.modified.unix_timestamp() > OffsetDateTime::from(time.clone()).unix_timestamp()
        };
        let holds = match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) => matches(condition),
            (None, Some(time)) => !newer_than(time),
            (None, None) => true,
        };
        if !holds {
            return Err(s3_error!(PreconditionFailed, "The object is not the one asked for"));
        }
        let changed = match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) => !matches(condition),
            (None, Some(time)) => newer_than(time),
            (None, None) => true,
        };
        if changed { Ok(()) } else { Err(not_modified(content)) }
    }

    /// The same for the source of a copy, which has no "not modified".
    pub(super) fn check_source(&self, version: &Version, content: &Content) -> S3Result<()> {
        self.check(version, content).map_err(|error| match error.code() {
            S3ErrorCode::NotModified => {
                s3_error!(PreconditionFailed, "The source is the one excluded")
            }
            _ => error,
        })
    }
}

fn not_modified(content: &Content) -> S3Error {
    let mut error = s3_error!(NotModified);
    if let Ok(e_tag) = content.e_tag().to_http_header() {
        error.set_headers(HeaderMap::from_iter([(header::ETAG, e_tag)]));
    }
    error
}

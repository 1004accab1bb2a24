//! What is kept about an object.

use s3s::dto::{self, ETag, Timestamp};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::tags::Tags;

/// The id of the only version of an object in a bucket without versions.
pub(super) const NULL_VERSION: &str = "null";

/// One version of an object, or a delete marker. It is written as JSON beside the data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) key: String,
    /// Orders all changes in the store; part of the file name.
    pub(super) sequence: u64,
    pub(super) id: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) modified: OffsetDateTime,
    /// Nothing in a delete marker.
    pub(super) content: Option<Content>,
}

impl Version {
    pub(super) fn last_modified(&self) -> Timestamp {
        Timestamp::from(self.modified)
    }
}

/// The data of a version and what goes with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Content {
    /// The name of the data file, in the same folder.
    pub(super) file: String,
    pub(super) size: u64,
    /// Without quotes.
    pub(super) e_tag: String,
    pub(super) attributes: Attributes,
    pub(super) checksums: Checksums,
    /// The sizes of the parts it was uploaded in; empty if it came in one piece.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<u64>,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub(super) tags: Tags,
}

impl Content {
    pub(super) fn e_tag(&self) -> ETag {
        ETag::Strong(self.e_tag.clone())
    }
}

/// The headers a client stores with an object and gets back with it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Attributes {
    pub(super) content_type: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) content_language: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) expires: Option<Timestamp>,
    pub(super) website_redirect_location: Option<String>,
    pub(super) storage_class: Option<String>,
    pub(super) metadata: Option<dto::Metadata>,
}

impl Attributes {
    /// What the service gives to an object with no type of its own.
    pub(super) fn content_type(&self) -> String {
        self.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_owned())
    }
}

/// Takes the stored headers out of an input structure.
macro_rules! attributes {
    ($input:expr) => {
        $crate::s3::object::Attributes {
            content_type: $input.content_type.take(),
            content_encoding: $input.content_encoding.take(),
            content_disposition: $input.content_disposition.take(),
            content_language: $input.content_language.take(),
            cache_control: $input.cache_control.take(),
            expires: $input.expires.take(),
            website_redirect_location: $input.website_redirect_location.take(),
            storage_class: $input.storage_class.take().map(|class| class.as_str().to_owned()),
            metadata: $input.metadata.take(),
        }
    };
}
pub(super) use attributes;

/// Checksums in base64, for the algorithms the client chose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checksums {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crc32: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crc32c: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crc64nvme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
}

impl Checksums {
    /// Names as headers end with, and values.
    pub(super) fn named(&self) -> [(&'static str, Option<&String>); 5] {
        [
            ("crc32", self.crc32.as_ref()),
            ("crc32c", self.crc32c.as_ref()),
            ("crc64nvme", self.crc64nvme.as_ref()),
            ("sha1", self.sha1.as_ref()),
            ("sha256", self.sha256.as_ref()),
        ]
    }

    /// The place of an algorithm by its name, in any case.
    pub(super) fn slot(&mut self, algorithm: &str) -> Option<&mut Option<String>> {
        match algorithm.to_ascii_lowercase().as_str() {
            "crc32" => Some(&mut self.crc32),
            "crc32c" => Some(&mut self.crc32c),
            "crc64nvme" => Some(&mut self.crc64nvme),
            "sha1" => Some(&mut self.sha1),
            "sha256" => Some(&mut self.sha256),
            _ => None,
        }
    }
}

impl From<dto::Checksum> for Checksums {
    fn from(computed: dto::Checksum) -> Self {
        Self {
            crc32: computed.checksum_crc32,
            crc32c: computed.checksum_crc32c,
            crc64nvme: computed.checksum_crc64nvme,
            sha1: computed.checksum_sha1,
            sha256: computed.checksum_sha256,
        }
    }
}

/// Takes the checksums out of an input structure.
macro_rules! checksums {
    ($input:expr) => {
        $crate::s3::object::Checksums {
            crc32: $input.checksum_crc32.take(),
            crc32c: $input.checksum_crc32c.take(),
            crc64nvme: $input.checksum_crc64nvme.take(),
            sha1: $input.checksum_sha1.take(),
            sha256: $input.checksum_sha256.take(),
        }
    };
}
pub(super) use checksums;

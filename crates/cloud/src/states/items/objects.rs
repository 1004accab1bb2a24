//! What a distributed Map state needs of S3.

mod memory;

use std::io::Read;

use time::OffsetDateTime;
use uuid::Uuid;

pub use memory::Memory;

/// Objects to read and to write. All of it may block.
pub trait Objects: Send + Sync {
    /// `GetObject`: opens the newest version of an object, or the one that is asked for.
    fn open(&self, object: &ObjectId) -> Result<Box<dyn Read + Send>, ObjectsError>;

    /// `ListObjectsV2`: a page of a listing, which begins behind the key `after`.
    fn list(&self, listing: &Listing, after: Option<&str>) -> Result<Page, ObjectsError>;

    /// `PutObject`, of JSON.
    fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<(), ObjectsError>;
}

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectId {
    /// `Bucket`
    pub bucket: String,
    /// `Key`
    pub key: String,
    /// `VersionId`; the newest version where there is none.
    pub version_id: Option<String>,
}

impl ObjectId {
    /// The newest version of an object.
    pub fn newest(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), key: key.into(), version_id: None }
    }

    /// `S3://bucket/key`, as the service tells where an item is from.
    pub fn uri(&self) -> String {
        format!("S3://{}/{}", self.bucket, self.key)
    }
}

/// What to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// `Bucket`
    pub bucket: String,
    /// `Prefix`
    pub prefix: String,
    /// `StartAfter`
    pub start_after: Option<String>,
}

/// A part of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What was found, in the order of the keys.
    pub objects: Vec<ListedObject>,
    /// The last key, where more is behind it.
    pub next: Option<String>,
}

/// An entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// The object's key.
    pub key: String,
    /// Its `ETag`, with its quotes.
    pub e_tag: String,
    /// When it was written.
    pub last_modified: OffsetDateTime,
    /// Its size in bytes.
    pub size: u64,
    /// Its storage class: `STANDARD`.
    pub storage_class: String,
}

/// S3 refused.
///
/// It shows itself as the service does in the cause of an error, with the ids of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectsError {
    /// S3's name for the error: `NoSuchKey`.
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// What S3 says.
    pub message: String,
    request: Uuid,
}

impl ObjectsError {
    /// An error of a request that has just been made.
    pub fn new(code: impl Into<String>, status: u16, message: impl Into<String>) -> Self {
        Self { code: code.into(), status, message: message.into(), request: Uuid::new_v4() }
    }
}

impl std::fmt::Display for ObjectsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let extended = self.request.simple().to_string();
        let request = extended.get(..16).unwrap_or_default().to_uppercase();
        write!(
            f,
            "{} (Service: S3, Status Code: {}, Request ID: {request}, Extended Request ID: {extended})",
            self.message, self.status
        )
    }
}

impl std::error::Error for ObjectsError {}

//! Objects in memory, for tests and for the replay of recorded cases.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
    ops::Bound,
    sync::{Arc, PoisonError, RwLock},
};

use s3s::crypto::{Checksum as _, Md5};
use time::OffsetDateTime;

use super::{ListedObject, Listing, ObjectId, Objects, ObjectsError, Page};
use crate::s3::hex;

/// The service's page.
const PAGE: usize = 1000;

/// Buckets and objects in memory. They have no versions.
#[derive(Debug)]
pub struct Memory {
    buckets: RwLock<BTreeMap<String, Bucket>>,
    /// When every object was written.
    written_at: OffsetDateTime,
}

/// By key.
type Bucket = BTreeMap<String, Arc<[u8]>>;

impl Memory {
    /// No bucket. `written_at` is the time that every object gets.
    pub fn new(written_at: OffsetDateTime) -> Self {
        Self { buckets: RwLock::default(), written_at }
    }

    /// Makes a bucket, unless it is there.
    #[must_use]
    pub fn with_bucket(self, bucket: &str) -> Self {
        self.add_bucket(bucket);
        self
    }

    /// Makes a bucket among those that are there, unless it is one of them.
    pub fn add_bucket(&self, bucket: &str) {
        self.write().entry(bucket.to_owned()).or_default();
    }

    /// Adds an object, and its bucket where it is not there.
    #[must_use]
    pub fn with_object(self, bucket: &str, key: &str, data: impl Into<Vec<u8>>) -> Self {
        self.add(bucket, key, data);
        self
    }

    /// Adds an object to those that are there, and its bucket where it is not.
    pub fn add(&self, bucket: &str, key: &str, data: impl Into<Vec<u8>>) {
        self.write().entry(bucket.to_owned()).or_default().insert(key.to_owned(), data.into().into());
    }

    /// The data of an object.
    pub fn get(&self, bucket: &str, key: &str) -> Option<Arc<[u8]>> {
        self.read().get(bucket)?.get(key).cloned()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Bucket>> {
        self.buckets.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Bucket>> {
        self.buckets.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Objects for Memory {
    fn open(&self, object: &ObjectId) -> Result<Box<dyn Read + Send>, ObjectsError> {
        let buckets = self.read();
        let bucket = buckets.get(&object.bucket).ok_or_else(no_such_bucket)?;
        if object.version_id.is_some() {
            return Err(ObjectsError::new("NoSuchVersion", 404, "The specified version does not exist."));
        }
        let data = bucket.get(&object.key);
        let data = data.ok_or_else(|| ObjectsError::new("NoSuchKey", 404, "The specified key does not exist."))?;
        Ok(Box::new(Cursor::new(data.clone())))
    }

    fn list(&self, listing: &Listing, after: Option<&str>) -> Result<Page, ObjectsError> {
        let buckets = self.read();
        let bucket = buckets.get(&listing.bucket).ok_or_else(no_such_bucket)?;
        let from = match after.or(listing.start_after.as_deref()) {
            Some(after) if after >= listing.prefix.as_str() => Bound::Excluded(after),
            _ => Bound::Included(listing.prefix.as_str()),
        };
        let mut found =
            bucket.range::<str, _>((from, Bound::Unbounded)).take_while(|(key, _)| key.starts_with(&listing.prefix));
        let objects: Vec<_> = found.by_ref().take(PAGE).map(|(key, data)| listed(key, data, self.written_at)).collect();
        let next = found.next().and_then(|_| objects.last().map(|object| object.key.clone()));
        Ok(Page { objects, next })
    }

    fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<(), ObjectsError> {
        self.write().get_mut(bucket).ok_or_else(no_such_bucket)?.insert(key.to_owned(), body.into());
        Ok(())
    }
}

fn listed(key: &str, data: &[u8], written_at: OffsetDateTime) -> ListedObject {
    let mut md5 = Md5::new();
    md5.update(data);
    ListedObject {
        key: key.to_owned(),
        e_tag: format!("\"{}\"", hex(&md5.finalize())),
        last_modified: written_at,
        size: data.len() as u64,
        storage_class: "STANDARD".to_owned(),
    }
}

fn no_such_bucket() -> ObjectsError {
    ObjectsError::new("NoSuchBucket", 404, "The specified bucket does not exist")
}

//! Buckets and objects on disk, with an index in memory.
//!
//! ```text
//! <root>/.lock                        held while the store is open
//! <root>/<bucket>/bucket.json         when it was made, whether it keeps versions
//! <root>/<bucket>/objects/<n>.json    one version: key, ETag, headers
//! <root>/<bucket>/objects/<m>-<name>  its data; the name is the end of the key, for people
//! <root>/<bucket>/uploads/<id>/       a multipart upload under way
//! ```
//!
//! A key is never a path, so any key is safe and exact. A version exists once its JSON file does: that file is
//! moved into place whole, after the data. What a crash leaves behind is removed when the store is opened.

mod load;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use load::OpenError;

use super::{
    condition::WriteCondition,
    event::Deletion,
    locks::Locks,
    notifications::Notifications,
    object::{Content, NULL_VERSION, Version},
    tags::Tags,
};

/// What the folder of a bucket that is deleted is called from then on; no bucket's name begins so.
const DELETED: &str = ".deleted-";

/// Whether a bucket keeps old versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Versioning {
    /// It never did.
    Off,
    Enabled,
    /// It did; old versions stay, new objects replace each other.
    Suspended,
}

/// What `bucket.json` says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct BucketInfo {
    #[serde(with = "time::serde::rfc3339")]
    pub(super) created: OffsetDateTime,
    pub(super) versioning: Versioning,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub(super) tags: Tags,
    #[serde(default)]
    pub(super) notifications: Notifications,
}

impl BucketInfo {
    /// What is known of a new bucket.
    fn new(versioning: Versioning) -> Self {
        let (created, tags, notifications) = (OffsetDateTime::now_utc(), Tags::new(), Notifications::default());
        Self { created, versioning, tags, notifications }
    }
}

/// By key, the versions from the oldest to the newest. No list is empty.
pub(super) type Keys = BTreeMap<String, Vec<Arc<Version>>>;

/// A bucket in memory.
#[derive(Debug)]
pub(super) struct Bucket {
    /// By which it is known from one that was made in its place.
    made: u64,
    pub(super) info: BucketInfo,
    pub(super) keys: Keys,
}

impl Bucket {
    /// The object under a key: the newest version, unless that is a delete marker.
    pub(super) fn current(&self, key: &str) -> Option<&Arc<Version>> {
        self.keys.get(key)?.last().filter(|version| version.content.is_some())
    }

    /// A version's id as clients see it: none in a bucket that never kept versions.
    pub(super) fn visible_id(&self, version: &Version) -> Option<String> {
        (self.info.versioning != Versioning::Off).then(|| version.id.clone())
    }

    /// Finds the newest version, or the one with this id. Delete markers are errors that say so.
    pub(super) fn find(&self, key: &str, id: Option<&str>) -> S3Result<&Arc<Version>> {
        let versions = self.keys.get(key).map(Vec::as_slice).unwrap_or_default();
        let found = match id {
            None => versions.last().ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))?,
            Some(id) => versions
                .iter()
                .find(|version| version.id == id)
                .ok_or_else(|| s3_error!(NoSuchVersion, "The specified version does not exist."))?,
        };
        match found.content {
            Some(_) => Ok(found),
            None => Err(is_delete_marker(&found.id, id.is_some())),
        }
    }

    fn remove(&mut self, key: &str, id: &str) -> Option<Arc<Version>> {
        let versions = self.keys.get_mut(key)?;
        let at = versions.iter().position(|version| version.id == id)?;
        let removed = versions.remove(at);
        if versions.is_empty() {
            self.keys.remove(key);
        }
        Some(removed)
    }
}

/// Adds the newest version of its key, and gives back what it replaces.
fn insert(keys: &mut Keys, version: Arc<Version>) -> Vec<Arc<Version>> {
    let versions = keys.entry(version.key.clone()).or_default();
    let replaced = if version.id == NULL_VERSION {
        versions.extract_if(.., |old| old.id == NULL_VERSION).collect()
    } else {
        Vec::new()
    };
    versions.push(version);
    replaced
}

fn is_delete_marker(id: &str, asked_for: bool) -> S3Error {
    let mut error = if asked_for {
        s3_error!(MethodNotAllowed, "This version is a delete marker.")
    } else {
        s3_error!(NoSuchKey, "The specified key does not exist.")
    };
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static("x-amz-delete-marker"), HeaderValue::from_static("true"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-amz-version-id"), id);
    }
    error.set_headers(headers);
    error
}

/// What a deletion did.
#[derive(Debug)]
pub(super) struct Deleted {
    /// What happened; nothing when there was nothing to delete.
    pub(super) what: Option<Deletion>,
    /// The version that was deleted, or the new marker's.
    pub(super) version_id: Option<String>,
    /// Whether a marker was made, or the deleted version was one.
    pub(super) marker: bool,
    pub(super) sequence: u64,
}

/// All buckets. Its methods block on the disk, except where they say otherwise.
///
/// The index is locked for as long as it takes to look into it or to change it, and not while something is written: whoever
/// changes an object has that object's own lock meanwhile.
#[derive(Debug)]
pub(super) struct Store {
    root: PathBuf,
    buckets: RwLock<BTreeMap<String, Bucket>>,
    sequence: AtomicU64,
    /// One change of an object at a time, by bucket and key; and of a bucket, by an empty key.
    changing: Locks<(String, String)>,
    /// Who changes the parts of an upload, joins or removes them, does so alone.
    pub(super) upload_locks: Locks<PathBuf>,
    _lock: File,
}

impl Store {
    /// Runs a closure on a bucket. Does not touch the disk.
    pub(super) fn with_bucket<T>(&self, name: &str, run: impl FnOnce(&Bucket) -> S3Result<T>) -> S3Result<T> {
        run(self.read_index().get(name).ok_or_else(no_such_bucket)?)
    }

    /// Names and facts of all buckets. Does not touch the disk.
    pub(super) fn buckets(&self) -> Vec<(String, BucketInfo)> {
        self.read_index().iter().map(|(name, bucket)| (name.clone(), bucket.info.clone())).collect()
    }

    /// Makes a bucket unless it is there. Says whether it was made.
    pub(super) fn create_bucket(&self, name: &str, versioning: Versioning) -> S3Result<bool> {
        if !s3s::path::check_bucket_name(name) {
            return Err(s3_error!(InvalidBucketName, "The bucket name {name:?} is not valid."));
        }
        self.alone(name, "", || {
            if self.read_index().contains_key(name) {
                return Ok(false);
            }
            let info = BucketInfo::new(versioning);
            fs::create_dir_all(self.objects(name)).map_err(internal)?;
            self.write_info(name, &info)?;
            let bucket = Bucket { made: self.next_sequence(), info, keys: Keys::new() };
            self.write_index().insert(name.to_owned(), bucket);
            Ok(true)
        })
    }

    /// Deletes a bucket that holds no object and no version.
    pub(super) fn delete_bucket(&self, name: &str) -> S3Result<()> {
        let gone = self.root.join(format!("{DELETED}{:016x}", self.next_sequence()));
        self.alone(name, "", || {
            let mut buckets = self.write_index();
            let bucket = buckets.get(name).ok_or_else(no_such_bucket)?;
            if !bucket.keys.is_empty() {
                return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty."));
            }
            // In one step, so that a crash leaves all of it or nothing that the next opening takes for a bucket.
            fs::rename(self.root.join(name), &gone).map_err(internal)?;
            buckets.remove(name);
            Ok(())
        })?;
        if let Err(error) = fs::remove_dir_all(&gone) {
            tracing::warn!(%error, folder = %gone.display(), "what is left of a bucket goes at the next start");
        }
        Ok(())
    }

    /// Switches versions on, or suspends them.
    pub(super) fn set_versioning(&self, name: &str, versioning: Versioning) -> S3Result<()> {
        self.change_info(name, |info| info.versioning = versioning)
    }

    /// Gives a bucket these tags, in place of those that it has.
    pub(super) fn set_bucket_tags(&self, name: &str, tags: Tags) -> S3Result<()> {
        self.change_info(name, |info| info.tags = tags)
    }

    /// Has a bucket tell these, in place of those that it tells.
    pub(super) fn set_notifications(&self, name: &str, notifications: Notifications) -> S3Result<()> {
        self.change_info(name, |info| info.notifications = notifications)
    }

    fn change_info(&self, name: &str, change: impl FnOnce(&mut BucketInfo)) -> S3Result<()> {
        self.alone(name, "", || {
            let mut info = self.with_bucket(name, |bucket| Ok(bucket.info.clone()))?;
            change(&mut info);
            self.write_info(name, &info)?;
            if let Some(bucket) = self.write_index().get_mut(name) {
                bucket.info = info;
            }
            Ok(())
        })
    }

    /// Changes an object, or a bucket where the key is empty, while nobody else does: what was seen of it is so until the
    /// change is done.
    fn alone<T>(&self, bucket: &str, key: &str, change: impl FnOnce() -> S3Result<T>) -> S3Result<T> {
        let lock = self.changing.of((bucket.to_owned(), key.to_owned()));
        let _alone = lock.lock().unwrap_or_else(PoisonError::into_inner);
        change()
    }

    /// Gives an object these tags, in place of those that it has. It stays the version that it is.
    pub(super) fn set_tags(&self, bucket: &str, key: &str, id: Option<&str>, tags: Tags) -> S3Result<Retagged> {
        self.alone(bucket, key, || {
            let (made, before) =
                self.with_bucket(bucket, |found| Ok((found.made, Arc::clone(found.find(key, id)?))))?;
            let content = before.content.clone().ok_or_else(|| s3_error!(NoSuchKey))?;
            let version = Arc::new(Version { content: Some(Content { tags, ..content }), ..Version::clone(&before) });
            self.write_version(bucket, &version)?;
            let visible_id = self.change_index(bucket, made, |found| {
                let versions = found.keys.get_mut(key).into_iter().flatten();
                for held in versions.filter(|held| held.sequence == version.sequence) {
                    *held = Arc::clone(&version);
                }
                found.visible_id(&version)
            })?;
            Ok(Retagged { version, visible_id })
        })
    }

    /// A place for the data of an object to come. It is removed unless it is committed. Does not touch the disk.
    pub(super) fn new_data(&self, bucket: &str, key: &str) -> S3Result<DataFile> {
        self.with_bucket(bucket, |_| Ok(()))?;
        let name = format!("{:016x}-{}", self.next_sequence(), readable_end(key));
        Ok(DataFile { path: self.objects(bucket).join(&name), name, keep: false })
    }

    /// Makes received data the newest version of a key, if the condition holds.
    pub(super) fn commit(
        &self,
        bucket: &str,
        key: &str,
        mut data: DataFile,
        content: Content,
        condition: &WriteCondition,
    ) -> S3Result<Committed> {
        self.alone(bucket, key, || {
            let (made, versioning) = self.to_change(bucket, key, condition)?;
            let content = Content { file: data.name.clone(), ..content };
            let version = self.new_version(key, versioning, Some(content.clone()));
            let visible_id = self.add_version(bucket, made, &version)?;
            data.keep = true;
            Ok(Committed { version, content, visible_id })
        })
    }

    /// Deletes the object under a key as its bucket does, or one version for good.
    pub(super) fn delete(
        &self,
        bucket: &str,
        key: &str,
        id: Option<&str>,
        condition: &WriteCondition,
    ) -> S3Result<Deleted> {
        self.alone(bucket, key, || {
            let (made, versioning) = self.to_change(bucket, key, condition)?;
            if id.is_some() || versioning == Versioning::Off {
                let removed = self.remove_version(bucket, made, key, id.unwrap_or(NULL_VERSION))?;
                return Ok(Deleted {
                    what: removed.is_some().then_some(Deletion::Permanent),
                    version_id: id.map(str::to_owned),
                    marker: removed.is_some_and(|version| version.content.is_none()),
                    sequence: self.next_sequence(),
                });
            }
            let marker = self.new_version(key, versioning, None);
            self.add_version(bucket, made, &marker)?;
            Ok(Deleted {
                what: Some(Deletion::Marker),
                version_id: Some(marker.id.clone()),
                marker: true,
                sequence: marker.sequence,
            })
        })
    }

    /// Finds a version and opens its data.
    pub(super) fn open_data(&self, bucket: &str, key: &str, id: Option<&str>) -> S3Result<Opened> {
        // The file is opened under the lock, so that it cannot be replaced in between.
        self.with_bucket(bucket, |found| {
            let version = Arc::clone(found.find(key, id)?);
            let content = version.content.clone().ok_or_else(|| s3_error!(NoSuchKey))?;
            let file = File::open(self.objects(bucket).join(&content.file)).map_err(internal)?;
            Ok(Opened { visible_id: found.visible_id(&version), version, content, file })
        })
    }

    /// The folder of a bucket's multipart uploads.
    pub(super) fn uploads(&self, bucket: &str) -> PathBuf {
        self.root.join(bucket).join("uploads")
    }

    /// The data file of an object's newest version. Does not touch the disk.
    pub(super) fn file_of(&self, bucket: &str, key: &str) -> Option<PathBuf> {
        let index = self.read_index();
        let content = index.get(bucket)?.current(key)?.content.as_ref()?;
        Some(self.objects(bucket).join(&content.file))
    }

    fn objects(&self, bucket: &str) -> PathBuf {
        self.root.join(bucket).join("objects")
    }

    fn new_version(&self, key: &str, versioning: Versioning, content: Option<Content>) -> Arc<Version> {
        let id = match versioning {
            Versioning::Enabled => uuid::Uuid::new_v4().simple().to_string(),
            Versioning::Off | Versioning::Suspended => NULL_VERSION.to_owned(),
        };
        let modified = OffsetDateTime::now_utc();
        Arc::new(Version { key: key.to_owned(), sequence: self.next_sequence(), id, modified, content })
    }

    /// What whoever changes an object has to know of its bucket, if the condition holds.
    fn to_change(&self, bucket: &str, key: &str, condition: &WriteCondition) -> S3Result<(u64, Versioning)> {
        self.with_bucket(bucket, |found| {
            condition.check(found.current(key).and_then(|version| version.content.as_ref()))?;
            Ok((found.made, found.info.versioning))
        })
    }

    /// Changes a bucket in the index, unless it was deleted meanwhile.
    fn change_index<T>(&self, bucket: &str, made: u64, change: impl FnOnce(&mut Bucket) -> T) -> S3Result<T> {
        let mut buckets = self.write_index();
        let found = buckets.get_mut(bucket).filter(|found| found.made == made);
        found.map(change).ok_or_else(no_such_bucket)
    }

    /// Makes a version the newest of its key, and tells its id as clients see it.
    fn add_version(&self, bucket: &str, made: u64, version: &Arc<Version>) -> S3Result<Option<String>> {
        self.write_version(bucket, version)?;
        let added = self.change_index(bucket, made, |found| {
            (insert(&mut found.keys, Arc::clone(version)), found.visible_id(version))
        });
        let (replaced, visible_id) = added.inspect_err(|_| {
            // Another bucket may be in the place of the one that it was for.
            let _ = fs::remove_file(self.file_of_version(bucket, version));
        })?;
        for version in replaced {
            // The next opening removes what stays here: the newer version tells that it is replaced.
            Self::remove_behind(&self.file_of_version(bucket, &version));
            self.remove_data(bucket, &version);
        }
        Ok(visible_id)
    }

    /// Removes a version for good, and gives it, where there is one.
    fn remove_version(&self, bucket: &str, made: u64, key: &str, id: &str) -> S3Result<Option<Arc<Version>>> {
        let found = self.with_bucket(bucket, |found| {
            let mut versions = found.keys.get(key).into_iter().flatten();
            Ok(versions.find(|version| version.id == id).cloned())
        })?;
        let Some(version) = found else { return Ok(None) };
        // As long as this file is there, the version is.
        fs::remove_file(self.file_of_version(bucket, &version)).map_err(internal)?;
        self.change_index(bucket, made, |found| found.remove(key, id))?;
        self.remove_data(bucket, &version);
        Ok(Some(version))
    }

    /// Removes the data of a version that is gone. What stays, the next opening removes.
    fn remove_data(&self, bucket: &str, version: &Version) {
        if let Some(content) = &version.content {
            Self::remove_behind(&self.objects(bucket).join(&content.file));
        }
    }

    fn remove_behind(file: &Path) {
        if let Err(error) = fs::remove_file(file) {
            tracing::warn!(%error, file = %file.display(), "the file of a version that is gone stays until the next start");
        }
    }

    fn file_of_version(&self, bucket: &str, version: &Version) -> PathBuf {
        self.objects(bucket).join(version_file(version.sequence))
    }

    fn write_version(&self, bucket: &str, version: &Version) -> S3Result<()> {
        write_json(&self.file_of_version(bucket, version), version)
    }

    fn write_info(&self, bucket: &str, info: &BucketInfo) -> S3Result<()> {
        write_json(&self.root.join(bucket).join("bucket.json"), info)
    }

    /// Grows with the clock, and past it when several are asked for at once.
    fn next_sequence(&self) -> u64 {
        let now = u64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos()).unwrap_or_default();
        let next = |last: u64| now.max(last + 1);
        next(self.sequence.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last))).unwrap_or(now))
    }

    fn read_index(&self) -> RwLockReadGuard<'_, BTreeMap<String, Bucket>> {
        self.buckets.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_index(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Bucket>> {
        self.buckets.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A version that was just written.
#[derive(Debug)]
pub(super) struct Committed {
    pub(super) version: Arc<Version>,
    pub(super) content: Content,
    pub(super) visible_id: Option<String>,
}

/// An object whose tags were changed.
#[derive(Debug)]
pub(super) struct Retagged {
    pub(super) version: Arc<Version>,
    pub(super) visible_id: Option<String>,
}

/// A version, and its data ready to be read.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) version: Arc<Version>,
    pub(super) visible_id: Option<String>,
    pub(super) content: Content,
    pub(super) file: File,
}

/// The file for data on its way in.
#[derive(Debug)]
pub(super) struct DataFile {
    path: PathBuf,
    name: String,
    keep: bool,
}

impl DataFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DataFile {
    fn drop(&mut self) {
        if !self.keep {
            // It may never have been written.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The text that orders events, from a sequence number.
pub(super) fn sequencer(sequence: u64) -> String {
    format!("{sequence:018X}")
}

pub(super) fn internal(error: io::Error) -> S3Error {
    S3Error::internal_error(error)
}

pub(super) fn no_such_bucket() -> S3Error {
    s3_error!(NoSuchBucket, "The specified bucket does not exist")
}

/// Writes a JSON file whole or not at all.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> S3Result<()> {
    let json = serde_json::to_vec(value).map_err(S3Error::internal_error)?;
    let unfinished = path.with_extension("tmp");
    fs::write(&unfinished, json).and_then(|()| fs::rename(&unfinished, path)).map_err(internal)
}

fn version_file(sequence: u64) -> String {
    format!("{sequence:016x}.json")
}

/// The last segment of a key as far as every file system can write it, so that people recognise the file.
fn readable_end(key: &str) -> String {
    const LONGEST: usize = 60;
    let end = key.rsplit('/').find(|segment| !segment.is_empty()).unwrap_or_default();
    let skipped = end.chars().count().saturating_sub(LONGEST);
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' }
    };
    end.chars().skip(skipped).map(plain).collect()
}

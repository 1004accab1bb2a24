//! Multipart uploads under way: a folder each, with a file for every part.
//!
//! ```text
//! upload.json              the key and the headers of the object to be
//! part-<number>-<md5>      a part that was received whole
//! receiving-<id>           a part on its way in
//! ```

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    object::Attributes,
    receive::Received,
    store::{DataFile, Store, internal, write_json},
    tags::Tags,
};

/// What was said when the upload began.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) key: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) initiated: OffsetDateTime,
    pub(super) attributes: Attributes,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub(super) tags: Tags,
}

/// A part that was received.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) number: i32,
    /// Its MD5 in hexadecimal.
    pub(super) e_tag: String,
    pub(super) size: u64,
    pub(super) modified: OffsetDateTime,
    path: PathBuf,
}

/// The folder of one upload. Its methods block on the disk.
#[derive(Debug)]
pub(super) struct UploadFolder {
    path: PathBuf,
    lock: Arc<Mutex<()>>,
}

impl UploadFolder {
    /// Begins an upload and gives its id.
    pub(super) fn create(store: &Store, bucket: &str, upload: &Upload) -> S3Result<String> {
        let id = Uuid::new_v4().simple().to_string();
        let path = store.uploads(bucket).join(&id);
        fs::create_dir_all(&path).map_err(internal)?;
        write_json(&path.join("upload.json"), upload)?;
        Ok(id)
    }

    /// Finds an upload of this key.
    pub(super) fn open(store: &Store, bucket: &str, key: &str, id: &str) -> S3Result<(Self, Upload)> {
        store.with_bucket(bucket, |_| Ok(()))?;
        // Only ids of our own making become paths.
        let id = Uuid::try_parse(id).map_err(|_| no_such_upload())?.simple().to_string();
        let path = store.uploads(bucket).join(id);
        match read_upload(&path)? {
            Some(upload) if upload.key == key => Ok((Self { lock: store.upload_locks.of(path.clone()), path }, upload)),
            _ => Err(no_such_upload()),
        }
    }

    /// Has the upload for oneself, unless it has ended meanwhile.
    pub(super) fn lock(&self) -> S3Result<MutexGuard<'_, ()>> {
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        match read_upload(&self.path)? {
            Some(_) => Ok(guard),
            None => Err(no_such_upload()),
        }
    }

    /// All uploads of a bucket with their ids, by key and then by age.
    pub(super) fn all(store: &Store, bucket: &str) -> S3Result<Vec<(String, Upload)>> {
        store.with_bucket(bucket, |_| Ok(()))?;
        let mut uploads = Vec::new();
        for path in entries(&store.uploads(bucket))? {
            let id = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            uploads.extend(read_upload(&path)?.map(|upload| (id, upload)));
        }
        uploads.sort_by(|(_, a), (_, b)| (&a.key, a.initiated).cmp(&(&b.key, b.initiated)));
        Ok(uploads)
    }

    /// A place for a part on its way in.
    pub(super) fn receiving(&self) -> PathBuf {
        self.path.join(format!("receiving-{}", Uuid::new_v4().simple()))
    }

    /// Keeps a received part, in the place of an earlier one with this number.
    pub(super) fn keep(&self, received: &Path, number: i32, facts: &Received) -> S3Result<()> {
        let _alone = self.lock()?;
        let part = self.path.join(format!("part-{number:05}-{}", facts.e_tag()));
        fs::rename(received, &part).map_err(internal)?;
        let start = format!("part-{number:05}-");
        for other in entries(&self.path)? {
            let same_number =
                other.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&start));
            if same_number && other != part {
                fs::remove_file(&other).map_err(internal)?;
            }
        }
        Ok(())
    }

    /// The parts that were received, by number.
    pub(super) fn parts(&self) -> S3Result<BTreeMap<i32, Part>> {
        let mut parts = BTreeMap::new();
        for path in entries(&self.path)? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some((number, e_tag)) = name.strip_prefix("part-").and_then(|rest| rest.split_once('-')) else {
                continue;
            };
            let Ok(number) = number.parse() else { continue };
            let facts = fs::metadata(&path).map_err(internal)?;
            let modified = facts.modified().map_err(internal)?.into();
            let part = Part { number, e_tag: e_tag.to_owned(), size: facts.len(), modified, path: path.clone() };
            parts.insert(number, part);
        }
        Ok(parts)
    }

    /// Writes the parts one after the other into the object's file.
    pub(super) fn join(parts: &[Part], data: &DataFile) -> S3Result<()> {
        let mut whole = File::create(data.path()).map_err(internal)?;
        for part in parts {
            let mut part = File::open(&part.path).map_err(internal)?;
            io::copy(&mut part, &mut whole).map_err(internal)?;
        }
        Ok(())
    }

    /// Ends the upload: nothing of it stays.
    pub(super) fn remove(&self) -> S3Result<()> {
        fs::remove_dir_all(&self.path).map_err(internal)
    }
}

fn no_such_upload() -> S3Error {
    s3_error!(NoSuchUpload, "The specified multipart upload does not exist.")
}

fn read_upload(path: &Path) -> S3Result<Option<Upload>> {
    match fs::read(path.join("upload.json")) {
        Ok(json) => serde_json::from_slice(&json).map(Some).map_err(|error| internal(error.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(internal(error)),
    }
}

/// The files of a folder; none when it is not there.
fn entries(folder: &Path) -> S3Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>().map_err(internal)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(internal(error)),
    }
}

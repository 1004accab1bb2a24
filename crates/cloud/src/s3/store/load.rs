//! Opening a store: takes the lock, reads the index, sweeps up after a crash.

use std::{
    collections::{BTreeMap, HashSet},
    ffi::OsString,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, RwLock, atomic::AtomicU64},
};

use serde::de::DeserializeOwned;

use super::{Bucket, BucketInfo, Keys, Store, Version, insert, version_file};

/// Why the folder of a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file or folder cannot be read or written.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// Another process has the store open.
    #[error("{} is in use by another process", .folder.display())]
    InUse {
        /// The folder of the store.
        folder: PathBuf,
    },
    /// A file that the store wrote is not readable any more.
    #[error("{} is damaged: {source}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Store {
    /// Opens the store in a folder, which is made when it is not there.
    pub(in crate::s3) fn open(root: &Path) -> Result<Self, OpenError> {
        fs::create_dir_all(root).map_err(at(root))?;
        let lock = lock(root)?;
        let mut buckets = BTreeMap::new();
        for entry in fs::read_dir(root).map_err(at(root))? {
            let folder = entry.map_err(at(root))?.path();
            let info = folder.join("bucket.json");
            if let (Some(name), true) = (folder.file_name().and_then(|name| name.to_str()), info.is_file()) {
                let info: BucketInfo = read_json(&info)?;
                buckets.insert(name.to_owned(), Bucket { info, keys: read_objects(&folder.join("objects"))? });
            }
        }
        let versions = buckets.values().flat_map(|bucket| bucket.keys.values().flatten());
        let last = versions.map(|version| version.sequence).max().unwrap_or_default();
        Ok(Self { root: root.to_owned(), buckets: RwLock::new(buckets), sequence: AtomicU64::new(last), _lock: lock })
    }
}

fn lock(root: &Path) -> Result<File, OpenError> {
    let path = root.join(".lock");
    let file = File::create(&path).map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { folder: root.to_owned() }),
        Err(TryLockError::Error(source)) => Err(OpenError::Io { path, source }),
    }
}

fn read_objects(folder: &Path) -> Result<Keys, OpenError> {
    let mut files: HashSet<OsString> = HashSet::new();
    let mut versions: Vec<Version> = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let entry = entry.map_err(at(folder))?;
        let path = entry.path();
        // Data files have the end of a key as their name, which may be `.json` too.
        let is_version = path.extension().is_some_and(|extension| extension == "json")
            && path.file_stem().is_some_and(|stem| !stem.as_encoded_bytes().contains(&b'-'));
        if is_version {
            versions.push(read_json(&path)?);
        }
        files.insert(entry.file_name());
    }
    versions.sort_by_key(|version| version.sequence);
    let mut keys = Keys::new();
    for version in versions {
        // A version that a newer one replaced before the crash is dropped here, and its files below.
        insert(&mut keys, Arc::new(version));
    }
    for version in keys.values().flatten() {
        files.remove(&OsString::from(version_file(version.sequence)));
        if let Some(content) = &version.content {
            files.remove(&OsString::from(&content.file));
        }
    }
    for left_over in files {
        let path = folder.join(left_over);
        fs::remove_file(&path).map_err(at(&path))?;
    }
    Ok(keys)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, OpenError> {
    let json = fs::read(path).map_err(at(path))?;
    serde_json::from_slice(&json).map_err(|source| OpenError::Damaged { path: path.to_owned(), source })
}

fn at(path: &Path) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Io { path: path.to_owned(), source }
}

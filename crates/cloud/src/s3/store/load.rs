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

use super::{Bucket, BucketInfo, DELETED, Keys, Locks, Store, Version, Versioning, insert, version_file};
use crate::data;

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
    /// A file does not have what the store wrote to it.
    #[error(
        "{} is broken ({source}): put one in its place that is whole, or start without what it has with \
         --set-aside-broken, which keeps it under another name", .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Store {
    /// Opens the store in a folder, which is made when it is not there. What is broken in it is an error, or is kept aside.
    pub(in crate::s3) fn open(root: &Path, set_aside_broken: bool) -> Result<Self, OpenError> {
        fs::create_dir_all(root).map_err(at(root))?;
        let lock = lock(root)?;
        let mut buckets = BTreeMap::new();
        for entry in fs::read_dir(root).map_err(at(root))? {
            let folder = entry.map_err(at(root))?.path();
            if folder.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(DELETED.as_bytes())) {
                fs::remove_dir_all(&folder).map_err(at(&folder))?;
                continue;
            }
            let info = folder.join("bucket.json");
            if let (Some(name), true) = (folder.file_name().and_then(|name| name.to_str()), info.is_file()) {
                let info = read_info(&info, set_aside_broken)?;
                buckets
                    .insert(name.to_owned(), Bucket { made: 0, info, keys: read_objects(&folder, set_aside_broken)? });
            }
        }
        let versions = buckets.values().flat_map(|bucket| bucket.keys.values().flatten());
        let last = versions.map(|version| version.sequence).max().unwrap_or_default();
        Ok(Self {
            root: root.to_owned(),
            buckets: RwLock::new(buckets),
            sequence: AtomicU64::new(last),
            upload_locks: Locks::default(),
            changing: Locks::default(),
            _lock: lock,
        })
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

/// What is known of a bucket. One of which it is broken has its objects still, and the settings of a new one.
fn read_info(path: &Path, set_aside_broken: bool) -> Result<BucketInfo, OpenError> {
    match read_json(path) {
        Err(error @ OpenError::Damaged { .. }) if set_aside_broken => {
            let kept = data::set_aside(path).map_err(at(path))?;
            tracing::warn!("{error}: it is kept as {}, and not used", kept.display());
            let info = BucketInfo::new(Versioning::Off);
            let text = serde_json::to_vec(&info)
                .map_err(|error| OpenError::Io { path: path.to_owned(), source: error.into() })?;
            fs::write(path, text).map_err(at(path))?;
            Ok(info)
        }
        read => read,
    }
}

fn read_objects(bucket: &Path, set_aside_broken: bool) -> Result<Keys, OpenError> {
    let folder = &*bucket.join("objects");
    let mut files: HashSet<OsString> = HashSet::new();
    let mut versions: Vec<Version> = Vec::new();
    let mut is_broken = false;
    // A bucket without it has no objects.
    fs::create_dir_all(folder).map_err(at(folder))?;
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let entry = entry.map_err(at(folder))?;
        let path = entry.path();
        // Data files have the end of a key as their name, which may be `.json` too.
        let is_version = path.extension().is_some_and(|extension| extension == "json")
            && path.file_stem().is_some_and(|stem| !stem.as_encoded_bytes().contains(&b'-'));
        if is_version {
            match read_json(&path) {
                Ok(version) => versions.push(version),
                Err(error @ OpenError::Damaged { .. }) if set_aside_broken => {
                    tracing::warn!("{error}: it is kept in another folder, and not used");
                    is_broken = true;
                }
                Err(error) => return Err(error),
            }
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
    // What belongs to a broken version is among what no other one names.
    let kept = if is_broken { Some(folder_beside(folder)?) } else { None };
    for left_over in files {
        let path = folder.join(&left_over);
        match &kept {
            Some(kept) => fs::rename(&path, kept.join(left_over)),
            None => fs::remove_file(&path),
        }
        .map_err(at(&path))?;
    }
    Ok(keys)
}

/// A new folder beside another one, with the end that broken files are given.
fn folder_beside(folder: &Path) -> Result<PathBuf, OpenError> {
    let kept = data::name_aside(folder).map_err(at(folder))?;
    fs::create_dir(&kept).map_err(at(&kept))?;
    tracing::warn!("what is broken among the objects is kept in {}", kept.display());
    Ok(kept)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, OpenError> {
    let json = fs::read(path).map_err(at(path))?;
    serde_json::from_slice(&json).map_err(|source| OpenError::Damaged { path: path.to_owned(), source })
}

fn at(path: &Path) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Io { path: path.to_owned(), source }
}

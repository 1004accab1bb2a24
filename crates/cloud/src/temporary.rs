//! Folders that go with the runner: when they are dropped or, where the runner was killed, when another one begins.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// What the names of all these folders begin with.
const PREFIX: &str = "stairwell-";
/// The file that the folder's runner holds a lock on for as long as it lives.
const LOCK: &str = "lock";

/// A folder for what nobody keeps.
#[derive(Debug)]
pub(crate) struct Temporary {
    path: PathBuf,
    _folder: TempDir,
    _lock: File,
}

impl Temporary {
    /// Makes an empty folder, whose name says what it is for, and removes those that runners have left that were killed.
    pub(crate) fn new(purpose: &str) -> io::Result<Self> {
        Self::new_in(&std::env::temp_dir(), purpose)
    }

    fn new_in(parent: &Path, purpose: &str) -> io::Result<Self> {
        remove_left_behind(parent);
        let folder = tempfile::Builder::new().prefix(&format!("{PREFIX}{purpose}-")).tempdir_in(parent)?;
        let path = folder.path().join("content");
        fs::create_dir(&path)?;
        // It gets its name when it is locked, so that nobody sees it unlocked before the runner's end.
        let unnamed = folder.path().join("new");
        let lock = File::create(&unnamed)?;
        lock.lock()?;
        fs::rename(unnamed, folder.path().join(LOCK))?;
        Ok(Self { path, _folder: folder, _lock: lock })
    }

    /// The folder, which has in it what is put there.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes the folders of this user whose runners are gone. One that can't be removed is no error of the runner that begins.
fn remove_left_behind(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX))
            && entry
                .metadata()
                .is_ok_and(|folder| folder.is_dir() && folder.uid() == rustix::process::geteuid().as_raw());
        // The lock of a process ends with it, however it ends.
        let is_left = || File::open(entry.path().join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_ours && is_left() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_runner_has_left_that_was_killed_is_removed_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let count = || fs::read_dir(parent.path()).unwrap().count();
        let alive = Temporary::new_in(parent.path(), "home").unwrap();
        fs::write(alive.path().join("file"), "").unwrap();
        // As a kill leaves it: the folder is there, and nobody has the lock.
        let left = parent.path().join("stairwell-home-left");
        fs::create_dir_all(left.join("content/deep")).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        // Of something else, or of a runner that has not locked it yet.
        fs::create_dir(parent.path().join("stairwell-other")).unwrap();
        fs::create_dir(parent.path().join("mine")).unwrap();
        let next = Temporary::new_in(parent.path(), "home").unwrap();
        assert!(!left.exists());
        assert!(alive.path().join("file").exists() && next.path().exists());
        assert_eq!(count(), 4);
        drop((alive, next));
        assert_eq!(count(), 2);
    }
}

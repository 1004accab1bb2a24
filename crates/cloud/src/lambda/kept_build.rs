//! Builds that stay as they are while they are used, whatever Cargo writes in their place.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process,
};

use rustix::{
    io::Errno,
    process::{Pid, test_kill_process},
};
use tempfile::TempDir;

/// What the folders of builds are called, before the number of the process that has made them.
const PREFIX: &str = ".stairwell-";

/// An executable under a name of its own, beside the one that Cargo gave it. The name goes when this is dropped.
#[derive(Debug)]
pub(crate) struct KeptBuild {
    path: PathBuf,
    _folder: TempDir,
}

impl KeptBuild {
    /// Gives an executable one more name. It costs no space: the two are one file until Cargo puts another in the place of its
    /// own.
    pub(crate) fn of(executable: &Path) -> io::Result<Self> {
        let (Some(parent), Some(name)) = (executable.parent(), executable.file_name()) else {
            return Err(io::ErrorKind::InvalidFilename.into());
        };
        remove_left_behind(parent)?;
        let folder = tempfile::Builder::new().prefix(&format!("{PREFIX}{}-", process::id())).tempdir_in(parent)?;
        let path = folder.path().join(name);
        fs::hard_link(executable, &path)?;
        Ok(Self { path, _folder: folder })
    }

    /// Its name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether two names are of one file.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| path.metadata().map(|file| (file.dev(), file.ino())).ok();
    id(one).is_some_and(|one| id(other) == Some(one))
}

/// Removes what runners have left that were killed.
fn remove_left_behind(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok());
        // A process of another user, which may not be sent anything, is there.
        let is_gone =
            |process| Pid::from_raw(process).is_some_and(|process| test_kill_process(process) == Err(Errno::SRCH));
        if process.is_some_and(is_gone) {
            // Another runner may be about to do the same.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

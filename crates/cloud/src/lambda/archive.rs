//! Archives of code: unpacked into folders, and kept there by the hash of their bytes.
//!
//! Source of the limits: "Lambda quotas". An archive is somebody else's data: no entry of it gets outside its folder, no link
//! is made, and what it would unpack to is limited by what is written, not by what it says of itself.

use std::{
    fs,
    io::{self, Cursor, Read, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use zip::ZipArchive;

use super::deployed::Archive;
use crate::{s3::hex, temporary::Temporary};

/// The largest archive in a request, in bytes.
pub(crate) const MAX_ARCHIVE: u64 = 50 * 1024 * 1024;
/// The most that an archive may unpack to, in bytes.
pub(crate) const MAX_UNPACKED: u64 = 250 * 1024 * 1024;
/// The most files and folders that one may have.
const MAX_ENTRIES: usize = 100_000;

/// Why an archive is not unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    #[error("Could not unzip uploaded file. Please check your file, then try to upload again.")]
    Unreadable,
    #[error("Unzipped size must be smaller than {MAX_UNPACKED} bytes")]
    TooLarge,
    #[error("The archive has more than {MAX_ENTRIES} entries.")]
    TooManyEntries,
    #[error("The archive's entry {0:?} has a name that leads out of its folder.")]
    Outside(String),
    #[error("The archive's entry {0:?} is a symbolic link, which is not unpacked here.")]
    Link(String),
    #[error("The code could not be kept: {0}")]
    Io(#[from] io::Error),
}

/// The folder that code is unpacked to.
#[derive(Debug)]
pub(crate) struct CodeFolder {
    path: PathBuf,
    /// Where nothing is kept, it goes with this.
    _temporary: Option<Temporary>,
}

impl CodeFolder {
    /// A folder that stays, or one that goes with this.
    pub(crate) fn open(path: Option<PathBuf>) -> io::Result<Self> {
        match path {
            Some(path) => Ok(Self { path, _temporary: None }),
            None => {
                let temporary = Temporary::new("functions")?;
                Ok(Self { path: temporary.path().to_owned(), _temporary: Some(temporary) })
            }
        }
    }

    /// Where an archive's code is, once it is unpacked.
    pub(crate) fn of(&self, archive: &Archive) -> PathBuf {
        self.path.join(&archive.sha256)
    }

    /// Unpacks an archive, unless it has been before. Blocks on the disk.
    pub(crate) fn unpack(&self, bytes: &[u8]) -> Result<Archive, ArchiveError> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let archive = Archive { sha256: hex(&Sha256::digest(bytes)), size };
        let folder = self.of(&archive);
        if folder.is_dir() {
            return Ok(archive);
        }
        fs::create_dir_all(&self.path)?;
        // Whoever finds the folder finds all of it.
        let unpacked = TempDir::new_in(&self.path)?;
        unpack(bytes, unpacked.path())?;
        match fs::rename(unpacked.path(), &folder) {
            // Somebody else has unpacked the same.
            Err(_) if folder.is_dir() => {}
            renamed => renamed?,
        }
        Ok(archive)
    }

    /// Removes the code that nothing of `kept` is. A file is none: somebody else has put it there.
    pub(crate) fn keep_only(&self, kept: &[Archive]) -> io::Result<()> {
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let is_kept = kept.iter().any(|archive| *archive.sha256 == *entry.file_name());
            if !is_kept && entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

fn unpack(bytes: &[u8], folder: &Path) -> Result<(), ArchiveError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| ArchiveError::Unreadable)?;
    if archive.len() > MAX_ENTRIES {
        return Err(ArchiveError::TooManyEntries);
    }
    let mut left = MAX_UNPACKED;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|_| ArchiveError::Unreadable)?;
        let name = entry.name().map_err(|_| ArchiveError::Unreadable)?.into_owned();
        let Some(inside) = entry.enclosed_name() else { return Err(ArchiveError::Outside(name)) };
        let path = folder.join(inside);
        if entry.is_symlink() {
            return Err(ArchiveError::Link(name));
        }
        if entry.is_dir() {
            fs::create_dir_all(&path)?;
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = fs::File::create(&path)?;
        left = copy(&mut entry, &mut file, left)?;
        set_executable(&file, entry.unix_mode())?;
    }
    Ok(())
}

/// Copies what `from` has, which may be `left` bytes; gives what is left after.
fn copy(from: &mut impl Read, to: &mut impl Write, mut left: u64) -> Result<u64, ArchiveError> {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut chunk).map_err(|_| ArchiveError::Unreadable)?;
        if length == 0 {
            return Ok(left);
        }
        let taken = u64::try_from(length).unwrap_or(u64::MAX);
        left = left.checked_sub(taken).ok_or(ArchiveError::TooLarge)?;
        to.write_all(chunk.get(..length).unwrap_or_default())?;
    }
}

/// Whoever may read a file may execute it, where the archive says that anybody may. Nothing else of its modes is taken over.
fn set_executable(file: &fs::File, mode: Option<u32>) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let is_executable = mode.is_some_and(|mode| mode & 0o111 != 0);
    file.set_permissions(fs::Permissions::from_mode(if is_executable { 0o755 } else { 0o644 }))
}

#[cfg(test)]
mod tests {
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(*name, SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn folder() -> CodeFolder {
        CodeFolder::open(None).unwrap()
    }

    #[test]
    fn an_archive_is_unpacked_once_and_found_by_its_hash() {
        let code = folder();
        let bytes = zipped(&[("app.py", b"x"), ("lib/more.py", b"y")]);
        let archive = code.unpack(&bytes).unwrap();
        assert_eq!(archive.size, bytes.len() as u64);
        assert_eq!(fs::read(code.of(&archive).join("lib/more.py")).unwrap(), b"y");
        assert_eq!(code.unpack(&bytes).unwrap(), archive);
        let other = code.unpack(&zipped(&[("app.py", b"z")])).unwrap();
        fs::write(code.path.join(".DS_Store"), "of somebody else").unwrap();
        code.keep_only(std::slice::from_ref(&other)).unwrap();
        assert_eq!((code.of(&archive).exists(), code.of(&other).exists()), (false, true));
    }

    #[test]
    fn an_archive_that_is_hostile_or_broken_leaves_nothing() {
        let zeros = vec![0; 60 * 1024 * 1024];
        let bomb: Vec<(String, &[u8])> = (0..5).map(|number| (number.to_string(), zeros.as_slice())).collect();
        let bomb: Vec<(&str, &[u8])> = bomb.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        let mut link = ZipWriter::new(Cursor::new(Vec::new()));
        link.add_symlink("app.py", "/etc/passwd", SimpleFileOptions::default()).unwrap();
        let cases = [
            (zipped(&[("../out.py", b"x")]), "leads out"),
            (zipped(&[("a/../../out.py", b"x")]), "leads out"),
            (link.finish().unwrap().into_inner(), "symbolic link"),
            (zipped(&bomb), "Unzipped size"),
            (b"no archive".to_vec(), "Could not unzip"),
            (zipped(&[("app.py", b"x")])[..20].to_vec(), "Could not unzip"),
        ];
        for (bytes, expected) in cases {
            let code = folder();
            let error = code.unpack(&bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert_eq!(fs::read_dir(&code.path).unwrap().count(), 0, "{expected}");
            assert!(!code.path.parent().unwrap().join("out.py").exists());
        }
    }
}

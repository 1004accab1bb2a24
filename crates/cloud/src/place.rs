//! Where a local cloud is: its port and its folder, which no other one has at the same time.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
};

use crate::{
    data::{self, Broken},
    local::Options,
    server::{BindError, Reserved, Server},
};

/// The file that whoever uses a folder keeps locked.
const LOCK: &str = "lock";

/// What is in that file begins so.
const HOLDER: &str = "process ";

/// Why a place can't be had.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The port.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The folder can't be made or written to.
    #[error("cannot use {} to keep data", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// A file of the folder does not have what was written to it.
    #[error(
        "{} is broken ({problem}): put one in its place that is whole, or start without what it has with \
         --set-aside-broken, which keeps it under another name", file.display()
    )]
    Broken {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The folder has files that no local cloud has put there.
    #[error(
        "{} has files that are no data of a local cloud: name a folder of its own with --data", folder.display()
    )]
    Foreign {
        /// The folder.
        folder: PathBuf,
    },
    /// Another local cloud uses the folder.
    #[error(
        "another runner{} keeps its data in {}: stop it, use it by its port, name another folder with --data, or keep \
         nothing with --ephemeral",
        holder.as_ref().map(|holder| format!(" ({holder})")).unwrap_or_default(), folder.display()
    )]
    Taken {
        /// The folder.
        folder: PathBuf,
        /// Its process and its port, where it has told them.
        holder: Option<String>,
    },
}

/// A port and a folder, taken for a local cloud that is still to be started. Both are free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    pub(crate) options: Options,
    pub(crate) port: Reserved,
    pub(crate) lock: Option<fs::File>,
}

impl Place {
    /// Takes them, or tells who has them. Must be called inside a Tokio runtime.
    pub fn take(options: Options) -> Result<Self, PlaceError> {
        Self::take_with(Server::reserve(Server::loopback(options.port))?, options)
    }

    /// Takes the folder, beside a port that was taken before.
    pub fn take_with(port: Reserved, options: Options) -> Result<Self, PlaceError> {
        let whose = format!("{HOLDER}{}, port {}", process::id(), port.address().port());
        let lock = options.folder.as_deref().map(|folder| lock(folder, &whose)).transpose()?;
        if let Some(folder) = &options.folder {
            see_to_broken(folder, options.set_aside_broken)?;
        }
        Ok(Self { options, port, lock })
    }

    /// Removes a folder with all that a local cloud has kept in it, unless one is using it. Says whether there was one: a
    /// folder that no local cloud has ever used is left alone.
    pub fn reset(folder: &Path) -> Result<bool, PlaceError> {
        let failed = |source| PlaceError::Folder { folder: folder.to_owned(), source };
        if !is_of_a_local_cloud(folder).map_err(failed)? {
            return Ok(false);
        }
        let _lock = lock(folder, &format!("{HOLDER}{}", process::id()))?;
        fs::remove_dir_all(folder).map_err(failed)?;
        Ok(true)
    }
}

/// Refuses a folder with files that are broken, or gives them another name.
fn see_to_broken(folder: &Path, set_aside: bool) -> Result<(), PlaceError> {
    let failed = |source| PlaceError::Folder { folder: folder.to_owned(), source };
    for Broken { file, problem } in data::broken(folder).map_err(failed)? {
        if !set_aside {
            return Err(PlaceError::Broken { file, problem });
        }
        let kept = data::set_aside(&file).map_err(failed)?;
        tracing::warn!("{} is broken ({problem}): it is kept as {}, and not used", file.display(), kept.display());
    }
    Ok(())
}

/// Whether a local cloud has used the folder: then all that is in it is its data.
fn is_of_a_local_cloud(folder: &Path) -> io::Result<bool> {
    match fs::read(folder.join(LOCK)) {
        Ok(holder) => Ok(holder.is_empty() || holder.starts_with(HOLDER.as_bytes())),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether there is nothing in the folder, or no folder.
fn is_free(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Makes the folder, and keeps other runners out of it for as long as the file is open. They find in it whose it is. A folder
/// with the files of somebody else is refused: what is in it would go with the data.
fn lock(folder: &Path, whose: &str) -> Result<fs::File, PlaceError> {
    let failed = |source| PlaceError::Folder { folder: folder.to_owned(), source };
    if !is_of_a_local_cloud(folder).map_err(failed)? && !is_free(folder).map_err(failed)? {
        return Err(PlaceError::Foreign { folder: folder.to_owned() });
    }
    fs::create_dir_all(folder).map_err(failed)?;
    // What another runner has written must not go before its lock is seen.
    let options = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).to_owned();
    let mut file = options.open(folder.join(LOCK)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(failed)?;
            file.write_all(whose.as_bytes()).map_err(failed)?;
            // Nobody wants the data in a repository.
            fs::write(folder.join(".gitignore"), "*\n").map_err(failed)?;
            Ok(file)
        }
        Err(fs::TryLockError::WouldBlock) => {
            Err(PlaceError::Taken { folder: folder.to_owned(), holder: holder(&mut file) })
        }
        Err(fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// What the holder of the lock wrote: one short line, or nothing that can be told.
fn holder(file: &mut fs::File) -> Option<String> {
    const LONGEST: u64 = 100;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    (!text.is_empty() && !text.contains(char::is_control)).then_some(text)
}

//! Files that keep what was made by the API between two runs.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use serde::{Serialize, de::DeserializeOwned};

/// A file with a JSON value, or nothing for what goes with the process.
#[derive(Debug, Default)]
pub struct Store(Option<PathBuf>);

/// What a file has can't be used, or the file can't be written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system can't read or write it.
    #[error("cannot use {}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// It does not have what it should.
    #[error("{} is broken ({source}): move the file away to start without what it has", file.display())]
    Json {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// It has a state machine whose definition is not accepted.
    #[error(
        "{}: the state machine {state_machine} can't be run any more ({problem}): delete it with the version that created \
         it, or move the file away to start without what it has", file.display()
    )]
    Definition {
        /// The file.
        file: PathBuf,
        /// The machine's ARN.
        state_machine: String,
        /// What is wrong with the definition.
        problem: String,
    },
}

impl Store {
    /// A file, which is made when there is something to keep.
    pub fn at(file: PathBuf) -> Self {
        Self(Some(file))
    }

    /// What the file has, and an empty value where there is none.
    pub(crate) fn read<T: DeserializeOwned + Default>(&self) -> Result<T, StoreError> {
        let Some(file) = &self.0 else { return Ok(T::default()) };
        match fs::read(file) {
            Ok(text) => serde_json::from_slice(&text).map_err(|source| StoreError::Json { file: file.clone(), source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
            Err(source) => Err(StoreError::Io { file: file.clone(), source }),
        }
    }

    /// Writes the file anew: whoever reads it finds what was there before, or this.
    pub(crate) fn write(&self, value: &impl Serialize) -> Result<(), StoreError> {
        let Some(file) = &self.0 else { return Ok(()) };
        let failed = |source| StoreError::Io { file: file.clone(), source };
        let text = serde_json::to_vec(value).map_err(|source| StoreError::Json { file: file.clone(), source })?;
        let folder = file.parent().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
        fs::create_dir_all(folder).map_err(failed)?;
        let mut new = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        new.write_all(&text).map_err(failed)?;
        new.persist(file).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// A definition that it has is not accepted.
    pub(super) fn refuse(&self, state_machine: &str, problem: String) -> StoreError {
        let file = self.0.clone().unwrap_or_default();
        StoreError::Definition { file, state_machine: state_machine.to_owned(), problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_what_was_written_last() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/b.json");
        let store = Store::at(file.clone());
        assert!(store.read::<Vec<u32>>().unwrap().is_empty());
        store.write(&[1, 2]).unwrap();
        store.write(&[3]).unwrap();
        assert_eq!(store.read::<Vec<u32>>().unwrap(), [3]);
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1);
        fs::write(&file, "[").unwrap();
        assert!(matches!(store.read::<Vec<u32>>(), Err(StoreError::Json { .. })));
    }

    #[test]
    fn what_goes_with_the_process_is_not_written() {
        let store = Store::default();
        store.write(&[1]).unwrap();
        assert!(store.read::<Vec<u32>>().unwrap().is_empty());
    }
}

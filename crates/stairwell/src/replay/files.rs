//! Finding the files of recorded cases.

use std::path::{Path, PathBuf};

use super::ReplayError;

/// The given files, and every `.json` file below the given folders, in the order of their names.
pub(super) fn cases(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ReplayError> {
    let mut cases = Vec::new();
    for path in paths {
        let kind = std::fs::metadata(path).map_err(|source| ReplayError::Read { path: path.clone(), source })?;
        if kind.is_dir() { below(path, &mut cases)? } else { cases.push(path.clone()) }
    }
    Ok(cases)
}

fn below(folder: &Path, cases: &mut Vec<PathBuf>) -> Result<(), ReplayError> {
    let error = |source| ReplayError::Read { path: folder.into(), source };
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(error)?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            below(&path, cases)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            cases.push(path);
        }
    }
    Ok(())
}

//! Whether what was kept can be read, looked at before anything is started with it.
//!
//! Objects are not looked at here: S3 reads all that it has of them when it is opened, and does then what is done here.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};
use serde::de::IgnoredAny;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

/// The events that functions are not done with.
pub(crate) const EVENTS: &str = "lambda/events.sqlite";

/// What FIFO topics got lately.
pub(crate) const SENT_BY_TOPICS: &str = "sns/sent.sqlite";

/// The databases of a folder.
const DATABASES: [&str; 5] =
    ["executions/journal.sqlite", "sqs/queues.sqlite", "dynamodb/tables.sqlite", EVENTS, SENT_BY_TOPICS];

/// What SQLite keeps beside a database while it is open, and after its process was killed.
const BESIDE_A_DATABASE: [&str; 2] = ["-wal", "-shm"];

/// The largest database that is looked through, in bytes: that takes a second at most. In a larger one SQLite tells of what is
/// broken when it comes to it.
const LARGEST: u64 = 512 * 1024 * 1024;

/// What SQLite tells of a database that is whole.
const WHOLE: &str = "ok";

/// A moment in the name of a file: `20261121T120000`.
const MOMENT: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]");

/// A file that does not have what the runner wrote.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) file: PathBuf,
    pub(crate) problem: String,
}

/// The files of a folder that are broken. One that can't be read for another reason is its reader's matter.
pub(crate) fn broken(folder: &Path) -> io::Result<Vec<Broken>> {
    let mut broken = Vec::new();
    let mut look =
        |file: PathBuf, problem: Option<String>| broken.extend(problem.map(|problem| Broken { file, problem }));
    for name in DATABASES {
        let file = folder.join(name);
        let problem = in_database(&file);
        look(file, problem);
    }
    for entry in fs::read_dir(folder)? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "json") {
            let problem = in_json(&file);
            look(file, problem);
        }
    }
    Ok(broken)
}

/// Gives a file another name, which it returns, with what belongs to it.
pub(crate) fn set_aside(file: &Path) -> io::Result<PathBuf> {
    let aside = name_aside(file)?;
    fs::rename(file, &aside)?;
    for end in BESIDE_A_DATABASE {
        match fs::rename(with_end(file, end), with_end(&aside, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

/// The name that a file has when it is set aside now.
pub(crate) fn name_aside(file: &Path) -> io::Result<PathBuf> {
    let now = OffsetDateTime::now_utc().format(MOMENT).map_err(io::Error::other)?;
    Ok(with_end(file, &format!(".broken-{now}")))
}

fn with_end(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn in_database(file: &Path) -> Option<String> {
    let size = fs::metadata(file).ok()?.len();
    let look = || -> rusqlite::Result<String> {
        // Whoever only reads could not take in what a killed process has left beside the file.
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        if size > LARGEST {
            return connection.pragma_query_value(None, "schema_version", |_| Ok(WHOLE.to_owned()));
        }
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
    };
    match look() {
        Ok(found) => (found != WHOLE).then_some(found),
        Err(error) => is_of_the_content(&error).then(|| error.to_string()),
    }
}

fn is_of_the_content(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    error.sqlite_error_code().is_some_and(|code| matches!(code, DatabaseCorrupt | NotADatabase))
}

fn in_json(file: &Path) -> Option<String> {
    let text = fs::read(file).ok()?;
    serde_json::from_slice::<IgnoredAny>(&text).err().map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(file: &Path) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let connection = Connection::open(file).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a); CREATE TABLE u (b);").unwrap();
        for number in 0..1000 {
            connection.execute("INSERT INTO t VALUES (?)", [format!("{number:0100}")]).unwrap();
        }
    }

    #[test]
    fn what_is_broken_is_found_and_what_is_whole_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        assert_eq!(broken(folder.path()).unwrap(), []);
        for name in DATABASES {
            database(&file(name));
        }
        fs::write(file("rules.json"), "{}").unwrap();
        fs::write(file("lock"), "process 1").unwrap();
        assert_eq!(broken(folder.path()).unwrap(), []);

        fs::write(file("rules.json"), "{").unwrap();
        fs::write(file("sqs/queues.sqlite"), "this is no database, and never was one, however long it is looked at")
            .unwrap();
        let mut pages = fs::read(file("executions/journal.sqlite")).unwrap();
        let middle = pages.len() / 2;
        pages[middle..].fill(0xee);
        fs::write(file("executions/journal.sqlite"), &pages).unwrap();
        let found: Vec<_> = broken(folder.path()).unwrap().into_iter().map(|broken| broken.file).collect();
        assert_eq!(found, ["executions/journal.sqlite", "sqs/queues.sqlite", "rules.json"].map(file));
    }

    #[test]
    fn what_is_set_aside_is_kept_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.sqlite");
        fs::write(&file, "a").unwrap();
        fs::write(with_end(&file, "-wal"), "w").unwrap();
        let aside = set_aside(&file).unwrap();
        assert_eq!(
            (fs::read(&aside).unwrap(), fs::read(with_end(&aside, "-wal")).unwrap()),
            (b"a".into(), b"w".into())
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}

//! The journal: what Standard executions were told, on the disk before anything comes of it.
//!
//! The core is deterministic, so the journal need not have the events. It has what an execution was told, and when;
//! who tells it again gets the same history, the same calls and the same timers. That is how an execution goes on
//! after the runner was killed, and how the history of one that has ended is read.
//!
//! - an execution has a row with its [`Identity`], its [`Definition`] and its status
//! - a Map Run has a row with what is known of it beyond its execution, in the words of who carries it out
//! - each **turn** has a row: what the execution was told at one moment, which of its evaluations took too long, and a
//!   fingerprint of its history after it. A
//!   replay whose fingerprint is another one is no replay: the execution is refused, see [`RecallError::Diverged`]
//!
//! It is an SQLite database in WAL mode with `synchronous=NORMAL`: a commit is in the system's memory when it returns,
//! and on the medium at the next checkpoint. So a killed process loses nothing. After a loss of power the last turns
//! may be gone, and the execution goes on from the one before; the database stays whole.

mod definition;
mod fingerprint;
mod forget;
mod map_runs;
mod replay;
mod resuming;
mod rows;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use rusqlite::Connection;

pub use definition::{Definition, DefinitionId};
pub use replay::RecallError;
pub use rows::{Listed, Wanted};

pub(crate) use fingerprint::Fingerprint;
pub(crate) use replay::{Replayed, replay};
pub(crate) use resuming::MOST_STARTS;
pub(crate) use rows::{ExecutionRow, Recorded, Standing, Turn};

#[cfg(doc)]
use crate::core::Identity;

/// The layout of the tables, which `PRAGMA user_version` of a file must name.
const LAYOUT: i64 = 6;

/// How long another process may hold the file, such as a person who looks into it.
const BUSY: Duration = Duration::from_secs(5);

const TABLES: &str = "
    CREATE TABLE definitions (
        id   BLOB PRIMARY KEY,
        text TEXT NOT NULL
    ) STRICT;

    CREATE TABLE executions (
        number      INTEGER PRIMARY KEY,
        arn         TEXT NOT NULL UNIQUE,
        machine_arn TEXT NOT NULL,
        version_arn TEXT,
        alias_arn   TEXT,
        map_run_arn TEXT,
        name        TEXT NOT NULL,
        status      TEXT NOT NULL,
        started_at  INTEGER NOT NULL,
        stopped_at  INTEGER,
        definition  BLOB NOT NULL REFERENCES definitions (id),
        identity    TEXT NOT NULL,
        redrives    INTEGER NOT NULL DEFAULT 0,
        redriven_at INTEGER,
        item_count  INTEGER
    ) STRICT;
    CREATE INDEX executions_of_machine ON executions (machine_arn, number);
    CREATE INDEX executions_that_run ON executions (number) WHERE status = 'RUNNING';

    CREATE TABLE turns (
        execution INTEGER NOT NULL REFERENCES executions (number),
        number    INTEGER NOT NULL,
        at        INTEGER NOT NULL,
        happened  TEXT NOT NULL,
        events    INTEGER NOT NULL,
        digest    INTEGER NOT NULL,
        too_long  TEXT,
        PRIMARY KEY (execution, number)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE map_runs (
        number        INTEGER PRIMARY KEY,
        arn           TEXT NOT NULL UNIQUE,
        execution_arn TEXT NOT NULL,
        record        TEXT NOT NULL,
        children      TEXT
    ) STRICT;
    CREATE INDEX map_runs_of_execution ON map_runs (execution_arn, number);
";

/// From layout 3, which knew nothing of redrives and Map Runs.
const FROM_LAYOUT_3: &str = "
    ALTER TABLE executions ADD COLUMN redrives INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE executions ADD COLUMN redriven_at INTEGER;
    CREATE TABLE map_runs (
        number        INTEGER PRIMARY KEY,
        arn           TEXT NOT NULL UNIQUE,
        execution_arn TEXT NOT NULL,
        record        TEXT NOT NULL
    ) STRICT;
    CREATE INDEX map_runs_of_execution ON map_runs (execution_arn, number);
";

/// From layout 4, which knew nothing of how many items child executions have, nor of what Express ones gave.
const FROM_LAYOUT_4: &str = "
    ALTER TABLE executions ADD COLUMN item_count INTEGER;
    ALTER TABLE map_runs ADD COLUMN children TEXT;
";

/// From layout 5, which knew nothing of evaluations that took too long.
const FROM_LAYOUT_5: &str = "
    ALTER TABLE turns ADD COLUMN too_long TEXT;
";

/// Which executions are being let go on, and how many starts of the runner have ended over each. A version that knows nothing of
/// it does without, so this is no other layout.
const RESUMING: &str = "
    CREATE TABLE IF NOT EXISTS resuming (
        arn    TEXT PRIMARY KEY,
        starts INTEGER NOT NULL
    ) STRICT;
";

/// The journal of one runner.
#[derive(Debug)]
pub struct Journal {
    connection: Mutex<Connection>,
    /// When it was last looked for what is too old, in seconds since 1970.
    forgotten_at: AtomicI64,
    closed: AtomicBool,
}

/// Why the journal can't be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The folder cannot be made.
    #[error("cannot use the folder {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// The file is not a journal, or is broken.
    #[error("cannot open the journal {}: move the file away to start without executions", file.display())]
    Open {
        /// The file.
        file: PathBuf,
        /// SQLite's own error.
        source: rusqlite::Error,
    },
    /// The file is of another version.
    #[error(
        "the journal {} has the layout {found}, and this version reads {LAYOUT}: finish its executions with the \
         version that wrote it, or move the file away to start without executions", file.display()
    )]
    Layout {
        /// The file.
        file: PathBuf,
        /// The layout's number.
        found: i64,
    },
    /// It can't be read or written.
    #[error("the journal: {0}")]
    Database(#[from] rusqlite::Error),
    /// What it should have is not JSON, or what it has is not.
    #[error("the journal: {0}")]
    Json(#[from] serde_json::Error),
    /// The runner stops.
    #[error("the runner stops")]
    Closed,
}

impl Journal {
    /// Opens the journal in `folder`, which is made when it is not there. Blocks on the disk.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        fs::create_dir_all(folder).map_err(|source| JournalError::Folder { folder: folder.to_owned(), source })?;
        let file = folder.join("journal.sqlite");
        let failed = |source| JournalError::Open { file: file.clone(), source };
        let connection = Connection::open(&file).map_err(failed)?;
        let found = prepare(&connection).map_err(failed)?;
        if found != LAYOUT {
            return Err(JournalError::Layout { file, found });
        }
        Ok(Self::of(connection))
    }

    /// A journal that goes with the process.
    pub fn in_memory() -> Result<Self, JournalError> {
        let connection = Connection::open_in_memory()?;
        prepare(&connection)?;
        Ok(Self::of(connection))
    }

    fn of(connection: Connection) -> Self {
        let (forgotten_at, closed) = (AtomicI64::new(0), AtomicBool::new(false));
        let journal = Self { connection: Mutex::new(connection), forgotten_at, closed };
        journal.forget(&journal.reader());
        journal
    }

    /// Takes nothing more: what happens from now on has not happened, and is found again at the next start.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        // SQLite rolls back what a panic cut short.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> Result<MutexGuard<'_, Connection>, JournalError> {
        let connection = self.reader();
        if self.closed.load(Ordering::Acquire) { Err(JournalError::Closed) } else { Ok(connection) }
    }
}

/// Makes the tables where there are none, and tells the layout that there is.
fn prepare(connection: &Connection) -> rusqlite::Result<i64> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let layout = |connection: &Connection| connection.pragma_query_value(None, "user_version", |row| row.get(0));
    let changes: &[&str] = match layout(connection)? {
        0 => &[TABLES],
        3 => &[FROM_LAYOUT_3, FROM_LAYOUT_4, FROM_LAYOUT_5],
        4 => &[FROM_LAYOUT_4, FROM_LAYOUT_5],
        5 => &[FROM_LAYOUT_5],
        _ => &[],
    };
    if !changes.is_empty() {
        let changes = changes.concat();
        let changes = format!("BEGIN IMMEDIATE; {changes} PRAGMA user_version = {LAYOUT}; COMMIT;");
        connection.execute_batch(&changes)?;
    }
    let found = layout(connection)?;
    if found == LAYOUT {
        connection.execute_batch(RESUMING)?;
    }
    Ok(found)
}

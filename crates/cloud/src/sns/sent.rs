//! What FIFO topics got lately: a message that comes once more is not sent again, also after a restart.

use std::{fs, io, path::Path};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Published;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS sent (
        topic TEXT NOT NULL, deduplication_id TEXT NOT NULL, message_id TEXT NOT NULL, sequence_number TEXT,
        at INTEGER NOT NULL, PRIMARY KEY (topic, deduplication_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS sent_by_age ON sent (at);
";

/// Why it can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SentError {
    /// The folder can't be made.
    #[error(transparent)]
    Folder(#[from] io::Error),
    /// The file can't be read.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

/// The messages, by topic and deduplication id. All times are milliseconds since 1970.
#[derive(Debug)]
pub(super) struct Sent(Connection);

impl Sent {
    /// Opens the file, or keeps them in memory.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, SentError> {
        let connection = match file {
            Some(file) => {
                file.parent().map(fs::create_dir_all).transpose()?;
                Connection::open(file)?
            }
            None => Connection::open_in_memory()?,
        };
        // What is written is in the system's memory, so it outlives this process; a loss of power is another matter.
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;")?;
        connection.execute_batch(TABLES)?;
        Ok(Self(connection))
    }

    /// What was answered to a message that a topic got since a time.
    pub(super) fn before(&self, topic: &str, id: &str, since: i64) -> rusqlite::Result<Option<Published>> {
        let sql = "SELECT message_id, sequence_number FROM sent WHERE topic = ? AND deduplication_id = ? AND at > ?";
        let mut row = self.0.prepare_cached(sql)?;
        let found = row.query_row(params![topic, id, since], |row| {
            Ok(Published { message_id: row.get(0)?, sequence_number: row.get(1)? })
        });
        found.optional()
    }

    /// Remembers what was answered to a message.
    pub(super) fn add(&self, topic: &str, id: &str, published: &Published, at: i64) -> rusqlite::Result<()> {
        let Published { message_id, sequence_number } = published;
        let mut row = self.0.prepare_cached("INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?, ?)")?;
        row.execute(params![topic, id, message_id, sequence_number, at]).map(drop)
    }

    /// Forgets what is older.
    pub(super) fn forget(&self, before: i64) -> rusqlite::Result<()> {
        self.0.prepare_cached("DELETE FROM sent WHERE at < ?")?.execute([before]).map(drop)
    }
}

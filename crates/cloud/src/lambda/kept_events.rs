//! The events that functions are not done with, on the disk: what was accepted outlives the runner.
//!
//! An event is written before its caller is answered, and deleted once all who want to know of its end have been told. So a
//! function may see the same event twice, as on Lambda. It is an SQLite database like that of the executions: a process that
//! is killed loses nothing.

use std::{
    fs, io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use rusqlite::{Connection, Row, params};
use time::OffsetDateTime;

use super::invocation::Task;

/// The layout of the table, which `PRAGMA user_version` of a file must name.
const LAYOUT: i64 = 1;

/// The payload is the last column: whoever asks for the others does not read it. Times are milliseconds since 1970.
const TABLES: &str = "
    CREATE TABLE events (
        number         INTEGER PRIMARY KEY,
        reference      TEXT NOT NULL,
        function       TEXT NOT NULL,
        invoked_arn    TEXT NOT NULL,
        request_id     TEXT NOT NULL,
        trace_id       TEXT NOT NULL,
        client_context TEXT,
        received_at    INTEGER NOT NULL,
        attempts       INTEGER NOT NULL DEFAULT 0,
        due_at         INTEGER NOT NULL,
        payload        BLOB NOT NULL
    ) STRICT;
";

/// Why the events can't be had.
#[derive(Debug, thiserror::Error)]
pub enum KeptEventsError {
    /// The folder can't be made.
    #[error(transparent)]
    Folder(#[from] io::Error),
    /// The file can't be read.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// The file is of another version.
    #[error("it has the layout {found}, and this version reads {LAYOUT}")]
    Layout {
        /// The layout's number.
        found: i64,
    },
}

/// The rows.
#[derive(Debug)]
pub(crate) struct KeptEvents(Mutex<Connection>);

/// An event that is kept, until it is [done](Self::done).
#[derive(Clone, Debug)]
pub(crate) struct KeptEvent {
    events: Arc<KeptEvents>,
    number: i64,
}

/// What is known of an event.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// What the caller named.
    pub(crate) reference: String,
    /// The function's name.
    pub(crate) function: String,
    pub(crate) task: Task,
    pub(crate) received_at: OffsetDateTime,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// When it is tried next.
    pub(crate) due_at: OffsetDateTime,
}

impl KeptEvents {
    /// Opens the file, which is made where it is not there.
    pub(crate) fn open(file: &Path) -> Result<Arc<Self>, KeptEventsError> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let connection = Connection::open(file)?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
        let layout = |connection: &Connection| connection.pragma_query_value(None, "user_version", |row| row.get(0));
        if layout(&connection)? == 0 {
            connection.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {LAYOUT}; COMMIT;"))?;
        }
        match layout(&connection)? {
            LAYOUT => Ok(Arc::new(Self(Mutex::new(connection)))),
            found => Err(KeptEventsError::Layout { found }),
        }
    }

    /// Keeps an event.
    pub(crate) fn keep(self: &Arc<Self>, event: &Known) -> rusqlite::Result<KeptEvent> {
        let Known { reference, function, task, received_at, attempts, due_at } = event;
        let Task { invoked_arn, request_id, payload, trace_id, client_context } = task;
        let connection = self.connection();
        connection.prepare_cached("INSERT INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?.execute(
            params![
                reference,
                function,
                invoked_arn,
                request_id,
                trace_id,
                client_context,
                milliseconds(*received_at),
                attempts,
                milliseconds(*due_at),
                &**payload,
            ],
        )?;
        Ok(KeptEvent { events: Arc::clone(self), number: connection.last_insert_rowid() })
    }

    /// All events, those first that came first.
    pub(crate) fn all(self: &Arc<Self>) -> rusqlite::Result<Vec<(KeptEvent, Known)>> {
        let connection = self.connection();
        let mut rows = connection.prepare("SELECT * FROM events ORDER BY number")?;
        let read = |row: &Row<'_>| {
            let payload: Vec<u8> = row.get("payload")?;
            let task = Task {
                invoked_arn: row.get("invoked_arn")?,
                request_id: row.get("request_id")?,
                payload: Bytes::from(payload),
                trace_id: row.get("trace_id")?,
                client_context: row.get("client_context")?,
            };
            let event = Known {
                reference: row.get("reference")?,
                function: row.get("function")?,
                task,
                received_at: moment(row.get("received_at")?),
                attempts: row.get("attempts")?,
                due_at: moment(row.get("due_at")?),
            };
            Ok((KeptEvent { events: Arc::clone(self), number: row.get("number")? }, event))
        };
        rows.query_map([], read)?.collect()
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptEvent {
    /// Notes that it was tried, and when it is tried next.
    pub(crate) fn tried(&self, attempts: u32, due_at: OffsetDateTime) {
        let connection = self.events.connection();
        let noted = connection
            .prepare_cached("UPDATE events SET attempts = ?, due_at = ? WHERE number = ?")
            .and_then(|mut row| row.execute(params![attempts, milliseconds(due_at), self.number]));
        if let Err(error) = noted {
            tracing::warn!(%error, "it can't be noted that an event was tried: after a restart it may be tried too often");
        }
    }

    /// Deletes it: it is not taken up again.
    pub(crate) fn done(&self) {
        let connection = self.events.connection();
        let deleted = connection
            .prepare_cached("DELETE FROM events WHERE number = ?")
            .and_then(|mut row| row.execute([self.number]));
        if let Err(error) = deleted {
            tracing::warn!(%error, "an event that is done with can't be deleted: after a restart it is done once more");
        }
    }
}

fn milliseconds(moment: OffsetDateTime) -> i64 {
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

fn moment(milliseconds: i64) -> OffsetDateTime {
    let nanoseconds = i128::from(milliseconds) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lambda::invocation::InvokeOptions;

    #[test]
    fn what_is_not_done_with_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lambda/events.sqlite");
        let moment = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let options = InvokeOptions { client_context: Some("{}".to_owned()), ..InvokeOptions::default() };
        let event = |payload: &'static [u8]| Known {
            reference: "Deeds:live".to_owned(),
            function: "Deeds".to_owned(),
            task: Task::new("arn:Deeds".to_owned(), Bytes::from_static(payload), options.clone()).unwrap(),
            received_at: moment,
            attempts: 0,
            due_at: moment,
        };
        let kept: Vec<_> = {
            let events = KeptEvents::open(&file).unwrap();
            [b"1", b"2", b"3"].map(|payload| events.keep(&event(payload)).unwrap()).into()
        };
        let later = moment + time::Duration::minutes(1);
        kept[0].tried(1, later);
        kept[1].done();
        drop(kept);
        let events = KeptEvents::open(&file).unwrap();
        let found: Vec<_> = events.all().unwrap().into_iter().map(|(_, event)| event).collect();
        let facts: Vec<_> =
            found.iter().map(|event| (&*event.task.payload, event.attempts, event.received_at, event.due_at)).collect();
        assert_eq!(facts, [(b"1".as_slice(), 1, moment, later), (b"3", 0, moment, moment)]);
        assert_eq!(found[0].reference, "Deeds:live");
        assert_eq!(found[0].task.client_context.as_deref(), Some("{}"));
    }

    #[test]
    fn a_file_of_another_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events.sqlite");
        Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(KeptEvents::open(&file), Err(KeptEventsError::Layout { found: 99 })));
    }
}

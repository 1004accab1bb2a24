//! Queues and their messages as rows of a database: what was acknowledged outlives the runner.
//!
//! A message is hidden while `visible_at` is ahead. It has a receipt once it was received, so a hidden one with a receipt is
//! in flight, and one without is delayed. All times are milliseconds since 1970.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::message::{Attribute, Outgoing, Received};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS queues (
        name TEXT PRIMARY KEY, attributes TEXT NOT NULL, tags TEXT NOT NULL,
        created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS messages (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
        attributes TEXT NOT NULL, trace_header TEXT, group_id TEXT, deduplication_id TEXT,
        sent_at INTEGER NOT NULL, visible_at INTEGER NOT NULL,
        receipt TEXT, received INTEGER NOT NULL DEFAULT 0, first_received_at INTEGER, source TEXT
    );
    CREATE INDEX IF NOT EXISTS by_queue ON messages (queue, sequence);
    CREATE INDEX IF NOT EXISTS by_receipt ON messages (receipt) WHERE receipt IS NOT NULL;
    CREATE TABLE IF NOT EXISTS sent (
        queue TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, sequence INTEGER NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (queue, key)
    ) WITHOUT ROWID;";

type Result<T> = rusqlite::Result<T>;

/// The rows.
#[derive(Debug)]
pub(super) struct Store(Connection);

/// A queue as it is kept.
pub(super) struct QueueRow {
    pub(super) name: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) created_at: i64,
    pub(super) changed_at: i64,
}

/// How many messages a queue has, by what can be done with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) visible: i64,
    pub(super) in_flight: i64,
    pub(super) delayed: i64,
}

/// A message that has gone to the dead-letter queue.
pub(super) struct Moved {
    pub(super) message_id: String,
    /// How often it had been received.
    pub(super) received: u32,
}

/// What is asked of a queue.
pub(super) struct Wanted<'a> {
    pub(super) queue: &'a str,
    pub(super) most: usize,
    pub(super) hidden_for: i64,
    pub(super) is_fifo: bool,
    /// After how many times, and to which queue, a message goes that was received too often; and what the queue's own ARN is.
    pub(super) redrive: Option<Redrive<'a>>,
}

pub(super) struct Redrive<'a> {
    pub(super) max_receive_count: u32,
    pub(super) target: &'a str,
    pub(super) source_arn: &'a str,
}

/// A message that is known by its receipt.
pub(super) struct Held {
    pub(super) sequence: i64,
    pub(super) visible_at: i64,
}

impl Store {
    /// Opens the file, or keeps the rows in memory.
    pub(super) fn open(file: Option<&Path>) -> Result<Self> {
        let connection = match file {
            Some(file) => Connection::open(file)?,
            None => Connection::open_in_memory()?,
        };
        connection.set_prepared_statement_cache_capacity(64);
        // What is written is in the system's memory, so it outlives this process; a loss of power is another matter.
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;")?;
        connection.execute_batch(TABLES)?;
        Ok(Self(connection))
    }

    pub(super) fn queues(&self) -> Result<Vec<QueueRow>> {
        let mut rows = self.0.prepare("SELECT name, attributes, tags, created_at, changed_at FROM queues")?;
        let queues = rows.query_map([], |row| {
            Ok(QueueRow {
                name: row.get(0)?,
                attributes: json(row, 1)?,
                tags: json(row, 2)?,
                created_at: row.get(3)?,
                changed_at: row.get(4)?,
            })
        })?;
        queues.collect()
    }

    pub(super) fn put_queue(&self, queue: &QueueRow) -> Result<()> {
        let mut row = self.0.prepare_cached("INSERT OR REPLACE INTO queues VALUES (?, ?, ?, ?, ?)")?;
        let (attributes, tags) = (text(&queue.attributes), text(&queue.tags));
        row.execute(params![queue.name, attributes, tags, queue.created_at, queue.changed_at]).map(drop)
    }

    pub(super) fn delete_queue(&mut self, name: &str) -> Result<()> {
        let change = self.0.transaction()?;
        for table in ["messages", "sent"] {
            change.execute(&format!("DELETE FROM {table} WHERE queue = ?"), [name])?;
        }
        change.execute("DELETE FROM queues WHERE name = ?", [name])?;
        change.commit()
    }

    pub(super) fn purge(&self, queue: &str) -> Result<()> {
        self.0.execute("DELETE FROM messages WHERE queue = ?", [queue]).map(drop)
    }

    /// The id and the sequence of what was sent with this key since a time.
    pub(super) fn sent_before(&self, queue: &str, key: &str, since: i64) -> Result<Option<(String, i64)>> {
        let mut row = self.0.prepare_cached("SELECT id, sequence FROM sent WHERE queue = ? AND key = ? AND at > ?")?;
        row.query_row(params![queue, key, since], |row| Ok((row.get(0)?, row.get(1)?))).optional()
    }

    /// Adds a message, and remembers it by its key; gives its sequence.
    pub(super) fn add(
        &mut self,
        queue: &str,
        id: &str,
        message: &Outgoing,
        key: Option<&str>,
        (now, visible_at): (i64, i64),
    ) -> Result<i64> {
        let change = self.0.transaction()?;
        let sql = "INSERT INTO messages
            (queue, id, body, attributes, trace_header, group_id, deduplication_id, sent_at, visible_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let Outgoing { body, attributes, group_id, deduplication_id, trace_header, .. } = message;
        let attributes = text(attributes);
        change.prepare_cached(sql)?.execute(params![
            queue,
            id,
            body,
            attributes,
            trace_header,
            group_id,
            deduplication_id,
            now,
            visible_at
        ])?;
        let sequence = change.last_insert_rowid();
        if let Some(key) = key {
            let sql = "INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?, ?)";
            change.prepare_cached(sql)?.execute(params![queue, key, id, sequence, now])?;
        }
        change.commit()?;
        Ok(sequence)
    }

    /// Deletes what was sent before a time, and forgets its keys.
    pub(super) fn expire(&self, queue: &str, before: i64, forget: i64) -> Result<()> {
        let sql = "DELETE FROM messages WHERE queue = ? AND sent_at < ?";
        self.0.prepare_cached(sql)?.execute(params![queue, before])?;
        self.0.prepare_cached("DELETE FROM sent WHERE queue = ? AND at < ?")?.execute(params![queue, forget]).map(drop)
    }

    /// Takes messages, each with a new receipt. Those that were received too often go to the dead-letter queue instead.
    pub(super) fn receive(
        &mut self,
        wanted: &Wanted<'_>,
        now: i64,
        mut receipt: impl FnMut() -> String,
    ) -> Result<(Vec<Received>, Vec<Moved>)> {
        let change = self.0.transaction()?;
        let (mut taken, mut moved, mut after) = (Vec::new(), Vec::new(), 0);
        loop {
            let candidates = candidates(&change, wanted, now, after, wanted.most - taken.len())?;
            let mut moved_now = false;
            for (sequence, received) in candidates {
                after = sequence;
                match &wanted.redrive {
                    Some(redrive) if received >= redrive.max_receive_count => {
                        let sql = "UPDATE messages SET queue = ?, receipt = NULL, visible_at = ?, source = ?
                            WHERE sequence = ? RETURNING id";
                        let mut row = change.prepare_cached(sql)?;
                        let to = params![redrive.target, now, redrive.source_arn, sequence];
                        let message_id = row.query_row(to, |row| row.get(0))?;
                        moved.push(Moved { message_id, received });
                        moved_now = true;
                    }
                    _ => taken.push(take(&change, sequence, &receipt(), now, wanted)?),
                }
            }
            // What has moved has left room for those after it.
            if !moved_now || taken.len() >= wanted.most {
                break;
            }
        }
        change.commit()?;
        Ok((taken, moved))
    }

    /// Messages that can be seen, the oldest first: their sequences, and the ARNs of the queues that they came from.
    pub(super) fn visible(&self, queue: &str, now: i64, most: usize) -> Result<Vec<(i64, Option<String>)>> {
        let sql = "SELECT sequence, source FROM messages WHERE queue = ? AND visible_at <= ? ORDER BY sequence LIMIT ?";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows = self.0.prepare_cached(sql)?;
        rows.query_map(params![queue, now, most], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }

    /// Puts messages, which are told by their sequences, into other queues. There they are new ones.
    pub(super) fn move_as_new(
        &mut self,
        moves: &[(i64, String)],
        now: i64,
        mut id: impl FnMut() -> String,
    ) -> Result<()> {
        let change = self.0.transaction()?;
        for (sequence, queue) in moves {
            let sql =
                "UPDATE messages SET queue = ?1, id = ?2, sent_at = ?3, visible_at = ?3, receipt = NULL, received = 0,
                first_received_at = NULL, source = NULL WHERE sequence = ?4";
            change.prepare_cached(sql)?.execute(params![queue, id(), now, sequence])?;
        }
        change.commit()
    }

    /// When the next hidden message can be seen.
    pub(super) fn next_visible_at(&self, queue: &str, now: i64) -> Result<Option<i64>> {
        let sql = "SELECT MIN(visible_at) FROM messages WHERE queue = ? AND visible_at > ?";
        self.0.prepare_cached(sql)?.query_row(params![queue, now], |row| row.get(0))
    }

    pub(super) fn held(&self, queue: &str, receipt: &str) -> Result<Option<Held>> {
        let sql = "SELECT sequence, visible_at FROM messages WHERE receipt = ? AND queue = ?";
        let read = |row: &Row<'_>| Ok(Held { sequence: row.get(0)?, visible_at: row.get(1)? });
        self.0.prepare_cached(sql)?.query_row([receipt, queue], read).optional()
    }

    pub(super) fn delete(&self, sequence: i64) -> Result<()> {
        self.0.prepare_cached("DELETE FROM messages WHERE sequence = ?")?.execute([sequence]).map(drop)
    }

    pub(super) fn hide_until(&self, sequence: i64, visible_at: i64) -> Result<()> {
        let sql = "UPDATE messages SET visible_at = ? WHERE sequence = ?";
        self.0.prepare_cached(sql)?.execute([visible_at, sequence]).map(drop)
    }

    pub(super) fn counts(&self, queue: &str, now: i64) -> Result<Counts> {
        let sql = "SELECT COUNT(*) FILTER (WHERE visible_at <= ?2),
            COUNT(*) FILTER (WHERE visible_at > ?2 AND receipt IS NOT NULL),
            COUNT(*) FILTER (WHERE visible_at > ?2 AND receipt IS NULL)
            FROM messages WHERE queue = ?1";
        let read = |row: &Row<'_>| Ok(Counts { visible: row.get(0)?, in_flight: row.get(1)?, delayed: row.get(2)? });
        self.0.prepare_cached(sql)?.query_row(params![queue, now], read)
    }
}

/// What can be received, the oldest first: sequence, and how often it was received. While a message of a group is hidden,
/// a FIFO queue gives none of that group.
fn candidates(
    change: &Transaction<'_>,
    wanted: &Wanted<'_>,
    now: i64,
    after: i64,
    most: usize,
) -> Result<Vec<(i64, u32)>> {
    let sql = if wanted.is_fifo {
        "SELECT sequence, received FROM messages WHERE queue = ?1 AND visible_at <= ?2 AND sequence > ?3
            AND group_id NOT IN (SELECT group_id FROM messages WHERE queue = ?1 AND visible_at > ?2)
            ORDER BY sequence LIMIT ?4"
    } else {
        "SELECT sequence, received FROM messages WHERE queue = ?1 AND visible_at <= ?2 AND sequence > ?3
            ORDER BY sequence LIMIT ?4"
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = change.prepare_cached(sql)?;
    rows.query_map(params![wanted.queue, now, after, most], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn take(change: &Transaction<'_>, sequence: i64, receipt: &str, now: i64, wanted: &Wanted<'_>) -> Result<Received> {
    // With no time to hide it stays to be received.
    let sql = "UPDATE messages SET receipt = ?1, received = received + 1, visible_at = ?2,
        first_received_at = COALESCE(first_received_at, ?3) WHERE sequence = ?4
        RETURNING id, body, attributes, trace_header, group_id, deduplication_id, sent_at, received, first_received_at,
        source";
    let visible_at = now + wanted.hidden_for;
    change.prepare_cached(sql)?.query_row(params![receipt, visible_at, now, sequence], |row| {
        let attributes: BTreeMap<String, Attribute> = json(row, 2)?;
        let number = |column| row.get::<_, i64>(column).map(|number| number.to_string());
        let mut system_attributes = BTreeMap::from([
            ("SentTimestamp", number(6)?),
            ("ApproximateReceiveCount", number(7)?),
            ("ApproximateFirstReceiveTimestamp", number(8)?),
        ]);
        let told = [
            ("AWSTraceHeader", 3),
            ("MessageGroupId", 4),
            ("MessageDeduplicationId", 5),
            ("DeadLetterQueueSourceArn", 9),
        ];
        for (name, column) in told {
            system_attributes.extend(row.get::<_, Option<String>>(column)?.map(|value| (name, value)));
        }
        if wanted.is_fifo {
            system_attributes.insert("SequenceNumber", super::sequence_number(sequence));
        }
        Ok(Received {
            message_id: row.get(0)?,
            receipt_handle: receipt.to_owned(),
            body: row.get(1)?,
            attributes,
            system_attributes,
        })
    })
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

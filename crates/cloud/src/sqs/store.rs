//! Queues and their messages as rows of a database: what was acknowledged outlives the runner.
//!
//! What a call costs depends on what it is about, not on how much the queue holds: `state` says what can be done with a message
//! without a look at the clock, so indexes lead to what is wanted, and what messages contain is apart from them. Who asks for
//! what can be seen [reveals](Store::reveal) first what has become visible since. All times are milliseconds since 1970.

mod layout;

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::message::{Outgoing, Received};
use layout::{LAYOUT, prepare};

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

/// Why the rows can't be had.
pub(super) enum OpenError {
    Database(rusqlite::Error),
    /// They have another layout.
    Layout(i64),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl Store {
    /// Opens the file, or keeps the rows in memory.
    pub(super) fn open(file: Option<&Path>) -> std::result::Result<Self, OpenError> {
        let connection = match file {
            Some(file) => Connection::open(file)?,
            None => Connection::open_in_memory()?,
        };
        connection.set_prepared_statement_cache_capacity(64);
        // What is written is in the system's memory, so it outlives this process; a loss of power is another matter.
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;")?;
        match prepare(&connection)? {
            LAYOUT => Ok(Self(connection)),
            found => Err(OpenError::Layout(found)),
        }
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
        let Outgoing { body, attributes, group_id, deduplication_id, trace_header, .. } = message;
        let sql = "INSERT INTO messages (queue, id, group_id, deduplication_id, sent_at, visible_at, state)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, iif(?6 > ?5, 'delayed', 'visible'))";
        let row = params![queue, id, group_id, deduplication_id, now, visible_at];
        change.prepare_cached(sql)?.execute(row)?;
        let sequence = change.last_insert_rowid();
        let sql = "INSERT INTO contents (sequence, attributes, trace_header, body) VALUES (?, ?, ?, ?)";
        change.prepare_cached(sql)?.execute(params![sequence, text(attributes), trace_header, body])?;
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

    /// Has all messages visible that were hidden until now.
    fn reveal(&self, queue: &str, now: i64) -> Result<()> {
        let sql = "UPDATE messages SET state = 'visible' WHERE queue = ? AND state <> 'visible' AND visible_at <= ?";
        self.0.prepare_cached(sql)?.execute(params![queue, now]).map(drop)
    }

    /// Takes messages, each with a new receipt. Those that were received too often go to the dead-letter queue instead.
    pub(super) fn receive(
        &mut self,
        wanted: &Wanted<'_>,
        now: i64,
        mut receipt: impl FnMut() -> String,
    ) -> Result<(Vec<Received>, Vec<Moved>)> {
        self.reveal(wanted.queue, now)?;
        let change = self.0.transaction()?;
        let (mut taken, mut moved, mut after) = (Vec::new(), Vec::new(), 0);
        loop {
            let candidates = candidates(&change, wanted, after, wanted.most - taken.len())?;
            let mut moved_now = false;
            for (sequence, received) in candidates {
                after = sequence;
                match &wanted.redrive {
                    Some(redrive) if received >= redrive.max_receive_count => {
                        let sql = "UPDATE messages SET queue = ?, receipt = NULL, visible_at = ?, state = 'visible',
                            source = ? WHERE sequence = ? RETURNING id";
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
        self.reveal(queue, now)?;
        let sql =
            "SELECT sequence, source FROM messages WHERE queue = ? AND state = 'visible' ORDER BY sequence LIMIT ?";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows = self.0.prepare_cached(sql)?;
        rows.query_map(params![queue, most], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
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
                "UPDATE messages SET queue = ?1, id = ?2, sent_at = ?3, visible_at = ?3, state = 'visible', receipt = NULL,
                received = 0, first_received_at = NULL, source = NULL WHERE sequence = ?4";
            change.prepare_cached(sql)?.execute(params![queue, id(), now, sequence])?;
        }
        change.commit()
    }

    /// When the next hidden message can be seen. That may be over, where nobody has looked since.
    pub(super) fn next_visible_at(&self, queue: &str) -> Result<Option<i64>> {
        let sql = "SELECT MIN(visible_at) FROM messages WHERE queue = ? AND state <> 'visible'";
        self.0.prepare_cached(sql)?.query_row([queue], |row| row.get(0))
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
        self.reveal(queue, now)?;
        let sql = "SELECT state, COUNT(*) FROM messages WHERE queue = ? GROUP BY state";
        let mut rows = self.0.prepare_cached(sql)?;
        let by_state = rows.query_map([queue], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let by_state: BTreeMap<String, i64> = by_state.collect::<Result<_>>()?;
        let count = |state: &str| by_state.get(state).copied().unwrap_or_default();
        Ok(Counts { visible: count("visible"), in_flight: count("in flight"), delayed: count("delayed") })
    }
}

/// What can be received, the oldest first: sequence, and how often it was received. While a message of a group is hidden,
/// a FIFO queue gives none of that group.
fn candidates(change: &Transaction<'_>, wanted: &Wanted<'_>, after: i64, most: usize) -> Result<Vec<(i64, u32)>> {
    let sql = if wanted.is_fifo {
        "SELECT sequence, received FROM messages WHERE queue = ?1 AND state = 'visible' AND sequence > ?2
            AND group_id NOT IN (SELECT group_id FROM messages WHERE queue = ?1 AND state <> 'visible')
            ORDER BY sequence LIMIT ?3"
    } else {
        "SELECT sequence, received FROM messages WHERE queue = ?1 AND state = 'visible' AND sequence > ?2
            ORDER BY sequence LIMIT ?3"
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = change.prepare_cached(sql)?;
    rows.query_map(params![wanted.queue, after, most], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn take(change: &Transaction<'_>, sequence: i64, receipt: &str, now: i64, wanted: &Wanted<'_>) -> Result<Received> {
    // With no time to hide it is there for the next who looks.
    let sql = "UPDATE messages SET receipt = ?1, received = received + 1, visible_at = ?2, state = 'in flight',
        first_received_at = COALESCE(first_received_at, ?3) WHERE sequence = ?4";
    change.prepare_cached(sql)?.execute(params![receipt, now + wanted.hidden_for, now, sequence])?;
    let sql = "SELECT id, body, attributes, trace_header, group_id, deduplication_id, sent_at, received,
        first_received_at, source FROM messages JOIN contents USING (sequence) WHERE sequence = ?";
    change.prepare_cached(sql)?.query_row([sequence], |row| {
        let number = |column| row.get::<_, i64>(column).map(|number| number.to_string());
        let mut system_attributes = BTreeMap::from([
            ("SentTimestamp", number("sent_at")?),
            ("ApproximateReceiveCount", number("received")?),
            ("ApproximateFirstReceiveTimestamp", number("first_received_at")?),
        ]);
        let told = [
            ("AWSTraceHeader", "trace_header"),
            ("MessageGroupId", "group_id"),
            ("MessageDeduplicationId", "deduplication_id"),
            ("DeadLetterQueueSourceArn", "source"),
        ];
        for (name, column) in told {
            system_attributes.extend(row.get::<_, Option<String>>(column)?.map(|value| (name, value)));
        }
        if wanted.is_fifo {
            system_attributes.insert("SequenceNumber", super::sequence_number(sequence));
        }
        Ok(Received {
            message_id: row.get("id")?,
            receipt_handle: receipt.to_owned(),
            body: row.get("body")?,
            attributes: json(row, 2)?,
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

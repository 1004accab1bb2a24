//! The tables, and how those of an older file become what they are now.

use rusqlite::Connection;

/// The layout of the tables, which `PRAGMA user_version` of a file names. The first one had no number.
pub(super) const LAYOUT: i64 = 2;

/// `state` is what can be done with a message: one that is in flight was received, and one that is delayed was not. A queue is
/// looked through in the order of `sequence`; `messages_hidden` leads to what becomes visible next, and has the groups of a
/// FIFO queue of which nothing is given.
const MESSAGES: &str = "
    CREATE TABLE messages (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL,
        group_id TEXT, deduplication_id TEXT, sent_at INTEGER NOT NULL, visible_at INTEGER NOT NULL,
        receipt TEXT, received INTEGER NOT NULL DEFAULT 0, first_received_at INTEGER, source TEXT,
        state TEXT NOT NULL DEFAULT 'visible'
    );
    CREATE TABLE queues (
        name TEXT PRIMARY KEY, attributes TEXT NOT NULL, tags TEXT NOT NULL,
        created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE sent (
        queue TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, sequence INTEGER NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (queue, key)
    ) WITHOUT ROWID;
    CREATE INDEX by_receipt ON messages (receipt) WHERE receipt IS NOT NULL;
";

/// What messages contain goes with them.
const CONTENTS: &str = "
    CREATE TABLE contents (
        sequence INTEGER PRIMARY KEY REFERENCES messages (sequence) ON DELETE CASCADE,
        attributes TEXT NOT NULL, trace_header TEXT, body TEXT NOT NULL
    );
";

const INDEXES: &str = "
    CREATE INDEX messages_of_queue ON messages (queue, state, sequence, group_id);
    CREATE INDEX messages_hidden ON messages (queue, visible_at, group_id) WHERE state <> 'visible';
    CREATE INDEX messages_by_age ON messages (queue, sent_at);
    CREATE INDEX sent_by_age ON sent (queue, at);
";

/// From the first layout, where each message had what it contains in its own row, and no state. Which of the hidden ones are
/// visible by now is found when somebody looks.
const FROM_LAYOUT_1: [&str; 3] = [
    CONTENTS,
    "INSERT INTO contents SELECT sequence, attributes, trace_header, body FROM messages;
    DROP INDEX by_queue;
    ALTER TABLE messages DROP COLUMN body;
    ALTER TABLE messages DROP COLUMN attributes;
    ALTER TABLE messages DROP COLUMN trace_header;
    ALTER TABLE messages ADD COLUMN state TEXT NOT NULL DEFAULT 'visible';
    UPDATE messages SET state = iif(receipt IS NULL, 'delayed', 'in flight');",
    INDEXES,
];

/// Makes the tables, or changes them to what they are now, and tells the layout that there is.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<i64> {
    let layout = |connection: &Connection| connection.pragma_query_value(None, "user_version", |row| row.get(0));
    if layout(connection)? == 0 {
        let changes = if connection.table_exists(None, "messages")? {
            FROM_LAYOUT_1.concat()
        } else {
            [MESSAGES, CONTENTS, INDEXES].concat()
        };
        let changes = format!("BEGIN IMMEDIATE; {changes} PRAGMA user_version = {LAYOUT}; COMMIT;");
        connection.execute_batch(&changes)?;
    }
    layout(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the first version of the runner made them.
    const LAYOUT_1: &str = "
        CREATE TABLE queues (
            name TEXT PRIMARY KEY, attributes TEXT NOT NULL, tags TEXT NOT NULL,
            created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE messages (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
            attributes TEXT NOT NULL, trace_header TEXT, group_id TEXT, deduplication_id TEXT,
            sent_at INTEGER NOT NULL, visible_at INTEGER NOT NULL,
            receipt TEXT, received INTEGER NOT NULL DEFAULT 0, first_received_at INTEGER, source TEXT
        );
        CREATE INDEX by_queue ON messages (queue, sequence);
        CREATE INDEX by_receipt ON messages (receipt) WHERE receipt IS NOT NULL;
        CREATE TABLE sent (
            queue TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, sequence INTEGER NOT NULL, at INTEGER NOT NULL,
            PRIMARY KEY (queue, key)
        ) WITHOUT ROWID;
        INSERT INTO queues VALUES ('q', '{}', '{}', 1, 1);
        INSERT INTO messages (queue, id, body, attributes, trace_header, sent_at, visible_at, receipt, received)
            VALUES ('q', 'seen', 'a', '{}', 'trace', 1, 1, NULL, 0), ('q', 'late', 'b', '{}', NULL, 1, 9, NULL, 0),
                ('q', 'held', 'c', '{}', NULL, 1, 9, 'receipt', 1), ('q', 'gone', 'd', '{}', NULL, 1, 1, NULL, 0);
        DELETE FROM messages WHERE id = 'gone';
    ";

    fn texts(connection: &Connection, sql: &str) -> Vec<String> {
        let mut rows = connection.prepare(sql).unwrap();
        rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn an_older_file_becomes_what_a_new_one_is() {
        let (old, new) = (Connection::open_in_memory().unwrap(), Connection::open_in_memory().unwrap());
        old.execute_batch(LAYOUT_1).unwrap();
        let columns = "SELECT m.name || '.' || p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p
            WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY 1";
        let indexes = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1";
        for connection in [&old, &new] {
            assert_eq!(prepare(connection).unwrap(), LAYOUT);
            // A second time there is nothing to change.
            assert_eq!(prepare(connection).unwrap(), LAYOUT);
        }
        for question in [columns, indexes] {
            assert_eq!(texts(&old, question), texts(&new, question));
        }
        let states = texts(&old, "SELECT id || ' ' || state FROM messages ORDER BY sequence");
        assert_eq!(states, ["seen delayed", "late delayed", "held in flight"]);
        let contents = "SELECT body || coalesce(trace_header, '') FROM contents ORDER BY sequence";
        assert_eq!(texts(&old, contents), ["atrace", "b", "c"]);
        // No number is used twice.
        old.execute("INSERT INTO messages (queue, id, sent_at, visible_at) VALUES ('q', 'new', 1, 1)", []).unwrap();
        assert_eq!(old.last_insert_rowid(), 5);
    }
}

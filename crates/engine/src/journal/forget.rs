//! What the journal forgets: executions that ended long ago, and what goes with them.

use std::sync::atomic::Ordering;

use rusqlite::{Connection, named_params};
use time::{Duration, OffsetDateTime};

use super::{Journal, rows::Moment};

/// How long an execution is kept after its end: the service deletes it after as many days.
const KEPT: Duration = Duration::days(90);

/// How many seconds go by, at least, before it is looked again for what is too old.
const PAUSE: i64 = 3600;

impl Journal {
    /// Forgets what is too old, unless that was done in the last hour.
    pub(super) fn forget(&self, connection: &Connection) {
        let now = OffsetDateTime::now_utc();
        let last = self.forgotten_at.load(Ordering::Relaxed);
        if now.unix_timestamp().saturating_sub(last) < PAUSE {
            return;
        }
        self.forgotten_at.store(now.unix_timestamp(), Ordering::Relaxed);
        // What comes next is none the worse for it: it is tried again.
        if let Err(error) = before(connection, now - KEPT) {
            tracing::warn!(%error, "the journal can't forget what is too old");
        }
    }
}

/// Deletes the executions that ended before then, with their Map Runs, and the definitions that no execution has any more.
fn before(connection: &Connection, then: OffsetDateTime) -> rusqlite::Result<()> {
    // Numbers are given in the order of starts: no more is read than the executions that are old enough, and one.
    const OLD: &str = "stopped_at < :then AND number < ifnull(
        (SELECT number FROM executions WHERE started_at >= :then ORDER BY number LIMIT 1), 9223372036854775807)";
    let transaction = connection.unchecked_transaction()?;
    let parameters = named_params! { ":then": Moment(then) };
    transaction.execute(
        &format!("DELETE FROM turns WHERE execution IN (SELECT number FROM executions WHERE {OLD})"),
        parameters,
    )?;
    transaction.execute(
        &format!("DELETE FROM map_runs WHERE execution_arn IN (SELECT arn FROM executions WHERE {OLD})"),
        parameters,
    )?;
    let forgotten = transaction.execute(&format!("DELETE FROM executions WHERE {OLD}"), parameters)?;
    if forgotten > 0 {
        transaction.execute("DELETE FROM definitions WHERE id NOT IN (SELECT definition FROM executions)", [])?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use asl::{Machine, Value};

    use super::*;
    use crate::{
        core::{Execution, Happened, Identity},
        journal::{Definition, Fingerprint, Turn},
    };

    /// Writes an execution that began, and ended, at this moment; the definition is another one for each name.
    fn write(journal: &Journal, name: &str, at: OffsetDateTime) {
        let text = format!(r#"{{"Comment":"{name}","StartAt":"S","States":{{"S":{{"Type":"Succeed"}}}}}}"#);
        let machine = Arc::new(Machine::compile(&Value::parse(&text).unwrap()).unwrap());
        let definition = Definition::new(text, machine.clone());
        let identity = Identity {
            arn: name.into(),
            name: name.into(),
            state_machine_arn: "machine".into(),
            state_machine_name: "machine".into(),
            state_machine_version_arn: None,
            state_machine_alias_arn: None,
            revision: Arc::default(),
            role_arn: "role".into(),
            region: "us-east-1".into(),
            started_at: at,
            input: Value::Null,
            map_run_arn: None,
            item_count: None,
            trace_header: None,
            mocked: None,
            seed: 1,
        };
        let mut execution = Execution::new(machine, Arc::new(identity));
        execution.step(Happened::Started, at);
        let fingerprint = Fingerprint::default().extended(execution.history());
        let turn = Turn { at, happened: vec![Happened::Started], too_long: Vec::new(), fingerprint };
        assert!(journal.begin(&execution, &definition, &turn).unwrap().is_some());
    }

    fn count(journal: &Journal) -> [i64; 3] {
        ["executions", "turns", "definitions"].map(|table| {
            let count = |row: &rusqlite::Row<'_>| row.get(0);
            journal.reader().query_row(&format!("SELECT count(*) FROM {table}"), [], count).unwrap()
        })
    }

    #[test]
    fn what_is_too_old_is_forgotten_once_an_hour_with_its_definition() {
        let journal = Journal::in_memory().unwrap();
        let now = OffsetDateTime::now_utc();
        write(&journal, "old", now - KEPT - Duration::MINUTE);
        write(&journal, "new", now - KEPT + Duration::HOUR);
        assert_eq!(count(&journal), [2, 2, 2]);
        // An hour goes by.
        journal.forgotten_at.fetch_sub(PAUSE, Ordering::Relaxed);
        write(&journal, "newest", now);
        assert_eq!(count(&journal), [2, 2, 2]);
        assert!(journal.find("old").unwrap().is_none());
        assert!(journal.find("new").unwrap().is_some());
    }
}

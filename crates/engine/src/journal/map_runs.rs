//! Map Runs as the journal keeps them: what their outside says of them, for as long as their executions are kept.

use rusqlite::{OptionalExtension, named_params};

use super::{Journal, JournalError};

impl Journal {
    /// Keeps what is known of a Map Run of this execution, in place of what was.
    pub(crate) fn keep_map_run(&self, arn: &str, execution_arn: &str, record: &str) -> Result<(), JournalError> {
        self.writer()?
            .prepare_cached(
                "INSERT INTO map_runs VALUES (NULL, :arn, :execution_arn, :record, NULL)
                 ON CONFLICT (arn) DO UPDATE SET record = :record",
            )?
            .execute(named_params! { ":arn": arn, ":execution_arn": execution_arn, ":record": record })?;
        Ok(())
    }

    /// What is known of the Map Run with this ARN.
    pub(crate) fn map_run(&self, arn: &str) -> Result<Option<String>, JournalError> {
        let found = self
            .reader()
            .prepare_cached("SELECT record FROM map_runs WHERE arn = ?")?
            .query_row([arn], |row| row.get(0))
            .optional()?;
        Ok(found)
    }

    /// Keeps what the Express child executions of a Map Run gave, in place of what was.
    pub(crate) fn keep_children(&self, map_run_arn: &str, children: &str) -> Result<(), JournalError> {
        self.writer()?
            .prepare_cached("UPDATE map_runs SET children = :children WHERE arn = :arn")?
            .execute(named_params! { ":arn": map_run_arn, ":children": children })?;
        Ok(())
    }

    /// What the Express child executions of a Map Run gave, where that is kept.
    pub(crate) fn children(&self, map_run_arn: &str) -> Result<Option<String>, JournalError> {
        let found = self
            .reader()
            .prepare_cached("SELECT children FROM map_runs WHERE arn = ?")?
            .query_row([map_run_arn], |row| row.get(0))
            .optional()?;
        Ok(found.flatten())
    }

    /// What is known of the Map Runs of an execution, the newest first.
    pub(crate) fn map_runs_of(&self, execution_arn: &str) -> Result<Vec<String>, JournalError> {
        let connection = self.reader();
        let mut statement =
            connection.prepare_cached("SELECT record FROM map_runs WHERE execution_arn = ? ORDER BY number DESC")?;
        let records = statement.query_map([execution_arn], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(records)
    }
}

//! Which execution is let go on at a start of the runner: one that ends the runner must not do so at every start.

use std::collections::HashMap;

use rusqlite::named_params;

use super::{Journal, JournalError};

/// How many starts in a row an execution may end, while it is let go on, before it is left alone. A runner that is killed
/// for another reason is rarely killed twice at the same execution.
pub(crate) const MOST_STARTS: u32 = 2;

/// What stands for so many starts in the row of an execution that is left alone.
const LEFT_ALONE: u32 = MOST_STARTS + 1;

/// What is known, at a start, of the executions that earlier starts let go on.
pub(crate) struct EarlierStarts(HashMap<String, u32>);

impl EarlierStarts {
    /// How many starts in a row have ended while this execution was let go on; none where it is to be left alone.
    pub(crate) fn of(&self, arn: &str) -> Option<u32> {
        let starts = self.0.get(arn).copied().unwrap_or_default();
        (starts < LEFT_ALONE).then_some(starts)
    }
}

impl Journal {
    /// Begins to let executions go on.
    pub(crate) fn earlier_starts(&self) -> Result<EarlierStarts, JournalError> {
        let connection = self.writer()?;
        connection.execute("UPDATE resuming SET starts = ? WHERE starts >= ?", [LEFT_ALONE, MOST_STARTS])?;
        let mut statement = connection.prepare("SELECT arn, starts FROM resuming")?;
        let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(EarlierStarts(found.collect::<Result<_, _>>()?))
    }

    /// Notes that an execution is about to be let go on, at so many starts in a row; those before it have been.
    pub(crate) fn resumes(&self, arn: &str, starts: u32) -> Result<(), JournalError> {
        let mut connection = self.writer()?;
        let transaction = connection.transaction()?;
        transaction.prepare_cached("DELETE FROM resuming WHERE starts < ?")?.execute([LEFT_ALONE])?;
        transaction
            .prepare_cached("INSERT OR REPLACE INTO resuming VALUES (:arn, :starts)")?
            .execute(named_params! { ":arn": arn, ":starts": starts })?;
        transaction.commit()?;
        Ok(())
    }

    /// Notes that all have been let go on, but for those that are left alone.
    pub(crate) fn has_resumed(&self) -> Result<(), JournalError> {
        self.writer()?.execute(
            "DELETE FROM resuming
             WHERE starts < ? OR arn NOT IN (SELECT arn FROM executions WHERE status = 'RUNNING')",
            [LEFT_ALONE],
        )?;
        Ok(())
    }
}

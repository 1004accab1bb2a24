//! What is written into the tables and read from them.

use std::sync::Arc;

use rusqlite::{
    Connection, OptionalExtension, Row, ToSql, named_params,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use super::{Definition, DefinitionId, Fingerprint, Journal, JournalError};
use crate::{
    Status,
    core::{Execution, Happened, Identity},
};

/// Reads JSON that was written here. It may be nested deeper than text from outside: that is in it, inside of something.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.disable_recursion_limit();
    T::deserialize(&mut deserializer)
}

/// The row of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExecutionRow(i64);

/// What an execution was told at one moment, and what its history was after it.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) at: OffsetDateTime,
    pub(crate) happened: Vec<Happened>,
    /// The evaluations that took too long meanwhile.
    pub(crate) too_long: Vec<u64>,
    pub(crate) fingerprint: Fingerprint,
}

/// What the row of an execution tells of its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    status: Status,
    redrives: u64,
}

impl Standing {
    pub(crate) fn of(execution: &Execution) -> Self {
        let redrives = execution.redriven().map_or(0, |redrive| redrive.count);
        Self { status: Status::of(execution), redrives }
    }
}

/// An execution as the journal has it.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) row: ExecutionRow,
    pub(crate) identity: Identity,
    pub(crate) definition: DefinitionId,
}

/// An execution in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its ARN.
    pub arn: Arc<str>,
    /// Its state machine's ARN.
    pub state_machine_arn: Arc<str>,
    /// The ARN of the version that it was started by.
    pub state_machine_version_arn: Option<Arc<str>>,
    /// The ARN of the alias that it was started by.
    pub state_machine_alias_arn: Option<Arc<str>>,
    /// The Map Run that it is a child execution of.
    pub map_run_arn: Option<Arc<str>>,
    /// How many items of the Map Run it has.
    pub item_count: Option<u64>,
    /// Its name.
    pub name: Arc<str>,
    /// Its status.
    pub status: Status,
    /// When it was started.
    pub started_at: OffsetDateTime,
    /// When it ended, once it has.
    pub stopped_at: Option<OffsetDateTime>,
    /// How many redrives there were.
    pub redrives: u64,
    /// When the last redrive was.
    pub redriven_at: Option<OffsetDateTime>,
}

/// Which executions are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// The ARN of their state machine.
    pub machine_arn: &'a str,
    /// The version that they were started by, where that matters.
    pub version_arn: Option<&'a str>,
    /// The alias that they were started by, where that matters.
    pub alias_arn: Option<&'a str>,
    /// The Map Run that they are child executions of, where that matters.
    pub map_run_arn: Option<&'a str>,
    /// Their status, where that matters.
    pub status: Option<Status>,
    /// Whether they were redriven, where that matters.
    pub redriven: Option<bool>,
    /// The ARN of an execution that all of them are older than, where a list goes on after it.
    pub older_than: Option<&'a str>,
}

impl Journal {
    /// Writes an execution that has begun; none where there is one with its ARN.
    pub(crate) fn begin(
        &self,
        execution: &Execution,
        definition: &Definition,
        turn: &Turn,
    ) -> Result<Option<ExecutionRow>, JournalError> {
        let identity = execution.identity();
        let text = serde_json::to_string(&**identity)?;
        let mut connection = self.writer()?;
        let transaction = connection.transaction()?;
        transaction
            .prepare_cached("INSERT INTO definitions VALUES (:id, :text) ON CONFLICT DO NOTHING")?
            .execute(named_params! { ":id": definition.id, ":text": definition.text })?;
        let added = transaction
            .prepare_cached(
                "INSERT INTO executions VALUES
                 (NULL, :arn, :machine_arn, :version_arn, :alias_arn, :map_run_arn, :name, :status, :started_at,
                  :stopped_at, :definition, :identity, 0, NULL, :item_count)
                 ON CONFLICT (arn) DO NOTHING",
            )?
            .execute(named_params! {
                ":arn": identity.arn,
                ":machine_arn": identity.state_machine_arn,
                ":version_arn": identity.state_machine_version_arn,
                ":alias_arn": identity.state_machine_alias_arn,
                ":map_run_arn": identity.map_run_arn,
                ":item_count": identity.item_count,
                ":name": identity.name,
                ":status": Status::of(execution),
                ":started_at": Moment(identity.started_at),
                ":stopped_at": stopped_at(execution),
                ":definition": definition.id,
                ":identity": text,
            })?;
        if added == 0 {
            return Ok(None);
        }
        let row = ExecutionRow(transaction.last_insert_rowid());
        insert(&transaction, row, 1, turn)?;
        transaction.commit()?;
        self.forget(&connection);
        Ok(Some(row))
    }

    /// Writes a further turn of an execution, the one with this number, counted from 1, and how it stands after it where
    /// that is another than `before`.
    pub(crate) fn append(
        &self,
        row: ExecutionRow,
        number: u64,
        turn: &Turn,
        before: Standing,
        execution: &Execution,
    ) -> Result<(), JournalError> {
        let mut connection = self.writer()?;
        let standing = Standing::of(execution);
        if standing == before {
            return insert(&connection, row, number, turn);
        }
        let transaction = connection.transaction()?;
        insert(&transaction, row, number, turn)?;
        transaction
            .prepare_cached(
                "UPDATE executions
                 SET status = :status, stopped_at = :stopped_at, redrives = :redrives, redriven_at = :redriven_at
                 WHERE number = :number",
            )?
            .execute(named_params! {
                ":redrives": standing.redrives,
                ":redriven_at": execution.redriven().map(|redrive| Moment(redrive.at)),
                ":number": row,
                ":status": standing.status,
                ":stopped_at": stopped_at(execution),
            })?;
        transaction.commit()?;
        Ok(())
    }

    /// The execution with this ARN, where there is one.
    pub(crate) fn find(&self, arn: &str) -> Result<Option<Recorded>, JournalError> {
        let found = self
            .reader()
            .prepare_cached("SELECT number, identity, definition FROM executions WHERE arn = ?")?
            .query_row([arn], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)))
            .optional()?;
        let recorded =
            |(row, identity, definition): (_, String, _)| Ok(Recorded { row, identity: read(&identity)?, definition });
        found.map(recorded).transpose()
    }

    /// What an execution was told, in the order in which it was.
    pub(crate) fn turns(&self, row: ExecutionRow) -> Result<Vec<Turn>, JournalError> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached(
            "SELECT at, happened, events, digest, too_long FROM turns WHERE execution = ? ORDER BY number",
        )?;
        let mut rows = statement.query([row])?;
        let mut turns = Vec::new();
        while let Some(row) = rows.next()? {
            let Moment(at) = row.get(0)?;
            let happened = read(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?;
            let digest = row.get::<_, i64>(3)?.cast_unsigned();
            let too_long = row.get_ref(4)?.as_str_or_null().map_err(rusqlite::Error::from)?;
            let too_long = too_long.map(serde_json::from_str).transpose()?.unwrap_or_default();
            turns.push(Turn { at, happened, too_long, fingerprint: Fingerprint { events: row.get(2)?, digest } });
        }
        Ok(turns)
    }

    /// The text of a definition.
    pub(crate) fn definition(&self, id: DefinitionId) -> Result<String, JournalError> {
        let text = self
            .reader()
            .prepare_cached("SELECT text FROM definitions WHERE id = ?")?
            .query_row([id], |row| row.get(0))?;
        Ok(text)
    }

    /// The text of the definition that the execution with this ARN was started with.
    pub(crate) fn definition_of(&self, arn: &str) -> Result<String, JournalError> {
        let text = self
            .reader()
            .prepare_cached("SELECT text FROM executions JOIN definitions ON id = definition WHERE executions.arn = ?")?
            .query_row([arn], |row| row.get(0))?;
        Ok(text)
    }

    /// The ARNs of the executions that have not ended, oldest first.
    pub(crate) fn running(&self) -> Result<Vec<String>, JournalError> {
        let connection = self.reader();
        let mut statement =
            connection.prepare_cached("SELECT arn FROM executions WHERE status = 'RUNNING' ORDER BY number")?;
        let arns = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(arns)
    }

    /// Executions, newest first, `limit` of them.
    pub(crate) fn list(&self, wanted: Wanted<'_>, limit: usize) -> Result<Vec<Listed>, JournalError> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached(
            "SELECT arn, machine_arn, version_arn, alias_arn, map_run_arn, name, status, started_at, stopped_at,
                    redrives, redriven_at, item_count
             FROM executions
             WHERE machine_arn = :machine_arn
               AND (:status IS NULL OR status = :status)
               AND (:version_arn IS NULL OR version_arn = :version_arn)
               AND (:alias_arn IS NULL OR alias_arn = :alias_arn)
               AND (:map_run_arn IS NULL OR map_run_arn = :map_run_arn)
               AND (:redriven IS NULL OR (redrives > 0) = :redriven)
               AND (:older_than IS NULL OR number < (SELECT number FROM executions WHERE arn = :older_than))
             ORDER BY number DESC LIMIT :limit",
        )?;
        let parameters = named_params! {
            ":machine_arn": wanted.machine_arn,
            ":version_arn": wanted.version_arn,
            ":alias_arn": wanted.alias_arn,
            ":map_run_arn": wanted.map_run_arn,
            ":status": wanted.status,
            ":redriven": wanted.redriven,
            ":older_than": wanted.older_than,
            ":limit": limit,
        };
        let listed = statement.query_map(parameters, listed)?.collect::<Result<_, _>>()?;
        Ok(listed)
    }
}

fn insert(connection: &Connection, row: ExecutionRow, number: u64, turn: &Turn) -> Result<(), JournalError> {
    let happened = serde_json::to_string(&turn.happened)?;
    let too_long = if turn.too_long.is_empty() { None } else { Some(serde_json::to_string(&turn.too_long)?) };
    connection
        .prepare_cached("INSERT INTO turns VALUES (:execution, :number, :at, :happened, :events, :digest, :too_long)")?
        .execute(named_params! {
            ":execution": row,
            ":number": number,
            ":at": Moment(turn.at),
            ":happened": happened,
            ":events": turn.fingerprint.events,
            ":digest": turn.fingerprint.digest.cast_signed(),
            ":too_long": too_long,
        })?;
    Ok(())
}

fn stopped_at(execution: &Execution) -> Option<Moment> {
    execution.history().last().filter(|last| last.kind.ends_execution()).map(|last| Moment(last.at))
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let Moment(started_at) = row.get("started_at")?;
    Ok(Listed {
        arn: row.get("arn")?,
        state_machine_arn: row.get("machine_arn")?,
        state_machine_version_arn: row.get("version_arn")?,
        state_machine_alias_arn: row.get("alias_arn")?,
        map_run_arn: row.get("map_run_arn")?,
        item_count: row.get("item_count")?,
        name: row.get("name")?,
        status: row.get("status")?,
        started_at,
        stopped_at: row.get::<_, Option<Moment>>("stopped_at")?.map(|Moment(at)| at),
        redrives: row.get("redrives")?,
        redriven_at: row.get::<_, Option<Moment>>("redriven_at")?.map(|Moment(at)| at),
    })
}

/// A moment as nanoseconds since 1970, which last until the year 2262: no clock of executions goes beyond that.
pub(super) struct Moment(pub(super) OffsetDateTime);

impl ToSql for Moment {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let nanoseconds = i64::try_from(self.0.unix_timestamp_nanos());
        nanoseconds.map(ToSqlOutput::from).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

impl FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let nanoseconds = i128::from(value.as_i64()?);
        OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
            .map(Self)
            .map_err(|error| FromSqlError::Other(error.into()))
    }
}

impl ToSql for Status {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for Status {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::named(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for DefinitionId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_slice().into())
    }
}

impl FromSql for DefinitionId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::column_result(value).map(Self)
    }
}

impl ToSql for ExecutionRow {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for ExecutionRow {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

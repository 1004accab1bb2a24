//! The stream of a table, as something inside reads it.

use dynoxide::{
    Database, DynoxideError,
    actions::{
        describe_stream::DescribeStreamRequest, get_records::GetRecordsRequest,
        get_shard_iterator::GetShardIteratorRequest, list_streams::ListStreamsRequest,
    },
};
use serde_json::{Value, json};

use super::dispatch::local_arn;

/// How many records are read at once while the end is looked for.
const MANY: usize = 1000;

/// The changes of a table, from a place on. All calls block on the disk.
pub(crate) struct TableStream {
    database: Database,
    arn: String,
    shard: String,
    iterator: Option<String>,
}

impl TableStream {
    /// The stream of a table, after the change with a sequence number; from its beginning, without one.
    pub(super) fn open(database: Database, table: &str, after: Option<&str>) -> Result<Self, DynoxideError> {
        let request = ListStreamsRequest { table_name: Some(table.to_owned()), ..ListStreamsRequest::default() };
        let none = || DynoxideError::ResourceNotFoundException(format!("the table {table} has no stream"));
        let arn = database.list_streams(request)?.streams.into_iter().next().ok_or_else(none)?.stream_arn;
        let request = DescribeStreamRequest { stream_arn: arn.clone(), ..DescribeStreamRequest::default() };
        // The engine has one shard for each table.
        let shards = database.describe_stream(request)?.stream_description.shards;
        let shard = shards.into_iter().next_back().ok_or_else(none)?.shard_id;
        let mut stream = Self { database, arn, shard, iterator: None };
        stream.seek(after)?;
        Ok(stream)
    }

    /// Goes on after the change with this sequence number.
    pub(crate) fn seek(&mut self, after: Option<&str>) -> Result<(), DynoxideError> {
        let kind = if after.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" };
        let request = GetShardIteratorRequest {
            stream_arn: self.arn.clone(),
            shard_id: self.shard.clone(),
            shard_iterator_type: kind.to_owned(),
            sequence_number: after.map(str::to_owned),
        };
        self.iterator = self.database.get_shard_iterator(request)?.shard_iterator;
        Ok(())
    }

    /// The next changes, as a function gets them.
    pub(crate) fn next(&mut self, most: usize, region: &str) -> Result<Vec<Value>, DynoxideError> {
        let Some(shard_iterator) = self.iterator.clone() else { return Ok(Vec::new()) };
        let answer = self.database.get_records(GetRecordsRequest { shard_iterator, limit: Some(most) })?;
        self.iterator = answer.next_shard_iterator;
        let arn = self.arn();
        let told = answer.records.iter().map(|record| {
            let mut told = serde_json::to_value(record).unwrap_or_default();
            told["awsRegion"] = json!(region);
            told["eventSourceARN"] = json!(arn);
            told
        });
        Ok(told.collect())
    }

    /// The sequence number of the last change there is.
    pub(crate) fn end(&mut self) -> Result<Option<String>, DynoxideError> {
        let mut last = None;
        loop {
            let records = self.next(MANY, "")?;
            match records.last().and_then(sequence_number) {
                Some(sequence) => last = Some(sequence.to_owned()),
                None => return Ok(last),
            }
        }
    }

    /// The stream's ARN.
    pub(crate) fn arn(&self) -> String {
        local_arn(&self.arn)
    }

    /// The id of its shard.
    pub(crate) fn shard(&self) -> &str {
        &self.shard
    }
}

/// The place of a change in its stream.
pub(crate) fn sequence_number(record: &Value) -> Option<&str> {
    record.get("dynamodb")?.get("SequenceNumber")?.as_str()
}

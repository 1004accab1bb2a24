//! A table whose changes a function gets.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use sam::Target;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep, timeout_at},
};

use super::outcome::Outcome;
use crate::{
    dynamodb::{DynamoDb, TableStream, sequence_number},
    events::Pattern,
    lambda::{InvokeOptions, Lambda},
    location::Location,
    states::{Store, StoreError},
    targets::Targets,
};

/// How long it waits before a batch is tried again, and at most after more failures.
const RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// How far a stream was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Position {
    /// Not yet.
    Beginning,
    /// To the change with this sequence number.
    After(String),
}

impl Position {
    fn of(sequence: Option<String>) -> Self {
        sequence.map_or(Self::Beginning, Self::After)
    }

    fn sequence(&self) -> Option<&str> {
        match self {
            Self::Beginning => None,
            Self::After(sequence) => Some(sequence),
        }
    }
}

/// How far the streams were read, by the names of mappings.
#[derive(Debug)]
pub(super) struct Positions {
    store: Store,
    read: Mutex<BTreeMap<String, Position>>,
}

impl Positions {
    pub(super) fn open(store: Store) -> Result<Self, StoreError> {
        let read = Mutex::new(store.read()?);
        Ok(Self { store, read })
    }

    fn of(&self, mapping: &str) -> Option<Position> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).get(mapping).cloned()
    }

    fn set(&self, mapping: &str, position: Position) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.insert(mapping.to_owned(), position);
        if let Err(error) = self.store.write(&*read) {
            tracing::error!(%error, mapping, "how far a stream was read can't be kept: changes come again after a restart");
        }
    }
}

/// Reads the changes of a table for a function.
pub(super) struct Reader {
    pub(super) name: String,
    pub(super) table: String,
    pub(super) from_the_beginning: bool,
    pub(super) max_retries: Option<u32>,
    pub(super) bisects: bool,
    pub(super) on_failure: Option<Target>,
    pub(super) dynamodb: Arc<DynamoDb>,
    pub(super) lambda: Arc<Lambda>,
    pub(super) targets: Targets,
    pub(super) positions: Arc<Positions>,
    pub(super) location: Location,
    pub(super) function: String,
    pub(super) batch_size: usize,
    pub(super) batching_window: Duration,
    pub(super) reports_item_failures: bool,
    pub(super) filters: Vec<Pattern>,
}

/// Gives the function batch after batch, for as long as this lives.
pub(super) async fn read(reader: Reader) {
    let mut stream = match reader.open() {
        Ok(stream) => stream,
        Err(error) => {
            tracing::error!(error, table = reader.table, function = reader.function, "a stream can't be read");
            return;
        }
    };
    let changed = reader.dynamodb.changed();
    loop {
        // Listens before it looks, so that no change in between is missed.
        let news = changed.notified();
        tokio::pin!(news);
        news.as_mut().enable();
        let (back, batch) = reader.next(stream, reader.batch_size).await;
        stream = back;
        if batch.is_empty() {
            news.await;
            continue;
        }
        let (back, batch) = reader.fill(stream, batch).await;
        stream = back;
        let last = batch.last().and_then(sequence_number).map(str::to_owned);
        reader.carry_out(batch, &stream.arn(), stream.shard()).await;
        reader.positions.set(&reader.name, Position::of(last));
    }
}

impl Reader {
    /// The stream, from where it was read to; at first from its beginning, or its end. Blocks on the disk.
    fn open(&self) -> Result<TableStream, String> {
        let told = |error: &dyn std::error::Error| error.to_string();
        if let Some(position) = self.positions.of(&self.name) {
            return self.dynamodb.stream(&self.table, position.sequence()).map_err(|error| told(&error));
        }
        let mut stream = self.dynamodb.stream(&self.table, None).map_err(|error| told(&error))?;
        let start = if self.from_the_beginning { None } else { stream.end().map_err(|error| told(&error))? };
        stream.seek(start.as_deref()).map_err(|error| told(&error))?;
        self.positions.set(&self.name, Position::of(start));
        Ok(stream)
    }

    /// What comes next; nothing where there is no more yet. It is tried until it can be read.
    async fn next(&self, mut stream: TableStream, most: usize) -> (TableStream, Vec<Value>) {
        let mut delay = RETRY;
        loop {
            let region = self.location.region.clone();
            let read = spawn_blocking(move || {
                let records = stream.next(most, &region);
                (stream, records)
            });
            match read.await {
                Ok((stream, Ok(records))) => return (stream, records),
                Ok((back, Err(error))) => {
                    tracing::warn!(%error, table = self.table, function = self.function, "a stream can't be read");
                    stream = back;
                }
                // The runtime ends, and this with it.
                Err(_) => return std::future::pending().await,
            }
            sleep(delay).await;
            delay = LONGEST_RETRY.min(delay * 2);
        }
    }

    /// A batch with what comes within the batching window.
    async fn fill(&self, mut stream: TableStream, mut batch: Vec<Value>) -> (TableStream, Vec<Value>) {
        let until = Instant::now() + self.batching_window;
        let changed = self.dynamodb.changed();
        while batch.len() < self.batch_size && Instant::now() < until {
            let news = changed.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            let (back, more) = self.next(stream, self.batch_size - batch.len()).await;
            stream = back;
            if more.is_empty() {
                // Whichever comes first: it is looked once more.
                let _ = timeout_at(until, news).await;
            }
            batch.extend(more);
        }
        (stream, batch)
    }

    /// Has a batch done by the function, or gives it up.
    async fn carry_out(&self, batch: Vec<Value>, stream_arn: &str, shard: &str) {
        let lets_through =
            |record: &Value| self.filters.is_empty() || self.filters.iter().any(|filter| filter.matches(record));
        // The last is the next to be done.
        let mut parts = vec![batch.into_iter().filter(lets_through).collect::<Vec<_>>()];
        let (mut failures, mut delay) = (0, RETRY);
        while let Some(part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            let Some(rest) = self.invoke(part).await else {
                (failures, delay) = (0, RETRY);
                continue;
            };
            failures += 1;
            if self.max_retries.is_some_and(|most| failures > most) {
                self.give_up(&rest, failures, stream_arn, shard);
                (failures, delay) = (0, RETRY);
                continue;
            }
            if self.bisects && rest.len() > 1 {
                let mut first = rest;
                let second = first.split_off(first.len() / 2);
                parts.extend([second, first]);
            } else {
                parts.push(rest);
            }
            sleep(delay).await;
            delay = LONGEST_RETRY.min(delay * 2);
        }
    }

    /// Invokes the function; gives the records from the first on that it has not done with.
    async fn invoke(&self, records: Vec<Value>) -> Option<Vec<Value>> {
        let event = Bytes::from(json!({ "Records": records }).to_string());
        let invoked = self.lambda.invoke(&self.function, event, InvokeOptions::default()).await;
        let ids: HashSet<&str> = records.iter().filter_map(sequence_number).collect();
        match Outcome::of(invoked, self.reports_item_failures, &ids) {
            Outcome::Done { but } => {
                let is_failed = |record: &Value| sequence_number(record).is_some_and(|id| but.contains(id));
                let first = records.iter().position(is_failed)?;
                tracing::warn!(function = self.function, "changes come again: the function reports failures");
                Some(records.into_iter().skip(first).collect())
            }
            Outcome::Failed(error) => {
                tracing::warn!(function = self.function, error, "a batch of changes comes again: the function failed");
                Some(records)
            }
        }
    }

    /// Tells of records that the function does not do, where somebody wants to be told.
    fn give_up(&self, records: &[Value], attempts: u32, stream_arn: &str, shard: &str) {
        tracing::error!(function = self.function, records = records.len(), "changes are given up");
        let Some(target) = &self.on_failure else { return };
        let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        let arrival = |record: Option<&Value>| {
            let seconds = record?.get("dynamodb")?.get("ApproximateCreationDateTime")?.as_f64()?;
            #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 are far from the limits")]
            let at = OffsetDateTime::from_unix_timestamp(seconds as i64).ok()?;
            at.format(&Rfc3339).ok()
        };
        let (first, last) = (records.first(), records.last());
        let told = json!({
            "requestContext": {
                "functionArn": self.location.arn_of(&Target::Function(self.function.clone())),
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": attempts,
            },
            "version": "1.0",
            "timestamp": now,
            "DDBStreamBatchInfo": {
                "shardId": shard,
                "startSequenceNumber": first.and_then(sequence_number),
                "endSequenceNumber": last.and_then(sequence_number),
                "approximateArrivalOfFirstRecord": arrival(first),
                "approximateArrivalOfLastRecord": arrival(last),
                "batchSize": records.len(),
                "streamArn": stream_arn,
            },
        });
        if let Err(error) = self.targets.give(target, &told.to_string(), None) {
            tracing::error!(function = self.function, %error, "nobody could be told of changes that are given up");
        }
    }
}

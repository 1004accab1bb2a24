//! A queue that a function reads.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep},
};

use super::outcome::Outcome;
use crate::{
    events::Pattern,
    lambda::{InvokeOptions, Lambda},
    sqs::{Attribute, Receive, Received, Sqs, digest_of_attributes, digest_of_body},
};

/// How many batches are under way at once where nothing is said of it: what Lambda begins with.
const CONCURRENCY: u32 = 5;

/// How long one call waits for messages.
const POLL: Duration = Duration::from_secs(20);

/// How many messages one call gives.
const MOST: usize = 10;

/// How long it waits after a queue could not be read.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Reads a queue for a function.
pub(super) struct Reader {
    pub(super) sqs: Arc<Sqs>,
    pub(super) lambda: Arc<Lambda>,
    pub(super) queue_arn: String,
    pub(super) function: String,
    pub(super) batch_size: usize,
    pub(super) batching_window: Duration,
    pub(super) reports_item_failures: bool,
    pub(super) filters: Vec<Pattern>,
}

/// Gives the function batch after batch, for as long as this lives.
pub(super) async fn read(reader: Arc<Reader>, max_concurrency: Option<u32>) {
    let concurrency = usize::try_from(max_concurrency.unwrap_or(CONCURRENCY)).unwrap_or(usize::MAX);
    let turns = Arc::new(Semaphore::new(concurrency.min(Semaphore::MAX_PERMITS)));
    let mut batches = JoinSet::new();
    loop {
        // Nothing is taken out of the queue that no invocation is free for.
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else { return };
        while batches.try_join_next().is_some() {}
        let batch = reader.batch().await;
        if batch.is_empty() {
            continue;
        }
        let reader = Arc::clone(&reader);
        batches.spawn(async move {
            reader.invoke(batch).await;
            drop(turn);
        });
    }
}

impl Reader {
    /// The next messages that the filters let through: as many as a batch has, or those of the batching window.
    async fn batch(&self) -> Vec<Received> {
        let mut batch: Vec<Received> = Vec::new();
        let mut until = None;
        loop {
            let wait = until.map_or(POLL, |until: Instant| until.saturating_duration_since(Instant::now()));
            let most = MOST.min(self.batch_size - batch.len());
            batch.extend(self.receive(most, wait).await);
            if !batch.is_empty() && until.is_none() {
                until = Some(Instant::now() + self.batching_window);
            }
            let is_over = until.is_none_or(|until| Instant::now() >= until);
            if batch.len() >= self.batch_size || is_over {
                return batch;
            }
        }
    }

    async fn receive(&self, most: usize, wait: Duration) -> Vec<Received> {
        let Some(queue) = self.sqs.name_of(&self.queue_arn) else {
            tracing::warn!(queue = self.queue_arn, function = self.function, "the queue of a function is not there");
            sleep(AFTER_FAILURE).await;
            return Vec::new();
        };
        let messages = match self.sqs.receive_within(&queue, Receive { most, visibility: None }, wait).await {
            Ok(messages) => messages,
            Err(failure) => {
                tracing::warn!(%failure, queue, function = self.function, "the queue of a function can't be read");
                sleep(AFTER_FAILURE).await;
                return Vec::new();
            }
        };
        let (wanted, others): (Vec<_>, Vec<_>) = messages.into_iter().partition(|message| self.lets_through(message));
        // As on Lambda, what no filter lets through is gone.
        self.delete(&queue, &others);
        wanted
    }

    fn lets_through(&self, message: &Received) -> bool {
        if self.filters.is_empty() {
            return true;
        }
        let mut record = self.record(message);
        // A pattern for the body's fields is one for a body that is JSON.
        if let Ok(body @ Value::Object(_)) = serde_json::from_str(&message.body) {
            record["body"] = body;
        }
        self.filters.iter().any(|filter| filter.matches(&record))
    }

    async fn invoke(&self, batch: Vec<Received>) {
        let records: Vec<Value> = batch.iter().map(|message| self.record(message)).collect();
        let event = Bytes::from(json!({ "Records": records }).to_string());
        let invoked = self.lambda.invoke(&self.function, event, InvokeOptions::default()).await;
        let ids: HashSet<&str> = batch.iter().map(|message| message.message_id.as_str()).collect();
        match Outcome::of(invoked, self.reports_item_failures, &ids) {
            Outcome::Done { but } => {
                let done: Vec<_> = batch.into_iter().filter(|message| !but.contains(&message.message_id)).collect();
                if let Some(queue) = self.sqs.name_of(&self.queue_arn) {
                    self.delete(&queue, &done);
                }
                if !but.is_empty() {
                    let failed = but.len();
                    let queue = self.queue_name();
                    tracing::warn!(
                        function = self.function,
                        queue,
                        failed,
                        "messages come again: the function reports failures"
                    );
                }
            }
            // Once the queue shows the messages again they are received again.
            Outcome::Failed(error) => {
                let (function, queue, messages) = (&self.function, self.queue_name(), batch.len());
                tracing::warn!(function, queue, messages, error, "messages come again: the function failed");
            }
        }
    }

    fn queue_name(&self) -> &str {
        self.queue_arn.rsplit(':').next().unwrap_or(&self.queue_arn)
    }

    fn delete(&self, queue: &str, messages: &[Received]) {
        for message in messages {
            if let Err(failure) = self.sqs.delete(queue, &message.receipt_handle) {
                tracing::warn!(%failure, queue, "a message that is done with can't be deleted");
            }
        }
    }

    /// A message as the function gets it.
    fn record(&self, message: &Received) -> Value {
        let mut record = json!({
            "messageId": message.message_id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": message.system_attributes,
            "messageAttributes": attributes(&message.attributes),
            "md5OfBody": digest_of_body(&message.body),
            "eventSource": "aws:sqs",
            "eventSourceARN": self.queue_arn,
            "awsRegion": self.sqs.location().region,
        });
        if let Some(digest) = digest_of_attributes(&message.attributes) {
            record["md5OfMessageAttributes"] = digest.into();
        }
        record
    }
}

fn attributes(attributes: &BTreeMap<String, Attribute>) -> Map<String, Value> {
    let told = |(name, attribute): (&String, &Attribute)| {
        let mut told = Map::new();
        told.extend(attribute.string_value.as_ref().map(|value| ("stringValue".to_owned(), json!(value))));
        told.extend(attribute.binary_value.as_ref().map(|value| ("binaryValue".to_owned(), json!(value))));
        told.insert("stringListValues".to_owned(), json!([]));
        told.insert("binaryListValues".to_owned(), json!([]));
        told.insert("dataType".to_owned(), json!(attribute.data_type));
        (name.clone(), Value::Object(told))
    };
    attributes.iter().map(told).collect()
}

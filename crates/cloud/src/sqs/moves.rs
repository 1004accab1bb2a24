//! Tasks that move the messages of a dead-letter queue back to the queues that they came from, or to another one.
//!
//! A message that was moved is a new one. Tasks are not kept: one that runs when the local cloud stops has moved what it has
//! moved.
//!
//! Source: the SQS API reference, `StartMessageMoveTask`, `ListMessageMoveTasks` and `CancelMessageMoveTask`.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Inner, Sqs, internal, now};
use crate::{location::Location, protocol::Failure};

/// How many messages are moved at once where no rate is given.
const AT_ONCE: usize = 100;

/// How many tasks of a queue are remembered.
const REMEMBERED: usize = 10;

/// The highest rate, in messages in a second.
const MAX_RATE: u32 = 500;

type Answer = Result<Value, Failure>;

/// A task of a queue.
#[derive(Debug)]
pub(super) struct Move {
    handle: String,
    /// The ARN of the queue that all messages go to, where they do not go back to where they came from.
    destination: Option<String>,
    /// Messages in a second.
    rate: Option<u32>,
    moved: usize,
    /// How many there were to be moved at its start.
    total: i64,
    status: Status,
    /// Milliseconds since 1970.
    started_at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Running,
    Completed,
    Cancelled,
    /// With the service's name of the reason.
    Failed(&'static str),
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::Failed(_) => "FAILED",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Start {
    source_arn: String,
    destination_arn: Option<String>,
    max_number_of_messages_per_second: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct List {
    source_arn: String,
    max_results: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Cancel {
    task_handle: String,
}

impl Sqs {
    /// Begins to move messages. Must be called inside a Tokio runtime.
    pub(super) fn start_move(&self, request: Start) -> Answer {
        let Start { source_arn, destination_arn, max_number_of_messages_per_second: rate } = request;
        if rate.is_some_and(|rate| rate == 0 || rate > MAX_RATE) {
            let message =
                format!("Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: 1 to {MAX_RATE}.");
            return Err(Failure::new("InvalidParameterValue", message));
        }
        let queue = self.name_of(&source_arn).ok_or_else(|| not_there("SourceArn"))?;
        if destination_arn.as_ref().is_some_and(|arn| self.name_of(arn).is_none()) {
            return Err(not_there("DestinationArn"));
        }
        let mut inner = self.inner();
        if !inner.is_dead_letter_queue(&source_arn) {
            let message = "Source queue must be configured as a Dead Letter Queue.";
            return Err(Failure::new("InvalidParameterValue", message));
        }
        let total = inner.counts(&queue)?.visible;
        let moves = inner.moves.entry(queue.clone()).or_default();
        if moves.iter().any(|task| task.status == Status::Running) {
            let message = "There is already a task running. Only one active task is allowed for a source queue arn at a given \
                           time.";
            return Err(Failure::new("InvalidParameterValue", message));
        }
        let handle =
            STANDARD.encode(json!({ "taskId": Uuid::new_v4().to_string(), "sourceArn": source_arn }).to_string());
        let (handle_of_task, destination, started_at) = (handle.clone(), destination_arn, now());
        let status = Status::Running;
        moves.push_front(Move { handle: handle_of_task, destination, rate, moved: 0, total, status, started_at });
        moves.truncate(REMEMBERED);
        let task = carry_out(Arc::downgrade(&self.inner), self.location.clone(), queue, handle.clone());
        tokio::spawn(task);
        Ok(json!({ "TaskHandle": handle }))
    }

    pub(super) fn list_moves(&self, request: &List) -> Answer {
        let queue = self.name_of(&request.source_arn).ok_or_else(|| not_there("SourceArn"))?;
        let inner = self.inner();
        let moves =
            inner.moves.get(&queue).into_iter().flatten().take(request.max_results.unwrap_or(1).min(REMEMBERED));
        let told: Vec<Value> = moves.map(|task| task.told(&request.source_arn)).collect();
        Ok(json!({ "Results": told }))
    }

    pub(super) fn cancel_move(&self, request: &Cancel) -> Answer {
        let mut inner = self.inner();
        let mut moves = inner.moves.values_mut().flatten();
        let task = moves.find(|task| task.handle == request.task_handle).ok_or_else(|| {
            let message = "The resource that you specified for the TaskHandle parameter doesn't exist.";
            Failure::new("ResourceNotFoundException", message)
        })?;
        if task.status != Status::Running {
            let message = "Only active tasks can be cancelled.";
            return Err(Failure::new("InvalidParameterValue", message));
        }
        task.status = Status::Cancelled;
        Ok(json!({ "ApproximateNumberOfMessagesMoved": task.moved }))
    }
}

impl Move {
    fn told(&self, source_arn: &str) -> Value {
        let mut told = json!({
            "Status": self.status.name(),
            "SourceArn": source_arn,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.total,
            "StartedTimestamp": self.started_at,
        });
        // The handle is for cancelling.
        if self.status == Status::Running {
            told["TaskHandle"] = json!(self.handle);
        }
        if let Some(destination) = &self.destination {
            told["DestinationArn"] = json!(destination);
        }
        if let Some(rate) = self.rate {
            told["MaxNumberOfMessagesPerSecond"] = json!(rate);
        }
        if let Status::Failed(reason) = self.status {
            told["FailureReason"] = json!(reason);
        }
        told
    }
}

/// Moves messages until there are none, or the task is ended in another way.
async fn carry_out(inner: Weak<Mutex<Inner>>, location: Arc<Location>, queue: String, handle: String) {
    loop {
        let Some(strong) = inner.upgrade() else { return };
        let (location, queue, handle) = (Arc::clone(&location), queue.clone(), handle.clone());
        let next = tokio::task::spawn_blocking(move || {
            strong.lock().unwrap_or_else(PoisonError::into_inner).move_some(&queue, &handle, &location)
        });
        match next.await {
            Ok(Some(pause)) => tokio::time::sleep(pause).await,
            Ok(None) => return,
            Err(error) => return tracing::error!(%error, "messages are not moved any more"),
        }
    }
}

impl Inner {
    fn is_dead_letter_queue(&self, arn: &str) -> bool {
        let mut policies = self.queues.values().filter_map(|queue| queue.attributes.redrive_policy());
        policies.any(|policy| policy.dead_letter_target_arn == arn)
    }

    /// Moves some messages of a task that runs, and tells how long to wait before more are moved; nothing once it has ended.
    fn move_some(&mut self, queue: &str, handle: &str, location: &Location) -> Option<Duration> {
        let task = running(&mut self.moves, queue, handle)?;
        let (rate, destination) = (task.rate, task.destination.clone());
        let most = rate.map_or(AT_ONCE, |rate| usize::try_from(rate).unwrap_or(AT_ONCE));
        let moved = self.move_messages(queue, destination.as_deref(), most, location);
        let task = running(&mut self.moves, queue, handle)?;
        match moved {
            Ok(0) => task.status = Status::Completed,
            Ok(count) => {
                task.moved += count;
                return Some(if rate.is_some() { Duration::from_secs(1) } else { Duration::ZERO });
            }
            Err(reason) => task.status = Status::Failed(reason),
        }
        None
    }

    /// Moves messages that can be seen, at most so many, and tells how many; or why it could not.
    fn move_messages(
        &mut self,
        queue: &str,
        destination: Option<&str>,
        most: usize,
        location: &Location,
    ) -> Result<usize, &'static str> {
        let failed = |error| {
            internal(error);
            "InternalError"
        };
        let visible = self.store.visible(queue, now(), most).map_err(failed)?;
        let mut moves = Vec::with_capacity(visible.len());
        for (sequence, source) in visible {
            let arn = destination.or(source.as_deref()).ok_or("CouldNotDetermineMessageSource")?;
            let target = location.resource_of("sqs", arn).filter(|name| self.queues.contains_key(*name));
            moves.push((sequence, target.ok_or("AWS.SimpleQueueService.NonExistentQueue")?.to_owned()));
        }
        self.store.move_as_new(&moves, now(), || Uuid::new_v4().to_string()).map_err(failed)?;
        for (_, target) in &moves {
            if let Some(target) = self.queues.get(target) {
                target.arrivals.notify_waiters();
            }
        }
        Ok(moves.len())
    }
}

/// A task, unless it has ended.
fn running<'a>(moves: &'a mut BTreeMap<String, VecDeque<Move>>, queue: &str, handle: &str) -> Option<&'a mut Move> {
    moves.get_mut(queue)?.iter_mut().find(|task| task.handle == handle && task.status == Status::Running)
}

fn not_there(parameter: &str) -> Failure {
    let message = format!("The resource that you specified for the {parameter} parameter doesn't exist.");
    Failure::new("ResourceNotFoundException", message).with_status(http::StatusCode::NOT_FOUND)
}

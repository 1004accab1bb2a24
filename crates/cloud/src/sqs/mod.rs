//! SQS: queues, their messages, dead-letter queues.
//!
//! Differences from the service: a standard queue gives its messages in the order in which they were sent; each is given
//! once for each time that it can be seen; policies are kept and not applied.
//!
//! There are crates that emulate SQS; this is our own, because queues are to outlive the runner, and those keep their
//! messages in memory, out of reach.

mod attributes;
mod failure;
mod message;
mod moves;
mod operations;
mod store;

use std::{
    collections::{BTreeMap, VecDeque},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use time::OffsetDateTime;
use tokio::{
    sync::{Notify, futures::OwnedNotified, oneshot},
    task::spawn_blocking,
    time::{Instant, timeout_at},
};
use uuid::Uuid;

use crate::{location::Location, named, protocol::Failure};
use attributes::Attributes;
use moves::Move;
use store::{Counts, Moved, OpenError, QueueRow, Redrive, Store, Wanted};

pub use message::{Attribute, Outgoing, Received, Sent};
pub(crate) use message::{digest_of_attributes, digest_of_body, digest_of_content};

/// For how long a FIFO queue knows a message once more.
const DEDUPLICATION: i64 = 5 * 60 * 1000;

/// How often messages that are too old are looked for in a queue, at most, in milliseconds.
const SWEEP: i64 = 1000;

/// Why the queues can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum SqsError {
    /// The folder can't be made.
    #[error("cannot use the folder {}: {source}", .folder.display())]
    Folder {
        /// The folder of the queues.
        folder: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// The file is none of queues.
    #[error("cannot open the queues in {} ({source}): move the file away to start with none", .file.display())]
    Open {
        /// The file.
        file: PathBuf,
        /// The database's own error.
        source: rusqlite::Error,
    },
    /// The file is of another version.
    #[error(
        "the queues in {} have the layout {found}, which this version does not read: use the version that wrote them, or move \
         the file away to start with none", .file.display()
    )]
    Layout {
        /// The file.
        file: PathBuf,
        /// The layout's number.
        found: i64,
    },
    /// A queue of the template can't be as it is described.
    #[error("the queue {queue}: {failure}")]
    Queue {
        /// The queue's name.
        queue: String,
        /// Why not.
        failure: Failure,
    },
}

/// The queues. What asks for them may wait for the disk, for a moment; clients do so on threads of their own.
#[derive(Clone)]
pub struct Sqs {
    location: Arc<Location>,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    queues: BTreeMap<String, Queue>,
    store: Store,
    /// By the names of dead-letter queues, the newest task first.
    moves: BTreeMap<String, VecDeque<Move>>,
}

#[derive(Clone)]
struct Queue {
    attributes: Attributes,
    tags: BTreeMap<String, String>,
    created_at: i64,
    changed_at: i64,
    /// When messages that are too old were looked for.
    swept_at: i64,
    /// Told when there may be something to receive.
    arrivals: Arc<Notify>,
}

/// What is asked of a queue.
#[derive(Clone, Copy, Debug)]
pub struct Receive {
    /// How many messages at most.
    pub most: usize,
    /// How long they are hidden from others; as the queue has it, where it is not said.
    pub visibility: Option<Duration>,
}

/// What a look into a queue came to.
enum Look {
    Found(Vec<Received>),
    /// What tells of something new, and when the next hidden message can be seen.
    Empty {
        arrived: OwnedNotified,
        next: Option<Instant>,
    },
}

impl Sqs {
    /// Opens the queues that are kept in `folder`, or some that go with the process. Blocks on the disk.
    pub fn open(folder: Option<&Path>, location: Location) -> Result<Self, SqsError> {
        let file = match folder {
            Some(folder) => {
                let failed = |source| SqsError::Folder { folder: folder.to_owned(), source };
                fs::create_dir_all(folder).map_err(failed)?;
                Some(folder.join("queues.sqlite"))
            }
            None => None,
        };
        let failed = |source| SqsError::Open { file: file.clone().unwrap_or_default(), source };
        let store = Store::open(file.as_deref()).map_err(|error| match error {
            OpenError::Database(source) => failed(source),
            OpenError::Layout(found) => SqsError::Layout { file: file.clone().unwrap_or_default(), found },
        })?;
        let queues = store.queues().map_err(failed)?.into_iter().map(|row| (row.name.clone(), Queue::of(row)));
        let queues = queues.collect();
        Ok(Self {
            location: Arc::new(location),
            inner: Arc::new(Mutex::new(Inner { queues, store, moves: BTreeMap::new() })),
        })
    }

    /// Makes a queue of the template, or gives one that is there the attributes that the template has now.
    pub fn provide(&self, queue: &sam::Queue) -> Result<(), SqsError> {
        let failed = |failure| SqsError::Queue { queue: queue.name.clone(), failure };
        let mut inner = self.inner();
        let attributes = queue.attributes.clone();
        let provided = if inner.queues.contains_key(&queue.name) {
            inner.change(&queue.name, |there| {
                there.attributes = Attributes::new(attributes, &queue.name)?;
                Ok(())
            })
        } else {
            inner.create(&queue.name, attributes, BTreeMap::new())
        };
        provided.map_err(failed)
    }

    /// Where the queues are.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The name of the queue of an ARN, where it is one of these.
    pub fn name_of(&self, arn: &str) -> Option<String> {
        let name = self.location.resource_of("sqs", arn)?;
        self.inner().queues.contains_key(name).then(|| name.to_owned())
    }

    /// The address of a queue.
    pub fn url(&self, queue: &str) -> String {
        format!("{}/{}/{queue}", self.location.endpoint, self.location.account)
    }

    /// The ARN of a queue.
    pub fn arn(&self, queue: &str) -> String {
        self.location.arn("sqs", queue)
    }

    /// Puts a message into a queue.
    pub fn send(&self, queue: &str, message: &Outgoing) -> Result<Sent, Failure> {
        self.inner().send(queue, message)
    }

    /// Takes messages that can be seen now.
    pub fn receive(&self, queue: &str, receive: Receive) -> Result<Vec<Received>, Failure> {
        let mut inner = self.inner();
        let source_arn = self.arn(queue);
        inner.receive(queue, &self.location, &source_arn, receive)
    }

    /// Takes messages, and waits for one where there is none. Must be called inside a Tokio runtime.
    pub async fn receive_within(
        &self,
        queue: &str,
        receive: Receive,
        wait: Duration,
    ) -> Result<Vec<Received>, Failure> {
        let deadline = Instant::now() + wait;
        loop {
            let (give, looked) = oneshot::channel();
            let (sqs, name) = (self.clone(), queue.to_owned());
            spawn_blocking(move || {
                // Who asked may be gone by now.
                if let Err(Ok(Look::Found(messages))) = give.send(sqs.look(&name, receive)) {
                    sqs.give_back(&name, &messages);
                }
            });
            let (arrived, next) = match looked.await.map_err(|error| Failure::internal(&error))?? {
                Look::Found(messages) => return Ok(messages),
                Look::Empty { .. } if Instant::now() >= deadline => return Ok(Vec::new()),
                Look::Empty { arrived, next } => (arrived, next),
            };
            let until = next.map_or(deadline, |next| deadline.min(next));
            // Whichever comes first: the queue is looked into again.
            let _ = timeout_at(until, arrived).await;
        }
    }

    /// Looks for messages, and tells what to wait for where there are none.
    fn look(&self, queue: &str, receive: Receive) -> Result<Look, Failure> {
        let mut inner = self.inner();
        // It hears what comes from now on.
        let arrived = Arc::clone(&inner.queue(queue)?.arrivals).notified_owned();
        let messages = inner.receive(queue, &self.location, &self.arn(queue), receive)?;
        if !messages.is_empty() {
            return Ok(Look::Found(messages));
        }
        Ok(Look::Empty { arrived, next: inner.next_visible(queue)? })
    }

    /// Shows messages again that nobody got.
    fn give_back(&self, queue: &str, messages: &[Received]) {
        for message in messages {
            if let Err(failure) = self.change_visibility(queue, &message.receipt_handle, Duration::ZERO) {
                tracing::warn!(queue, %failure, "a message that nobody got stays hidden for as long as one that was received");
            }
        }
    }

    /// Deletes a message that was received.
    pub fn delete(&self, queue: &str, receipt_handle: &str) -> Result<(), Failure> {
        self.inner().delete(queue, receipt_handle)
    }

    /// Hides a message that was received for another time from now on.
    pub fn change_visibility(&self, queue: &str, receipt_handle: &str, hidden: Duration) -> Result<(), Failure> {
        self.inner().change_visibility(queue, receipt_handle, hidden)
    }

    /// How long a queue hides what it gives.
    pub fn visibility_timeout(&self, queue: &str) -> Result<Duration, Failure> {
        Ok(self.inner().queue(queue)?.attributes.seconds("VisibilityTimeout"))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn of(row: QueueRow) -> Self {
        Self {
            attributes: Attributes::stored(row.attributes),
            tags: row.tags,
            created_at: row.created_at,
            changed_at: row.changed_at,
            swept_at: 0,
            arrivals: Arc::default(),
        }
    }

    /// What is kept of it.
    fn row(&self, name: &str) -> QueueRow {
        QueueRow {
            name: name.to_owned(),
            attributes: self.attributes.all().clone(),
            tags: self.tags.clone(),
            created_at: self.created_at,
            changed_at: self.changed_at,
        }
    }
}

impl Inner {
    fn queue(&self, name: &str) -> Result<&Queue, Failure> {
        self.queues.get(name).ok_or_else(failure::queue_does_not_exist)
    }

    fn create(
        &mut self,
        name: &str,
        attributes: BTreeMap<String, String>,
        tags: BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        check_name(name, &attributes)?;
        if let Some(queue) = self.queues.get(name) {
            return queue
                .attributes
                .first_other(&attributes)
                .map_or(Ok(()), |other| Err(failure::queue_name_exists(other)));
        }
        let attributes = Attributes::new(attributes, name)?;
        let now = now();
        let row = QueueRow {
            name: name.to_owned(),
            attributes: attributes.all().clone(),
            tags,
            created_at: now,
            changed_at: now,
        };
        self.store.put_queue(&row).map_err(internal)?;
        self.queues.insert(name.to_owned(), Queue::of(row));
        Ok(())
    }

    /// Changes a queue, once what becomes of it is kept.
    fn change(&mut self, name: &str, run: impl FnOnce(&mut Queue) -> Result<(), Failure>) -> Result<(), Failure> {
        let Self { queues, store, .. } = self;
        let queue = queues.get_mut(name).ok_or_else(failure::queue_does_not_exist)?;
        let run = |queue: &mut Queue| {
            queue.changed_at = now();
            run(queue)
        };
        named::change(queue, run, |queue| store.put_queue(&queue.row(name)).map_err(internal))
    }

    /// Deletes a queue with its messages.
    fn delete_queue(&mut self, name: &str) -> Result<(), Failure> {
        let arrivals = Arc::clone(&self.queue(name)?.arrivals);
        self.store.delete_queue(name).map_err(internal)?;
        self.queues.remove(name);
        self.moves.remove(name);
        // Who waits for a message finds that there is no queue.
        arrivals.notify_waiters();
        Ok(())
    }

    fn send(&mut self, name: &str, message: &Outgoing) -> Result<Sent, Failure> {
        let queue = self.queue(name)?;
        let attributes = &queue.attributes;
        message.check(attributes.number("MaximumMessageSize"))?;
        let is_fifo = is_fifo(name);
        let message = &if is_fifo { in_fifo_queue(message, attributes)? } else { in_standard_queue(message)? };
        let now = now();
        let delay = message.delay_seconds.unwrap_or_else(|| attributes.number("DelaySeconds"));
        let key = message.deduplication_id.as_deref().map(|id| match &message.group_id {
            Some(group) if attributes.is("DeduplicationScope", "messageGroup") => format!("{group}\n{id}"),
            _ => id.to_owned(),
        });
        if let Some(key) = &key {
            let before = self.store.sent_before(name, key, now - DEDUPLICATION).map_err(internal)?;
            if let Some((message_id, sequence)) = before {
                return Ok(Sent { message_id, sequence_number: Some(sequence_number(sequence)) });
            }
        }
        let arrivals = Arc::clone(&queue.arrivals);
        let message_id = Uuid::new_v4().to_string();
        let times = (now, now + i64::from(delay) * 1000);
        let sequence = self.store.add(name, &message_id, message, key.as_deref(), times).map_err(internal)?;
        arrivals.notify_waiters();
        Ok(Sent { message_id, sequence_number: is_fifo.then(|| sequence_number(sequence)) })
    }

    fn receive(
        &mut self,
        name: &str,
        location: &Location,
        source_arn: &str,
        receive: Receive,
    ) -> Result<Vec<Received>, Failure> {
        let Self { queues, store, .. } = self;
        let queue = queues.get_mut(name).ok_or_else(failure::queue_does_not_exist)?;
        let now = now();
        if now - queue.swept_at >= SWEEP {
            queue.swept_at = now;
            let retention = queue.attributes.seconds("MessageRetentionPeriod");
            store.expire(name, now - milliseconds(retention), now - DEDUPLICATION).map_err(internal)?;
        }
        let queues = &*queues;
        let queue = queues.get(name).ok_or_else(failure::queue_does_not_exist)?;
        let policy = queue.attributes.redrive_policy();
        // A queue that is not there can't take anything: messages stay where they are.
        let target = policy.as_ref().and_then(|policy| {
            let target = location.resource_of("sqs", &policy.dead_letter_target_arn)?;
            Some((policy.max_receive_count, target, queues.get(target)?))
        });
        let redrive = target.map(|(max_receive_count, target, _)| Redrive { max_receive_count, target, source_arn });
        let hidden = receive.visibility.unwrap_or_else(|| queue.attributes.seconds("VisibilityTimeout"));
        let wanted = Wanted {
            queue: name,
            most: receive.most,
            hidden_for: milliseconds(hidden),
            is_fifo: is_fifo(name),
            redrive,
        };
        let (mut messages, moved) = store.receive(&wanted, now, new_receipt).map_err(internal)?;
        for message in &mut messages {
            message.system_attributes.insert("SenderId", location.account.clone());
        }
        if let (false, Some((_, dead_letters, target))) = (moved.is_empty(), target) {
            for Moved { message_id, received } in moved {
                tracing::warn!(
                    queue = name,
                    message_id,
                    received,
                    dead_letters,
                    "a message that nobody has done with was moved to the dead-letter queue"
                );
            }
            target.arrivals.notify_waiters();
        }
        Ok(messages)
    }

    fn next_visible(&self, name: &str) -> Result<Option<Instant>, Failure> {
        let now = now();
        let next = self.store.next_visible_at(name).map_err(internal)?;
        Ok(next.map(|next| Instant::now() + Duration::from_millis(u64::try_from(next - now).unwrap_or_default())))
    }

    fn delete(&mut self, name: &str, receipt: &str) -> Result<(), Failure> {
        let arrivals = Arc::clone(&self.queue(name)?.arrivals);
        check_receipt(receipt)?;
        // A message that was deleted before, or was received once more since, is left as it is: that is no error.
        if let Some(held) = self.store.held(name, receipt).map_err(internal)? {
            if is_fifo(name) && held.visible_at <= now() {
                return Err(failure::parameter_value(receipt, "ReceiptHandle", "The receipt handle has expired."));
            }
            self.store.delete(held.sequence).map_err(internal)?;
            // The rest of its group can be received now.
            arrivals.notify_waiters();
        }
        Ok(())
    }

    fn change_visibility(&mut self, name: &str, receipt: &str, hidden: Duration) -> Result<(), Failure> {
        let arrivals = Arc::clone(&self.queue(name)?.arrivals);
        check_receipt(receipt)?;
        let now = now();
        let held = self.store.held(name, receipt).map_err(internal)?;
        let held = held.filter(|held| held.visible_at > now).ok_or_else(|| failure::not_in_flight(receipt))?;
        self.store.hide_until(held.sequence, now + milliseconds(hidden)).map_err(internal)?;
        arrivals.notify_waiters();
        Ok(())
    }

    fn counts(&self, name: &str) -> Result<Counts, Failure> {
        self.store.counts(name, now()).map_err(internal)
    }
}

fn check_name(name: &str, attributes: &BTreeMap<String, String>) -> Result<(), Failure> {
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if stem.is_empty() || name.len() > 80 || !stem.bytes().all(is_allowed) {
        let message = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(Failure::new("InvalidParameterValue", message));
    }
    if attributes.get("FifoQueue").is_some_and(|value| value == "true") && stem == name {
        let message = "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end \
                       with .fifo suffix and be 1 to 80 in length";
        return Err(Failure::new("InvalidParameterValue", message));
    }
    if stem != name && !attributes.contains_key("FifoQueue") {
        let message = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(Failure::new("InvalidParameterValue", message));
    }
    Ok(())
}

/// A FIFO queue is one by its name.
pub(crate) fn is_fifo(queue: &str) -> bool {
    queue.strip_suffix(".fifo").is_some()
}

fn in_standard_queue(message: &Outgoing) -> Result<Outgoing, Failure> {
    if let Some(id) = &message.deduplication_id {
        let reason = "The request includes a parameter that is not valid for this queue type.";
        return Err(failure::parameter_value(id, "MessageDeduplicationId", reason));
    }
    Ok(message.clone())
}

/// A message of a FIFO queue, with what it is known by.
fn in_fifo_queue(message: &Outgoing, attributes: &Attributes) -> Result<Outgoing, Failure> {
    if message.group_id.is_none() {
        return Err(failure::missing_parameter("MessageGroupId"));
    }
    if let Some(delay) = message.delay_seconds {
        let reason = "The request include parameter that is not valid for this queue type.";
        return Err(failure::parameter_value(&delay.to_string(), "DelaySeconds", reason));
    }
    let by_content = || {
        let is_on = attributes.is("ContentBasedDeduplication", "true");
        is_on.then(|| digest_of_content(&message.body))
    };
    let id: Option<String> = message.deduplication_id.clone().or_else(by_content);
    let id = id.ok_or_else(|| {
        let message = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided \
                       explicitly";
        Failure::new("InvalidParameterValue", message)
    })?;
    Ok(Outgoing { deduplication_id: Some(id), ..message.clone() })
}

/// The sequence number of a message of a FIFO queue.
fn sequence_number(sequence: i64) -> String {
    format!("{sequence:020}")
}

fn new_receipt() -> String {
    STANDARD.encode(format!("{} {}", Uuid::new_v4(), Uuid::new_v4()))
}

fn check_receipt(receipt: &str) -> Result<(), Failure> {
    STANDARD.decode(receipt).map(drop).map_err(|_| failure::receipt_handle(receipt))
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Now, in milliseconds since 1970.
fn now() -> i64 {
    i64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed as a function")]
fn internal(error: rusqlite::Error) -> Failure {
    Failure::internal(&error)
}

impl std::fmt::Debug for Sqs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sqs").field("location", &self.location).finish_non_exhaustive()
    }
}

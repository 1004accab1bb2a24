//! SNS: topics, and the subscriptions of queues and functions to them.
//!
//! Differences from the service: nothing leaves this machine, so there are no subscriptions of addresses, telephones or web
//! sites, and a text message to a telephone is told in the terminal; messages are not signed, so their signatures are empty; a message that can't be delivered goes to the
//! subscription's dead-letter queue at once; policies are kept and not applied.
//!
//! There are crates that emulate SNS; this is our own, because those deliver to queues alone, and their raw messages have no
//! attributes.

mod delivery;
mod failure;
mod operations;
mod sent;
mod subscription;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    lambda::Lambda,
    location::Location,
    named,
    protocol::{self, Failure},
    service::Service,
    sqs::{Attribute, Sqs},
    states::{Store, StoreError},
};
use sent::{Sent, SentError};
use subscription::Subscription;

/// The longest message, in bytes.
const MAX_MESSAGE: usize = 256 * 1024;

/// For how long a FIFO topic knows a message once more, in milliseconds.
const DEDUPLICATION: i64 = 5 * 60 * 1000;

/// How often what is older than that is forgotten, at most, in milliseconds.
const SWEEP: i64 = 1000;

/// Why the topics can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SnsError {
    /// The file that keeps them.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file that keeps what FIFO topics got.
    #[error("cannot open {} ({source}): move the file away to start without what FIFO topics got", file.display())]
    Sent {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: SentError,
    },
    /// A subscription of the template can't be as it is described.
    #[error("the subscription {subscription}: {failure}")]
    Subscription {
        /// Its key in the template.
        subscription: String,
        /// Why not.
        failure: Failure,
    },
}

/// The topics.
pub struct Sns {
    location: Location,
    sqs: Arc<Sqs>,
    lambda: Arc<Lambda>,
    store: Store,
    inner: Mutex<Inner>,
    /// What is sent to FIFO topics is numbered and delivered under this lock, one message at a time: so it arrives in the
    /// order of its numbers.
    fifo: Mutex<Fifo>,
}

#[derive(Clone, Default)]
struct Inner {
    topics: BTreeMap<String, Topic>,
    /// By their ARNs.
    subscriptions: BTreeMap<String, Subscription>,
}

/// What FIFO topics got.
struct Fifo {
    sent: Sent,
    /// When `sent` was last rid of what is too old.
    swept_at: i64,
    /// The last number: of the clock, so that it also rises from one run to the next.
    sequence: i128,
}

/// What is kept between two runs.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    topics: BTreeMap<String, Topic>,
    subscriptions: BTreeMap<String, subscription::Described>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Topic {
    attributes: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    /// Made by the template, which makes it once more at the next start.
    #[serde(skip)]
    is_of_template: bool,
}

/// A message on its way to a topic.
#[derive(Clone, Debug, Default)]
pub struct Publication {
    /// The message.
    pub message: String,
    /// Its subject.
    pub subject: Option<String>,
    /// For `MessageStructure: json`: what each protocol gets; `default` is for the others.
    pub by_protocol: BTreeMap<String, String>,
    /// The sender's own attributes.
    pub attributes: BTreeMap<String, Attribute>,
    /// The group that it is part of.
    pub group_id: Option<String>,
    /// By which a FIFO topic knows it from others.
    pub deduplication_id: Option<String>,
}

/// What is answered to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The message's id.
    pub message_id: String,
    /// Its place in a FIFO topic.
    pub sequence_number: Option<String>,
}

impl Sns {
    /// The topics that a file has, and those of the template. `sent` is the file that keeps what FIFO topics got, where that is
    /// to be kept.
    pub fn open(
        store: Store,
        sent: Option<&Path>,
        location: Location,
        application: &sam::Application,
        sqs: Arc<Sqs>,
        lambda: Arc<Lambda>,
    ) -> Result<Self, SnsError> {
        let kept: Kept = store.read()?;
        let mut inner = Inner { topics: kept.topics, ..Inner::default() };
        for topic in &application.topics {
            let tags = BTreeMap::new();
            let made = Topic { attributes: topic.attributes.clone(), tags, is_of_template: true };
            inner.topics.insert(topic.arn.clone(), made);
        }
        for (arn, described) in kept.subscriptions {
            // What was accepted once is read once more; a newer version may know better.
            match Subscription::new(described, false) {
                Ok(subscription) => drop(inner.subscriptions.insert(arn, subscription)),
                Err(failure) => tracing::warn!(%failure, arn, "a subscription is not taken up"),
            }
        }
        for subscribed in &application.subscriptions {
            let failed = |failure| SnsError::Subscription { subscription: subscribed.logical_id.clone(), failure };
            let subscription = Subscription::new(subscription::Described::of(subscribed), true).map_err(failed)?;
            let arn = format!("{}:{}", subscribed.topic_arn, subscribed.logical_id);
            inner.subscriptions.insert(arn, subscription);
        }
        let failed = |source| SnsError::Sent { file: sent.map(Path::to_owned).unwrap_or_default(), source };
        let fifo = Fifo { sent: Sent::open(sent).map_err(failed)?, swept_at: 0, sequence: 0 };
        Ok(Self { location, sqs, lambda, store, inner: Mutex::new(inner), fifo: Mutex::new(fifo) })
    }

    /// It as its clients see it.
    pub fn front_end(self: &Arc<Self>) -> Arc<impl Service> {
        Arc::new(protocol::FrontEnd(self.clone()))
    }

    /// Whether there is a topic of this ARN.
    pub fn has_topic(&self, arn: &str) -> bool {
        self.inner().topics.contains_key(arn)
    }

    /// Sends a message to all who subscribe to a topic and whose filter lets it through.
    pub fn publish(&self, topic_arn: &str, publication: &Publication) -> Result<Published, Failure> {
        let deduplication_id = {
            let inner = self.inner();
            let topic = inner.topics.get(topic_arn).ok_or_else(failure::topic_not_found)?;
            check(publication)?;
            topic.is_fifo().then(|| deduplication_id(publication, topic)).transpose()?
        };
        let message_id = Uuid::new_v4().to_string();
        let Some(deduplication_id) = deduplication_id else {
            let published = Published { message_id, sequence_number: None };
            self.give(topic_arn, publication, &published, None);
            return Ok(published);
        };
        let mut fifo = self.fifo.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now();
        if let Some(before) = fifo.sent_before(topic_arn, &deduplication_id, now)? {
            return Ok(before);
        }
        let published = Published { message_id, sequence_number: Some(fifo.next_number()) };
        self.give(topic_arn, publication, &published, Some(deduplication_id.clone()));
        // After it was given: who is not answered sends it again, and then it must not be taken for known.
        if let Err(error) = fifo.sent.add(topic_arn, &deduplication_id, &published, now) {
            tracing::warn!(topic_arn, %error, "it can't be kept that a message was sent: it would be sent once more");
        }
        Ok(published)
    }

    /// Gives a message to those who subscribe to a topic.
    fn give(
        &self,
        topic_arn: &str,
        publication: &Publication,
        published: &Published,
        deduplication_id: Option<String>,
    ) {
        let inner = self.inner();
        let of_topic = inner.subscriptions.iter().filter(|(_, subscription)| subscription.topic_arn() == topic_arn);
        let subscriptions: Vec<_> = of_topic.map(|(arn, subscription)| (arn.clone(), subscription.clone())).collect();
        drop(inner);
        let at = OffsetDateTime::now_utc();
        let notification = delivery::Notification {
            topic_arn,
            endpoint: &self.location.endpoint,
            publication,
            published,
            deduplication_id,
            at,
        };
        for (arn, subscription) in subscriptions {
            if subscription.lets_through(publication) {
                self.deliver(&arn, &subscription, &notification);
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes topics and subscriptions, once what the API has made of them is kept.
    fn change<R>(&self, run: impl FnOnce(&mut Inner) -> Result<R, Failure>) -> Result<R, Failure> {
        named::change(&mut *self.inner(), run, |inner| self.keep(inner))
    }

    /// Writes what the API has made.
    fn keep(&self, inner: &Inner) -> Result<(), Failure> {
        let topics = inner.topics.iter().filter(|(_, topic)| !topic.is_of_template);
        let subscriptions = inner.subscriptions.iter().filter(|(_, subscription)| !subscription.is_of_template());
        let kept = Kept {
            topics: topics.map(|(arn, topic)| (arn.clone(), topic.clone())).collect(),
            subscriptions: subscriptions.map(|(arn, one)| (arn.clone(), one.described().clone())).collect(),
        };
        self.store.write(&kept).map_err(|error| Failure::internal(&error))
    }
}

impl Fifo {
    /// What was answered to a message when a topic got it lately.
    fn sent_before(&mut self, topic: &str, id: &str, now: i64) -> Result<Option<Published>, Failure> {
        let internal = |error| Failure::internal(&error);
        if now - self.swept_at >= SWEEP {
            self.sent.forget(now - DEDUPLICATION).map_err(internal)?;
            self.swept_at = now;
        }
        self.sent.before(topic, id, now - DEDUPLICATION).map_err(internal)
    }

    fn next_number(&mut self) -> String {
        self.sequence = OffsetDateTime::now_utc().unix_timestamp_nanos().max(self.sequence + 1);
        format!("1{:019}", self.sequence)
    }
}

impl Topic {
    fn is_fifo(&self) -> bool {
        self.attributes.get("FifoTopic").is_some_and(|value| value == "true")
    }
}

/// Now, in milliseconds since 1970.
fn now() -> i64 {
    i64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// Refuses what no topic takes.
fn check(publication: &Publication) -> Result<(), Failure> {
    let Publication { message, subject, by_protocol, .. } = publication;
    if message.is_empty() && by_protocol.is_empty() {
        return Err(failure::invalid_parameter("Empty message"));
    }
    let length = message.len() + by_protocol.values().map(String::len).sum::<usize>();
    if length > MAX_MESSAGE {
        return Err(failure::invalid_parameter("Message too long"));
    }
    let is_subject =
        |subject: &String| !subject.is_empty() && subject.len() <= 100 && !subject.chars().any(char::is_control);
    if subject.as_ref().is_some_and(|subject| !is_subject(subject)) {
        return Err(failure::invalid_parameter("Subject"));
    }
    Ok(())
}

fn deduplication_id(publication: &Publication, topic: &Topic) -> Result<String, Failure> {
    if publication.group_id.is_none() {
        return Err(failure::invalid_parameter("The MessageGroupId parameter is required for FIFO topics"));
    }
    let is_by_content = topic.attributes.get("ContentBasedDeduplication").is_some_and(|value| value == "true");
    let by_content = || is_by_content.then(|| crate::sqs::digest_of_content(&publication.message));
    publication.deduplication_id.clone().or_else(by_content).ok_or_else(|| {
        failure::invalid_parameter(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        )
    })
}

impl std::fmt::Debug for Sns {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sns").field("location", &self.location).finish_non_exhaustive()
    }
}

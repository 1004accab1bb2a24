//! A Step Functions with nothing in it, and a clock that stands still until somebody waits.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use asl::{Fault, Value, compile::Code, machine::Resource};
use cloud::{
    events::Event,
    front::Front,
    logs::Logs,
    route::ServiceName,
    states::{FrontEnd, Parts, States, StatusChange, items::objects::Memory, put_events},
};
use engine::{
    Identity,
    core::Call,
    journal::Journal,
    run::{self, Answer, Clock, Reports},
};
use time::OffsetDateTime;
use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc,
    time::Instant,
};

use super::{bucket::Buckets, client, topics::Topics};

/// The region and the account of recordings.
const REGION: &str = "us-east-1";
const ACCOUNT: &str = "111111111111";

/// How long a call may take on the stage's clock: longer than any that waits, such as `GetActivityTask`.
const PATIENCE: Duration = Duration::from_hours(1);

/// Where a transcript is replayed.
pub(super) struct Stage {
    runtime: Runtime,
    front: Arc<Front>,
    logs: Arc<Logs>,
    objects: Arc<Memory>,
    events: Arc<Mutex<Vec<Event>>>,
    buckets: Arc<Buckets>,
    topics: Arc<Topics>,
    status_changes: Mutex<mpsc::UnboundedReceiver<StatusChange>>,
}

/// What the service says to a call.
#[derive(Debug)]
pub(super) enum Said {
    Answer(Value),
    Refusal {
        code: String,
        message: String,
    },
    /// It would wait for ever.
    Nothing,
}

impl Stage {
    /// An empty one, in the region and the account of recordings.
    pub(super) fn new(mut outside: Outside) -> Result<Self, String> {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .map_err(|error| format!("no runtime: {error}"))?;
        outside.clock = runtime.block_on(async { clock() });
        let journal = Journal::in_memory().map_err(|error| error.to_string())?;
        let (events, buckets, topics) = (outside.events.clone(), outside.buckets.clone(), outside.topics.clone());
        let mut parts = Parts::new(REGION, ACCOUNT, journal, Arc::new(outside));
        let (changes, status_changes) = mpsc::unbounded_channel();
        parts.status_changes = Some(changes);
        parts.task_tokens = topics.tokens();
        let logs = parts.logs.clone();
        let objects = Arc::new(Memory::new(OffsetDateTime::now_utc()));
        parts.objects = objects.clone();
        let states = FrontEnd::new(States::empty(parts));
        let front = Arc::new(Front::new().with(ServiceName::States, Arc::new(states)));
        let status_changes = Mutex::new(status_changes);
        Ok(Self { runtime, front, logs, objects, events, buckets, topics, status_changes })
    }

    /// Makes a call as a client does: over HTTP.
    pub(super) fn call(&self, operation: &str, request: &Value) -> Result<Said, String> {
        let calling = client::call(self.front.clone(), operation, request);
        self.runtime.block_on(async { tokio::time::timeout(PATIENCE, calling).await }).unwrap_or(Ok(Said::Nothing))
    }

    /// Lets an object be in S3.
    pub(super) fn has_object(&self, bucket: &str, key: &str, text: String) {
        self.objects.add(bucket, key, text);
    }

    /// What S3 answers when it is asked for the object that an execution put last; nothing where none has put one.
    pub(super) fn last_object(&self) -> Option<Said> {
        let answer = self.runtime.block_on(self.buckets.last_object())?;
        Some(match answer {
            Ok(answer) => Said::Answer(answer),
            Err(fault) => Said::Refusal {
                code: fault.error.as_deref().unwrap_or_default().to_owned(),
                message: fault.cause.as_deref().unwrap_or_default().to_owned(),
            },
        })
    }

    /// What subscribers of topics have got: the bodies of their messages.
    pub(super) fn received(&self) -> Value {
        self.topics.received().into()
    }

    /// Lets a log group be there.
    pub(super) fn has_log_group(&self, name: &str) {
        // One that is there already is just as good.
        let _ = self.logs.create_group(name);
    }

    /// What is logged to a group.
    pub(super) fn logged(&self, group: &str) -> Result<Vec<Value>, String> {
        let events = self.logs.events(group).map_err(|error| error.to_string())?;
        events.iter().map(|event| Value::parse(&event.message).map_err(|error| error.to_string())).collect()
    }

    /// What was sent to `EventBridge`, as targets get it: first what executions sent, then what became of them.
    pub(super) fn events(&self) -> Vec<Value> {
        let mut events = lock(&self.events).clone();
        let mut changes = lock(&self.status_changes);
        events.extend(std::iter::from_fn(|| changes.try_recv().ok()).map(|change| change.event()));
        events.iter().map(|event| Value::from(&event.to_json(REGION, ACCOUNT))).collect()
    }

    /// Lets time pass, at no cost.
    pub(super) fn wait(&self, time: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(time).await });
    }
}

/// Whether a refusal says that something is not supported yet.
pub(super) fn is_not_supported(code: &str, message: &str) -> bool {
    code == "UnknownOperationException" || message.contains(Code::NotEmulated.name())
}

/// What answers the calls of Task states on the stage.
#[derive(Default)]
pub(super) struct Outside {
    /// What every call gets; none is ever answered where this is not known.
    answer: Option<Result<Value, Fault>>,
    clock: Clock,
    events: Arc<Mutex<Vec<Event>>>,
    buckets: Arc<Buckets>,
    topics: Arc<Topics>,
}

impl Outside {
    /// One where every call gets the same.
    pub(super) fn answering(answer: Option<Result<Value, Fault>>) -> Self {
        Self { answer, ..Self::default() }
    }
}

impl run::Outside for Outside {
    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn call(&self, execution: &Arc<Identity>, call: Call, reports: Reports) -> Answer {
        if let Resource::Service { service, action, .. } = &call.resource
            && (&**service, &**action) == ("events", "putEvents")
        {
            let (events, answer) = put_events(&call.input, execution);
            lock(&self.events).extend(events);
            return Box::pin(std::future::ready(answer.map_err(Into::into)));
        }
        let answer = match self.answer.clone() {
            Some(Err(fault)) => return Box::pin(std::future::ready(Err(fault.into()))),
            Some(Ok(output)) => Some(output),
            None => None,
        };
        let carried_out = self.buckets.call(execution, &call).or_else(|| self.topics.call(execution, &call, &reports));
        carried_out.unwrap_or_else(|| match answer {
            Some(output) => Box::pin(std::future::ready(Ok(output))),
            None => Box::pin(std::future::pending()),
        })
    }
}

/// A clock that goes as the time of the runtime that this is called in.
fn clock() -> Clock {
    let (time, instant) = (OffsetDateTime::now_utc(), Instant::now());
    Clock::showing(move || time + instant.elapsed())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

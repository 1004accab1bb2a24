//! The functions of an application, ready to be invoked.

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use sam::Function;
use time::OffsetDateTime;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    config::{ConfigError, LambdaConfig},
    deployed::Deployed,
    event::{Event, GivenUp},
    invocation::{Invocation, InvokeError, InvokeOptions, MAX_EVENT, MAX_REQUEST, Task},
    kept_events::{KeptEvent, KeptEvents, Known},
    program::Programs,
    registry::Registry,
};

/// The local Lambda.
///
/// A function's first process starts with its first invocation. Processes end with [`Lambda::shutdown`], or when this
/// is dropped. Where the runner is killed, a process ends by itself as soon as it asks for work, since nobody answers.
pub struct Lambda {
    registry: Arc<Registry>,
    shutdown: CancellationToken,
    invocations: TaskTracker,
    given_up: GivenUp,
    events: Option<Arc<KeptEvents>>,
    /// The events that an earlier runner was not done with.
    left: Mutex<Vec<(KeptEvent, Known)>>,
}

impl Lambda {
    /// Checks the functions and gets ready to start them. Blocks on the disk.
    pub fn new(config: LambdaConfig) -> Result<Arc<Self>, ConfigError> {
        let (events, left) = match &config.events {
            Some(file) => {
                let failed = |source| ConfigError::Events { file: file.clone(), source };
                let events = KeptEvents::open(file).map_err(failed)?;
                let left = events.all().map_err(|error| failed(error.into()))?;
                (Some(events), left)
            }
            None => (None, Vec::new()),
        };
        let shutdown = CancellationToken::new();
        let registry = Registry::new(Programs::new(config, shutdown.clone())?)?;
        Ok(Arc::new(Self {
            registry: Arc::new(registry),
            shutdown,
            invocations: TaskTracker::new(),
            given_up: GivenUp::default(),
            events,
            left: Mutex::new(left),
        }))
    }

    /// Invokes a function and waits for its answer.
    ///
    /// `name` is a function's name, its ARN or `account:function:name`. `payload` is passed on as it is; an empty one
    /// stands for `{}`. An invocation goes on to its end even when the returned future is dropped, as on Lambda.
    pub async fn invoke(&self, name: &str, payload: Bytes, options: InvokeOptions) -> Result<Invocation, InvokeError> {
        let (deployed, task) = self.task(name, payload, options, MAX_REQUEST)?;
        let admitted = self.registry.concurrency.admit(&deployed.function.name);
        let admitted = admitted.map_err(|reason| InvokeError::TooManyRequests { reason })?;
        let invocation = self.invocations.spawn(async move { deployed.pool.invoke(&task, admitted).await });
        invocation
            .await
            .unwrap_or_else(|error| Err(InvokeError::Service { function: name.to_owned(), reason: error.to_string() }))
    }

    /// Invokes a function without waiting: gives the request id at once. After a function error the event is tried
    /// again, twice by default, and whoever listens is told of its end. Where events are kept, it is on the disk before this
    /// returns.
    pub fn invoke_event(&self, name: &str, payload: Bytes, options: InvokeOptions) -> Result<String, InvokeError> {
        let (deployed, task) = self.task(name, payload, options, MAX_EVENT)?;
        let request_id = task.request_id.clone();
        let function = &deployed.function;
        let now = OffsetDateTime::now_utc();
        let known = Known {
            reference: name.to_owned(),
            function: function.name.clone(),
            task,
            received_at: now,
            attempts: 0,
            due_at: now,
        };
        let kept = self.events.as_ref().map(|events| events.keep(&known)).transpose();
        let kept = kept.map_err(|error| {
            let reason = format!("the event can't be kept: {error}");
            InvokeError::Service { function: function.name.clone(), reason }
        })?;
        self.run_event(Some(function), known, kept);
        Ok(request_id)
    }

    /// Lets the events go on that an earlier runner was not done with, and tells how many of each function there are. They
    /// have the age and the attempts that they had.
    pub fn resume_events(&self) -> BTreeMap<String, usize> {
        let left = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        let mut counts = BTreeMap::new();
        for (kept, known) in left {
            *counts.entry(known.function.clone()).or_default() += 1;
            let deployed = self.registry.find(&known.reference).ok();
            self.run_event(deployed.as_ref().map(|deployed| &deployed.function), known, Some(kept));
        }
        counts
    }

    /// Runs an event as its function says, where that is there.
    fn run_event(&self, function: Option<&Function>, known: Known, kept: Option<KeptEvent>) {
        let config = &self.registry.programs.config;
        let settings = function.map(|function| &function.event_invoke);
        let retries = settings.and_then(|settings| usize::try_from(settings.max_retries?).ok());
        let event = Event {
            registry: Arc::clone(&self.registry),
            known,
            kept,
            retry_delays: config.retry_delays.iter().copied().take(retries.unwrap_or(usize::MAX)).collect(),
            max_age: settings.and_then(|settings| settings.max_age),
            ends: config.event_ends.clone(),
            given_up: self.given_up.clone(),
        };
        self.invocations.spawn(event.run());
    }

    /// Puts another build of a template's function in its place: what runs goes on to its end, what comes gets the new
    /// build. `built` is the executable where Cargo builds the function. Says whether another build is in place now: not
    /// where it is the one that runs, or where there is no such function.
    pub fn replace(&self, function: &str, built: Option<&Path>) -> Result<bool, ConfigError> {
        let Some(latest) = self.registry.read().get(function).map(|entry| Arc::clone(&entry.latest)) else {
            return Ok(false);
        };
        if built.is_some_and(|built| latest.pool.runs(built)) {
            return Ok(false);
        }
        let new = self.registry.deploy(latest.function.clone(), built)?;
        if let Some(entry) = self.registry.write().get_mut(function) {
            std::mem::replace(&mut entry.latest, new).pool.retire();
        }
        Ok(true)
    }

    /// Kills all processes and waits for their end. Invocations that run end with [`InvokeError::ShuttingDown`]. Gives how
    /// many events of each function were not done with: those that are kept go on after the next start, others are lost.
    pub async fn shutdown(&self) -> BTreeMap<String, usize> {
        self.shutdown.cancel();
        let all: Vec<Arc<Deployed>> =
            self.registry.read().values().flat_map(|entry| entry.all().cloned().collect::<Vec<_>>()).collect();
        for deployed in all {
            deployed.pool.shut_down().await;
        }
        self.invocations.close();
        self.invocations.wait().await;
        let given_up = self.given_up.take();
        for (function, events) in &given_up {
            if self.events.is_some() {
                tracing::info!(function, events, "events that the function was not done with go on at the next start");
            } else {
                tracing::warn!(function, events, "events that the function was not done with are lost");
            }
        }
        given_up
    }

    /// The functions.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    fn task(
        &self,
        name: &str,
        payload: Bytes,
        options: InvokeOptions,
        limit: usize,
    ) -> Result<(Arc<Deployed>, Task), InvokeError> {
        let deployed = self.registry.find(name)?;
        if payload.len() > limit {
            return Err(InvokeError::RequestTooLarge { limit });
        }
        if self.shutdown.is_cancelled() {
            return Err(InvokeError::ShuttingDown);
        }
        let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
        let arn = &deployed.function.arn;
        let qualifier = self.registry.parse(name)?.qualifier;
        let invoked_arn = qualifier.map_or_else(|| arn.clone(), |qualifier| format!("{arn}:{qualifier}"));
        let task = Task::new(invoked_arn, payload, options)?;
        Ok((deployed, task))
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl fmt::Debug for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lambda").field("functions", &self.registry.read().keys()).finish_non_exhaustive()
    }
}

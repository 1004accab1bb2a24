//! The functions of an application, ready to be invoked.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    config::{ConfigError, LambdaConfig},
    event::{Event, EventEnd},
    function_name::FunctionReference,
    invocation::{Invocation, InvokeError, InvokeOptions, MAX_EVENT, MAX_REQUEST, Task},
    pool::Pool,
    program::Programs,
};

/// The local Lambda.
///
/// A function's first process starts with its first invocation. Processes end with [`Lambda::shutdown`], or when this
/// is dropped. Where the runner is killed, a process ends by itself as soon as it asks for work, since nobody answers.
pub struct Lambda {
    functions: BTreeMap<String, Deployed>,
    region: String,
    account: String,
    retry_delays: Vec<Duration>,
    event_ends: Option<UnboundedSender<EventEnd>>,
    shutdown: CancellationToken,
    invocations: TaskTracker,
    /// Its folders live as long as the functions.
    _programs: Programs,
}

/// A function that can be invoked.
pub(crate) struct Deployed {
    pub(crate) function: sam::Function,
    /// What is started, or the folder of what an interpreter runs.
    pub(crate) code: PathBuf,
    pool: Arc<Pool>,
}

impl Lambda {
    /// Checks the functions and gets ready to start them.
    pub fn new(config: LambdaConfig) -> Result<Arc<Self>, ConfigError> {
        let shutdown = CancellationToken::new();
        let programs = Programs::new(config, shutdown.clone())?;
        let config = &programs.config;
        let mut functions = BTreeMap::new();
        for function in &config.functions {
            let deployed = deploy(function, &programs)?;
            match functions.entry(function.name.clone()) {
                Entry::Vacant(entry) => entry.insert(deployed),
                Entry::Occupied(entry) => return Err(ConfigError::DuplicateName(entry.key().clone())),
            };
        }
        Ok(Arc::new(Self {
            functions,
            region: config.region.clone(),
            account: config.account.clone(),
            retry_delays: config.retry_delays.clone(),
            event_ends: config.event_ends.clone(),
            shutdown,
            invocations: TaskTracker::new(),
            _programs: programs,
        }))
    }

    /// Invokes a function and waits for its answer.
    ///
    /// `name` is a function's name, its ARN or `account:function:name`. `payload` is passed on as it is; an empty one
    /// stands for `{}`. An invocation goes on to its end even when the returned future is dropped, as on Lambda.
    pub async fn invoke(&self, name: &str, payload: Bytes, options: InvokeOptions) -> Result<Invocation, InvokeError> {
        let (pool, task) = self.task(name, payload, options, MAX_REQUEST)?;
        let invocation = self.invocations.spawn(async move { pool.invoke(&task).await });
        invocation
            .await
            .unwrap_or_else(|error| Err(InvokeError::Service { function: name.to_owned(), reason: error.to_string() }))
    }

    /// Invokes a function without waiting: gives the request id at once. After a function error the event is tried
    /// again, twice by default, and whoever listens is told of its end.
    pub fn invoke_event(&self, name: &str, payload: Bytes, options: InvokeOptions) -> Result<String, InvokeError> {
        let (pool, task) = self.task(name, payload, options, MAX_EVENT)?;
        let request_id = task.request_id.clone();
        let function = &self.find(name)?.function;
        let retries = function.event_invoke.max_retries.and_then(|most| usize::try_from(most).ok());
        let event = Event {
            function: function.name.clone(),
            pool,
            task,
            retry_delays: self.retry_delays.iter().copied().take(retries.unwrap_or(usize::MAX)).collect(),
            shutdown: self.shutdown.clone(),
            ends: self.event_ends.clone(),
        };
        self.invocations.spawn(event.run());
        Ok(request_id)
    }

    /// Kills all processes and waits for their end. Invocations that run end with [`InvokeError::ShuttingDown`].
    pub async fn shutdown(&self) {
        self.shutdown.cancel();
        for deployed in self.functions.values() {
            deployed.pool.shut_down().await;
        }
        self.invocations.close();
        self.invocations.wait().await;
    }

    /// The functions, by their names.
    pub(crate) fn functions(&self) -> &BTreeMap<String, Deployed> {
        &self.functions
    }

    /// The function that `reference` names, by the one version there is, `$LATEST`, or by its alias where it is qualified.
    pub(crate) fn find(&self, reference: &str) -> Result<&Deployed, InvokeError> {
        let parsed =
            FunctionReference::parse(reference).filter(|reference| reference.is_local(&self.region, &self.account));
        let found = parsed.and_then(|reference| {
            let deployed = self.functions.get(reference.name)?;
            reference.is_qualifier_of(&deployed.function).then_some(deployed)
        });
        found.ok_or_else(|| {
            let arn = if reference.starts_with("arn:") {
                reference.to_owned()
            } else {
                let name = reference.strip_prefix(&format!("{}:function:", self.account)).unwrap_or(reference);
                format!("arn:aws:lambda:{}:{}:function:{name}", self.region, self.account)
            };
            InvokeError::ResourceNotFound { arn }
        })
    }

    fn task(
        &self,
        name: &str,
        payload: Bytes,
        options: InvokeOptions,
        limit: usize,
    ) -> Result<(Arc<Pool>, Task), InvokeError> {
        let deployed = self.find(name)?;
        if payload.len() > limit {
            return Err(InvokeError::RequestTooLarge { limit });
        }
        if self.shutdown.is_cancelled() {
            return Err(InvokeError::ShuttingDown);
        }
        let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
        let arn = &deployed.function.arn;
        let qualifier = FunctionReference::parse(name).and_then(|reference| reference.qualifier);
        let invoked_arn = qualifier.map_or_else(|| arn.clone(), |qualifier| format!("{arn}:{qualifier}"));
        let task = Task::new(invoked_arn, payload, options)?;
        Ok((Arc::clone(&deployed.pool), task))
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl fmt::Debug for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lambda").field("functions", &self.functions.keys()).finish_non_exhaustive()
    }
}

fn deploy(function: &sam::Function, programs: &Programs) -> Result<Deployed, ConfigError> {
    let config = &programs.config;
    let program = programs.of(function, config.executables.get(&function.name).map(PathBuf::as_path))?;
    let code = program.code().to_owned();
    let pool = Arc::new(Pool::new(program, function.memory_mb, config.max_processes));
    Ok(Deployed { function: function.clone(), code, pool })
}

//! What the local Lambda is started with.

use std::{collections::BTreeMap, fmt, io, num::NonZeroUsize, path::PathBuf, sync::Arc, thread, time::Duration};

use tokio::sync::mpsc::UnboundedSender;

use super::{event::EventEnd, kept_events::KeptEventsError, late_build::Builder, logs::LogSink};

/// The credentials that every function is given. They open nothing outside the local cloud.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: String,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            access_key_id: "ASIALOCALSTAIRWELL00".to_owned(),
            secret_access_key: "made-up-by-stairwell".to_owned(),
            session_token: "made-up-by-stairwell".to_owned(),
        }
    }
}

/// What the local Lambda is started with.
#[derive(Clone)]
pub struct LambdaConfig {
    /// The functions. Their names are distinct.
    pub functions: Vec<sam::Function>,
    /// The executables that Cargo has built, by the functions' names.
    pub executables: BTreeMap<String, PathBuf>,
    /// What builds those of Cargo's functions that have none, each when it is called first. Without it they are refused.
    pub builder: Option<Builder>,
    /// Where the functions' AWS clients go: `AWS_ENDPOINT_URL`.
    pub endpoint_url: String,
    /// The region of the functions: `AWS_REGION`.
    pub region: String,
    /// The account of the functions, twelve digits.
    pub account: String,
    /// The credentials of the functions.
    pub credentials: Credentials,
    /// Variables that every function gets on top of its template's, and which win over them.
    pub environment: BTreeMap<String, String>,
    /// Where each line goes that a function prints. It is called from the invocation's own task: it must not block.
    pub log_sink: LogSink,
    /// How many processes one function may have. Invocations above it wait for their turn, first come first served,
    /// where Lambda would throttle them.
    pub max_processes: NonZeroUsize,
    /// How long an asynchronous invocation waits before each retry after a function error.
    pub retry_delays: Vec<Duration>,
    /// How long an asynchronous invocation waits the first time that too many others run; then twice as long each time.
    pub throttle_pause: Duration,
    /// The file that keeps asynchronous invocations; none keeps them for as long as this runs.
    pub events: Option<PathBuf>,
    /// Who is told of the ends of asynchronous invocations, and then says that they are [done](EventEnd::done) with.
    pub event_ends: Option<UnboundedSender<EventEnd>>,
}

impl LambdaConfig {
    /// Lambda's own settings: ten processes a core for each function, retries after one and two minutes, no log sink.
    pub fn new(functions: Vec<sam::Function>, endpoint_url: impl Into<String>) -> Self {
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            functions,
            executables: BTreeMap::new(),
            builder: None,
            endpoint_url: endpoint_url.into(),
            region: sam::REGION.to_owned(),
            account: sam::ACCOUNT.to_owned(),
            credentials: Credentials::default(),
            environment: BTreeMap::new(),
            log_sink: Arc::new(|_| ()),
            max_processes: cores.saturating_mul(NonZeroUsize::MIN.saturating_add(9)),
            retry_delays: vec![Duration::from_mins(1), Duration::from_mins(2)],
            throttle_pause: Duration::from_secs(1),
            events: None,
            event_ends: None,
        }
    }
}

impl fmt::Debug for LambdaConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LambdaConfig")
            .field("functions", &self.functions)
            .field("endpoint_url", &self.endpoint_url)
            .field("region", &self.region)
            .field("account", &self.account)
            .field("max_processes", &self.max_processes)
            .finish_non_exhaustive()
    }
}

/// Why the local Lambda does not start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Two functions have one name.
    #[error("two functions are named `{0}`: give one of them another `FunctionName`")]
    DuplicateName(String),
    /// A template sets a variable that Lambda keeps for itself; deploying the template would fail.
    #[error("function `{function}`: Lambda sets `{variable}` itself: remove it from `Environment.Variables`")]
    ReservedVariable {
        /// The function's name.
        function: String,
        /// The variable's name.
        variable: String,
    },
    /// Functions reserve more than there is.
    #[error(
        "function `{function}`: `ReservedConcurrentExecutions: {reserved}` leaves less than 100 of 1000 for functions that \
         reserve none"
    )]
    Reserved {
        /// The function's name.
        function: String,
        /// What it reserves.
        reserved: u32,
    },
    /// A function was not built.
    #[error("function `{function}` was not built")]
    NotBuilt {
        /// The function's name.
        function: String,
    },
    /// A function's executable or its folder is not there.
    #[error("function `{function}`: cannot use {}", path.display())]
    Code {
        /// The function's name.
        function: String,
        /// The executable or its folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The events that functions are not done with can't be had.
    #[error("cannot open the events in {} ({source}): move the file away to start with none", file.display())]
    Events {
        /// The file.
        file: PathBuf,
        /// Why.
        source: KeptEventsError,
    },
    /// The folder that stands for the functions' home, or one for their code, could not be made.
    #[error("cannot make a folder for the functions")]
    Folder(#[source] io::Error),
}

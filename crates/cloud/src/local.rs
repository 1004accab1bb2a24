//! The local cloud of one application: every service on one port, its resources made, its triggers set.

mod triggers;

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use engine::{
    journal::{Journal, JournalError},
    mock::MockConfig,
    run::Clock,
};
use sam::Application;
use tokio::{
    sync::{broadcast, mpsc},
    task::{JoinError, JoinHandle, JoinSet},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use triggers::{Heard, ObjectChanges, Triggers};

use crate::{
    apis::Apis,
    cloudwatch::CloudWatch,
    data,
    dynamodb::{DynamoDb, DynamoDbError},
    elsewhere::Elsewhere,
    events::EventsError,
    front::Front,
    function_logs::FunctionLogs,
    lambda::{self, Builder, ConfigError, Lambda, LambdaConfig, LogLine, RestoreError},
    location::Location,
    logs::{self, LogEvent, Logs},
    mappings::{self, Mappings, MappingsError},
    place::{Place, PlaceError},
    protocol,
    route::ServiceName,
    s3::{CreateBucketError, ObjectEvent, OpenError, S3},
    scheduler::{self, SchedulerError},
    secrets::Secrets,
    server::BindError,
    service::{Request, Response, Service},
    sns::{Sns, SnsError},
    sqs::{Sqs, SqsError},
    ssm::Ssm,
    states::{self, Activities, LoadError, Parts, SavedMachines, States, Store, StoreError, TaskTokens, Tasks},
    sts::Sts,
    targets::Targets,
};

/// How many changes of objects an observer may be behind before it misses some.
const BACKLOG: usize = 8192;

/// How often expired items are deleted.
const EXPIRY: Duration = Duration::from_mins(1);

/// How a local cloud is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on the loopback address; 0 takes any free one.
    pub port: u16,
    /// Where data is kept; none keeps it for as long as this runs.
    pub folder: Option<PathBuf>,
    /// The region that functions and ARNs name.
    pub region: String,
    /// The account that functions and ARNs name.
    pub account: String,
    /// Whether executions live on a virtual clock, on which waits and the delays of retries take no time.
    pub skip_waits: bool,
    /// Answers in place of services, for executions that are started with one of its test cases.
    pub mocks: Option<Arc<MockConfig>>,
    /// The services of a real account that requests go on to.
    pub elsewhere: Option<Arc<Elsewhere>>,
    /// Whether HTTP tasks may call addresses beyond this machine.
    pub network: bool,
    /// Whether files of the folder that are broken are given another name, for the cloud to start without what they have.
    pub set_aside_broken: bool,
    /// What builds functions that are not built yet, each when it is called first.
    pub builder: Option<Builder>,
}

impl Default for Options {
    /// A cloud on any free port that keeps nothing.
    fn default() -> Self {
        Self {
            port: 0,
            folder: None,
            region: sam::REGION.to_owned(),
            account: sam::ACCOUNT.to_owned(),
            skip_waits: false,
            mocks: None,
            elsewhere: None,
            network: false,
            set_aside_broken: false,
            builder: None,
        }
    }
}

/// Why a local cloud does not start.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is a part's own error, told in its words")]
pub enum StartError {
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(transparent)]
    S3(#[from] OpenError),
    #[error(transparent)]
    Bucket(#[from] CreateBucketError),
    #[error(transparent)]
    DynamoDb(#[from] DynamoDbError),
    #[error(transparent)]
    Sqs(#[from] SqsError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Lambda(#[from] ConfigError),
    #[error(transparent)]
    Functions(#[from] RestoreError),
    #[error("{} problems in state machines", .0.len())]
    StateMachines(Vec<LoadError>),
    #[error(transparent)]
    Sns(#[from] SnsError),
    #[error(transparent)]
    Events(#[from] EventsError),
    #[error(transparent)]
    Scheduler(#[from] SchedulerError),
    #[error(transparent)]
    Mappings(#[from] MappingsError),
    #[error("a part of the start failed: {0}")]
    Join(#[from] JoinError),
}

/// A running local cloud.
pub struct LocalCloud {
    address: SocketAddr,
    states: Arc<States>,
    lambda: Arc<Lambda>,
    cloudwatch: Arc<CloudWatch>,
    s3: Arc<S3>,
    front: Arc<Front>,
    logs: FunctionLogs,
    changes: broadcast::Sender<ObjectEvent>,
    shutdown: CancellationToken,
    server: JoinHandle<()>,
    tasks: JoinSet<()>,
    mappings: Arc<Mappings>,
    no_more_ends: CancellationToken,
    telling_ends: AbortOnDropHandle<()>,
    _lock: Option<fs::File>,
}

impl LocalCloud {
    /// Opens the port, makes what the template describes, and serves.
    ///
    /// `executables` has what Cargo has built of each function that it builds, by the function's name.
    pub async fn start(
        application: &Application,
        executables: &BTreeMap<String, PathBuf>,
        options: Options,
    ) -> Result<Self, StartError> {
        Self::start_at(Place::take(options)?, application, executables).await
    }

    /// Starts at a place that was taken before.
    pub async fn start_at(
        place: Place,
        application: &Application,
        executables: &BTreeMap<String, PathBuf>,
    ) -> Result<Self, StartError> {
        let Place { options, port, lock } = place;
        let address = port.address();

        let changes = broadcast::Sender::new(BACKLOG);
        let object_changes = ObjectChanges::new(changes.clone());
        let location =
            Location { region: options.region.clone(), account: options.account.clone(), endpoint: port.url() };
        let storage = Storage::open(application.clone(), &options, object_changes.clone(), location.clone()).await?;
        let cloudwatch = Arc::new(CloudWatch::new());

        let logs = FunctionLogs::default();
        let log_groups = Arc::new(Logs::with_groups(&application.log_groups));
        let callers = Arc::new(OnceLock::new());
        let (event_ends, event_ended) = mpsc::unbounded_channel();
        let mut config = lambda_config(application, executables, address, &options, (&logs, &log_groups), &callers);
        config.event_ends = Some(event_ends);
        config.events = options.folder.as_ref().map(|folder| folder.join(data::EVENTS));
        let lambda = Lambda::new(config)?;
        let file = |name| options.folder.as_ref().map(|folder| Store::at(folder.join(name))).unwrap_or_default();
        let activities =
            Activities::open(&options.region, &options.account, file("activities.json"), &application.activities)?;
        let activities = Arc::new(activities);
        let saved = SavedMachines::open(file("state-machines.json"))?;
        let task_tokens = Arc::new(TaskTokens::default());
        let clock = if options.skip_waits { Clock::skipping() } else { Clock::real() };
        let tasks = Tasks::new(lambda.clone(), activities.clone(), task_tokens.clone(), clock)
            .with_mocks(options.mocks.clone())
            .with_network(options.network);
        let tasks = Arc::new(tasks);
        // Set once, here; no function runs before the port is served.
        let _ = callers.set(Arc::downgrade(&tasks));
        let (status_changes, status_changed) = mpsc::unbounded_channel();
        let parts = Parts::new(&options.region, &options.account, storage.journal, tasks.clone());
        let parts = Parts {
            saved,
            activities,
            task_tokens,
            status_changes: Some(status_changes),
            objects: storage.s3.clone(),
            logs: log_groups.clone(),
            mocks: options.mocks.clone(),
            ..parts
        };
        let states = States::new(application, parts).map_err(StartError::StateMachines)?;
        tasks.connect(&states);
        let sqs = storage.sqs.clone();
        let sent = options.folder.as_ref().map(|folder| folder.join(data::SENT_BY_TOPICS));
        let (topics, of) = (file("topics.json"), location.clone());
        let sns = Arc::new(Sns::open(topics, sent.as_deref(), of, application, sqs.clone(), lambda.clone())?);
        let targets =
            Targets { lambda: lambda.clone(), states: states.clone(), sqs, sns: sns.clone(), logs: log_groups.clone() };
        let front = account_services(application, &location, log_groups, file)?;
        let front = front.with_elsewhere(options.elsewhere.clone());
        let lambda_api = Arc::new(lambda_api(&lambda, options.folder.as_ref(), &storage.s3)?);
        let triggers = Triggers::open(application, &targets, storage.dynamodb.clone(), &location, file)?;
        let lambda_api = mappings::FrontEnd { mappings: triggers.mappings.clone(), lambda: lambda_api };
        let states_api = Arc::new(states::FrontEnd::new(states.clone()));
        let apis = Apis::new(application.apis.clone(), &options.account, lambda.clone(), states_api.clone());

        let front = Arc::new(
            front
                .with(ServiceName::States, states_api)
                .with(ServiceName::Lambda, Arc::new(lambda_api))
                .with(ServiceName::S3, storage.s3.clone())
                .with(ServiceName::DynamoDb, storage.dynamodb.clone())
                .with(ServiceName::CloudWatch, cloudwatch.clone())
                .with(ServiceName::Sqs, Arc::new(protocol::FrontEnd(storage.sqs.clone())))
                .with(ServiceName::Sns, sns.front_end())
                .with(ServiceName::Events, Arc::new(protocol::FrontEnd(triggers.events.clone())))
                .with(ServiceName::Scheduler, Arc::new(scheduler::FrontEnd(triggers.scheduler.clone())))
                .with(ServiceName::Apis, Arc::new(apis)),
        );
        tasks.connect_services(&front);
        object_changes.connect(&triggers.events, &storage.s3);
        let shutdown = CancellationToken::new();
        let mut serving = JoinSet::new();
        let listening = port.listen()?;
        let server = tokio::spawn(listening.serve(front.clone(), shutdown.clone()));
        let heard = Heard { status_changes: status_changed, event_ends: event_ended };
        let mappings = triggers.mappings.clone();
        let no_more_ends = CancellationToken::new();
        let telling_ends = triggers.start(heard, no_more_ends.clone(), &mut serving);
        serving.spawn(delete_expired(storage.dynamodb));

        Ok(Self {
            address,
            states,
            lambda,
            cloudwatch,
            s3: storage.s3,
            front,
            logs,
            changes,
            shutdown,
            server,
            tasks: serving,
            mappings,
            no_more_ends,
            telling_ends,
            _lock: lock,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What `AWS_ENDPOINT_URL` is to be for clients: `http://127.0.0.1:4566`.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its state machines and executions.
    pub fn states(&self) -> &Arc<States> {
        &self.states
    }

    /// Its functions.
    pub fn lambda(&self) -> &Arc<Lambda> {
        &self.lambda
    }

    /// Its metrics.
    pub fn cloudwatch(&self) -> &CloudWatch {
        &self.cloudwatch
    }

    /// Its buckets.
    pub fn s3(&self) -> &S3 {
        &self.s3
    }

    /// Answers a request as the port would, without a connection.
    pub async fn send(&self, request: Request) -> Response {
        self.front.call(request).await
    }

    /// What functions write.
    pub fn logs(&self) -> &FunctionLogs {
        &self.logs
    }

    /// What becomes of objects in its buckets, from now on.
    pub fn changes(&self) -> broadcast::Receiver<ObjectEvent> {
        self.changes.subscribe()
    }

    /// Ends requests, functions and the port.
    pub async fn shutdown(mut self) {
        self.shutdown.cancel();
        // Requests under way may need functions, so these go on until the server has done with its own.
        if let Err(error) = (&mut self.server).await {
            tracing::error!(%error, "the server ended in a panic");
        }
        // What functions that are ended here would answer is no answer.
        self.states.close();
        self.lambda.shutdown().await;
        self.no_more_ends.cancel();
        if let Err(error) = (&mut self.telling_ends).await {
            tracing::error!(%error, "who tells of the ends of events ended in a panic");
        }
        self.mappings.close();
        self.tasks.abort_all();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// A front with what an account has beside its applications: logs, parameters, secrets, and who calls.
fn account_services(
    application: &Application,
    location: &Location,
    logs: Arc<Logs>,
    file: impl Fn(&'static str) -> Store,
) -> Result<Front, StoreError> {
    let ssm = Ssm::open(file("parameters.json"), location.clone(), application)?;
    let secrets = Secrets::open(file("secrets.json"), location.clone(), application)?;
    let logs = logs::operations::Api { logs, location: location.clone() };
    let sts = Sts::new(location.clone());
    Ok(Front::new()
        .with(ServiceName::Logs, Arc::new(protocol::FrontEnd(Arc::new(logs))))
        .with(ServiceName::Ssm, Arc::new(protocol::FrontEnd(Arc::new(ssm))))
        .with(ServiceName::Secrets, Arc::new(protocol::FrontEnd(Arc::new(secrets))))
        .with(ServiceName::Sts, Arc::new(protocol::FrontEnd(Arc::new(sts)))))
}

/// Buckets and tables, made, and the journal of the executions.
struct Storage {
    s3: Arc<S3>,
    dynamodb: Arc<DynamoDb>,
    sqs: Arc<Sqs>,
    journal: Journal,
}

impl Storage {
    async fn open(
        application: Application,
        options: &Options,
        changes: Arc<ObjectChanges>,
        location: Location,
    ) -> Result<Self, StartError> {
        let (folder, set_aside_broken) = (options.folder.clone(), options.set_aside_broken);
        tokio::task::spawn_blocking(move || {
            let sqs_folder = folder.as_ref().map(|folder| folder.join("sqs"));
            let sqs = Sqs::open(sqs_folder.as_deref(), location.clone())?;
            application.queues.iter().try_for_each(|queue| sqs.provide(queue))?;
            let (s3, dynamodb, journal) = match folder {
                Some(folder) => (
                    S3::open(&folder.join("s3"), changes, set_aside_broken)?,
                    DynamoDb::open(&folder.join("dynamodb"))?,
                    Journal::open(&folder.join("executions"))?,
                ),
                None => (S3::ephemeral(changes)?, DynamoDb::ephemeral()?, Journal::in_memory()?),
            };
            for bucket in &application.buckets {
                s3.provide(bucket, &location)?;
            }
            application.tables.iter().try_for_each(|table| dynamodb.provide(table))?;
            Ok(Self { s3: Arc::new(s3), dynamodb: Arc::new(dynamodb), sqs: Arc::new(sqs), journal })
        })
        .await?
    }
}

fn lambda_config(
    application: &Application,
    executables: &BTreeMap<String, PathBuf>,
    address: SocketAddr,
    options: &Options,
    (logs, log_groups): (&FunctionLogs, &Arc<Logs>),
    callers: &Arc<OnceLock<Weak<Tasks>>>,
) -> LambdaConfig {
    let mut config = LambdaConfig::new(application.functions.clone(), format!("http://{address}"));
    config.executables.clone_from(executables);
    config.builder.clone_from(&options.builder);
    config.region.clone_from(&options.region);
    config.account.clone_from(&options.account);
    // The tasks keep the functions; if the functions kept the tasks, neither would ever be given up.
    let (logs, log_groups, callers) = (logs.clone(), log_groups.clone(), callers.clone());
    config.log_sink = Arc::new(move |line: LogLine| {
        let logged = LogEvent { at: line.time, message: line.line.clone() };
        log_groups.put_to_new(&line.place.group, &line.place.stream, logged);
        let id = line.request_id.as_deref();
        let caller = id.and_then(|id| callers.get().and_then(Weak::upgrade).and_then(|tasks| tasks.caller_of(id)));
        logs.write(line, caller);
    });
    config
}

/// Lambda's API, with the functions that it has made before.
fn lambda_api(lambda: &Arc<Lambda>, folder: Option<&PathBuf>, s3: &Arc<S3>) -> Result<lambda::FrontEnd, RestoreError> {
    let objects = s3.clone();
    let config = lambda::ApiConfig {
        store: folder.map(|folder| Store::at(folder.join("functions.json"))).unwrap_or_default(),
        code: folder.map(|folder| folder.join("functions")),
        objects: Arc::new(move |bucket, key| objects.file_of(bucket, key)),
    };
    lambda::FrontEnd::open(lambda.clone(), config)
}

/// Deletes expired items from time to time; `DynamoDB` itself promises no more than "within a few days".
async fn delete_expired(dynamodb: Arc<DynamoDb>) {
    let mut turns = tokio::time::interval(EXPIRY);
    loop {
        turns.tick().await;
        let dynamodb = dynamodb.clone();
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || dynamodb.delete_expired()).await {
            tracing::warn!(%error, "expired items could not be deleted");
        }
    }
}

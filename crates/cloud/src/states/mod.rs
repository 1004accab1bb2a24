//! Step Functions: state machines, their executions, and the API that starts and describes them.
//!
//! [`States`] keeps what there is; [`FrontEnd`] speaks AWS JSON 1.0; [`Tasks`] carries out what Task states ask for.
//! What an execution did is told by its history alone, wherever it is asked for.

mod activities;
mod aliases;
mod api_error;
mod arn;
mod calls;
mod definition;
mod describe;
mod encryption;
mod front_end;
mod invoke;
pub mod items;
mod logging;
mod machines;
mod map_runs;
mod model;
mod names;
mod page;
mod put_events;
mod saved;
mod sdk;
mod status_change;
mod store;
mod tags;
mod task_tokens;
mod tasks;
mod test_state;
mod variables;
mod versions;

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use asl::{
    Value,
    machine::{Kind, State},
    value::Object,
};
use engine::{
    Identity,
    journal::{Journal, JournalError, Listed, Wanted},
    mock::{MockConfig, Mocked},
    run::{Clock, Executions, Outside, RedriveError, Redriven, Resumed, Running, StartError, Started},
};
use time::OffsetDateTime;
use tokio::sync::{broadcast, mpsc};
use uuid::Uuid;

pub use activities::{Activities, NoSuchActivity, Taken};
pub use api_error::ApiError;
pub use engine::{Status, history::log::Logging};
pub use front_end::FrontEnd;
pub use machines::{LoadError, SavedMachines, StateMachine};
pub use put_events::put_events;
pub use status_change::StatusChange;
pub use store::{Store, StoreError};
pub use task_tokens::TaskTokens;
pub use tasks::{Called, CallerOf, Tasks, call_service};

use arn::Namespace;
use definition::Callable;
use items::objects::{Memory, Objects};
use machines::{Machines, Target};
use map_runs::MapRuns;

use crate::logs::Logs;

/// How many started executions an observer may be behind before it misses some.
const STARTED_BACKLOG: usize = 4096;

/// What an execution is started with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start<'a> {
    /// Its name; a UUID where there is none.
    pub name: Option<&'a str>,
    /// Its input as JSON text; `{}` where there is none.
    pub input: Option<&'a str>,
    /// The X-Ray trace that it is part of.
    pub trace_header: Option<&'a str>,
}

impl Start<'_> {
    /// Whether an execution could be started with it, by what is known without a state machine.
    pub fn check(&self) -> Result<(), ApiError> {
        self.name.map(names::check).transpose()?;
        parse_input(self.input).map(drop)
    }
}

/// What the local Step Functions works with.
pub struct Parts {
    /// The region that ARNs name.
    pub region: String,
    /// The account that ARNs name.
    pub account: String,
    /// Where Standard executions are kept.
    pub journal: Journal,
    /// What was made of state machines by the API before.
    pub saved: SavedMachines,
    /// What carries out the calls of Task states.
    pub outside: Arc<dyn Outside>,
    /// Where activities and their tasks are.
    pub activities: Arc<Activities>,
    /// Where tasks wait for somebody to end them.
    pub task_tokens: Arc<TaskTokens>,
    /// S3, for the items and the results of distributed Map states.
    pub objects: Arc<dyn Objects>,
    /// Where executions are logged.
    pub logs: Arc<Logs>,
    /// Who is told when Standard executions begin and end, where somebody wants to know.
    pub status_changes: Option<mpsc::UnboundedSender<StatusChange>>,
    /// The test cases that executions can be started with.
    pub mocks: Option<Arc<MockConfig>>,
}

impl Parts {
    /// Parts of their own around a journal and an outside, with no bucket.
    pub fn new(region: &str, account: &str, journal: Journal, outside: Arc<dyn Outside>) -> Self {
        Self {
            region: region.to_owned(),
            account: account.to_owned(),
            journal,
            saved: SavedMachines::default(),
            outside,
            activities: Arc::new(Activities::new(region, account)),
            task_tokens: Arc::default(),
            objects: Arc::new(Memory::new(time::OffsetDateTime::now_utc())),
            logs: Arc::default(),
            status_changes: None,
            mocks: None,
        }
    }

    fn namespace(&self) -> Namespace {
        Namespace { region: self.region.clone(), account: self.account.clone() }
    }
}

/// Somebody asks for what only the executions of an earlier runner may know.
#[derive(Debug, thiserror::Error)]
#[error("the executions that an earlier runner left are not taken up yet: `stairwell up` does that")]
struct NotTakenUp;

/// The local Step Functions.
pub struct States {
    region: Arc<str>,
    /// Whether definitions are held to what the local cloud can call.
    calls_local: bool,
    machines: RwLock<Machines>,
    executions: Arc<Executions>,
    map_runs: Arc<MapRuns>,
    activities: Arc<Activities>,
    task_tokens: Arc<TaskTokens>,
    logs: Arc<Logs>,
    outside: Arc<dyn Outside>,
    status_changes: Option<mpsc::UnboundedSender<StatusChange>>,
    mocks: Option<Arc<MockConfig>>,
    started: broadcast::Sender<Arc<Running>>,
}

impl States {
    /// The machines of an application, compiled, and those that were created; everything that is wrong with the
    /// application's otherwise.
    pub fn new(application: &sam::Application, mut parts: Parts) -> Result<Arc<Self>, Vec<LoadError>> {
        let machines = Machines::load(parts.namespace(), application, std::mem::take(&mut parts.saved))?;
        Ok(Arc::new(Self::of(parts, machines, true)))
    }

    /// No machine is there but those that were created, and what a definition may call is the outside's own matter.
    pub fn empty(mut parts: Parts) -> Arc<Self> {
        let machines = Machines::new(parts.namespace(), std::mem::take(&mut parts.saved));
        Arc::new(Self::of(parts, machines, false))
    }

    fn of(parts: Parts, machines: Machines, calls_local: bool) -> Self {
        for group in machines.log_groups() {
            // One that is there already is just as good.
            let _ = parts.logs.create_group(group);
        }
        let started = broadcast::Sender::new(STARTED_BACKLOG);
        let map_runs = MapRuns::new(parts.outside, parts.objects, parts.logs.clone(), started.clone());
        let executions = Executions::new(parts.journal, map_runs.clone());
        map_runs.connect(&executions);
        Self {
            region: parts.region.as_str().into(),
            calls_local,
            machines: RwLock::new(machines),
            executions,
            outside: map_runs.clone(),
            map_runs,
            activities: parts.activities,
            task_tokens: parts.task_tokens,
            logs: parts.logs,
            status_changes: parts.status_changes,
            mocks: parts.mocks,
            started,
        }
    }

    /// The state machine with this ARN, as it is now.
    pub fn machine(&self, arn: &str) -> Result<Arc<StateMachine>, ApiError> {
        self.machines().find(arn).cloned()
    }

    /// Tells of every execution that is started from now on, child executions of Map Runs among them.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Running>> {
        self.started.subscribe()
    }

    /// The ARN of a state machine, and the name of the test case after it: `#Case`, where there are mocks.
    fn test_case<'a>(&self, machine_arn: &'a str) -> (&'a str, Option<&'a str>) {
        let named = machine_arn.split_once('#').filter(|_| self.mocks.is_some());
        named.map_or((machine_arn, None), |(arn, test_case)| (arn, Some(test_case)))
    }

    /// What answers the calls of an execution. Fails for a test case that the machine does not have.
    fn mocked(&self, machine: &StateMachine, test_case: &str, execution: &Arc<str>) -> Result<Mocked, ApiError> {
        let found = self.mocks.as_ref().and_then(|mocks| mocks.test_case(&machine.name, test_case));
        let found = found.ok_or_else(|| {
            let message = format!("The mocks have no test case '{test_case}' of the state machine '{}'", machine.name);
            ApiError::validation(message)
        })?;
        let compiled = machine.runs.machine();
        let is_task = |name: &str| compiled.states().iter().any(|state| &*state.name == name && is_task(state));
        match found.states().find(|name| !is_task(name)) {
            Some(name) => {
                let message =
                    format!("The test case '{test_case}' mocks '{name}', which is no Task of the state machine");
                Err(ApiError::validation(message))
            }
            None => {
                Ok(Mocked { machine: machine.name.clone(), test_case: test_case.into(), execution: execution.clone() })
            }
        }
    }

    /// Starts an execution of a state machine, of a version, or of what an alias leads to.
    ///
    /// Where there are mocks, the ARN may end in `#` and the name of a test case, whose mocks then answer.
    /// Without a name it gets a UUID. A Standard execution with the name and the input of one that runs is that one.
    pub fn start(&self, machine_arn: &str, start: Start<'_>) -> Result<Arc<Running>, ApiError> {
        let (machine_arn, test_case) = self.test_case(machine_arn);
        let Target { machine, version_arn, alias_arn } = self.machines().target(machine_arn)?;
        let input = parse_input(start.input)?;
        let name: Arc<str> = match start.name {
            Some(name) => names::check(name)?.into(),
            None => Uuid::new_v4().to_string().into(),
        };
        let arn: Arc<str> = machine.execution_arn(&name).into();
        let mocked = test_case.map(|test_case| self.mocked(&machine, test_case, &arn)).transpose()?;
        let identity = Identity {
            arn: arn.clone(),
            name,
            state_machine_arn: machine.arn.clone(),
            state_machine_name: machine.name.clone(),
            state_machine_version_arn: version_arn,
            state_machine_alias_arn: alias_arn,
            revision: machine.revision.clone(),
            role_arn: machine.role_arn.clone(),
            region: self.region.clone(),
            started_at: self.now(),
            input,
            map_run_arn: None,
            item_count: None,
            trace_header: start.trace_header.map(Into::into),
            mocked,
            seed: Uuid::new_v4().as_u64_pair().0,
        };
        let running = match machine.kind {
            sam::StateMachineKind::Express => {
                Running::start(machine.runs.machine().clone(), Arc::new(identity), self.outside.clone())
            }
            sam::StateMachineKind::Standard => match self.executions.start(&machine.runs, identity) {
                Ok(Started::New(running)) => running,
                Ok(Started::Same(running)) => return Ok(running),
                Err(StartError::Exists) => {
                    return Err(ApiError::new("ExecutionAlreadyExists", format!("Execution Already Exists: '{arn}'")));
                }
                Err(error) => return Err(ApiError::internal(&error)),
            },
        };
        if machine.kind == sam::StateMachineKind::Standard
            && let Some(changes) = &self.status_changes
        {
            status_change::tell_begun(&running, changes);
            status_change::follow(&running, changes);
        }
        self.tell(&running, 0, "an execution has started");
        Ok(running)
    }

    /// Lets an execution that did not succeed go on where it failed. Returns when that was: for a request that has come
    /// before, with the same token, then.
    pub fn redrive(&self, arn: &str, client_token: Option<&str>) -> Result<OffsetDateTime, ApiError> {
        arn::execution_of_machine(arn)?;
        let redriven = self.executions.redrive(arn, client_token).map_err(|error| match error {
            RedriveError::NotFound => does_not_exist(arn),
            RedriveError::NotRedrivable(reason) => {
                let message = format!("Execution {arn} invalid for redrive as: {reason}");
                ApiError::new("ExecutionNotRedrivable", message)
            }
            error @ (RedriveError::Recall(_) | RedriveError::Journal(_)) => ApiError::internal(&error),
        })?;
        if let Redriven::Now { running, events_before, .. } = &redriven {
            if let Some(changes) = &self.status_changes {
                status_change::tell_begun(running, changes);
                status_change::follow(running, changes);
            }
            self.tell(running, *events_before, "an execution is redriven");
        }
        Ok(redriven.at())
    }

    /// The time that executions live in.
    pub fn clock(&self) -> Clock {
        self.outside.clock()
    }

    fn now(&self) -> OffsetDateTime {
        self.clock().now()
    }

    /// Tells of an execution that begins to run, and of its end. Its log begins with the event at `from`, counted from 0.
    fn tell(&self, running: &Arc<Running>, from: usize, begins: &str) {
        logging::follow(running, from, &self.logs);
        if tracing::enabled!(tracing::Level::DEBUG) {
            let execution = running.identity().arn.clone();
            tracing::debug!(execution = &*execution, "{begins}");
            let running = running.clone();
            tokio::spawn(async move {
                running.ended().await;
                let (status, took) = running.look(|running| {
                    let ended = running.history().last().map(|event| event.at - running.identity().started_at);
                    (Status::of(running).name(), ended.unwrap_or_default().unsigned_abs())
                });
                tracing::debug!(execution = &*execution, status, ?took, "an execution has ended");
            });
        }
        // Nobody may listen; that is no error.
        let _ = self.started.send(running.clone());
    }

    /// Lets the Standard executions that an earlier runner left go on, and tells of them as of those that are started.
    pub fn resume(&self) -> Result<Resumed, JournalError> {
        let resumed = self.executions.resume()?;
        for running in &resumed.running {
            if running.identity().map_run_arn.is_some() {
                // Its Map Run tells of it.
                logging::follow(running, running.look(|execution| execution.history().len()), &self.logs);
                let _ = self.started.send(running.clone());
                continue;
            }
            if let Some(changes) = &self.status_changes {
                status_change::follow(running, changes);
            }
            self.tell(running, running.look(|execution| execution.history().len()), "an execution goes on");
        }
        Ok(resumed)
    }

    /// The Standard execution with this ARN.
    pub fn execution(&self, arn: &str) -> Result<Arc<Running>, ApiError> {
        arn::execution(arn)?;
        self.executions.find(arn).map_err(|error| ApiError::internal(&error))?.ok_or_else(|| does_not_exist(arn))
    }

    /// The Map Run with this ARN.
    fn map_run(&self, arn: &str) -> Result<map_runs::Record, ApiError> {
        arn::map_run(arn)?;
        self.map_runs.find(arn)
    }

    /// The child executions of a Map Run that wait for their redrive, by their ARNs.
    fn pending_redrive(&self, map_run_arn: &str) -> HashSet<Arc<str>> {
        self.map_runs.pending_redrive(map_run_arn)
    }

    /// Whether a child execution of a Map Run waits for its redrive.
    fn is_pending_redrive(&self, map_run_arn: &str, execution_arn: &str) -> bool {
        self.map_runs.is_pending_redrive(map_run_arn, execution_arn)
    }

    /// The Map Runs of an execution, newest first.
    fn map_runs_of(&self, execution_arn: &str) -> Result<Vec<map_runs::Record>, ApiError> {
        self.map_runs.of(&self.execution(execution_arn)?.identity().arn)
    }

    /// Changes the limits of a Map Run.
    fn change_map_run(&self, arn: &str, change: map_runs::Change) -> Result<(), ApiError> {
        arn::map_run(arn)?;
        self.map_runs.change(arn, change)
    }

    /// The definition that an execution was started with.
    pub fn definition_of(&self, execution: &Identity) -> Result<String, ApiError> {
        self.executions.definition(&execution.arn).map_err(|error| ApiError::internal(&error))
    }

    /// Standard executions, newest first, `limit` of them.
    pub fn executions_of(&self, wanted: Wanted<'_>, limit: usize) -> Result<Vec<Listed>, ApiError> {
        self.executions.list(wanted, limit).map_err(|error| ApiError::internal(&error))
    }

    /// What comes of a task token. That its task is over is not known while executions are still to be taken up.
    fn told(&self, taken: Result<(), ApiError>) -> Result<(), ApiError> {
        let is_over = taken.as_ref().is_err_and(|error| error.code == task_tokens::OVER);
        if is_over && self.left()? > 0 {
            return Err(ApiError::internal(&NotTakenUp));
        }
        taken
    }

    /// How many Standard executions of an earlier runner have not ended, and wait for [`Self::resume`].
    pub fn left(&self) -> Result<usize, ApiError> {
        self.executions.left().map_err(|error| ApiError::internal(&error))
    }

    /// How many Standard executions go on.
    pub fn running(&self) -> usize {
        self.executions.running()
    }

    /// Takes nothing more for the Standard executions, and gives up their calls: they go on when the next runner lets
    /// them.
    pub fn close(&self) {
        self.executions.close();
    }

    /// What a definition that a client brings may call.
    fn callable(&self) -> Callable<'static> {
        if self.calls_local { Callable::Services } else { Callable::Anything }
    }

    fn machines(&self) -> RwLockReadGuard<'_, Machines> {
        self.machines.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the machines, and keeps what came of it. What can't be kept has not happened.
    fn change_machines<R>(&self, act: impl FnOnce(&mut Machines) -> Result<R, ApiError>) -> Result<R, ApiError> {
        self.machines.write().unwrap_or_else(PoisonError::into_inner).change(act)
    }
}

fn does_not_exist(arn: &str) -> ApiError {
    ApiError::new("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'"))
}

/// What the service says of a text that is not JSON.
fn not_json(text: &str, error: &serde_json::Error) -> String {
    asl::malformed::find(text).map_or_else(|| error.to_string(), |malformed| malformed.message)
}

fn is_task(state: &State) -> bool {
    matches!(state.kind, Kind::Task(_))
}

/// Reads an execution's input; none is `{}`. How long it can be is the model's matter, for clients; here for others.
fn parse_input(input: Option<&str>) -> Result<Value, ApiError> {
    let Some(text) = input else { return Ok(Object::new().into()) };
    if text.len() > asl::PAYLOAD_LIMIT {
        return Err(ApiError::validation(format!("An input has at most {} bytes", asl::PAYLOAD_LIMIT)));
    }
    Value::parse(text).map_err(|error| {
        let why = not_json(text, &error);
        ApiError::new("InvalidExecutionInput", format!("Invalid State Machine Execution Input: '{why}'"))
    })
}

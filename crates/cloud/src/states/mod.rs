//! Step Functions: state machines, their executions, and the API that starts and describes them.
//!
//! [`States`] keeps what there is; [`FrontEnd`] speaks AWS JSON 1.0; [`Tasks`] carries out what Task states ask for.
//! What an execution did is told by its history alone, wherever it is asked for.

mod api_error;
mod calls;
mod describe;
mod front_end;
mod invoke;
pub mod items;
mod machines;
mod names;
mod page;
mod tasks;

use std::sync::Arc;

use asl::{Value, value::Object};
use engine::{
    Identity,
    journal::{Journal, JournalError, Listed},
    run::{Executions, Outside, Resumed, Running, StartError, Started},
};
use time::OffsetDateTime;
use tokio::sync::broadcast;
use uuid::Uuid;

pub use api_error::ApiError;
pub use engine::Status;
pub use front_end::FrontEnd;
pub use machines::{LoadError, StateMachine};
pub use tasks::{CallerOf, Tasks};

use machines::Machines;

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

/// The local Step Functions.
pub struct States {
    region: Arc<str>,
    machines: Machines,
    executions: Arc<Executions>,
    outside: Arc<dyn Outside>,
    started: broadcast::Sender<Arc<Running>>,
}

impl States {
    /// The machines of an application, compiled; everything that is wrong with them otherwise.
    pub fn new(
        application: &sam::Application,
        region: &str,
        journal: Journal,
        outside: Arc<dyn Outside>,
    ) -> Result<Arc<Self>, Vec<LoadError>> {
        Ok(Arc::new(Self {
            region: region.into(),
            machines: Machines::load(application)?,
            executions: Executions::new(journal, outside.clone()),
            outside,
            started: broadcast::Sender::new(STARTED_BACKLOG),
        }))
    }

    /// The state machines, in the template's order.
    pub fn machines(&self) -> &[Arc<StateMachine>] {
        self.machines.all()
    }

    /// The machine with this ARN.
    pub fn machine(&self, arn: &str) -> Result<&Arc<StateMachine>, ApiError> {
        self.machines.find(arn)
    }

    /// Tells of every execution that is started from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Running>> {
        self.started.subscribe()
    }

    /// Starts an execution.
    ///
    /// Without a name it gets a UUID. A Standard execution with the name and the input of one that runs is that one.
    pub fn start(&self, machine_arn: &str, start: Start<'_>) -> Result<Arc<Running>, ApiError> {
        let machine = self.machine(machine_arn)?;
        let input = parse_input(start.input)?;
        let name: Arc<str> = match start.name {
            Some(name) => names::check(name)?.into(),
            None => Uuid::new_v4().to_string().into(),
        };
        let arn: Arc<str> = machine.execution_arn(&name).into();
        let identity = Identity {
            arn: arn.clone(),
            name,
            state_machine_arn: machine.arn.clone(),
            state_machine_name: machine.name.clone(),
            role_arn: machine.role_arn.clone(),
            region: self.region.clone(),
            started_at: OffsetDateTime::now_utc(),
            input,
            trace_header: start.trace_header.map(Into::into),
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
        // Nobody may listen; that is no error.
        let _ = self.started.send(running.clone());
        Ok(running)
    }

    /// Lets the Standard executions that an earlier runner left go on, and tells of them as of those that are started.
    pub fn resume(&self) -> Result<Resumed, JournalError> {
        let resumed = self.executions.resume()?;
        for running in &resumed.running {
            // Nobody may listen; that is no error.
            let _ = self.started.send(running.clone());
        }
        Ok(resumed)
    }

    /// The Standard execution with this ARN.
    pub fn execution(&self, arn: &str) -> Result<Arc<Running>, ApiError> {
        names::execution_arn(arn)?;
        self.executions
            .find(arn)
            .map_err(|error| ApiError::internal(&error))?
            .ok_or_else(|| ApiError::new("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'")))
    }

    /// The definition that an execution was started with.
    pub fn definition_of(&self, execution: &Identity) -> Result<String, ApiError> {
        self.executions.definition(&execution.arn).map_err(|error| ApiError::internal(&error))
    }

    /// The Standard executions of a machine, newest first: `limit` of them, after the first `offset`.
    pub fn executions_of(
        &self,
        machine_arn: &str,
        status: Option<Status>,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<Listed>, ApiError> {
        self.executions.list(machine_arn, status, offset, limit).map_err(|error| ApiError::internal(&error))
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
}

/// Reads an execution's input; none is `{}`.
fn parse_input(input: Option<&str>) -> Result<Value, ApiError> {
    let Some(text) = input else { return Ok(Object::new().into()) };
    if text.len() > asl::PAYLOAD_LIMIT {
        let limit = asl::PAYLOAD_LIMIT;
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less \
             than or equal to {limit}"
        )));
    }
    Value::parse(text).map_err(|error| {
        ApiError::new("InvalidExecutionInput", format!("Invalid State Machine Execution Input: '{error}'"))
    })
}

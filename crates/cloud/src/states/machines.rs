//! State machines, checked and compiled.

use std::{path::PathBuf, sync::Arc};

use asl::{Diagnostic, Severity, Value, compile};
use engine::journal::Definition;
use sam::StateMachineKind;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ApiError, calls, names};

/// A state machine.
#[derive(Debug)]
pub struct StateMachine {
    /// Its key in the template.
    pub logical_id: String,
    /// Its ARN.
    pub arn: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// The role that it runs as.
    pub role_arn: Arc<str>,
    /// Standard or Express.
    pub kind: StateMachineKind,
    /// The definition, with its substitutions made.
    pub definition: Value,
    /// What its executions run: the definition, compiled.
    pub runs: Definition,
    /// What a person should know of the definition.
    pub warnings: Vec<Diagnostic>,
    /// When it was loaded.
    pub created_at: OffsetDateTime,
}

/// A state machine can't be run.
#[derive(Debug, thiserror::Error)]
#[error("{state_machine} ({}): {diagnostic}", file.display())]
pub struct LoadError {
    /// The machine's logical id.
    pub state_machine: String,
    /// The file of its definition.
    pub file: PathBuf,
    /// What is wrong, and where in the definition.
    pub diagnostic: Diagnostic,
}

impl StateMachine {
    /// Checks and compiles a machine of the template, which calls the template's functions; every error otherwise.
    pub fn load(described: &sam::StateMachine, functions: &[sam::Function]) -> Result<Self, Vec<LoadError>> {
        let failed = |diagnostic| LoadError {
            state_machine: described.logical_id.clone(),
            file: described.definition_file.clone(),
            diagnostic,
        };
        let definition = Value::from(&described.definition);
        let compiled = compile::compile(&definition);
        let calls = compiled.machine.as_ref().map(|machine| calls::check(machine, functions)).unwrap_or_default();
        let (errors, warnings): (Vec<_>, Vec<_>) =
            compiled.diagnostics.into_iter().chain(calls).partition(|found| found.severity == Severity::Error);
        match compiled.machine {
            Some(machine) if errors.is_empty() => Ok(Self {
                logical_id: described.logical_id.clone(),
                arn: described.arn.as_str().into(),
                name: described.name.as_str().into(),
                role_arn: described.role_arn.as_str().into(),
                kind: described.kind,
                runs: Definition::new(&definition, Arc::new(machine)),
                definition,
                warnings,
                created_at: OffsetDateTime::now_utc(),
            }),
            _ => Err(errors.into_iter().map(failed).collect()),
        }
    }

    /// The ARN of an execution with this name.
    pub(super) fn execution_arn(&self, name: &str) -> String {
        match self.kind {
            StateMachineKind::Standard => format!("{}:{name}", self.arn.replacen(":stateMachine:", ":execution:", 1)),
            StateMachineKind::Express => {
                format!("{}:{name}:{}", self.arn.replacen(":stateMachine:", ":express:", 1), Uuid::new_v4())
            }
        }
    }

    /// `STANDARD` or `EXPRESS`.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            StateMachineKind::Standard => "STANDARD",
            StateMachineKind::Express => "EXPRESS",
        }
    }
}

/// The machines there are.
pub(super) struct Machines(Vec<Arc<StateMachine>>);

impl Machines {
    pub(super) fn load(application: &sam::Application) -> Result<Self, Vec<LoadError>> {
        let mut machines = Vec::with_capacity(application.state_machines.len());
        let mut errors = Vec::new();
        for described in &application.state_machines {
            match StateMachine::load(described, &application.functions) {
                Ok(machine) => machines.push(Arc::new(machine)),
                Err(found) => errors.extend(found),
            }
        }
        if errors.is_empty() { Ok(Self(machines)) } else { Err(errors) }
    }

    pub(super) fn all(&self) -> &[Arc<StateMachine>] {
        &self.0
    }

    pub(super) fn find(&self, arn: &str) -> Result<&Arc<StateMachine>, ApiError> {
        names::state_machine_arn(arn)?;
        self.0
            .iter()
            .find(|machine| &*machine.arn == arn)
            .ok_or_else(|| ApiError::new("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'")))
    }
}

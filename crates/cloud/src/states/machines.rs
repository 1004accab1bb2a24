//! State machines: as they are, as they were when a version was published, and the aliases of versions.

use std::{path::PathBuf, sync::Arc};

use asl::{Diagnostic, Severity, Value, compile::without_consequences};
use engine::{Revision, history::log::Logging, journal::Definition};
use indexmap::IndexMap;
use sam::StateMachineKind;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    ApiError,
    aliases::Alias,
    arn::{self, Namespace, Qualifier, StateMachineArn},
    definition::{self, Callable, Checked},
    logging,
    saved::{Restored, SavedMachine},
    store::{Store, StoreError},
    tags::Tags,
    versions::Versions,
};

/// A state machine as it is at one moment: what an execution that is started then runs. It never changes; an update makes
/// another.
#[derive(Clone, Debug)]
pub struct StateMachine {
    /// Its ARN.
    pub arn: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// The role that it runs as.
    pub role_arn: Arc<str>,
    /// Standard or Express.
    pub kind: StateMachineKind,
    /// The definition, as it was given and compiled; of a template, with its substitutions made.
    pub runs: Definition,
    /// What a person should know of the definition.
    pub warnings: Vec<Diagnostic>,
    /// Which revision of the machine this is, and its other settings.
    pub revision: Arc<Revision>,
    /// When the machine was created.
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
        let definition = Value::from(&described.definition);
        let (machine, found) = definition::check(&definition, described.kind, Callable::Functions(functions));
        let (errors, warnings): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|found| found.severity == Severity::Error);
        let now = OffsetDateTime::now_utc();
        match machine {
            Some(machine) => Ok(Self {
                arn: described.arn.as_str().into(),
                name: described.name.as_str().into(),
                role_arn: described.role_arn.as_str().into(),
                kind: described.kind,
                runs: Definition::new(definition.to_string(), Arc::new(machine)),
                warnings,
                revision: Arc::new(Revision { logging: logging::of_template(described), ..Revision::first(now) }),
                created_at: now,
            }),
            None => Err(without_consequences(errors)
                .into_iter()
                .map(|diagnostic| LoadError {
                    state_machine: described.logical_id.clone(),
                    file: described.definition_file.clone(),
                    diagnostic,
                })
                .collect()),
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

    /// The same machine as a revision of its own.
    pub(super) fn revised(self) -> Self {
        let id = Some(Uuid::new_v4().to_string().into());
        let revision = Revision { id, made_at: OffsetDateTime::now_utc(), ..Revision::clone(&self.revision) };
        Self { revision: Arc::new(revision), ..self }
    }

    /// Whether a machine that is created anew is this one. Its role and its tags don't count.
    fn is_same(&self, other: &Self) -> bool {
        (self.runs.text(), self.kind, &self.revision.logging, self.revision.tracing)
            == (other.runs.text(), other.kind, &other.revision.logging, other.revision.tracing)
    }
}

/// A state machine that is to be created.
pub(super) struct New {
    pub(super) name: String,
    pub(super) role_arn: String,
    pub(super) kind: StateMachineKind,
    pub(super) definition: String,
    pub(super) checked: Checked,
    pub(super) logging: Logging,
    pub(super) tracing: bool,
    pub(super) tags: Tags,
    pub(super) publish: Option<Publish>,
}

/// That a version is to be published.
#[derive(Debug, Default)]
pub(super) struct Publish {
    pub(super) description: Option<String>,
}

/// What is to be changed of a state machine: only what is there.
#[derive(Default)]
pub(super) struct Change {
    pub(super) definition: Option<(String, Checked)>,
    pub(super) role_arn: Option<String>,
    pub(super) logging: Option<Logging>,
    pub(super) tracing: Option<bool>,
    pub(super) publish: Option<Publish>,
}

/// A state machine after it was created or changed.
pub(super) struct Changed {
    pub(super) machine: Arc<StateMachine>,
    /// The version that was published.
    pub(super) version_arn: Option<String>,
}

/// What an execution is started by.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) machine: Arc<StateMachine>,
    pub(super) version_arn: Option<Arc<str>>,
    pub(super) alias_arn: Option<Arc<str>>,
}

/// A state machine with all that is known of it.
#[derive(Clone)]
pub(super) struct Kept {
    /// Whether the template has it.
    pub(super) of_template: bool,
    pub(super) current: Arc<StateMachine>,
    pub(super) versions: Versions,
    /// By their names, in the order in which they were created.
    pub(super) aliases: IndexMap<Arc<str>, Alias>,
    pub(super) tags: Tags,
}

/// The machines there are, by their ARNs: those of the template, then the others, oldest first.
pub(super) struct Machines {
    namespace: Namespace,
    store: Store,
    kept: IndexMap<Arc<str>, Kept>,
}

/// What a file has of state machines.
#[derive(Default)]
pub struct SavedMachines {
    store: Store,
    restored: Vec<Restored>,
}

impl SavedMachines {
    /// Reads the file, and compiles what it has.
    pub fn open(store: Store) -> Result<Self, StoreError> {
        let saved: Vec<SavedMachine> = store.read()?;
        let restored = saved.into_iter().map(|saved| saved.restore(&store)).collect::<Result<_, _>>()?;
        Ok(Self { store, restored })
    }
}

impl Machines {
    /// The machines that were created and that a file has.
    pub(super) fn new(namespace: Namespace, saved: SavedMachines) -> Self {
        let created = saved.restored.into_iter().filter_map(Restored::alone);
        let kept = created.map(|machine| (machine.current.arn.clone(), machine)).collect();
        Self { namespace, store: saved.store, kept }
    }

    /// The machines of an application, and those of a file; everything that is wrong with the application's otherwise.
    pub(super) fn load(
        namespace: Namespace,
        application: &sam::Application,
        mut saved: SavedMachines,
    ) -> Result<Self, Vec<LoadError>> {
        let mut kept = IndexMap::new();
        let mut errors = Vec::new();
        for described in &application.state_machines {
            match StateMachine::load(described, &application.functions) {
                Ok(machine) => {
                    let arn = machine.arn.clone();
                    let index = saved.restored.iter().position(|restored| restored.arn == arn);
                    let machine = match index {
                        Some(index) => saved.restored.remove(index).of_template(machine),
                        None => Kept::new(machine, true),
                    };
                    kept.insert(arn, machine);
                }
                Err(found) => errors.extend(found),
            }
        }
        let Self { namespace, store, kept: others } = Self::new(namespace, saved);
        kept.extend(others);
        if errors.is_empty() { Ok(Self { namespace, store, kept }) } else { Err(errors) }
    }

    /// Does something with the machines, and keeps what came of it. What can't be kept has not happened.
    pub(super) fn change<R>(&mut self, act: impl FnOnce(&mut Self) -> Result<R, ApiError>) -> Result<R, ApiError> {
        let before = self.kept.clone();
        let result = act(self).and_then(|result| {
            let saved: Vec<_> = self.kept.values().map(SavedMachine::of).collect();
            self.store.write(&saved).map(|()| result).map_err(|error| ApiError::internal(&error))
        });
        if result.is_err() {
            self.kept = before;
        }
        result
    }

    /// Whose resources the ARNs of machines name.
    pub(super) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The machines as they are now.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<StateMachine>> {
        self.kept.values().map(|kept| &kept.current)
    }

    /// The log groups that the machines log to.
    pub(super) fn log_groups(&self) -> impl Iterator<Item = &str> {
        self.all().filter_map(|machine| logging::log_group(&machine.revision.logging))
    }

    /// Everything about the machine with this ARN, which must not be one of a version or an alias.
    pub(super) fn kept(&self, arn: &str) -> Result<&Kept, ApiError> {
        arn::state_machine(arn)?;
        self.kept.get(arn).ok_or_else(|| does_not_exist(arn))
    }

    pub(super) fn kept_mut(&mut self, arn: &str) -> Result<&mut Kept, ApiError> {
        arn::state_machine(arn)?;
        self.kept.get_mut(arn).ok_or_else(|| does_not_exist(arn))
    }

    /// The machine with this ARN as it is now.
    pub(super) fn find(&self, arn: &str) -> Result<&Arc<StateMachine>, ApiError> {
        Ok(&self.kept(arn)?.current)
    }

    /// What an execution that is started by this ARN runs: the machine, one of its versions, or what an alias leads to.
    pub(super) fn target(&self, arn: &str) -> Result<Target, ApiError> {
        let StateMachineArn { machine, qualifier } = arn::state_machine(arn)?;
        let kept = self.kept.get(machine).ok_or_else(|| does_not_exist(arn))?;
        match qualifier {
            None => Ok(Target { machine: kept.current.clone(), version_arn: None, alias_arn: None }),
            Some(Qualifier::Version(number)) => kept.version_target(number).ok_or_else(|| does_not_exist(arn)),
            Some(Qualifier::Alias(name)) => kept.alias_target(name).ok_or_else(|| does_not_exist(arn)),
            Some(Qualifier::Label(_)) => {
                Err(ApiError::validation(format!("An execution can't be started by the ARN of a Map state: '{arn}'")))
            }
        }
    }

    /// Creates a machine. One that is there already stays as it is, if it is the same.
    pub(super) fn create(&mut self, new: New) -> Result<Changed, ApiError> {
        let arn: Arc<str> = self.namespace.arn("stateMachine", &new.name).into();
        let now = OffsetDateTime::now_utc();
        let machine = StateMachine {
            arn: arn.clone(),
            name: new.name.into(),
            role_arn: new.role_arn.into(),
            kind: new.kind,
            runs: Definition::new(new.definition, new.checked.machine),
            warnings: new.checked.warnings,
            revision: Arc::new(Revision { logging: new.logging, tracing: new.tracing, ..Revision::first(now) }),
            created_at: now,
        };
        match self.kept.get(&arn) {
            Some(kept) if !kept.current.is_same(&machine) => {
                let message = format!("State Machine Already Exists: '{arn}'");
                return Err(ApiError::new("StateMachineAlreadyExists", message));
            }
            Some(_) => {}
            None => {
                self.kept.insert(arn.clone(), Kept { tags: new.tags, ..Kept::new(machine, false) });
            }
        }
        let kept = self.kept.get_mut(&arn).ok_or_else(|| does_not_exist(&arn))?;
        kept.changed(new.publish)
    }

    /// Changes a machine. Where nothing is different no revision is made.
    pub(super) fn update(&mut self, arn: &str, change: Change) -> Result<Changed, ApiError> {
        let kept = self.kept_mut(arn)?;
        let old = &kept.current;
        let mut new = StateMachine::clone(old);
        if let Some((definition, checked)) = change.definition {
            new.runs = Definition::new(definition, checked.machine);
            new.warnings = checked.warnings;
        }
        if let Some(role_arn) = change.role_arn {
            new.role_arn = role_arn.into();
        }
        new.revision = Arc::new(Revision {
            id: Some(Uuid::new_v4().to_string().into()),
            made_at: OffsetDateTime::now_utc(),
            logging: change.logging.unwrap_or_else(|| old.revision.logging.clone()),
            tracing: change.tracing.unwrap_or(old.revision.tracing),
        });
        if !new.is_same(old) || new.role_arn != old.role_arn {
            kept.current = Arc::new(new);
        }
        kept.changed(change.publish)
    }

    /// Deletes a machine with its versions and aliases, if it is there. Executions go on.
    pub(super) fn delete(&mut self, arn: &str) -> Result<(), ApiError> {
        arn::state_machine(arn)?;
        self.kept.shift_remove(arn);
        Ok(())
    }
}

impl Kept {
    /// A machine of which nothing was published yet.
    fn new(machine: StateMachine, of_template: bool) -> Self {
        Self {
            of_template,
            current: Arc::new(machine),
            versions: Versions::default(),
            aliases: IndexMap::new(),
            tags: Tags::default(),
        }
    }

    /// The machine as it is now, after a version of it was published where that is wanted.
    fn changed(&mut self, publish: Option<Publish>) -> Result<Changed, ApiError> {
        let version = publish.map(|publish| self.publish(publish.description)).transpose()?;
        let version_arn = version.map(|version| version.arn());
        Ok(Changed { machine: self.current.clone(), version_arn })
    }
}

pub(super) fn does_not_exist(arn: &str) -> ApiError {
    ApiError::new("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'"))
}

/// What is said of a version or an alias that is not there.
pub(super) fn not_found(arn: &str) -> ApiError {
    ApiError::new("ResourceNotFound", format!("Resource not found: '{arn}'"))
}

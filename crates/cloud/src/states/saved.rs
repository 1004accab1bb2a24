//! State machines as a file keeps them: with definitions in place of what was compiled of them.

use std::sync::Arc;

use engine::{Revision, journal::Definition};
use indexmap::IndexMap;
use sam::StateMachineKind;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    StateMachine,
    aliases::Alias,
    definition::{self, Callable},
    machines::Kept,
    store::{Store, StoreError},
    tags::Tags,
    versions::{Version, Versions},
};

/// A state machine.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedMachine {
    arn: Arc<str>,
    name: Arc<str>,
    kind: SavedKind,
    created_at: OffsetDateTime,
    /// Nothing for a machine of the template: that has it.
    current: Option<Settings>,
    versions: Vec<SavedVersion>,
    last_version: u64,
    aliases: Vec<Alias>,
    tags: Tags,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum SavedKind {
    Standard,
    Express,
}

#[derive(Serialize, Deserialize)]
struct Settings {
    definition: Arc<str>,
    role_arn: Arc<str>,
    revision: Arc<Revision>,
}

#[derive(Serialize, Deserialize)]
struct SavedVersion {
    number: u64,
    description: Option<String>,
    created_at: OffsetDateTime,
    settings: Settings,
}

/// A state machine as it was.
pub(super) struct Restored {
    pub(super) arn: Arc<str>,
    current: Option<StateMachine>,
    versions: Versions,
    aliases: IndexMap<Arc<str>, Alias>,
    tags: Tags,
}

impl Restored {
    /// The machine by itself; nothing for one that the template had.
    pub(super) fn alone(self) -> Option<Kept> {
        let Self { current, versions, aliases, tags, .. } = self;
        current.map(|current| Kept { of_template: false, current: Arc::new(current), versions, aliases, tags })
    }

    /// What was made of the template's machine, with the machine as the template has it now.
    pub(super) fn of_template(self, machine: StateMachine) -> Kept {
        let Self { versions, aliases, tags, .. } = self;
        // If it has changed since a version of its first revision was published, it is another revision.
        let first = versions.newest_first().find(|version| version.machine.revision.id.is_none());
        let changed = first.is_some_and(|version| {
            (version.machine.runs.text(), &version.machine.role_arn) != (machine.runs.text(), &machine.role_arn)
        });
        let current = Arc::new(if changed { machine.revised() } else { machine });
        Kept { of_template: true, current, versions, aliases, tags }
    }
}

impl Settings {
    fn of(machine: &StateMachine) -> Self {
        Self {
            definition: machine.runs.text().clone(),
            role_arn: machine.role_arn.clone(),
            revision: machine.revision.clone(),
        }
    }
}

impl SavedMachine {
    pub(super) fn of(kept: &Kept) -> Self {
        let version = |version: &Version| SavedVersion {
            number: version.number,
            description: version.description.clone(),
            created_at: version.created_at,
            settings: Settings::of(&version.machine),
        };
        Self {
            arn: kept.current.arn.clone(),
            name: kept.current.name.clone(),
            kind: match kept.current.kind {
                StateMachineKind::Standard => SavedKind::Standard,
                StateMachineKind::Express => SavedKind::Express,
            },
            created_at: kept.current.created_at,
            current: (!kept.of_template).then(|| Settings::of(&kept.current)),
            versions: kept.versions.newest_first().map(version).collect(),
            last_version: kept.versions.last(),
            aliases: kept.aliases.values().cloned().collect(),
            tags: kept.tags.clone(),
        }
    }

    /// The machine as it was, compiled.
    pub(super) fn restore(self, store: &Store) -> Result<Restored, StoreError> {
        let current = self.current.as_ref().map(|settings| self.compile(settings, store)).transpose()?;
        let mut versions = Versions::ending_at(self.last_version);
        for version in &self.versions {
            versions.add(Version {
                number: version.number,
                machine: Arc::new(self.compile(&version.settings, store)?),
                description: version.description.clone(),
                created_at: version.created_at,
            });
        }
        let aliases = self.aliases.into_iter().map(|alias| (alias.name.clone(), alias)).collect();
        Ok(Restored { arn: self.arn, current, versions, aliases, tags: self.tags })
    }

    fn compile(&self, settings: &Settings, store: &Store) -> Result<StateMachine, StoreError> {
        let kind = match self.kind {
            SavedKind::Standard => StateMachineKind::Standard,
            SavedKind::Express => StateMachineKind::Express,
        };
        let checked = definition::accept(&settings.definition, kind, Callable::Services)
            .map_err(|error| store.refuse(&self.arn, error.message))?;
        Ok(StateMachine {
            arn: self.arn.clone(),
            name: self.name.clone(),
            role_arn: settings.role_arn.clone(),
            kind,
            runs: Definition::new(settings.definition.clone(), checked.machine),
            warnings: checked.warnings,
            revision: settings.revision.clone(),
            created_at: self.created_at,
        })
    }
}

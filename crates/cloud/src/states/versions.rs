//! Versions: what a state machine was when somebody published it.

use std::{collections::BTreeMap, sync::Arc};

use time::OffsetDateTime;

use super::{
    ApiError, StateMachine,
    arn::{self, Qualifier, StateMachineArn},
    machines::{Kept, Machines, Target},
};

/// How many versions a machine can have.
const MAX_VERSIONS: usize = 1000;

/// What a client calls the revision of a machine that was never changed.
const INITIAL: &str = "INITIAL";

/// A version of a state machine.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) number: u64,
    pub(super) machine: Arc<StateMachine>,
    pub(super) description: Option<String>,
    pub(super) created_at: OffsetDateTime,
}

/// The versions of one machine, by their numbers. A number is never given twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Versions {
    kept: BTreeMap<u64, Version>,
    last: u64,
}

impl Version {
    pub(super) fn arn(&self) -> String {
        format!("{}{}", self.machine.arn, Qualifier::Version(self.number))
    }
}

impl Versions {
    /// None, after the one with this number.
    pub(super) fn ending_at(last: u64) -> Self {
        Self { kept: BTreeMap::new(), last }
    }

    /// Adds one that was published before.
    pub(super) fn add(&mut self, version: Version) {
        self.kept.insert(version.number, version);
    }

    /// The highest number that was given.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn get(&self, number: u64) -> Option<&Version> {
        self.kept.get(&number)
    }

    /// Newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Version> {
        self.kept.values().rev()
    }
}

impl Kept {
    /// Publishes the machine as it is now. If that was done, the version is that one.
    pub(super) fn publish(&mut self, description: Option<String>) -> Result<&Version, ApiError> {
        let Versions { kept, last } = &mut self.versions;
        let published = kept.values().find(|version| version.machine.revision.id == self.current.revision.id);
        let number = match published {
            Some(version) => version.number,
            None if kept.len() >= MAX_VERSIONS => {
                return Err(ApiError::quota(format!("A state machine can have at most {MAX_VERSIONS} versions")));
            }
            None => *last + 1,
        };
        *last = number.max(*last);
        Ok(kept.entry(number).or_insert_with(|| Version {
            number,
            machine: self.current.clone(),
            description,
            created_at: OffsetDateTime::now_utc(),
        }))
    }

    /// What an execution that is started by a version runs.
    pub(super) fn version_target(&self, number: u64) -> Option<Target> {
        let version = self.versions.get(number)?;
        Some(Target { machine: version.machine.clone(), version_arn: Some(version.arn().into()), alias_arn: None })
    }
}

impl Machines {
    /// Publishes a machine as it is now, if it is the revision that the client means.
    pub(super) fn publish_version(
        &mut self,
        arn: &str,
        revision_id: Option<&str>,
        description: Option<String>,
    ) -> Result<&Version, ApiError> {
        let kept = self.kept_mut(arn)?;
        let machine = kept.current.clone();
        let current = machine.revision.id.as_deref().unwrap_or(INITIAL);
        if let Some(wanted) = revision_id.filter(|wanted| *wanted != current) {
            return Err(ApiError::new(
                "ConflictException",
                format!(
                    "Failed to publish the State Machine version for revision {wanted}. The current State Machine revision \
                     is {current}."
                ),
            ));
        }
        kept.publish(description)
    }

    /// A version by its ARN.
    pub(super) fn version(&self, arn: &str) -> Result<Option<&Version>, ApiError> {
        let StateMachineArn { machine, qualifier } = arn::state_machine(arn)?;
        let Some(Qualifier::Version(number)) = qualifier else { return Ok(None) };
        Ok(self.kept(machine).ok().and_then(|kept| kept.versions.get(number)))
    }

    /// Deletes a version, if it is there and no alias leads to it.
    pub(super) fn delete_version(&mut self, arn: &str) -> Result<(), ApiError> {
        let StateMachineArn { machine, qualifier } = arn::state_machine(arn)?;
        let Some(Qualifier::Version(number)) = qualifier else {
            return Err(ApiError::validation(format!("'{arn}' is not the ARN of a state machine version")));
        };
        let Ok(kept) = self.kept_mut(machine) else { return Ok(()) };
        let aliases = kept.aliases.values().filter(|alias| alias.leads_to(number));
        let aliases = aliases.map(|alias| &*alias.name).collect::<Vec<_>>().join(", ");
        if !aliases.is_empty() {
            return Err(ApiError::new(
                "ConflictException",
                format!(
                    "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this \
                     version: [{aliases}]"
                ),
            ));
        }
        kept.versions.kept.remove(&number);
        Ok(())
    }
}

//! The child executions that a Map Run is to have, with what an earlier attempt made of them.

use std::{collections::HashMap, sync::Arc};

use asl::distributed::ExecutionType;
use engine::{
    Identity, Redrive, Status,
    journal::{JournalError, Listed, Wanted},
    map_run::{Batch, MapRun},
    run::Executions,
};

use super::counts::Fate;
use crate::states::items::writer::Child;

/// A child execution that a Map Run has, or is to have.
pub(super) struct Planned {
    pub(super) child: Child,
    pub(super) fate: Fate,
    /// What it was before the Map Run was redriven.
    pub(super) before: Fate,
    /// Its ARN, where it is known beforehand.
    pub(super) arn: Option<Arc<str>>,
}

/// What an earlier attempt made of child executions.
pub(super) enum Earlier {
    /// This is the first attempt; whatever there is, is of it.
    None,
    /// The Standard ones, by their ARNs.
    Standard(Redrive, HashMap<Arc<str>, Listed>),
    /// The Express ones, in their order, where they succeeded.
    Express(Vec<Option<Child>>),
}

impl Earlier {
    /// What is to be known before a Map Run goes on. Blocks on the disk.
    pub(super) fn of(run: &MapRun, executions: Option<&Arc<Executions>>) -> Result<Self, JournalError> {
        let (Some(redrive), Some(executions)) = (run.redrive, executions) else { return Ok(Self::None) };
        match run.distributed.execution_type {
            ExecutionType::Express => {
                let children = executions.children(&run.arn)?;
                Ok(Self::Express(children.map_or_else(|| Ok(Vec::new()), |text| serde_json::from_str(&text))?))
            }
            ExecutionType::Standard => {
                let wanted =
                    Wanted { machine_arn: &run.state_machine_arn, map_run_arn: Some(&run.arn), ..Wanted::default() };
                let listed = executions.list(wanted, Executions::NO_LIMIT)?;
                let by_arn = listed.into_iter().map(|listed| (listed.arn.clone(), listed)).collect();
                Ok(Self::Standard(redrive, by_arn))
            }
        }
    }

    /// The child execution with this index.
    pub(super) fn plan(&self, run: &MapRun, parent: &Identity, index: usize, batch: Batch) -> Planned {
        let items = batch.items;
        let planned = |child, fate, before| Planned { child, fate, before, arn: None };
        let fresh = |input| planned(Child { input, items, run: None }, Fate::Pending, Fate::Pending);
        match self {
            Self::None => fresh(batch.input),
            Self::Express(children) => match children.get(index) {
                Some(Some(child)) if child.input == batch.input => {
                    planned(child.clone(), Fate::Succeeded, Fate::Succeeded)
                }
                _ => fresh(batch.input),
            },
            Self::Standard(redrive, listed) => {
                let identity = run.child(parent, index as u64, batch, redrive.at);
                let Some(listed) = listed.get(&identity.arn) else { return fresh(identity.input) };
                let began_at = listed.redriven_at.unwrap_or(listed.started_at);
                let before = Fate::of_status(listed.status);
                let fate = match listed.status {
                    // It goes on, or is found as it ended.
                    Status::Running => Fate::Pending,
                    Status::Failed | Status::TimedOut | Status::Aborted if began_at < redrive.at => {
                        Fate::PendingRedrive
                    }
                    _ => before,
                };
                let child = Child { input: identity.input, items, run: None };
                Planned { child, fate, before, arn: Some(identity.arn) }
            }
        }
    }
}

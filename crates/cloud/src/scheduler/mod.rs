//! `EventBridge` Scheduler: schedules, their groups, and what they start.
//!
//! Differences from the service: a schedule with a flexible window fires when the window opens; what a target can't be given
//! goes to the dead-letter queue at once. A target is a function, a state machine, a queue, a topic or an event bus; the
//! universal target, which calls any operation, is refused.
//!
//! Source: the `EventBridge` Scheduler User Guide and API reference.

mod fire;
mod marks;
mod operations;
mod rest;
mod schedule;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::{
    events::Events,
    location::Location,
    named::{Described, Named},
    protocol::Failure,
    states::{Store, StoreError},
    tags::Tags,
    targets::Targets,
};
use marks::Marks;
use schedule::Schedule;

pub(crate) use rest::FrontEnd;

/// The group that schedules are in where none is named.
const DEFAULT_GROUP: &str = "default";

/// A schedule of the template can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// What is wrong with it.
    #[error("the schedule {schedule}: {failure}")]
    Schedule {
        /// Its name.
        schedule: String,
        /// What is wrong.
        failure: Failure,
    },
    /// The file that keeps what the API has made.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The files that keep what is not the template's.
#[derive(Debug, Default)]
pub struct Files {
    /// The schedules that the API has made.
    pub schedules: Store,
    /// The groups that the API has made.
    pub groups: Store,
    /// What became of the template's schedules that fire once.
    pub marks: Store,
}

/// The schedules and their groups.
pub struct Scheduler {
    location: Location,
    targets: Targets,
    events: Arc<Events>,
    /// By `<group>/<name>`.
    schedules: Named<Schedule>,
    groups: Named<Group>,
    marks: Marks,
    /// Told when a schedule has come, gone or changed.
    changed: Notify,
}

/// A group of schedules.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Group {
    /// Seconds since 1970.
    created_at: i64,
    #[serde(default)]
    tags: Tags,
    /// There from the first, or with a schedule of the template.
    #[serde(skip)]
    is_of_template: bool,
}

impl Described for Group {
    fn is_of_template(&self) -> bool {
        self.is_of_template
    }
}

impl Scheduler {
    /// The schedules of an application, and those that the API has made before.
    pub fn open(
        application: &sam::Application,
        location: Location,
        targets: Targets,
        events: Arc<Events>,
        files: Files,
    ) -> Result<Self, SchedulerError> {
        let created_at = OffsetDateTime::now_utc().unix_timestamp();
        let names = application.schedules.iter().map(|schedule| schedule.group.as_str());
        let names = names.chain(application.schedule_groups.iter().map(String::as_str)).chain([DEFAULT_GROUP]);
        let of_template =
            names.map(|name| (name.to_owned(), Group { created_at, tags: Tags::default(), is_of_template: true }));
        let groups = Named::open(files.groups, of_template)?;
        let schedules = application.schedules.iter().map(|described| {
            let schedule = Schedule::of(described, &location)
                .map_err(|failure| SchedulerError::Schedule { schedule: described.name.clone(), failure })?;
            Ok((key(&described.group, &described.name), schedule))
        });
        let mut schedules = schedules.collect::<Result<Vec<_>, SchedulerError>>()?;
        let marks = Marks::open(files.marks, schedules.iter_mut().map(|(key, schedule)| (&*key, schedule)))?;
        let schedules = Named::open(files.schedules, schedules)?;
        Ok(Self { location, targets, events, schedules, groups, marks, changed: Notify::new() })
    }

    fn arn(&self, key: &str) -> String {
        self.location.arn("scheduler", &format!("schedule/{key}"))
    }
}

/// How a schedule is kept: no group and no name has a slash.
fn key(group: &str, name: &str) -> String {
    format!("{group}/{name}")
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scheduler").finish_non_exhaustive()
    }
}

//! What is known of the one-time schedules of the template from earlier starts: since when each is there, and whether it has
//! fired. So it fires once, and one whose time came while nothing ran fires at the next start.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::schedule::{Description, Schedule, Times};
use crate::states::{Store, StoreError};

/// The marks, by the keys of schedules.
#[derive(Debug)]
pub(super) struct Marks {
    store: Store,
    by_key: Mutex<BTreeMap<String, Mark>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Mark {
    /// A schedule for another time is another one.
    expression: String,
    zone: Option<String>,
    /// Seconds since 1970.
    since: i64,
    is_over: bool,
}

impl Mark {
    fn is_of(&self, description: &Description) -> bool {
        self.expression == description.schedule_expression && self.zone == description.schedule_expression_timezone
    }
}

impl Marks {
    /// The marks that a file has, for the schedules of the template, which become what they were. Those of schedules that the
    /// template has no more go.
    pub(super) fn open<'s>(
        store: Store,
        schedules: impl Iterator<Item = (&'s String, &'s mut Schedule)>,
    ) -> Result<Self, StoreError> {
        let mut kept: BTreeMap<String, Mark> = store.read()?;
        let mut by_key = BTreeMap::new();
        let is_once = |schedule: &Schedule| schedule.description.times().as_ref().is_ok_and(Times::is_once);
        for (key, schedule) in schedules.filter(|(_, schedule)| is_once(schedule)) {
            let mark = match kept.remove(key).filter(|mark| mark.is_of(&schedule.description)) {
                Some(mark) => {
                    (schedule.created_at, schedule.changed_at, schedule.is_over) =
                        (mark.since, mark.since, mark.is_over);
                    mark
                }
                None => Mark {
                    expression: schedule.description.schedule_expression.clone(),
                    zone: schedule.description.schedule_expression_timezone.clone(),
                    since: schedule.created_at,
                    is_over: false,
                },
            };
            by_key.insert(key.clone(), mark);
        }
        store.write(&by_key)?;
        Ok(Self { store, by_key: Mutex::new(by_key) })
    }

    /// Notes that a schedule has fired for the last time, where it is one of these. One that the API has given another time
    /// meanwhile is not: at the next start it is the template's again.
    pub(super) fn end(&self, key: &str, description: &Description) -> Result<(), StoreError> {
        let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        match by_key.get_mut(key).filter(|mark| mark.is_of(description)) {
            Some(mark) => mark.is_over = true,
            None => return Ok(()),
        }
        self.store.write(&*by_key)
    }
}

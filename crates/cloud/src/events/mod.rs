//! `EventBridge`: events, the rules that match them or fire by the clock, and the targets that they start.

mod event;
mod input;
mod notification;
mod object;
mod operations;
mod pattern;
pub mod put;
mod rule;
mod schedule;
mod timetable;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sam::{RuleTarget, Target};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

use crate::{
    location::Location,
    named,
    protocol::Failure,
    s3::{Notifications, ObjectEvent},
    states::{Store, StoreError},
    tags::Tags,
    targets::Targets,
};
use input::Matched;
use rule::{Described, Rule};

pub use event::Event;
pub use pattern::{Pattern, PatternError};
pub(crate) use timetable::{Timetable, until};

/// The bus that events go to where none is named.
const DEFAULT_BUS: &str = "default";

/// From how many buses an event can have come.
const MOST_BUSES: usize = 5;

/// A rule of the template can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the rule {rule}: {message}")]
pub struct RuleError {
    /// Its name.
    pub rule: String,
    /// What is wrong.
    pub message: String,
}

/// Why the buses can't be had.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// A rule of the template.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The file that keeps what the API has made.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The buses and their rules.
pub struct Events {
    location: Location,
    targets: Targets,
    store: Store,
    buses: Mutex<BTreeMap<String, Bus>>,
    /// Told when a rule has come, gone or changed.
    changed: Notify,
}

#[derive(Clone, Default)]
struct Bus {
    description: Option<String>,
    tags: Tags,
    rules: BTreeMap<String, Rule>,
}

/// What is kept of a bus between two runs.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    description: Option<String>,
    #[serde(default)]
    tags: Tags,
    rules: BTreeMap<String, Described>,
}

impl Events {
    /// The rules of an application, and those that the API has made before.
    pub fn open(
        application: &sam::Application,
        location: Location,
        targets: Targets,
        store: Store,
    ) -> Result<Self, EventsError> {
        let names = application.event_buses.iter().cloned().chain([DEFAULT_BUS.to_owned()]);
        let mut buses: BTreeMap<String, Bus> = names.map(|name| (name, Bus::default())).collect();
        for (name, kept) in store.read::<BTreeMap<String, Kept>>()? {
            let bus: &mut Bus = buses.entry(name).or_default();
            (bus.description, bus.tags) = (kept.description, kept.tags);
            for (name, described) in kept.rules {
                match Rule::new(described, false) {
                    Ok(rule) => drop(bus.rules.insert(name, rule)),
                    Err(failure) => tracing::warn!(%failure, name, "a rule is not taken up"),
                }
            }
        }
        for described in &application.rules {
            let bus: &mut Bus = buses.entry(described.bus.clone()).or_default();
            bus.rules.insert(described.name.clone(), Rule::of(described, &location)?);
        }
        Ok(Self { location, targets, store, buses: Mutex::new(buses), changed: Notify::new() })
    }

    /// Tells of a change of an object those whom its bucket wants to be told.
    pub fn object_changed(&self, change: &ObjectEvent, notifications: &Notifications) {
        if notifications.event_bridge {
            let (detail_type, detail) = object::detail(change);
            let resource = format!("arn:aws:s3:::{}", change.bucket);
            self.send(&Event::of_service("aws.s3", detail_type, resource, detail, change.time));
        }
        for told in notifications.direct.iter().filter(|told| told.is_about(change)) {
            let event = notification::event(&told.id, change, &self.location.region, &self.location.account);
            // Nothing else is taken for one.
            let Some(target) = Target::of_arn(&told.arn) else { continue };
            if let Err(error) = self.targets.give(&target, &event.to_string(), None) {
                tracing::error!(bucket = change.bucket, %error, "a bucket could not tell of an object");
            }
        }
    }

    /// Gives an event to the targets of all rules that match it.
    pub fn send(&self, event: &Event) {
        self.send_from(event, 0);
    }

    fn send_from(&self, event: &Event, buses_before: usize) {
        let told = event.to_json(&self.location.region, &self.location.account);
        let matching: Vec<(String, Vec<RuleTarget>)> = {
            let buses = self.buses();
            let rules = buses.get(&event.bus).into_iter().flat_map(|bus| &bus.rules);
            let matches = |rule: &Rule| {
                rule.described.is_enabled && rule.pattern.as_ref().is_some_and(|pattern| pattern.matches(&told))
            };
            rules.filter(|(_, rule)| matches(rule)).map(|(name, rule)| (name.clone(), rule.targets.clone())).collect()
        };
        let Event { source, detail_type, bus, .. } = event;
        tracing::debug!(source, detail_type, bus, matched = matching.len(), "an event went through the rules");
        for (name, targets) in matching {
            for target in targets {
                match &target.target {
                    Target::EventBus(bus) if buses_before < MOST_BUSES => {
                        self.send_from(&Event { bus: bus.clone(), ..event.clone() }, buses_before + 1);
                    }
                    _ => self.give(&event.bus, &name, &target, &told),
                }
            }
        }
    }

    /// Gives the target of a rule what it gets of an event.
    fn give(&self, bus: &str, rule: &str, target: &RuleTarget, event: &Value) {
        let rule_arn = self.rule_arn(bus, rule);
        let matched = Matched { rule_arn: &rule_arn, rule_name: rule, event };
        let input = matched.input(&target.input);
        match self.targets.give(&target.target, &input, target.message_group_id.as_deref()) {
            Ok(()) => tracing::debug!(rule, target = ?target.target, "a rule has matched, its target is started"),
            Err(error) => {
                tracing::error!(rule, target = ?target.target, %error, "an event could not start the target");
                let Some(queue) = &target.dead_letters else { return };
                if let Err(error) = self.targets.give(queue, &input, target.message_group_id.as_deref()) {
                    tracing::error!(rule, %error, "an event is lost: the dead-letter queue does not take it");
                }
            }
        }
    }

    /// The ARN of a rule. The default bus has no part in it.
    fn rule_arn(&self, bus: &str, rule: &str) -> String {
        match bus {
            DEFAULT_BUS => self.location.arn("events", &format!("rule/{rule}")),
            _ => self.location.arn("events", &format!("rule/{bus}/{rule}")),
        }
    }

    fn buses(&self) -> MutexGuard<'_, BTreeMap<String, Bus>> {
        self.buses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the buses, once what the API has made of them is kept, and tells who waits for a schedule.
    fn change<R>(&self, run: impl FnOnce(&mut BTreeMap<String, Bus>) -> Result<R, Failure>) -> Result<R, Failure> {
        let done = named::change(&mut *self.buses(), run, |buses| self.keep(buses))?;
        self.changed.notify_one();
        Ok(done)
    }

    /// Writes what the API has made.
    fn keep(&self, buses: &BTreeMap<String, Bus>) -> Result<(), Failure> {
        let kept = buses.iter().map(|(name, bus)| {
            let rules = bus.rules.iter().filter(|(_, rule)| !rule.is_of_template);
            let rules = rules.map(|(name, rule)| (name.clone(), rule.described.clone())).collect();
            (name.clone(), Kept { description: bus.description.clone(), tags: bus.tags.clone(), rules })
        });
        self.store.write(&kept.collect::<BTreeMap<_, _>>()).map_err(|error| Failure::internal(&error))
    }
}

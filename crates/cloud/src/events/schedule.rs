//! Rules and schedules that fire by the clock.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Event, Events, RuleError, timetable::Timetable};

/// The longest sleep: the clock of the machine may be set meanwhile.
const LONGEST: Duration = Duration::from_mins(1);

/// A schedule of `EventBridge` Scheduler.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    described: sam::Schedule,
    timetable: Timetable,
}

impl Schedule {
    /// A schedule of the template.
    pub(super) fn of(described: &sam::Schedule) -> Result<Self, RuleError> {
        let timetable = Timetable::parse(&described.expression, described.timezone.as_deref());
        let timetable =
            timetable.map_err(|error| RuleError { rule: described.name.clone(), message: error.to_string() })?;
        Ok(Self { described: described.clone(), timetable })
    }
}

/// What fires.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    Rule { bus: String, name: String, expression: String },
    Schedule(usize),
}

impl Events {
    /// Fires rules and schedules at their times, for as long as this lives.
    pub async fn fire(&self) {
        let mut due: BTreeMap<Alarm, Timestamp> = BTreeMap::new();
        loop {
            let now = Timestamp::now();
            let alarms = self.alarms();
            due.retain(|alarm, _| alarms.contains_key(alarm));
            for (alarm, timetable) in &alarms {
                match due.get(alarm) {
                    Some(at) if *at > now => continue,
                    // What was missed while the machine slept is fired once.
                    Some(at) => self.fire_one(alarm, *at),
                    None => {}
                }
                match timetable.next_after(now) {
                    Some(next) => drop(due.insert(alarm.clone(), next)),
                    None => drop(due.remove(alarm)),
                }
            }
            let next = due.values().min().and_then(|next| Duration::try_from(next.duration_since(now)).ok());
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep(next.unwrap_or(LONGEST).min(LONGEST)) => {}
            }
        }
    }

    fn alarms(&self) -> BTreeMap<Alarm, Timetable> {
        let mut alarms = BTreeMap::new();
        for (bus, rules) in &*self.buses() {
            for (name, rule) in rules.rules.iter().filter(|(_, rule)| rule.described.is_enabled) {
                if let (Some(timetable), Some(expression)) = (&rule.timetable, &rule.described.schedule_expression) {
                    let (bus, name, expression) = (bus.clone(), name.clone(), expression.clone());
                    alarms.insert(Alarm::Rule { bus, name, expression }, timetable.clone());
                }
            }
        }
        let schedules = self.schedules.iter().enumerate().filter(|(_, schedule)| schedule.described.enabled);
        alarms.extend(schedules.map(|(index, schedule)| (Alarm::Schedule(index), schedule.timetable.clone())));
        alarms
    }

    fn fire_one(&self, alarm: &Alarm, at: Timestamp) {
        let at = OffsetDateTime::from_unix_timestamp(at.as_second()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        match alarm {
            Alarm::Rule { bus, name, .. } => {
                let targets =
                    self.buses().get(bus).and_then(|bus| bus.rules.get(name)).map(|rule| rule.targets.clone());
                let event = self.event("aws.events", &self.rule_arn(bus, name), json!({}), at);
                for target in targets.unwrap_or_default() {
                    self.give(bus, name, &target, &event);
                }
            }
            Alarm::Schedule(index) => {
                let Some(Schedule { described, .. }) = self.schedules.get(*index) else { return };
                let arn = self.location.arn("scheduler", &format!("schedule/default/{}", described.name));
                // Scheduler writes its detail as a text.
                let event = || self.event("aws.scheduler", &arn, json!("{}"), at);
                let input = described.input.clone().unwrap_or_else(event).to_string();
                if let Err(error) = self.targets.give(&described.target, &input, None) {
                    tracing::error!(schedule = described.name, %error, "a schedule could not start its target");
                }
            }
        }
    }

    fn event(&self, source: &str, resource: &str, detail: Value, at: OffsetDateTime) -> Value {
        let event = Event::of_service(source, "Scheduled Event", resource, detail, at);
        event.to_json(&self.location.region, &self.location.account)
    }
}

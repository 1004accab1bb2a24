//! Rules that fire by the clock.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use time::OffsetDateTime;

use super::{
    Event, Events,
    timetable::{Timetable, until},
};

/// A rule that fires. One with another expression is another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Alarm {
    bus: String,
    name: String,
    expression: String,
}

impl Events {
    /// Fires rules at their times, for as long as this lives.
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
            until(due.values().min().copied(), &self.changed).await;
        }
    }

    fn alarms(&self) -> BTreeMap<Alarm, Timetable> {
        let mut alarms = BTreeMap::new();
        for (bus, rules) in &*self.buses() {
            for (name, rule) in rules.rules.iter().filter(|(_, rule)| rule.described.is_enabled) {
                if let (Some(timetable), Some(expression)) = (&rule.timetable, &rule.described.schedule_expression) {
                    let (bus, name, expression) = (bus.clone(), name.clone(), expression.clone());
                    alarms.insert(Alarm { bus, name, expression }, timetable.clone());
                }
            }
        }
        alarms
    }

    fn fire_one(&self, Alarm { bus, name, .. }: &Alarm, at: Timestamp) {
        let at = OffsetDateTime::from_unix_timestamp(at.as_second()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let targets = self.buses().get(bus).and_then(|bus| bus.rules.get(name)).map(|rule| rule.targets.clone());
        let event = Event::of_service("aws.events", "Scheduled Event", self.rule_arn(bus, name), json!({}), at);
        let event = event.to_json(&self.location.region, &self.location.account);
        for target in targets.unwrap_or_default() {
            self.give(bus, name, &target, &event);
        }
    }
}

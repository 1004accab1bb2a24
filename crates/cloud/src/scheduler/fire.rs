//! What fires by the clock.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sam::Target;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    Scheduler,
    schedule::{ActionAfterCompletion, Description, Schedule, State, Times},
};
use crate::{
    events::{Event, until},
    protocol::Failure,
    targets::NotGiven,
};

impl Scheduler {
    /// Fires schedules at their times, for as long as this lives.
    pub async fn fire(&self) {
        // When each is due next, with what was said of it when that was found: a schedule that was changed is a new one. One
        // that is over is not due again.
        let mut due: BTreeMap<String, (i64, Option<Timestamp>)> = BTreeMap::new();
        let started = Timestamp::now();
        loop {
            let now = Timestamp::now();
            let schedules = self.schedules.all().clone();
            let is_on = |one: &Schedule| one.description.state == State::Enabled && !one.is_over;
            for (key, schedule) in schedules.iter().filter(|(_, one)| is_on(one)) {
                let known = due.get(key).filter(|(changed_at, _)| *changed_at == schedule.changed_at).copied();
                let times = schedule.description.times().ok();
                // A time that has passed since a schedule came is not missed. One that fires once does so also where its
                // time came while nothing ran.
                let came = match Timestamp::from_second(schedule.changed_at) {
                    Ok(changed) if times.as_ref().is_some_and(Times::is_once) => changed,
                    Ok(changed) => changed.max(started),
                    Err(_) => started,
                };
                let after = match known {
                    Some((_, None)) => continue,
                    Some((_, Some(at))) if at > now => continue,
                    // What was missed while the machine slept is fired once.
                    Some((_, Some(at))) => {
                        self.fire_one(key, &schedule.description, at);
                        now
                    }
                    None => came.min(now),
                };
                let next = times.and_then(|times| times.next_after(after));
                due.insert(key.clone(), (schedule.changed_at, next));
                if next.is_none() {
                    if known.is_none() {
                        tracing::warn!(schedule = key, "the times of a schedule are over: it does not fire");
                    }
                    self.complete(key, schedule);
                }
            }
            due.retain(|key, _| schedules.get(key).is_some_and(is_on));
            until(due.values().filter_map(|(_, at)| *at).min(), &self.changed).await;
        }
    }

    /// Ends a schedule that has fired for the last time: deletes it, where that is wanted. One that was changed or made
    /// anew meanwhile has times of its own.
    fn complete(&self, key: &str, fired: &Schedule) {
        let completed = self.schedules.change(|schedules| {
            let Some(now) = schedules.get_mut(key).filter(|now| now.changed_at == fired.changed_at) else {
                return Ok(());
            };
            if now.is_of_template {
                self.marks.end(key, &fired.description).map_err(|error| Failure::internal(&error))?;
            }
            match now.description.action_after_completion {
                ActionAfterCompletion::None => now.is_over = true,
                ActionAfterCompletion::Delete => drop(schedules.remove(key)),
            }
            Ok(())
        });
        if let Err(failure) = completed {
            tracing::error!(%failure, schedule = key, "a schedule that is over comes again after a restart");
        }
    }

    fn fire_one(&self, key: &str, description: &Description, at: Timestamp) {
        if let Err(error) = self.give(key, description, at) {
            tracing::error!(schedule = key, %error, "a schedule could not start its target");
        }
    }

    fn give(&self, key: &str, description: &Description, at: Timestamp) -> Result<(), NotGiven> {
        let unusable = |failure: Failure| NotGiven { code: failure.code.to_owned(), message: failure.message };
        let at = OffsetDateTime::from_unix_timestamp(at.as_second()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let described = &description.target;
        let input = described.input.clone().unwrap_or_else(|| self.event(key, at).to_string());
        let target = description.target().map_err(unusable)?;
        if let (Target::EventBus(bus), Some(parameters)) = (&target, &described.event_bridge_parameters) {
            let detail = serde_json::from_str(&input).unwrap_or(Value::String(input));
            let event = Event::of_service(&parameters.source, &parameters.detail_type, self.arn(key), detail, at);
            self.events.send(&Event { bus: bus.clone(), ..event });
            return Ok(());
        }
        let group = described.sqs_parameters.as_ref().and_then(|sqs| sqs.message_group_id.as_deref());
        let given = self.targets.give(&target, &input, group);
        match described.dead_letters().map_err(unusable)? {
            Some(queue) if given.is_err() => self.targets.give(&queue, &input, group),
            _ => given,
        }
    }

    /// What a target gets where no input is given. The detail is a text.
    fn event(&self, key: &str, at: OffsetDateTime) -> Value {
        let event = Event::of_service("aws.scheduler", "Scheduled Event", self.arn(key), json!("{}"), at);
        event.to_json(&self.location.region, &self.location.account)
    }
}

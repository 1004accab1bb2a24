//! Schedules: as they are described, and when they fire.

use jiff::{SignedDuration, Timestamp};
use sam::Target;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::Described;
use crate::{events::Timetable, location::Location, protocol::Failure};

/// A schedule, as the API describes it, with what is known of it beyond.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Schedule {
    pub(super) description: Description,
    /// Seconds since 1970.
    pub(super) created_at: i64,
    pub(super) changed_at: i64,
    /// Whether it has fired for the last time.
    #[serde(default)]
    pub(super) is_over: bool,
    /// Made by the template, which makes it once more at the next start.
    #[serde(skip)]
    pub(super) is_of_template: bool,
}

impl Described for Schedule {
    fn is_of_template(&self) -> bool {
        self.is_of_template
    }
}

/// What a client says of a schedule.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "these are the names of the API")]
pub(super) struct Description {
    pub(super) schedule_expression: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) schedule_expression_timezone: Option<String>,
    pub(super) flexible_time_window: FlexibleTimeWindow,
    pub(super) target: DescribedTarget,
    #[serde(default)]
    pub(super) state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start_date: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_date: Option<f64>,
    #[serde(default)]
    pub(super) action_after_completion: ActionAfterCompletion,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kms_key_arn: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum State {
    #[default]
    Enabled,
    Disabled,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ActionAfterCompletion {
    #[default]
    None,
    Delete,
}

/// A schedule fires when its window opens, whatever this says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct FlexibleTimeWindow {
    mode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_window_in_minutes: Option<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct DescribedTarget {
    pub(super) arn: String,
    pub(super) role_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sqs_parameters: Option<SqsParameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_bridge_parameters: Option<EventBridgeParameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter_config: Option<DeadLetterConfig>,
    /// What can't be given is not tried again here, whatever this says.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_policy: Option<Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SqsParameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message_group_id: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct EventBridgeParameters {
    pub(super) detail_type: String,
    pub(super) source: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeadLetterConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    arn: Option<String>,
}

impl Schedule {
    /// One that a client describes, or tells what is wrong with it.
    pub(super) fn new(description: Description) -> Result<Self, Failure> {
        description.times()?;
        description.target()?;
        description.target.dead_letters()?;
        let window = &description.flexible_time_window;
        match (window.mode.as_str(), window.maximum_window_in_minutes) {
            ("OFF", None) | ("FLEXIBLE", Some(1..=1440)) => {}
            _ => return Err(refused("Invalid FlexibleTimeWindow provided.")),
        }
        if description.target.input.as_ref().is_some_and(|input| input.is_empty()) {
            return Err(refused("Invalid Target Input provided."));
        }
        let now = OffsetDateTime::now_utc().unix_timestamp();
        Ok(Self { description, created_at: now, changed_at: now, is_over: false, is_of_template: false })
    }

    /// One of the template.
    pub(super) fn of(schedule: &sam::Schedule, location: &Location) -> Result<Self, Failure> {
        let date = |text: &Option<String>| text.as_deref().map(date).transpose();
        let description = Description {
            schedule_expression: schedule.expression.clone(),
            schedule_expression_timezone: schedule.timezone.clone(),
            flexible_time_window: FlexibleTimeWindow { mode: "OFF".to_owned(), maximum_window_in_minutes: None },
            target: DescribedTarget {
                arn: location.arn_of(&schedule.target),
                role_arn: schedule.role_arn.clone(),
                input: schedule.input.as_ref().map(ToString::to_string),
                sqs_parameters: schedule
                    .message_group_id
                    .clone()
                    .map(|id| SqsParameters { message_group_id: Some(id) }),
                event_bridge_parameters: schedule
                    .event
                    .clone()
                    .map(|event| EventBridgeParameters { detail_type: event.detail_type, source: event.source }),
                dead_letter_config: schedule
                    .dead_letters
                    .as_ref()
                    .map(|target| DeadLetterConfig { arn: Some(location.arn_of(target)) }),
                retry_policy: None,
            },
            state: if schedule.enabled { State::Enabled } else { State::Disabled },
            description: None,
            start_date: date(&schedule.start)?,
            end_date: date(&schedule.end)?,
            action_after_completion: ActionAfterCompletion::None,
            kms_key_arn: None,
        };
        Ok(Self { is_of_template: true, ..Self::new(description)? })
    }
}

impl Description {
    /// When it fires.
    pub(super) fn times(&self) -> Result<Times, Failure> {
        let timetable = Timetable::parse(&self.schedule_expression, self.schedule_expression_timezone.as_deref());
        let timetable =
            timetable.map_err(|_| refused(format!("Invalid Schedule Expression {}.", self.schedule_expression)))?;
        let (start, end) = (timestamp(self.start_date)?, timestamp(self.end_date)?);
        if let (Some(start), Some(end)) = (start, end)
            && start >= end
        {
            return Err(refused("The StartDate you specify must come before the EndDate."));
        }
        Ok(Times { timetable, start, end })
    }

    /// Whom it starts.
    pub(super) fn target(&self) -> Result<Target, Failure> {
        let target = target(&self.target.arn)?;
        match (&target, &self.target.event_bridge_parameters) {
            (Target::EventBus(_), None) => Err(refused("EventBridgeParameters must be provided for the target.")),
            (Target::LogGroup(_), _) => Err(no_target(&self.target.arn)),
            _ => Ok(target),
        }
    }
}

impl DescribedTarget {
    /// Who gets what the target could not be given.
    pub(super) fn dead_letters(&self) -> Result<Option<Target>, Failure> {
        let arn = self.dead_letter_config.as_ref().and_then(|config| config.arn.as_deref());
        match arn.map(target).transpose()? {
            None => Ok(None),
            Some(queue @ Target::Queue(_)) => Ok(Some(queue)),
            Some(_) => Err(refused("The DeadLetterConfig must name an SQS queue.")),
        }
    }
}

fn target(arn: &str) -> Result<Target, Failure> {
    Target::of_arn(arn).ok_or_else(|| no_target(arn))
}

fn no_target(arn: &str) -> Failure {
    refused(format!("This runner has no targets such as {arn}."))
}

pub(super) fn refused(message: impl Into<String>) -> Failure {
    Failure::new("ValidationException", message)
}

fn timestamp(seconds: Option<f64>) -> Result<Option<Timestamp>, Failure> {
    #[expect(clippy::cast_possible_truncation, reason = "what is out of range is no time")]
    let read = |seconds: f64| Timestamp::from_second(seconds as i64).map_err(|_| refused("Invalid date provided."));
    seconds.map(read).transpose()
}

/// A date as templates have it.
#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far from the limits")]
fn date(text: &str) -> Result<f64, Failure> {
    let read: Timestamp = text.parse().map_err(|_| refused(format!("{text} is no date.")))?;
    Ok(read.as_second() as f64)
}

/// When a schedule fires.
#[derive(Clone, Debug)]
pub(super) struct Times {
    timetable: Timetable,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Times {
    /// Whether there is one time alone.
    pub(super) fn is_once(&self) -> bool {
        self.timetable.is_once()
    }

    /// The next time after this one.
    pub(super) fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        let next = match (self.start, self.timetable.rate()) {
            // At its start, and then each time that the rate has passed.
            (Some(start), Some(_)) if time < start => Some(start),
            (Some(start), Some(rate)) => {
                let rate = i64::try_from(rate.as_secs()).ok()?.max(1);
                let passed = time.duration_since(start).as_secs() / rate;
                start.checked_add(SignedDuration::from_secs(rate.checked_mul(passed + 1)?)).ok()
            }
            (Some(start), None) => {
                let before = start.checked_sub(SignedDuration::from_nanos(1)).ok()?;
                self.timetable.next_after(time.max(before))
            }
            (None, _) => self.timetable.next_after(time),
        };
        next.filter(|next| self.end.is_none_or(|end| *next <= end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_fires_between_its_dates() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (start, end) = (Some(at("2026-07-15T12:00:00Z")), Some(at("2026-07-15T14:00:00Z")));
        for (expression, time, expected) in [
            ("rate(1 hour)", "2026-07-01T00:00:00Z", Some("2026-07-15T12:00:00Z")),
            ("rate(1 hour)", "2026-07-15T12:00:00Z", Some("2026-07-15T13:00:00Z")),
            ("rate(1 hour)", "2026-07-15T12:30:00Z", Some("2026-07-15T13:00:00Z")),
            ("rate(1 hour)", "2026-07-15T14:00:00Z", None),
            ("cron(0 * * * ? *)", "2026-07-01T00:00:00Z", Some("2026-07-15T12:00:00Z")),
            ("cron(0 * * * ? *)", "2026-07-15T12:00:00Z", Some("2026-07-15T13:00:00Z")),
            ("cron(0 15 * * ? *)", "2026-07-01T00:00:00Z", None),
            ("at(2026-07-15T13:30:00)", "2026-07-01T00:00:00Z", Some("2026-07-15T13:30:00Z")),
            ("at(2026-07-15T11:30:00)", "2026-07-01T00:00:00Z", None),
        ] {
            let times = Times { timetable: Timetable::parse(expression, None).unwrap(), start, end };
            assert_eq!(times.next_after(at(time)), expected.map(at), "{expression} after {time}");
        }
    }
}

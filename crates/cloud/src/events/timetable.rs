//! When schedules fire.
//!
//! Source: the `EventBridge` User Guide, "Setting a schedule pattern for scheduled rules", and the `EventBridge` Scheduler
//! User Guide, "Schedule types".

use std::time::Duration;

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use tokio::sync::Notify;

/// The longest sleep: the clock of the machine may be set meanwhile.
const LONGEST: Duration = Duration::from_mins(1);

/// Sleeps until the next time, where there is one, or until told of a change.
pub(crate) async fn until(next: Option<Timestamp>, changed: &Notify) {
    let left = next.map(|next| Duration::try_from(next.duration_since(Timestamp::now())).unwrap_or_default());
    tokio::select! {
        () = changed.notified() => {}
        () = tokio::time::sleep(left.unwrap_or(LONGEST).min(LONGEST)) => {}
    }
}

/// A schedule expression, read.
#[derive(Clone, Debug)]
pub(crate) struct Timetable {
    kind: Kind,
    zone: TimeZone,
}

#[derive(Clone, Debug)]
enum Kind {
    Rate(Duration),
    Cron(Box<Cron>),
    Once(Timestamp),
}

/// What is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not valid as a ScheduleExpression")]
pub(crate) struct ExpressionError(String);

impl Timetable {
    /// Reads an expression, whose times are those of a zone: UTC without one.
    pub(crate) fn parse(expression: &str, zone: Option<&str>) -> Result<Self, ExpressionError> {
        let refused = || ExpressionError(expression.to_owned());
        let zone = zone.map_or(Ok(TimeZone::UTC), TimeZone::get).map_err(|_| refused())?;
        let (name, argument) = expression.trim().split_once('(').ok_or_else(refused)?;
        let argument = argument.strip_suffix(')').ok_or_else(refused)?;
        let kind = match name {
            "rate" => rate(argument).map(Kind::Rate),
            "cron" => cron(argument).map(|cron| Kind::Cron(Box::new(cron))),
            "at" => argument
                .parse::<DateTime>()
                .ok()
                .and_then(|at| at.to_zoned(zone.clone()).ok())
                .map(|at| Kind::Once(at.timestamp())),
            _ => None,
        };
        Ok(Self { kind: kind.ok_or_else(refused)?, zone })
    }

    /// How long it is from one time to the next, where that is what the expression says.
    pub(crate) fn rate(&self) -> Option<Duration> {
        match self.kind {
            Kind::Rate(every) => Some(every),
            Kind::Cron(_) | Kind::Once(_) => None,
        }
    }

    /// Whether there is one time alone.
    pub(crate) fn is_once(&self) -> bool {
        matches!(self.kind, Kind::Once(_))
    }

    /// The next time after this one.
    pub(crate) fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        match &self.kind {
            Kind::Rate(every) => time.checked_add(SignedDuration::try_from(*every).ok()?).ok(),
            Kind::Cron(cron) => {
                let next = cron.find_next_occurrence(&time.to_zoned(self.zone.clone()), false).ok()?;
                Some(next.timestamp())
            }
            Kind::Once(at) => (*at > time).then_some(*at),
        }
    }
}

/// `5 minutes`; one is in the singular.
fn rate(argument: &str) -> Option<Duration> {
    let (count, unit) = argument.trim().split_once(' ')?;
    let count: u32 = count.parse().ok().filter(|count| *count > 0)?;
    let unit = unit.trim();
    let minutes: u64 = match unit.strip_suffix('s').unwrap_or(unit) {
        "minute" => 1,
        "hour" => 60,
        "day" => 24 * 60,
        _ => return None,
    };
    let is_plural = unit.ends_with('s');
    (is_plural == (count > 1)).then(|| Duration::from_secs(u64::from(count) * minutes * 60))
}

/// Minutes, hours, day of the month, month, day of the week from 1 for Sunday, year. One of the days is `?`.
fn cron(argument: &str) -> Option<Cron> {
    let fields: Vec<&str> = argument.split_whitespace().collect();
    let [_, _, day_of_month, _, day_of_week, _] = fields[..] else { return None };
    if (day_of_month == "?") == (day_of_week == "?") {
        return None;
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Required)
        .alternative_weekdays(true)
        .sloppy_ranges(true)
        .dom_and_dow(true)
        .build();
    parser.parse(&format!("0 {}", fields.join(" ").replace('?', "*"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_fire_as_documented() {
        // A Wednesday.
        let start: Timestamp = "2026-07-15T10:07:30Z".parse().unwrap();
        for (expression, zone, expected) in [
            ("rate(1 minute)", None, Some("2026-07-15T10:08:30Z")),
            ("rate(2 hours)", None, Some("2026-07-15T12:07:30Z")),
            ("rate(7 days)", None, Some("2026-07-22T10:07:30Z")),
            ("cron(0 12 * * ? *)", None, Some("2026-07-15T12:00:00Z")),
            ("cron(0/10 * ? * MON-FRI *)", None, Some("2026-07-15T10:10:00Z")),
            ("cron(15 10 ? * 6L 2026-2028)", None, Some("2026-07-31T10:15:00Z")),
            ("cron(0 8 1 * ? *)", None, Some("2026-08-01T08:00:00Z")),
            ("cron(0 8 L * ? *)", None, Some("2026-07-31T08:00:00Z")),
            ("cron(0 9 ? * 2#1 *)", None, Some("2026-08-03T09:00:00Z")),
            ("cron(0 9 ? * 1 *)", None, Some("2026-07-19T09:00:00Z")),
            ("cron(0 9 * * ? 2020)", None, None),
            ("cron(0 9 * * ? *)", Some("Europe/Berlin"), Some("2026-07-16T07:00:00Z")),
            ("at(2026-07-15T12:00:00)", Some("America/New_York"), Some("2026-07-15T16:00:00Z")),
            ("at(2026-07-15T10:00:00)", None, None),
        ] {
            let next = Timetable::parse(expression, zone).unwrap().next_after(start);
            assert_eq!(next.map(|next| next.to_string()).as_deref(), expected, "{expression}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for expression in [
            "rate(5 minute)",
            "rate(1 minutes)",
            "rate(0 minutes)",
            "rate(5 weeks)",
            "cron(0 12 * * *)",
            "cron(0 12 * * * *)",
            "cron(0 12 ? * ? *)",
            "cron(99 12 * * ? *)",
            "at(tomorrow)",
            "5 minutes",
        ] {
            assert!(Timetable::parse(expression, None).is_err(), "{expression}");
        }
        assert!(Timetable::parse("rate(1 day)", Some("Mars/Olympus")).is_err());
    }
}

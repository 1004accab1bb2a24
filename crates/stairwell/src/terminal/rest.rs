//! What an execution waits for, for people and programs.

use asl::Value;
use engine::{core::rests::Until, run::Clock};
use sam::REGION;
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

use super::duration;

/// What a state waits for, in words.
pub(super) fn words(until: &Until, clock: &Clock) -> String {
    let words = words_at(until, clock.now());
    match until {
        Until::Callback { .. } | Until::Worker { .. } if clock.is_virtual() => {
            format!("{words}; its time is not skipped until then")
        }
        _ => words,
    }
}

fn words_at(until: &Until, now: OffsetDateTime) -> String {
    match until {
        Until::Time(at) => {
            let left = left(*at, now).map(|left| format!(", {left}")).unwrap_or_default();
            format!("waits until {}{left}", moment(*at, now))
        }
        Until::Retry(at) => {
            let left = left(*at, now).map(|left| format!("in {left}, ")).unwrap_or_default();
            format!("tries again {left}at {}", moment(*at, now))
        }
        Until::Callback { .. } => "waits for a callback".to_owned(),
        Until::Worker { activity } => format!("waits for a worker of the activity {}", last_part(activity)),
    }
}

/// A time to come. One of today has no date.
fn moment(at: OffsetDateTime, now: OffsetDateTime) -> String {
    let (today, other) = (
        format_description!("[hour]:[minute]:[second] UTC"),
        format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC"),
    );
    let formatted = if at.date() == now.date() { at.format(today) } else { at.format(other) };
    formatted.unwrap_or_default()
}

/// How long it is until then, where that is worth telling.
fn left(at: OffsetDateTime, now: OffsetDateTime) -> Option<String> {
    Some(duration(at - now)).filter(|left| !left.is_empty())
}

/// How somebody can end the rest, by the port of the local cloud. Any credentials do, but a client wants some.
pub(super) fn hint(until: &Until, endpoint_url: &str) -> Option<String> {
    let aws = "AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws stepfunctions";
    let there = format!("--endpoint-url {endpoint_url} --region {REGION}");
    match until {
        Until::Time(_) | Until::Retry(_) => None,
        Until::Callback { token } => Some(format!(
            "to answer: {aws} send-task-success {there} --task-output '<what the state expects, as JSON>' --task-token {token}"
        )),
        Until::Worker { activity } => {
            Some(format!("to take it: {aws} get-activity-task {there} --activity-arn {activity}"))
        }
    }
}

/// What is waited for, as JSON Lines tell it.
pub(super) fn to_json(until: &Until) -> Value {
    Value::from([match until {
        Until::Time(at) => ("time", Value::from(at.format(&Rfc3339).unwrap_or_default())),
        Until::Retry(at) => ("retry", Value::from(at.format(&Rfc3339).unwrap_or_default())),
        Until::Callback { token } => ("taskToken", Value::from(token.clone())),
        Until::Worker { activity } => ("activityArn", Value::from(activity.clone())),
    }])
}

/// The name at the end of an ARN.
pub fn last_part(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn a_time_of_today_has_no_date() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::hours(1);
        let told = |after: Duration| words_at(&Until::Time(now + after), now);
        assert_eq!(told(Duration::seconds(125)), "waits until 01:02:05 UTC, 2 min 5 s");
        assert_eq!(told(Duration::days(2)), "waits until 1970-01-03 01:00:00 UTC, 2 d 0 h");
        assert_eq!(told(Duration::ZERO), "waits until 01:00:00 UTC");
        let retry = Until::Retry(now + Duration::seconds(2));
        assert_eq!(words_at(&retry, now), "tries again in 2.00 s, at 01:00:02 UTC");
    }

    #[test]
    fn who_can_end_a_rest_is_told_how() {
        let hint = |until| hint(&until, "http://127.0.0.1:1").unwrap_or_default();
        assert!(hint(Until::Callback { token: "T".into() }).ends_with("--task-token T"));
        let activity = "arn:aws:states:us-east-1:000000000000:activity:review";
        assert!(hint(Until::Worker { activity: activity.into() }).ends_with(activity));
        assert_eq!(hint(Until::Time(OffsetDateTime::UNIX_EPOCH)), "");
    }
}

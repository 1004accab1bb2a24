//! The logging configuration of a state machine.

use std::sync::Arc;

use asl::{Value, value::Object};
use engine::{
    Event, EventKind,
    history::log::{self, Level, Logging},
    run::Running,
};
use serde::Deserialize;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};
use uuid::Uuid;

use super::ApiError;
use crate::logs::{LogEvent, Logs};

/// The minute in the name of a log stream.
const MINUTE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]-[hour]-[minute]");

/// `loggingConfiguration` of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoggingConfiguration {
    level: Option<Level>,
    include_execution_data: Option<bool>,
    #[serde(default)]
    destinations: Option<Vec<Destination>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Destination {
    cloud_watch_logs_log_group: Option<LogGroup>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogGroup {
    log_group_arn: Option<String>,
}

impl LoggingConfiguration {
    /// Where to log to and what, or why that can't be: there is one log group, and it is there.
    pub(super) fn accept(self, logs: &Logs) -> Result<Logging, ApiError> {
        let level = self.level.unwrap_or_default();
        let groups = self.destinations.unwrap_or_default().into_iter();
        let mut groups =
            groups.map(|destination| destination.cloud_watch_logs_log_group.and_then(|group| group.log_group_arn));
        let log_group_arn: Option<Arc<str>> = match (groups.next(), groups.next()) {
            (None, None) if level == Level::Off => None,
            (Some(Some(arn)), None) => Some(arn.into()),
            _ => return Err(refused("Must specify exactly one Log Destination.")),
        };
        if let Some(arn) = &log_group_arn
            && !log_group_name(arn).is_some_and(|name| logs.has_group(name))
        {
            return Err(refused("Log Destination not found."));
        }
        let include_execution_data = self.include_execution_data.unwrap_or(false);
        Ok(Logging { level, include_execution_data, log_group_arn })
    }
}

/// What a template says.
pub(super) fn of_template(machine: &sam::StateMachine) -> Logging {
    let Some(logging) = &machine.logging else { return Logging::default() };
    let level = match logging.level {
        sam::LogLevel::All => Level::All,
        sam::LogLevel::Error => Level::Error,
        sam::LogLevel::Fatal => Level::Fatal,
    };
    let log_group_arn = Some(logging.log_group_arn.as_str().into());
    Logging { level, include_execution_data: logging.include_execution_data, log_group_arn }
}

/// As the API describes it.
pub(super) fn describe(logging: &Logging) -> Value {
    let mut fields = Object::new();
    if let Some(arn) = &logging.log_group_arn {
        let group = Value::from([("logGroupArn", Value::from(arn.clone()))]);
        fields.insert("destinations".into(), vec![Value::from([("cloudWatchLogsLogGroup", group)])].into());
    }
    fields.insert("includeExecutionData".into(), logging.include_execution_data.into());
    fields.insert("level".into(), logging.level.name().into());
    fields.into()
}

/// Writes what an execution does from now on to the log that its machine asks for, until its end. Must be called inside a
/// Tokio runtime, for a new one before anything happens.
pub(super) fn follow(running: &Arc<Running>, from: usize, logs: &Arc<Logs>) {
    let identity = running.identity().clone();
    let logging = &identity.revision.logging;
    let Some(group) = log_group(logging).map(str::to_owned) else { return };
    let minute = OffsetDateTime::now_utc().format(MINUTE).unwrap_or_default();
    let stream = format!("states/{}/{minute}/{}", identity.state_machine_name, Uuid::new_v4().simple());
    let (running, logs) = (running.clone(), logs.clone());
    tokio::spawn(async move {
        let mut changed = running.subscribe();
        let mut seen = from;
        let mut redrives = running.look(|execution| redrives_in(execution.history().get(..from)));
        loop {
            let (events, ended) = running.look(|execution| {
                (execution.history().get(seen..).unwrap_or_default().to_vec(), execution.has_ended())
            });
            seen += events.len();
            for event in &events {
                redrives += redrives_in(Some(std::slice::from_ref(event)));
                let told = log::to_json(event, &identity.arn, redrives, &identity.revision.logging);
                let Some(told) = told else { continue };
                let logged = LogEvent { at: event.at, message: told.to_string() };
                if let Err(error) = logs.put(&group, &stream, logged) {
                    tracing::warn!(%error, group, "an execution can't be logged");
                    return;
                }
            }
            if ended || changed.changed().await.is_err() {
                return;
            }
        }
    });
}

fn redrives_in(events: Option<&[Event]>) -> u64 {
    let events = events.unwrap_or_default().iter();
    events.filter(|event| matches!(event.kind, EventKind::ExecutionRedriven { .. })).count() as u64
}

/// The log group's name, where there is something to log.
pub(super) fn log_group(logging: &Logging) -> Option<&str> {
    log_group_name(logging.log_group_arn.as_deref().filter(|_| logging.level != Level::Off)?)
}

/// `name` of `arn:aws:logs:us-east-1:000000000000:log-group:name:*`.
fn log_group_name(arn: &str) -> Option<&str> {
    match arn.splitn(7, ':').collect::<Vec<_>>()[..] {
        ["arn", _, "logs", _, _, "log-group", name] => Some(name.strip_suffix(":*").unwrap_or(name)),
        _ => None,
    }
}

fn refused(why: &str) -> ApiError {
    ApiError::new("InvalidLoggingConfiguration", format!("Invalid Logging Configuration: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(configuration: &str) -> Result<Logging, String> {
        let logs = Logs::default();
        logs.create_group("here").unwrap();
        let configuration: LoggingConfiguration = serde_json::from_str(configuration).unwrap();
        configuration.accept(&logs).map_err(|error| error.message)
    }

    #[test]
    fn there_is_one_log_group_and_it_is_there() {
        let to = |names: &[&str]| {
            let arn = |name: &&str| {
                format!(
                    r#"{{"cloudWatchLogsLogGroup":{{"logGroupArn":"arn:aws:logs:us-east-1:0:log-group:{name}:*"}}}}"#
                )
            };
            format!(r#""destinations":[{}]"#, names.iter().map(arn).collect::<Vec<_>>().join(","))
        };
        let one = "Invalid Logging Configuration: Must specify exactly one Log Destination.";
        let absent = "Invalid Logging Configuration: Log Destination not found.";
        for (configuration, result) in [
            (r"{}".to_owned(), Ok(Level::Off)),
            (r#"{"level":"OFF","destinations":[]}"#.to_owned(), Ok(Level::Off)),
            (format!(r#"{{"level":"ALL",{}}}"#, to(&["here"])), Ok(Level::All)),
            (format!(r#"{{"level":"OFF",{}}}"#, to(&["here"])), Ok(Level::Off)),
            (r#"{"level":"ALL"}"#.to_owned(), Err(one.to_owned())),
            (format!(r#"{{"level":"ALL",{}}}"#, to(&["here", "here"])), Err(one.to_owned())),
            (r#"{"level":"ALL","destinations":[{}]}"#.to_owned(), Err(one.to_owned())),
            (format!(r#"{{"level":"ERROR",{}}}"#, to(&["not/here"])), Err(absent.to_owned())),
        ] {
            assert_eq!(accept(&configuration).map(|logging| logging.level), result, "{configuration}");
        }
    }
}

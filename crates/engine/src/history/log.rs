//! Events as Step Functions writes them to CloudWatch Logs.

use std::sync::Arc;

use asl::{Value, value::Object};
use serde::{Deserialize, Serialize};

use super::{Event, event_type, json::details};

/// Which events are logged.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// All.
    All,
    /// Those that tell of something that failed, timed out or was given up.
    Error,
    /// The last one of an execution that did not succeed.
    Fatal,
    /// None.
    #[default]
    Off,
}

impl Level {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
            Self::Off => "OFF",
        }
    }

    /// Whether events of this type are logged.
    pub fn logs(self, event_type: &str) -> bool {
        match self {
            Self::All => true,
            Self::Error => {
                event_type == "FailStateEntered"
                    || ["Failed", "TimedOut", "Aborted"].iter().any(|end| event_type.ends_with(end))
            }
            Self::Fatal => matches!(event_type, "ExecutionFailed" | "ExecutionTimedOut" | "ExecutionAborted"),
            Self::Off => false,
        }
    }
}

/// What of an execution is logged, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logging {
    /// Which events.
    pub level: Level,
    /// Whether inputs and outputs are logged too.
    pub include_execution_data: bool,
    /// The ARN of the log group, with `:*` at its end.
    pub log_group_arn: Option<Arc<str>>,
}

/// What the log says of an event; nothing where the level leaves it out.
///
/// Numbers are texts, the time is in milliseconds since 1970. Payloads are JSON text, or left out. `redrives` is how often
/// the execution was redriven up to then.
pub fn to_json(event: &Event, execution_arn: &str, redrives: u64, logging: &Logging) -> Option<Value> {
    let name = event_type(&event.kind);
    if !logging.level.logs(&name) {
        return None;
    }
    let details = details(&event.kind, logging.include_execution_data).unwrap_or_else(Value::empty_object);
    let milliseconds = event.at.unix_timestamp_nanos() / 1_000_000;
    let fields = Object::from_iter([
        ("id".into(), Value::from(event.id.to_string())),
        ("type".into(), name.into()),
        ("details".into(), details),
        ("previous_event_id".into(), event.previous_id.to_string().into()),
        ("event_timestamp".into(), milliseconds.to_string().into()),
        ("execution_arn".into(), execution_arn.into()),
        ("redrive_count".into(), redrives.to_string().into()),
    ]);
    Some(fields.into())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::history::EventKind;

    #[test]
    fn a_level_lets_through_what_the_service_says() {
        for (event_type, levels) in [
            ("ExecutionStarted", [true, false, false, false]),
            ("TaskStateEntered", [true, false, false, false]),
            ("FailStateEntered", [true, true, false, false]),
            ("TaskSubmitFailed", [true, true, false, false]),
            ("LambdaFunctionScheduleFailed", [true, true, false, false]),
            ("MapIterationAborted", [true, true, false, false]),
            ("TaskTimedOut", [true, true, false, false]),
            ("ExecutionSucceeded", [true, false, false, false]),
            ("ExecutionFailed", [true, true, true, false]),
            ("ExecutionTimedOut", [true, true, true, false]),
            ("ExecutionAborted", [true, true, true, false]),
        ] {
            let found = [Level::All, Level::Error, Level::Fatal, Level::Off].map(|level| level.logs(event_type));
            assert_eq!(found, levels, "{event_type}");
        }
    }

    #[test]
    fn an_event_has_its_numbers_as_texts_and_its_data_where_wanted() {
        let event = Event {
            id: 4,
            previous_id: 3,
            at: datetime!(2024-01-01 00:00:00.5 UTC),
            kind: EventKind::ExecutionSucceeded { output: Value::from(1_u64) },
        };
        let logged = |level, include_execution_data| {
            let logging = Logging { level, include_execution_data, log_group_arn: None };
            to_json(&event, "arn", 2, &logging).map(|value| value.to_string())
        };
        let expected = |details: &str| {
            Some(format!(
                "{{\"id\":\"4\",\"type\":\"ExecutionSucceeded\",\"details\":{details},\"previous_event_id\":\"3\",\
                 \"event_timestamp\":\"1704067200500\",\"execution_arn\":\"arn\",\"redrive_count\":\"2\"}}"
            ))
        };
        assert_eq!(logged(Level::All, true), expected("{\"output\":\"1\",\"outputDetails\":{\"truncated\":false}}"));
        assert_eq!(logged(Level::All, false), expected("{}"));
        assert_eq!(logged(Level::Error, true), None);
    }
}

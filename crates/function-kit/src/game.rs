//! What the functions of the game workflow share.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::{Amount, EventTime, Name};

/// The condition of a write to a table: the item is new, or holds an earlier event. `:completed_at` is the event's time.
///
/// So an event that comes again finds its own time, or a later one, and changes nothing.
pub const IF_LATER: &str = "attribute_not_exists(completed_at) OR completed_at < :completed_at";

/// A player has completed a level: the payload of every function of the workflow.
///
/// ```json
/// {
///   "user_id": "12345678901234567890",
///   "level": "3",
///   "score": 10,
///   "max_score": 100,
///   "time_played": 9885983982,
///   "total_score": 10000,
///   "completedAt": "2026-11-21T12:00:00.000Z",
///   "execution": "arn:aws:states:eu-central-1:000000000000:execution:GameCompletion:sample"
/// }
/// ```
///
/// Other fields are not read. The functions share the type, so that what one of them refuses, none of them writes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(expecting = "a JSON object")]
pub struct CompletedLevel {
    /// The player. The id does not hold `_report`, by which the keys of reports divide.
    #[serde(deserialize_with = "player")]
    pub user_id: Name,
    /// The level.
    pub level: Name,
    /// What the player scored in the level.
    pub score: Amount,
    /// What could be scored in the level.
    pub max_score: Amount,
    /// How long the level took, in seconds: zero or more.
    #[serde(deserialize_with = "zero_or_more")]
    pub time_played: Amount,
    /// What the player scored in all levels.
    pub total_score: Amount,
    /// When the level was completed. Of two events, the one with the later time counts.
    #[serde(rename = "completedAt")]
    pub completed_at: EventTime,
    /// The ARN of the execution that asks; empty where it is left out.
    #[serde(default)]
    pub execution: String,
}

/// With another id, two players could have the same key for their reports.
fn player<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
    let name = Name::deserialize(deserializer)?;
    if name.as_str().contains("_report") {
        return Err(D::Error::custom(format_args!("{name} holds \"_report\", by which the keys of reports divide")));
    }
    Ok(name)
}

fn zero_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
    let amount = Amount::deserialize(deserializer)?;
    if amount.as_f64() < 0.0 {
        return Err(D::Error::custom(format_args!("{amount} is below zero")));
    }
    Ok(amount)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event() -> Value {
        json!({
            "user_id": "1", "level": "3", "score": 10, "max_score": 100, "time_played": 0, "total_score": -1,
            "completedAt": "2026-11-21T12:00:00Z", "gameCompleted": true,
        })
    }

    fn read(event: Value) -> Result<CompletedLevel, serde_path_to_error::Error<serde_json::Error>> {
        serde_path_to_error::deserialize(event)
    }

    #[test]
    fn the_execution_alone_may_be_left_out() {
        assert_eq!(read(event()).unwrap().execution, "");
        for field in ["user_id", "level", "score", "max_score", "time_played", "total_score", "completedAt"] {
            let mut event = event();
            event.as_object_mut().unwrap().remove(field);
            assert_eq!(read(event).unwrap_err().inner().to_string(), format!("missing field `{field}`"));
        }
    }

    #[test]
    fn a_field_that_is_not_what_it_should_be_is_refused_by_its_name() {
        for (field, value) in [
            ("user_id", json!("../other")),
            ("user_id", json!("a_report_b")),
            ("user_id", json!(7)),
            ("level", json!("#last")),
            ("level", json!("a/b")),
            ("level", json!(3)),
            ("level", json!("")),
            ("score", json!("10")),
            ("max_score", json!(1e300)),
            ("time_played", json!(-1)),
            ("time_played", json!(null)),
            ("total_score", json!(true)),
            ("completedAt", json!("yesterday")),
            ("completedAt", json!("2026-11-21")),
            ("execution", json!(1)),
        ] {
            let mut event = event();
            event[field] = value;
            assert_eq!(read(event.clone()).unwrap_err().path().to_string(), field, "{event}");
        }
    }
}

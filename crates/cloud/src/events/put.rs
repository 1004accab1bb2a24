//! `PutEvents`: events that somebody sends.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{DEFAULT_BUS, Event};

/// What `PutEvents` is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Request {
    /// The events.
    pub entries: Vec<Entry>,
}

/// An element of `Entries`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Entry {
    /// When it happened, in seconds since 1970 or as RFC 3339; now, where it is not said.
    #[serde(default, deserialize_with = "moment")]
    pub time: Option<OffsetDateTime>,
    /// Whose event it is.
    pub source: Option<String>,
    /// What it is about.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Its kind.
    pub detail_type: Option<String>,
    /// What it tells: the JSON text of an object.
    pub detail: Option<String>,
    /// The name or the ARN of its bus.
    pub event_bus_name: Option<String>,
    /// The X-Ray trace that it is part of. Nothing is traced here.
    pub trace_header: Option<String>,
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OffsetDateTime>, D::Error> {
    let refused = |value: &Value| serde::de::Error::custom(format!("the Time {value} is no moment"));
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => OffsetDateTime::parse(&text, &Rfc3339).map(Some).map_err(|_| refused(&text.into())),
        Value::Number(seconds) => {
            let nanoseconds = seconds.as_f64().map(|seconds| seconds * 1e9);
            #[expect(clippy::cast_possible_truncation, reason = "what is too large is refused by the next step")]
            let moment = nanoseconds.map(|nanoseconds| OffsetDateTime::from_unix_timestamp_nanos(nanoseconds as i128));
            moment.and_then(Result::ok).map(Some).ok_or_else(|| refused(&seconds.into()))
        }
        other => Err(refused(&other)),
    }
}

/// What is answered to an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum EntryResult {
    /// It was taken.
    #[serde(rename_all = "PascalCase")]
    Taken {
        /// The event's id.
        event_id: String,
    },
    /// It was not.
    #[serde(rename_all = "PascalCase")]
    Failed {
        /// The name of what is wrong.
        error_code: &'static str,
        /// What is wrong.
        error_message: String,
    },
}

/// The answer of `PutEvents`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Answer {
    /// What came of each entry.
    pub entries: Vec<EntryResult>,
    /// How many were not taken.
    pub failed_entry_count: usize,
}

/// The events that entries make, and what is answered. An entry that is not taken does not keep the others from it.
pub fn put(entries: Vec<Entry>) -> (Vec<Event>, Answer) {
    let mut events = Vec::new();
    let mut results = Vec::with_capacity(entries.len());
    for entry in entries {
        match event(entry) {
            Ok(event) => {
                results.push(EntryResult::Taken { event_id: event.id.clone() });
                events.push(event);
            }
            Err((error_code, error_message)) => results.push(EntryResult::Failed { error_code, error_message }),
        }
    }
    let failed_entry_count = results.len() - events.len();
    (events, Answer { entries: results, failed_entry_count })
}

type Refusal = (&'static str, String);

fn event(entry: Entry) -> Result<Event, Refusal> {
    let source = required("Source", entry.source)?;
    let detail_type = required("DetailType", entry.detail_type)?;
    let detail = required("Detail", entry.detail)?;
    if source.starts_with("aws.") {
        return Err(("NotAuthorizedForSourceException", "Not authorized for the source.".into()));
    }
    let detail: Value = serde_json::from_str(&detail)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| ("MalformedDetail", "Detail is malformed.".to_owned()))?;
    let bus = entry.event_bus_name.unwrap_or_else(|| DEFAULT_BUS.to_owned());
    Ok(Event {
        id: Uuid::new_v4().to_string(),
        bus: bus.rsplit_once("event-bus/").map_or(bus.as_str(), |(_, name)| name).to_owned(),
        source,
        detail_type,
        resources: entry.resources,
        detail,
        at: entry.time.unwrap_or_else(OffsetDateTime::now_utc),
    })
}

fn required(name: &str, value: Option<String>) -> Result<String, Refusal> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| {
        ("InvalidArgument", format!("Parameter {name} is not valid. Reason: {name} is a required argument."))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_with_an_entry_is_told_and_the_others_are_taken() {
        let entries = json!([
            { "Source": "a", "DetailType": "t", "Detail": "{\"x\":1}", "EventBusName": "arn:aws:events:r:0:event-bus/b" },
            { "DetailType": "t", "Detail": "{}" },
            { "Source": "a", "Detail": "{}" },
            { "Source": "a", "DetailType": "t" },
            { "Source": "a", "DetailType": "t", "Detail": "[]" },
            { "Source": "aws.s3", "DetailType": "t", "Detail": "{}" },
            { "Source": "a", "DetailType": "t", "Detail": "{}", "Time": 5, "Resources": ["r"] },
        ]);
        let request: Request = serde_json::from_value(json!({ "Entries": entries })).unwrap();
        let (events, answer) = put(request.entries);
        let told: Vec<_> = events.iter().map(|event| (event.bus.as_str(), event.detail.to_string())).collect();
        assert_eq!(told, [("b", "{\"x\":1}".to_owned()), ("default", "{}".to_owned())]);
        assert_eq!((events[1].at.unix_timestamp(), &*events[1].resources), (5, &["r".to_owned()][..]));
        let required = |name: &str| format!("Parameter {name} is not valid. Reason: {name} is a required argument.");
        let answer = serde_json::to_value(&answer).unwrap();
        assert_eq!(
            answer,
            json!({
                "Entries": [
                    { "EventId": events[0].id },
                    { "ErrorCode": "InvalidArgument", "ErrorMessage": required("Source") },
                    { "ErrorCode": "InvalidArgument", "ErrorMessage": required("DetailType") },
                    { "ErrorCode": "InvalidArgument", "ErrorMessage": required("Detail") },
                    { "ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed." },
                    { "ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source." },
                    { "EventId": events[1].id },
                ],
                "FailedEntryCount": 5,
            })
        );
    }

    #[test]
    fn a_time_is_a_number_or_a_text() {
        let at = |time: Value| serde_json::from_value::<Entry>(json!({ "Time": time })).map(|entry| entry.time).ok();
        let moment = OffsetDateTime::from_unix_timestamp_nanos(1_500_000_000).ok();
        assert_eq!(at(json!(1.5)), Some(moment));
        assert_eq!(at(json!("1970-01-01T00:00:01.5Z")), Some(moment));
        assert_eq!(at(json!(null)), Some(None));
        for wrong in [json!("soon"), json!(1e300), json!([])] {
            assert_eq!(at(wrong), None);
        }
    }
}

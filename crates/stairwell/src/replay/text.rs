//! Comparing values with recorded ones, in which placeholders stand for what differs from one execution to the next.
//!
//! A placeholder is a name between angle brackets (`<uuid:1>`), anywhere in a string, or one of a few bare words that
//! are a whole string (`date`). Wherever one placeholder stands, the same text must stand.

use std::{collections::HashMap, sync::LazyLock};

use asl::Value;
use regex::Regex;

/// `<name>`, `<<name>:1>`, and the one bare word that stands inside texts.
pub(super) static PLACEHOLDER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"<(?:<[^<>]*>)?[^<>\s]*>|\bactivity_arn\b").ok());

/// An ISO 8601 date-time.
static DATE_TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[1-9]\d{3}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-][01]\d:?(?:[0-5]\d)?)").ok()
});

/// What stands for a date-time.
const DATE: &str = "date";

/// Whole strings that stand for any text: times, and what the services make up.
const WORDS: &[&str] = &[
    "RequestId",
    "X-Amzn-Trace-Id",
    "a_message_id",
    "a_task_token",
    "creation-date",
    "datetime",
    "entered-time",
    "generated-uuid",
    "map_run_arn",
    "start-date",
    "start-time",
    "stop-date",
    "time",
    "timestamp",
    "x-amz-apigw-id",
    "x-amz-crc32",
    "x-amzn-RequestId",
    "x-amzn-requestid",
];

/// What each placeholder has stood for so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Bindings {
    texts: HashMap<String, String>,
    leniency: Leniency,
}

/// What need not be the same.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Leniency {
    /// Numbers: the execution drew them at random.
    pub(super) numbers: bool,
    /// `RedriveCount` in a context object: a recording may be older than the field.
    pub(super) redrive_count: bool,
}

/// Where two values differ.
#[derive(Debug)]
pub(super) struct Difference {
    place: String,
    recorded: Option<Value>,
    found: Option<Value>,
}

/// The place, then both values.
impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let show = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        write!(f, "{}: recorded {}, now {}", self.place, show(&self.recorded), show(&self.found))
    }
}

impl Bindings {
    /// Nothing is bound yet.
    pub(super) fn new(leniency: Leniency) -> Self {
        Self { texts: HashMap::new(), leniency }
    }

    /// What a placeholder stands for, once that is known.
    pub(super) fn bound(&self, placeholder: &str) -> Option<&str> {
        self.texts.get(placeholder).map(String::as_str)
    }

    /// Lets a placeholder stand for a text.
    pub(super) fn bind(&mut self, placeholder: &str, text: &str) {
        self.texts.insert(placeholder.to_owned(), text.to_owned());
    }

    /// Compares a value with the recorded one; `place` is where they are, for the message.
    pub(super) fn compare(&mut self, place: &str, recorded: &Value, found: &Value) -> Result<(), Difference> {
        match (recorded, found) {
            (Value::Object(recorded), Value::Object(found)) => {
                for (key, value) in recorded.iter() {
                    let place = format!("{place}/{key}");
                    match found.get(key) {
                        Some(other) => self.compare(&place, value, other)?,
                        None => return Err(difference(&place, Some(value), None)),
                    }
                }
                let is_new =
                    |key: &str| !(recorded.contains_key(key) || self.leniency.redrive_count && key == "RedriveCount");
                match found.iter().find(|(key, _)| is_new(key)) {
                    Some((key, value)) => Err(difference(&format!("{place}/{key}"), None, Some(value))),
                    None => Ok(()),
                }
            }
            (Value::Array(recorded), Value::Array(found)) => {
                for index in 0..recorded.len().max(found.len()) {
                    let place = format!("{place}/{index}");
                    match (recorded.get(index), found.get(index)) {
                        (Some(recorded), Some(found)) => self.compare(&place, recorded, found)?,
                        (recorded, found) => return Err(difference(&place, recorded, found)),
                    }
                }
                Ok(())
            }
            (Value::String(recorded_text), Value::String(found_text)) => {
                if self.text_matches(recorded_text, found_text) || self.json_matches(recorded_text, found_text) {
                    Ok(())
                } else {
                    Err(difference(place, Some(recorded), Some(found)))
                }
            }
            // Some recordings hold JSON texts as the values that they are texts of.
            (Value::Array(_) | Value::Object(_) | Value::Number(_), Value::String(text)) => match Value::parse(text) {
                Ok(Value::String(_)) | Err(_) => Err(difference(place, Some(recorded), Some(found))),
                Ok(found) => self.compare(place, recorded, &found),
            },
            (Value::String(word), _) if &**word == "timestamp" => Ok(()),
            // A time that the service gives as a number.
            (Value::String(word), Value::Number(_)) if &**word == "<date>" => Ok(()),
            (Value::Number(_) | Value::String(_), Value::Number(_)) if self.leniency.numbers => Ok(()),
            _ if recorded == found => Ok(()),
            _ => Err(difference(place, Some(recorded), Some(found))),
        }
    }

    /// Payloads in strings are compared as values: blanks in JSON text mean nothing.
    fn json_matches(&mut self, recorded: &str, found: &str) -> bool {
        match (Value::parse(recorded), Value::parse(found)) {
            (Ok(recorded), Ok(found)) => self.compare("", &recorded, &found).is_ok(),
            _ => false,
        }
    }

    fn text_matches(&mut self, recorded: &str, found: &str) -> bool {
        let (recorded, found) = (mask_dates(recorded), mask_dates(found));
        if recorded == found || WORDS.contains(&recorded.as_str()) {
            return true;
        }
        let Some((pattern, names)) = pattern(&recorded) else { return false };
        let Some(captures) = pattern.captures(&found) else { return false };
        let mut bound = self.texts.clone();
        for (name, text) in names.into_iter().zip(captures.iter().skip(1).flatten()) {
            if bound.entry(name).or_insert_with(|| text.as_str().to_owned()) != text.as_str() {
                return false;
            }
        }
        self.texts = bound;
        true
    }
}

/// Whether two values match, whatever their placeholders stand for.
pub(super) fn matches_loosely(recorded: &Value, found: &Value) -> bool {
    Bindings::default().compare("", recorded, found).is_ok()
}

fn difference(place: &str, recorded: Option<&Value>, found: Option<&Value>) -> Difference {
    Difference { place: place.to_owned(), recorded: recorded.cloned(), found: found.cloned() }
}

fn mask_dates(text: &str) -> String {
    match &*DATE_TIME {
        Some(date_time) => date_time.replace_all(text, DATE).into_owned(),
        None => text.to_owned(),
    }
}

/// A pattern with a group for each placeholder of a recorded text, and their names; nothing where there is none.
fn pattern(recorded: &str) -> Option<(Regex, Vec<String>)> {
    let mut names = Vec::new();
    let mut source = String::from("(?s)^");
    let mut rest = 0;
    for found in PLACEHOLDER.as_ref()?.find_iter(recorded) {
        source.push_str(&regex::escape(&recorded[rest..found.start()]));
        source.push_str("(.+?)");
        names.push(found.as_str().to_owned());
        rest = found.end();
    }
    source.push_str(&regex::escape(&recorded[rest..]));
    source.push('$');
    if names.is_empty() { None } else { Some((Regex::new(&source).ok()?, names)) }
}

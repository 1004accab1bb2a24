//! When an event happened.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

const FIXED_WIDTH: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

const TO_MINUTE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");

/// When an event happened, to the microsecond, in UTC.
///
/// Read from RFC 3339 with any offset. Written at a fixed width, such as `2026-11-21T07:13:00.123000Z`, so that the order
/// of the texts is the order of the times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventTime(OffsetDateTime);

/// A text that is no [`EventTime`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time as RFC 3339 writes it, such as 2026-11-21T07:13:00Z")]
pub struct NotATime(String);

impl EventTime {
    /// The time for people, such as `2026-11-21 07:13 UTC`.
    pub fn to_minute(self) -> String {
        // The parts of the form are there in any time, so it can be written.
        self.0.format(TO_MINUTE).unwrap_or_default()
    }

    /// Whole seconds since 1970.
    pub fn epoch_seconds(self) -> i64 {
        self.0.unix_timestamp()
    }
}

impl TryFrom<String> for EventTime {
    type Error = NotATime;

    fn try_from(text: String) -> Result<Self, NotATime> {
        let parsed = OffsetDateTime::parse(&text, &Rfc3339).ok();
        // The offset can move a time out of the years that can be written.
        let utc = parsed.and_then(|time| time.checked_to_offset(UtcOffset::UTC));
        let whole = utc.and_then(|time| time.replace_nanosecond(time.microsecond() * 1000).ok());
        match whole {
            Some(time) if (0..=9999).contains(&time.year()) => Ok(Self(time)),
            _ => Err(NotATime(text)),
        }
    }
}

impl TryFrom<&str> for EventTime {
    type Error = NotATime;

    fn try_from(text: &str) -> Result<Self, NotATime> {
        Self::try_from(text.to_owned())
    }
}

impl From<EventTime> for String {
    fn from(time: EventTime) -> Self {
        time.to_string()
    }
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(FIXED_WIDTH).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_at_a_fixed_width_in_utc() {
        for (text, written) in [
            ("2026-11-21T07:13:00Z", "2026-11-21T07:13:00.000000Z"),
            ("2026-11-21T07:13:00.123Z", "2026-11-21T07:13:00.123000Z"),
            ("2026-11-21T09:13:00.123456789+02:00", "2026-11-21T07:13:00.123456Z"),
        ] {
            assert_eq!(EventTime::try_from(text).unwrap().to_string(), written);
        }
        let time = EventTime::try_from("2026-11-21T07:13:59Z").unwrap();
        assert_eq!(time.to_minute(), "2026-11-21 07:13 UTC");
        assert_eq!(EventTime::try_from("1970-01-01T00:01:00.9Z").unwrap().epoch_seconds(), 60);
    }

    #[test]
    fn other_text_is_no_time() {
        for text in ["", "yesterday", "2026-11-21", "2026-13-01T00:00:00Z", "0000-01-01T00:00:00+12:00"] {
            assert_eq!(EventTime::try_from(text), Err(NotATime(text.to_owned())));
        }
    }
}

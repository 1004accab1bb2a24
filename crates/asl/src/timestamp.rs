//! Timestamps as the language writes them: RFC 3339, with an upper-case `T` and `Z`.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Reads a timestamp such as `2016-03-14T01:59:00.123Z` or `…+02:00`.
///
/// Nothing where the text is no RFC 3339 date-time, or has a lower-case `t` or `z`.
pub fn parse(text: &str) -> Option<OffsetDateTime> {
    let separator = text.as_bytes().get(10)?;
    if *separator != b'T' || text.ends_with('z') {
        return None;
    }
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// Writes a moment as the context object does: `2024-01-31T23:59:59.123Z`, UTC, to the millisecond.
pub fn format(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_date_times_are_timestamps() {
        for (text, valid) in [
            ("2016-03-14T01:59:00Z", true),
            ("2016-03-14T01:59:00.243167252Z", true),
            ("2016-03-14T01:59:00+02:00", true),
            ("2016-03-14t01:59:00Z", false),
            ("2016-03-14 01:59:00Z", false),
            ("2016-03-14T01:59:00", false),
            ("2016-02-31T01:59:00Z", false),
            ("2016-03-14", false),
            ("", false),
        ] {
            assert_eq!(parse(text).is_some(), valid, "{text}");
        }
    }

    #[test]
    fn a_moment_is_written_to_the_millisecond() {
        assert_eq!(parse("2016-03-14T03:59:00.5+02:00").map(format).as_deref(), Some("2016-03-14T01:59:00.500Z"));
    }
}

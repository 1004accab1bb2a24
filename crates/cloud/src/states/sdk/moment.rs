//! Moments: RFC 3339 texts here, on the wire whatever the protocol has.

use asl::Value;
use engine::{history::epoch_seconds, services::TimestampFormat};
use time::{
    OffsetDateTime, UtcOffset,
    format_description::well_known::{Rfc2822, Rfc3339},
    macros::format_description,
};

/// A moment as it is sent. What is no moment is sent as it is: the service says what is wrong with it.
pub(super) fn sent(value: &Value, format: TimestampFormat) -> Value {
    let Some(at) = read(value) else { return value.clone() };
    match format {
        TimestampFormat::Epoch => epoch_seconds(at),
        TimestampFormat::Iso8601 => written(at).into(),
        TimestampFormat::Rfc822 => {
            let http_date = format_description!(
                "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
            );
            at.to_offset(UtcOffset::UTC).format(http_date).map_or_else(|_| value.clone(), Value::from)
        }
    }
}

/// A moment that came, as RFC 3339; what is none, as it is.
pub(super) fn told(value: &Value) -> Value {
    read(value).map_or_else(|| value.clone(), |at| written(at).into())
}

fn read(value: &Value) -> Option<OffsetDateTime> {
    match value {
        Value::Number(number) => {
            #[expect(clippy::cast_possible_truncation, reason = "what is too large is refused by the next step")]
            let milliseconds = (number.as_f64()? * 1000.0).round() as i128;
            OffsetDateTime::from_unix_timestamp_nanos(milliseconds.checked_mul(1_000_000)?).ok()
        }
        Value::String(text) => {
            OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(text, &Rfc2822)).ok()
        }
        _ => None,
    }
}

/// As the AWS SDK for Java prints an instant: with no fraction of a second, or with three digits.
fn written(at: OffsetDateTime) -> String {
    let text = asl::timestamp::format(at);
    match text.strip_suffix(".000Z") {
        Some(whole) => format!("{whole}Z"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_their_place_has_them() {
        let epoch = |seconds: f64| asl::value::Number::from_f64(seconds).map(Value::Number).unwrap();
        for (value, iso, http_date) in [
            (epoch(1.5), "1970-01-01T00:00:01.500Z", "Thu, 01 Jan 1970 00:00:01 GMT"),
            ("1970-01-01T00:00:01Z".into(), "1970-01-01T00:00:01Z", "Thu, 01 Jan 1970 00:00:01 GMT"),
            ("1970-01-01T02:00:01+02:00".into(), "1970-01-01T00:00:01Z", "Thu, 01 Jan 1970 00:00:01 GMT"),
            ("Thu, 01 Jan 1970 00:00:01 GMT".into(), "1970-01-01T00:00:01Z", "Thu, 01 Jan 1970 00:00:01 GMT"),
            ("soon".into(), "soon", "soon"),
        ] {
            assert_eq!(
                (told(&value), sent(&value, TimestampFormat::Rfc822)),
                (iso.into(), http_date.into()),
                "{value}"
            );
        }
        assert_eq!(sent(&"1970-01-01T00:00:01.5Z".into(), TimestampFormat::Epoch), epoch(1.5));
        assert_eq!(told(&epoch(1e300)), epoch(1e300));
    }
}

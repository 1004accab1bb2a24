//! What a piece of text means: the numbers, truth values, dates and timestamps that it can hold without loss.
//!
//! A value is only taken for a type that keeps it whole. `007` and `+49301234` stay text, for a number would lose
//! the leading characters; so does an integer beyond 64 bits, and a timestamp finer than a microsecond. The one
//! accepted rounding is that of a decimal fraction to the nearest double.

use time::{Date, Month, Time};

/// Days from 1970-01-01 to the Julian day zero, as `time` counts.
const UNIX_EPOCH_JULIAN_DAY: i32 = 2_440_588;
const MICROS_PER_DAY: i64 = 86_400_000_000;
const MICROS_PER_MINUTE: i64 = 60_000_000;

/// Integers up to this size are the same number as a double.
pub(crate) const LARGEST_EXACT_INTEGER: i64 = 1 << 53;

/// A point in time in microseconds since 1970, and whether the text said which time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timestamp {
    pub(crate) micros: i64,
    pub(crate) has_zone: bool,
}

/// `true` or `false`, in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A whole number in its shortest form: no plus sign, no leading zeros, no minus zero.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = split_sign(text.as_bytes());
    let &first = digits.first()?;
    if first == b'0' && (digits.len() > 1 || negative) {
        return None;
    }
    // Eighteen digits can't overflow; what is longer is left to the checked parser of the standard library.
    if digits.len() > 18 {
        return if digits.iter().all(u8::is_ascii_digit) { text.parse().ok() } else { None };
    }
    let mut value = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// A decimal number that is finite as a double, or one of `NaN`, `inf` and `-inf`.
///
/// Whole numbers count only up to 2^53, beyond which a double would change them.
pub(crate) fn float(text: &str) -> Option<f64> {
    let (_, digits) = split_sign(text.as_bytes());
    match digits {
        b"NaN" | b"nan" | b"inf" | b"Infinity" => return text.parse().ok(),
        [b'0', b'0'..=b'9', ..] => return None,
        [b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..] => {}
        _ => return None,
    }
    let value: f64 = text.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "2^53 is exact")]
    let may_be_rounded = value.abs() >= LARGEST_EXACT_INTEGER as f64 && digits.iter().all(u8::is_ascii_digit);
    if may_be_rounded && integer(text).is_none_or(|value| value.unsigned_abs() > LARGEST_EXACT_INTEGER.unsigned_abs()) {
        return None;
    }
    Some(value)
}

/// A calendar date, `2024-02-29`, as days since 1970.
pub(crate) fn date(text: &str) -> Option<i32> {
    match text.as_bytes() {
        bytes @ &[_, _, _, _, b'-', _, _, b'-', _, _] => days(bytes),
        _ => None,
    }
}

/// A date and a time of day, `2024-02-29T12:30:00` or with a space between, with up to six digits of a second's
/// fraction and, at the end, nothing, `Z` or an offset such as `+02:00`.
pub(crate) fn timestamp(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let (date_and_time, rest) = bytes.split_at_checked(19)?;
    let &[_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b' ', h1, h2, b':', m1, m2, b':', s1, s2] = date_and_time else {
        return None;
    };
    let (fraction, zone) = match rest.split_first() {
        Some((b'.', rest)) => {
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            rest.split_at(length)
        }
        _ => (&[][..], rest),
    };
    if fraction.len() > 6 || (rest.first() == Some(&b'.') && fraction.is_empty()) {
        return None;
    }
    let mut micro = 0_u32;
    for position in 0..6 {
        micro = micro * 10 + fraction.get(position).map_or(0, |byte| u32::from(byte - b'0'));
    }
    let time = Time::from_hms_micro(pair(h1, h2)?, pair(m1, m2)?, pair(s1, s2)?, micro).ok()?;
    let (offset_minutes, has_zone) = offset(zone)?;
    let (hour, minute, second, micro) = time.as_hms_micro();
    let of_day = (i64::from(hour) * 60 + i64::from(minute)) * MICROS_PER_MINUTE
        + i64::from(second) * 1_000_000
        + i64::from(micro);
    let micros = i64::from(days(bytes)?) * MICROS_PER_DAY + of_day - offset_minutes * MICROS_PER_MINUTE;
    Some(Timestamp { micros, has_zone })
}

/// Writes days since 1970 as a date.
pub(crate) fn show_date(days: i32) -> String {
    match days.checked_add(UNIX_EPOCH_JULIAN_DAY).map(Date::from_julian_day) {
        Some(Ok(date)) => date.to_string(),
        _ => days.to_string(),
    }
}

/// Writes microseconds since 1970 as a timestamp, with `Z` at the end where the column has a time zone.
pub(crate) fn show_timestamp(micros: i64, has_zone: bool) -> String {
    let days = i32::try_from(micros.div_euclid(MICROS_PER_DAY)).unwrap_or(i32::MAX);
    let of_day = micros.rem_euclid(MICROS_PER_DAY);
    let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{}T{hour:02}:{minute:02}:{second:02}", show_date(days));
    if fraction != 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    if has_zone {
        text.push('Z');
    }
    text
}

fn split_sign(bytes: &[u8]) -> (bool, &[u8]) {
    match bytes.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, bytes),
    }
}

fn pair(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}

/// The days since 1970 of the date that the bytes begin with.
fn days(bytes: &[u8]) -> Option<i32> {
    let &[y1, y2, y3, y4, _, m1, m2, _, d1, d2, ..] = bytes else { return None };
    let year = i32::from(pair(y1, y2)?) * 100 + i32::from(pair(y3, y4)?);
    let month = Month::try_from(pair(m1, m2)?).ok()?;
    let date = Date::from_calendar_date(year, month, pair(d1, d2)?).ok()?;
    Some(date.to_julian_day() - UNIX_EPOCH_JULIAN_DAY)
}

/// Minutes east of Greenwich, and whether a zone was named at all.
fn offset(zone: &[u8]) -> Option<(i64, bool)> {
    let (sign, hours, minutes) = match *zone {
        [] => return Some((0, false)),
        [b'Z' | b'z'] => return Some((0, true)),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] | [sign @ (b'+' | b'-'), h1, h2, m1, m2] => {
            (sign, pair(h1, h2)?, pair(m1, m2)?)
        }
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let total = i64::from(hours) * 60 + i64::from(minutes);
    Some((if sign == b'-' { -total } else { total }, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_keep_every_character() {
        for (text, value) in [
            ("0", Some(0)),
            ("-7", Some(-7)),
            ("999999999999999999", Some(999_999_999_999_999_999)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("007", None),
            ("-0", None),
            ("+1", None),
            ("", None),
            ("-", None),
            ("1_000", None),
            ("12345678901234567 ", None),
            ("1.0", None),
        ] {
            assert_eq!(integer(text), value, "{text:?}");
        }
    }

    #[test]
    fn floats_refuse_what_a_double_would_change() {
        for (text, value) in [
            ("1.5", Some(1.5)),
            ("-0.25", Some(-0.25)),
            (".5", Some(0.5)),
            ("1e3", Some(1000.0)),
            ("2E-2", Some(0.02)),
            ("12", Some(12.0)),
            ("9007199254740992", Some(9_007_199_254_740_992.0)),
            ("9007199254740993", None),
            ("-9223372036854775808", None),
            ("1e999", None),
            ("01.5", None),
            ("+1.5", None),
            ("1.5.1", None),
            ("e5", None),
            ("infinity", None),
            ("", None),
        ] {
            assert_eq!(float(text), value, "{text:?}");
        }
        assert!(float("NaN").is_some_and(f64::is_nan));
        assert_eq!(float("-inf"), Some(f64::NEG_INFINITY));
    }

    #[test]
    fn dates_are_real_days() {
        for (text, value) in [
            ("1970-01-01", Some(0)),
            ("2024-02-29", Some(19_782)),
            ("1969-12-31", Some(-1)),
            ("2023-02-29", None),
            ("2023-13-01", None),
            ("2023-1-01", None),
            ("20230101", None),
            ("2023-01-01 ", None),
            ("2023-ab-01", None),
        ] {
            assert_eq!(date(text), value, "{text:?}");
        }
        assert_eq!(show_date(19_782), "2024-02-29");
    }

    #[test]
    fn timestamps_say_whether_they_have_a_zone() {
        for (text, micros, has_zone) in [
            ("1970-01-01T00:00:00", 0, false),
            ("1970-01-01 00:00:01.5", 1_500_000, false),
            ("1970-01-02T00:00:00.000001Z", 86_400_000_001, true),
            ("1970-01-01T02:00:00+02:00", 0, true),
            ("1969-12-31T22:30:00-0130", 0, true),
            ("9999-12-31T23:59:59", 253_402_300_799_000_000, false),
        ] {
            assert_eq!(timestamp(text), Some(Timestamp { micros, has_zone }), "{text:?}");
        }
        for text in [
            "1970-01-01T24:00:00",
            "1970-01-01T00:00:60",
            "1970-01-01T00:00:00.",
            "1970-01-01T00:00:00.1234567",
            "1970-01-01T00:00:00 UTC",
            "1970-01-01T00:00:00+2",
            "1970-01-01X00:00:00",
            "1970-01-01T00:00",
            "1970-02-30T00:00:00",
        ] {
            assert_eq!(timestamp(text), None, "{text:?}");
        }
    }

    #[test]
    fn timestamps_are_shown_as_they_were_read() {
        for (text, has_zone) in
            [("2024-02-29T12:30:00.5Z", true), ("1969-12-31T23:59:59", false), ("1900-01-01T00:00:00.000001", false)]
        {
            let read = timestamp(text).unwrap();
            assert_eq!(show_timestamp(read.micros, has_zone), text);
        }
    }

    #[test]
    fn booleans_are_words() {
        assert_eq!(boolean("True"), Some(true));
        assert_eq!(boolean("false"), Some(false));
        assert_eq!(boolean("1"), None);
        assert_eq!(boolean("t"), None);
    }
}

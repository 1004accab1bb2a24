//! How long something took, for people.

use engine::run::Clock;
use time::OffsetDateTime;

/// Nothing for less than a millisecond, which is what history events tell apart; `12 ms`, `1.24 s`, `2 min 5 s`, `3 h 7 min`,
/// `2 d 4 h`.
pub fn duration(took: time::Duration) -> String {
    let micros = took.whole_microseconds().max(0);
    match micros {
        0..1_000 => String::new(),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..60_000_000 => format!("{:.2} s", took.as_seconds_f64()),
        60_000_000..3_600_000_000 => format!("{} min {} s", took.whole_minutes(), took.whole_seconds() % 60),
        3_600_000_000..86_400_000_000 => format!("{} h {} min", took.whole_hours(), took.whole_minutes() % 60),
        _ => format!("{} d {} h", took.whole_days(), took.whole_hours() % 24),
    }
}

/// How long something took by a clock. Where time was skipped nobody waited for so long, and that is marked.
pub fn took(clock: &Clock, from: OffsetDateTime, to: OffsetDateTime) -> String {
    match duration(to - from) {
        took if !took.is_empty() && clock.has_jumped(from, to) => format!("{took} virtual"),
        took => took,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_fitting_unit() {
        for (micros, expected) in [
            (0, ""),
            (999, ""),
            (12_345, "12 ms"),
            (1_240_000, "1.24 s"),
            (125_000_000, "2 min 5 s"),
            (11_220_000_000, "3 h 7 min"),
            (187_200_000_000, "2 d 4 h"),
        ] {
            assert_eq!(duration(time::Duration::microseconds(micros)), expected);
        }
    }
}

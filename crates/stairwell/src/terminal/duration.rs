//! How long something took, for people.

/// `340 µs`, `12 ms`, `1.24 s`, `2 min 5 s`.
pub fn duration(took: time::Duration) -> String {
    let micros = took.whole_microseconds().max(0);
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..60_000_000 => format!("{:.2} s", took.as_seconds_f64()),
        _ => format!("{} min {} s", took.whole_minutes(), took.whole_seconds() % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_fitting_unit() {
        for (micros, expected) in
            [(0, "0 µs"), (999, "999 µs"), (12_345, "12 ms"), (1_240_000, "1.24 s"), (125_000_000, "2 min 5 s")]
        {
            assert_eq!(duration(time::Duration::microseconds(micros)), expected);
        }
    }
}

//! Random numbers: those of Java's `Random`, which the service's seeds begin.

/// A generator. The same seed gives the same numbers, here and at the service.
pub(super) struct Random {
    state: u64,
}

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

impl Random {
    pub(super) fn new(seed: i64) -> Self {
        Self { state: (seed.cast_unsigned() ^ MULTIPLIER) & MASK }
    }

    /// A number from 0 to before `bound`, which must be positive.
    pub(super) fn below(&mut self, bound: i32) -> i32 {
        if bound & (bound - 1) == 0 {
            let scaled = (i64::from(bound) * i64::from(self.next())) >> 31;
            return i32::try_from(scaled).unwrap_or_default();
        }
        // What is above the last multiple of the bound would make low numbers likelier.
        loop {
            let bits = self.next();
            let number = bits % bound;
            if bits.checked_sub(number).and_then(|first| first.checked_add(bound - 1)).is_some() {
                return number;
            }
        }
    }

    /// The next 31 bits.
    fn next(&mut self) -> i32 {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        i32::try_from(self.state >> 17).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_what_java_gives() {
        for (seed, bound, expected) in
            [(42, 10, 0), (42, 100, 30), (42, 99, 62), (1, 999, 105), (0, 16, 11), (-7, 6, 4)]
        {
            assert_eq!(Random::new(seed).below(bound), expected, "{seed} {bound}");
        }
    }
}

//! Random numbers: the engine's own, and those of Java's `Random`, which seeds in definitions begin.

use std::cell::Cell;

/// The next 64 bits of a sequence, which goes on from this state (`SplitMix64`).
pub fn next(state: &Cell<u64>) -> u64 {
    let next = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    state.set(next);
    let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A number from 0 up to 1, of the first 53 of these bits.
pub(crate) fn unit(bits: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    let number = (bits >> 11) as f64;
    number * 2.0_f64.powi(-53)
}

/// Java's generator. The same seed gives the same numbers, here and at the service.
pub(crate) struct Java {
    state: u64,
}

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

impl Java {
    pub(crate) fn new(seed: i64) -> Self {
        Self { state: (seed.cast_unsigned() ^ MULTIPLIER) & MASK }
    }

    /// A number from 0 to before `bound`, which must be positive.
    pub(crate) fn below(&mut self, bound: i32) -> i32 {
        if bound & (bound - 1) == 0 {
            let scaled = (i64::from(bound) * i64::from(self.positive())) >> 31;
            return i32::try_from(scaled).unwrap_or_default();
        }
        // What is above the last multiple of the bound would make low numbers likelier.
        loop {
            let bits = self.positive();
            let number = bits % bound;
            if bits.checked_sub(number).and_then(|first| first.checked_add(bound - 1)).is_some() {
                return number;
            }
        }
    }

    /// A number from 0 up to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        let (high, low) = (self.bits(26), self.bits(27));
        unit((high << 38) | (low << 11))
    }

    fn positive(&mut self) -> i32 {
        i32::try_from(self.bits(31)).unwrap_or_default()
    }

    /// The next bits, up to 48 of them.
    fn bits(&mut self, count: u32) -> u64 {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        self.state >> (48 - count)
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
            assert_eq!(Java::new(seed).below(bound), expected, "{seed} {bound}");
        }
        // Measured at the service.
        assert!((Java::new(42).unit() - 0.727_563_680_032_868_1).abs() < f64::EPSILON);
    }
}

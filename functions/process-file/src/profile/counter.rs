//! How many different values there are, and which are the most frequent.

use datasketches::{
    error::Error as SketchError,
    frequencies::{ErrorType, FrequentItemsSketch},
    hll::{HllSketch, HllType},
};

/// 2^12 registers: a standard error of the distinct count of 1.3 % in 4 KiB.
const LG_DISTINCT_REGISTERS: u8 = 12;
/// The counters of all columns together bound the memory: a column of a narrow file has up to the larger size.
const FREQUENT_COUNTERS_OF_ALL_COLUMNS: usize = 32 * 1024;
const FREQUENT_COUNTERS: std::ops::RangeInclusive<usize> = 64..=1024;

/// Counts the values of a column by a key of 64 bits: the value itself, or a hash of it.
///
/// What is told of the most frequent values needs the value again, so the counter keeps an `Item` for each key that it
/// follows.
#[derive(Debug)]
pub(super) struct Counter<Item> {
    tally: Vec<Tally>,
    distinct: HllSketch,
    frequent: FrequentItemsSketch<Item>,
}

/// Equal values in the rows of one batch. A column with few different values then costs the sketches little.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    key: u64,
    count: u32,
    row: u32,
}

/// One of the most frequent values, and bounds of its count.
#[derive(Debug)]
pub(super) struct Frequent<Item> {
    pub(super) item: Item,
    pub(super) at_least: u64,
    pub(super) at_most: u64,
}

/// An estimate of how many different values there are, and bounds that hold in 95 % of all cases.
#[derive(Debug)]
pub(super) struct Distinct {
    pub(super) estimate: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
}

impl<Item: Eq + std::hash::Hash + Clone> Counter<Item> {
    pub(super) fn new(columns: usize) -> Result<Self, SketchError> {
        let share = FREQUENT_COUNTERS_OF_ALL_COLUMNS / columns.max(1);
        let counters = share.clamp(*FREQUENT_COUNTERS.start(), *FREQUENT_COUNTERS.end()).next_power_of_two();
        Ok(Self {
            tally: vec![Tally::default(); counters],
            distinct: HllSketch::new(LG_DISTINCT_REGISTERS, HllType::Hll8)?,
            frequent: FrequentItemsSketch::new(counters)?,
        })
    }

    /// Counts the values of a batch. `item` gives the value for a key and a row, where it has to be kept.
    pub(super) fn add(&mut self, keys: impl Iterator<Item = (usize, u64)>, item: impl Fn(u64, usize) -> Item) {
        // The number of slots is a power of two: the upper bits of the product are a slot.
        let shift = u64::BITS - self.tally.len().trailing_zeros();
        for (row, key) in keys {
            #[expect(clippy::cast_possible_truncation, reason = "it is less than the number of slots")]
            let slot = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> shift) as usize;
            let tally = &mut self.tally[slot];
            if tally.key == key && tally.count > 0 {
                tally.count += 1;
                continue;
            }
            let row = u32::try_from(row).unwrap_or(u32::MAX);
            let previous = std::mem::replace(tally, Tally { key, count: 1, row });
            self.count(previous, &item);
        }
        for slot in 0..self.tally.len() {
            let tally = std::mem::take(&mut self.tally[slot]);
            self.count(tally, &item);
        }
    }

    fn count(&mut self, tally: Tally, item: &impl Fn(u64, usize) -> Item) {
        if tally.count > 0 {
            self.distinct.update(tally.key);
            self.frequent.update_with_count(item(tally.key, tally.row as usize), tally.count.into());
        }
    }

    pub(super) fn distinct(&self) -> Distinct {
        use datasketches::common::NumStdDev::Two;
        Distinct {
            estimate: self.distinct.estimate(),
            lower: self.distinct.lower_bound(Two),
            upper: self.distinct.upper_bound(Two),
        }
    }

    /// The values that are surely more frequent than any that is not followed, most frequent first.
    pub(super) fn most_frequent(&self, limit: usize) -> impl Iterator<Item = Frequent<Item>> {
        let rows = self.frequent.frequent_items(ErrorType::NoFalsePositives);
        rows.into_iter().take(limit).map(|row| Frequent {
            item: row.item().clone(),
            at_least: row.lower_bound(),
            at_most: row.upper_bound(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(batches: &[&[u64]]) -> Counter<u64> {
        let mut counter = Counter::new(1).unwrap();
        for batch in batches {
            counter.add(batch.iter().copied().enumerate(), |key, _| key);
        }
        counter
    }

    #[test]
    fn few_values_are_counted_exactly() {
        let counter = count(&[&[7, 0, 7, 0, 7], &[0, 7, 9]]);
        let frequent: Vec<_> =
            counter.most_frequent(2).map(|value| (value.item, value.at_least, value.at_most)).collect();
        assert_eq!(frequent, [(7, 4, 4), (0, 3, 3)]);
        assert!((counter.distinct().estimate - 3.0).abs() < 0.1);
    }

    #[test]
    fn a_frequent_value_is_found_among_many() {
        let batches: Vec<Vec<u64>> = (0..50)
            .map(|batch| (0..8000).map(|row| if row % 10 == 0 { 1 } else { batch * 8000 + row + 2 }).collect())
            .collect();
        let batches: Vec<&[u64]> = batches.iter().map(Vec::as_slice).collect();
        let counter = count(&batches);
        let most: Vec<_> = counter.most_frequent(10).collect();
        assert_eq!(most.len(), 1);
        assert_eq!(most[0].item, 1);
        assert!(most[0].at_least <= 40_000 && 40_000 <= most[0].at_most, "{most:?}");
        let distinct = counter.distinct();
        assert!(distinct.lower <= 360_001.0 && 360_001.0 <= distinct.upper, "{distinct:?}");
    }
}

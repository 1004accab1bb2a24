//! Mean, standard deviation and quantiles of numbers.

use datasketches::{error::Error as SketchError, tdigest::TDigestMut};

/// The t-digest's compression: about 200 centroids, rank errors well below 1 %, least at the ends.
const DIGEST_K: u16 = 100;

/// The digest sorts what it gets, and finds sorted runs. Sorting plain numbers beforehand, in runs of about the size of
/// its buffer, takes half the time.
const SORTED_RUN: usize = 1024;

/// Mean and sum of squared distances from it, which merge without losing digits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Adds a batch of finite values.
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
    pub(super) fn add(&mut self, values: &[f64]) {
        if values.is_empty() {
            return;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
        let total = self.count + count;
        let distance = mean - self.mean;
        self.squares += squares + distance * distance * self.count * count / total;
        self.mean += distance * count / total;
        self.count = total;
    }

    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then_some(self.mean)
    }

    /// The standard deviation of a sample.
    pub(super) fn standard_deviation(&self) -> Option<f64> {
        (self.count > 1.0).then(|| (self.squares / (self.count - 1.0)).sqrt())
    }
}

/// Estimates quantiles. The same values in the same order always give the same estimate.
#[derive(Debug)]
pub(super) struct Quantiles {
    digest: TDigestMut,
}

impl Quantiles {
    pub(super) fn new() -> Result<Self, SketchError> {
        Ok(Self { digest: TDigestMut::new(DIGEST_K)? })
    }

    /// Adds finite values, whose order changes on the way.
    pub(super) fn add(&mut self, values: &mut [f64]) {
        for run in values.chunks_mut(SORTED_RUN) {
            run.sort_unstable_by(f64::total_cmp);
            for &value in &*run {
                self.digest.update(value);
            }
        }
    }

    /// The values below which these shares of all values lie; nothing where there are no values.
    pub(super) fn at(&self, ranks: &[f64]) -> Option<Vec<f64>> {
        self.digest.clone().quantiles(ranks).ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_do_not_depend_on_the_batches() {
        let values: Vec<f64> = (0..1000).map(|value| 1e9 + f64::from(value)).collect();
        for size in [1, 7, 1000] {
            let mut moments = Moments::default();
            values.chunks(size).for_each(|batch| moments.add(batch));
            assert!((moments.mean().unwrap() - 1_000_000_499.5).abs() < 1e-6);
            assert!((moments.standard_deviation().unwrap() - 288.819_436_095_749).abs() < 1e-6);
        }
    }

    #[test]
    fn moments_need_values() {
        let mut moments = Moments::default();
        assert_eq!((moments.mean(), moments.standard_deviation()), (None, None));
        moments.add(&[2.0]);
        assert_eq!((moments.mean(), moments.standard_deviation()), (Some(2.0), None));
    }

    #[test]
    fn quantiles_are_close() {
        let mut quantiles = Quantiles::new().unwrap();
        assert_eq!(quantiles.at(&[0.5]), None);
        // A permutation of 0..100,003, as 77 has no factor in common with it.
        let mut values: Vec<f64> = (0..100_003_u32).map(|value| f64::from(value * 77 % 100_003)).collect();
        quantiles.add(&mut values);
        for (rank, value) in [0.01, 0.5, 0.99].into_iter().zip(quantiles.at(&[0.01, 0.5, 0.99]).unwrap()) {
            assert!((value / 100_003.0 - rank).abs() < 0.005, "{rank}: {value}");
        }
    }
}

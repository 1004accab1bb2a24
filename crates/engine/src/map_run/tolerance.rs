//! `ToleratedFailureCount` and `ToleratedFailurePercentage`.

use asl::Fault;
use serde::{Deserialize, Serialize};

use super::names;

/// How many items of a Map Run may fail. With neither limit none may; with both, neither may be exceeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tolerance {
    /// `ToleratedFailureCount`
    pub count: Option<u64>,
    /// `ToleratedFailurePercentage`, 0 to 100.
    pub percentage: Option<f64>,
}

impl Tolerance {
    /// Whether more have failed than may. Items that timed out count as failed, and a failed batch with all its items.
    ///
    /// `total` is the number of all items of the Map Run.
    #[allow(clippy::cast_precision_loss, reason = "exact up to 2^53 items")]
    pub fn is_exceeded(&self, failed: u64, total: u64) -> bool {
        if (self.count, self.percentage) == (None, None) {
            return failed > 0;
        }
        let over_count = self.count.is_some_and(|count| failed > count);
        let over_percentage =
            self.percentage.is_some_and(|percentage| failed as f64 * 100.0 > percentage * total as f64);
        over_count || over_percentage
    }

    /// What the Map Run fails with once it is exceeded.
    pub fn fault() -> Fault {
        Fault::new(names::EXCEED_TOLERATED_FAILURE_THRESHOLD, "The specified tolerated failure threshold was exceeded")
    }
}

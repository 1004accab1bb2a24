//! Puts the time played as a metric to `CloudWatch`.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `METRIC_NAMESPACE` | the namespace; `FLOW` where it is left out |
//! | `METRIC_NAME` | the name of the metric; `CompleteLevel` where it is left out |
//! | `METRIC_DIMENSIONS` | the dimensions, such as `Stage=dev,Application=stairwell`; none where it is left out |
//!
//! # Input
//!
//! A [completed level](function_kit::game::CompletedLevel).
//!
//! # Output
//!
//! ```json
//! {
//!   "namespace": "FLOW",
//!   "metric": "CompleteLevel",
//!   "value": 9885983982,
//!   "unit": "Seconds",
//!   "dimensions": { "Stage": "dev" }
//! }
//! ```
//!
//! Each call puts one value: `CloudWatch` knows no key that would tell a repeated call from a second one.
//!
//! # Errors
//!
//! | name | when |
//! | --- | --- |
//! | `InvalidInput` | a field is missing, or is not what it should be |
//! | `AccessDenied` | the function may not put metrics into the namespace |
//! | `Throttled` | too many requests; a later call may pass |
//! | `ServiceUnavailable` | `CloudWatch` failed, could not be reached or took too long; a later call may pass |
//! | `ServiceRejected` | `CloudWatch` refused the request for another reason |

mod dimensions;
mod handler;
#[cfg(test)]
mod tests;

pub use dimensions::{Dimensions, NotDimensions};
pub use handler::{LogMetric, Output, handle};

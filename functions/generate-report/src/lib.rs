//! Writes the report of a completed level: a text, and a page with a chart of the player's levels so far.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `REPORT_BUCKET` | the bucket for the reports |
//! | `LEVELS_TABLE` | the table of levels: partition key `user_id` (S), sort key `level` (S) |
//!
//! # Input
//!
//! A [completed level](function_kit::game::CompletedLevel).
//!
//! # What is written
//!
//! Two objects, readable by nobody but those whom the bucket lets:
//!
//! - `<user_id>_report_<level>.txt`: the level and its score;
//! - `<user_id>_report_<level>.html`: a page on its own, without scripts and without links to other sites. Its chart shows the
//!   share of the score in each level so far, the newest 30 at most. The level just completed is shown as the input has it, the
//!   others as the table has them.
//!
//! A repeated call writes the same two objects again.
//!
//! # Output
//!
//! ```json
//! {
//!   "bucket": "reports",
//!   "textKey": "12345678901234567890_report_3.txt",
//!   "htmlKey": "12345678901234567890_report_3.html"
//! }
//! ```
//!
//! # Errors
//!
//! | name | when |
//! | --- | --- |
//! | `InvalidInput` | a field is missing, or is not what it should be |
//! | `TableNotFound` | the table does not exist |
//! | `BucketNotFound` | the bucket does not exist |
//! | `AccessDenied` | the function may not read the table or write to the bucket |
//! | `Throttled` | too many requests; a later call may pass |
//! | `ServiceUnavailable` | a service failed, could not be reached or took too long; a later call may pass |
//! | `ServiceRejected` | a service refused a request for another reason |

mod chart;
mod handler;
mod levels;
mod page;
#[cfg(test)]
mod tests;

pub use handler::{GenerateReport, Output, handle};

//! Records the level that a player has completed.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `LEVELS_TABLE` | the table: partition key `user_id` (S), sort key `level` (S) |
//!
//! # Input
//!
//! A [completed level](function_kit::game::CompletedLevel).
//!
//! # What is written
//!
//! Two items of the player:
//!
//! - at `level`: the scores and the time of the level, `completed_at` and `execution`. The report's chart is made of these.
//! - at `#last`, which is the name of no level: `last_level` and `timestamp` (S, whole seconds since 1970), `completed_at` and
//!   `execution`.
//!
//! Each one is written only where `completedAt` is later than that of the event that it holds. So a repeated or a late event
//! changes nothing, whatever the order in which events arrive; of two events with the same time, the first one stays. Each of
//! the two items decides alone, so a call that failed between them is mended by its repetition.
//!
//! # Output
//!
//! ```json
//! { "user_id": "12345678901234567890", "level": "3", "changed": true }
//! ```
//!
//! `changed` is false where this event, or a later one, had been recorded before.
//!
//! # Errors
//!
//! | name | when |
//! | --- | --- |
//! | `InvalidInput` | a field is missing, or is not what it should be |
//! | `TableNotFound` | the table does not exist |
//! | `AccessDenied` | the function may not write to the table |
//! | `Throttled` | too many requests; a later call may pass |
//! | `ServiceUnavailable` | `DynamoDB` failed, could not be reached or took too long; a later call may pass |
//! | `ServiceRejected` | `DynamoDB` refused the request for another reason |

mod handler;
#[cfg(test)]
mod tests;

pub use handler::{Output, UpdateCompletedLevel, handle};

//! Records that a player has completed the game.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `GAMES_TABLE` | the table: partition key `user_id` (S) |
//!
//! # Input
//!
//! A [completed level](function_kit::game::CompletedLevel), the last one of the game.
//!
//! # What is written
//!
//! The player's item: `completed` (BOOL, true), `timestamp` (S, whole seconds since 1970), `total_score` (N), `completed_at` and
//! `execution` (S). It is written only where `completedAt` is later than that of the event that it holds. So a repeated or a
//! late event changes nothing, whatever the order in which events arrive; of two events with the same time, the first one
//! stays.
//!
//! # Output
//!
//! ```json
//! { "user_id": "12345678901234567890", "total_score": 10000, "changed": true }
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

pub use handler::{Output, UpdateCompletedGame, handle};

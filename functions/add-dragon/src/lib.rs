//! Adds a reported dragon, once.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `DRAGONS_TABLE` | the table: partition key `dragon_name_str` (S) |
//!
//! # Input
//!
//! A [report](function_kit::dragon::DragonReport).
//!
//! # What is written
//!
//! The dragon's item: what the report tells of the dragon, under the same names, and `execution`. It is written where there is
//! no dragon of this name, or where the same execution has written it. So of two reports at the same moment one adds the
//! dragon, and a call that is repeated is no second report. Who has reported it is not kept.
//!
//! # Output
//!
//! The text `"Dragon added"`.
//!
//! # Errors
//!
//! | name | when |
//! | --- | --- |
//! | `DuplicateDragon` | another execution has added a dragon of this name |
//! | `InvalidInput` | a field is missing, or is not what it should be |
//! | `TableNotFound` | the table does not exist |
//! | `AccessDenied` | the function may not write to the table |
//! | `Throttled` | too many requests; a later call may pass |
//! | `ServiceUnavailable` | `DynamoDB` failed, could not be reached or took too long; a later call may pass |
//! | `ServiceRejected` | `DynamoDB` refused the request for another reason |

mod error;
mod handler;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use handler::{AddDragon, handle};

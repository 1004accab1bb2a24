//! Refuses the report of a dragon that is there already, or that cannot be read.
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
//! # Output
//!
//! The text `"Dragon Validated"`.
//!
//! # Errors
//!
//! | name | when |
//! | --- | --- |
//! | `DragonValidationException` | a dragon of this name is there already |
//! | `InvalidInput` | a field is missing, or is not what it should be |
//! | `TableNotFound` | the table does not exist |
//! | `AccessDenied` | the function may not read the table |
//! | `Throttled` | too many requests; a later call may pass |
//! | `ServiceUnavailable` | `DynamoDB` failed, could not be reached or took too long; a later call may pass |
//! | `ServiceRejected` | `DynamoDB` refused the request for another reason |

mod error;
mod handler;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use handler::{ValidateDragon, handle};

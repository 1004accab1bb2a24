//! Assigns a case to the agent with the fewest open cases.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `AGENTS` | the agents, separated by commas: 1 to 100 different names |
//! | `CASES_TABLE` | the table of cases: partition key `case_id` (S) |
//! | `AGENTS_TABLE` | the table of agents: partition key `agent_id` (S) |
//!
//! # Input
//!
//! ```json
//! { "Case": "001", "execution": "arn:aws:states:us-east-1:000000000000:execution:CallCenter:sample" }
//! ```
//!
//! The case is in the table, opened by this execution.
//!
//! # What is written
//!
//! In one transaction: the case's `agent_id`, and `assigned` as its `case_status`; and one more in the agent's `open_cases`.
//! Of several agents with the fewest open cases the first in `AGENTS` gets it. The transaction fails where another case was
//! assigned to the same agent since the numbers were read: then they are read once more. An agent who is not in the table has
//! no open case.
//!
//! A call that is repeated finds the agent that it has assigned, and counts nothing twice.
//!
//! # Output
//!
//! ```json
//! { "Agent": "ada" }
//! ```
//!
//! # Errors
//!
//! | name | when |
//! | --- | --- |
//! | `CaseNotFound` | there is no such case, or another execution has opened it |
//! | `TooManyAssignments` | so many cases were assigned at the same time that ten tries failed; a later call may pass |
//! | `InvalidInput` | a field is missing, or is not what it should be |
//! | `TableNotFound` | a table does not exist |
//! | `AccessDenied` | the function may not use a table |
//! | `Throttled` | too many requests; a later call may pass |
//! | `ServiceUnavailable` | `DynamoDB` failed, could not be reached or took too long; a later call may pass |
//! | `ServiceRejected` | `DynamoDB` refused the request for another reason |

mod agents;
mod error;
mod handler;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use handler::{AssignCase, Input, Output, handle};

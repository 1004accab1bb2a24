//! Hands what an agent says of a case to the execution that waits for it.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `CASES_TABLE` | the table of cases: partition key `case_id` (S) |
//!
//! # Input
//!
//! A request of an API Gateway HTTP API, payload format 2.0:
//!
//! | route | body | what it means |
//! | --- | --- | --- |
//! | `POST /cases/{id}/resolution` | `{"resolved": true}`, or `false` | the agent's work on the case is done |
//! | `POST /cases/{id}/heartbeat` | not read | the agent is still at work on it |
//!
//! The task token is in the case's `task_token`. It is a credential, so it leaves neither the table nor this function.
//!
//! # Output
//!
//! The answer to the request, with a JSON body:
//!
//! | status | body | when |
//! | --- | --- | --- |
//! | 200 | `{"Case": "001", "Status": 1}` | the resolution was handed over: 1 is resolved, 0 is not |
//! | 200 | `{"Case": "001"}` | the heartbeat was |
//! | 400 | `{"error": "InvalidInput", "message": "…"}` | the id is no name, or the body says neither |
//! | 404 | `{"error": "CaseNotFound", "message": "…"}` | there is no such case |
//! | 404 | `{"error": "UnknownRoute", "message": "…"}` | the route is neither of the two |
//! | 409 | `{"error": "CaseNotInWork", "message": "…"}` | nobody waits: the case has no agent yet, has its answer, or took too long |
//! | 500 | `{"error": "…", "message": "…"}` | a table is missing, or the function may not do what it should |
//! | 503 | `{"error": "…", "message": "…"}` | `Throttled` or `ServiceUnavailable`; the same request may be sent again |
//!
//! A resolution that is sent again is answered with 409: the first one counts.
//!
//! # Errors
//!
//! Those of the table above; an invocation fails with `InvalidInput` alone, where the event is no such request.

mod error;
mod handler;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use handler::{AnswerCase, handle};

//! Starts an execution for an event, once.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `STATE_MACHINE_ARN` | the ARN of the state machine |
//!
//! # Input
//!
//! Five kinds of events, told apart by their shape:
//!
//! | event | one execution for | its name is made of | its input |
//! | --- | --- | --- | --- |
//! | an API Gateway HTTP API request, payload format 2.0 | the request | the header `Idempotency-Key`, else the id of the request | the body |
//! | an S3 notification | each record | bucket, key and sequencer | the file |
//! | an `EventBridge` event "Object Created" of S3 | the event | bucket, key and sequencer | the file |
//! | another `EventBridge` event, such as a scheduled one | the event | the id of the event | the whole event |
//! | an SQS batch | each message, by what its body is: an S3 notification, an `EventBridge` event or another JSON object | as above; for another document the id of the message | as above; for another document the body |
//! | another JSON object | the document | its field `idempotencyKey`, else the id of the Lambda request, which Lambda keeps when it retries | the whole document |
//!
//! So the same event always gets the same name, and the same upload does whichever way it was told of. Step Functions refuses
//! a name that it has seen within 90 days; that counts as success, but for an HTTP request whose key was used with another body.
//! Where the function may not ask for the earlier input (`states:DescribeExecution`), that counts as success too. Idempotency keys are shared by all callers. A name ends in a
//! hash; what is before it is for people.
//!
//! A file is `{"bucket": "data", "key": "incoming/large file.csv", "size": 3145728, "versionId": "3HL4kqtJvjVBH40Nrjfkd"}`,
//! with the key decoded, and without size and version where the event does not tell them. The test event that S3 sends when a
//! notification is set up starts nothing.
//!
//! # Output
//!
//! For an HTTP request the answer to it, with a JSON body:
//!
//! | status | body | when |
//! | --- | --- | --- |
//! | 202 | `{"executionArn": "…"}` | the execution was started, now or before |
//! | 400 | `{"error": "InvalidInput", "message": "…"}` | the body is no JSON object |
//! | 413 | `{"error": "InputTooLarge", "message": "…"}` | the body is above 262,144 bytes |
//! | 422 | `{"error": "IdempotencyKeyReused", "message": "…"}` | the key of the request was used before, with another body |
//! | 500 | `{"error": "…", "message": "…"}` | the state machine is missing or may not be started |
//! | 503 | `{"error": "…", "message": "…"}` | `Throttled` or `ServiceUnavailable`; the same request may be sent again |
//!
//! For an SQS batch the messages that failed, or for which there was no time: `{"batchItemFailures": [{"itemIdentifier": "059f36b4-…"}]}`. SQS delivers these again,
//! and only these, where the event source mapping says `ReportBatchItemFailures`.
//!
//! For all others `{"executionArns": ["…"]}`.
//!
//! # Errors
//!
//! | name | when |
//! | --- | --- |
//! | `InvalidInput` | the event misses a field that its kind has, has no records, or is no object; or a message or a key is not encoded as it should be |
//! | `UnsupportedEvent` | an event of another service, or an HTTP request of payload format 1.0 |
//! | `InputTooLarge` | the input of the execution is above 262,144 bytes |
//! | `IdempotencyKeyReused` | the `Idempotency-Key` of an HTTP request was used before, with another body |
//! | `StateMachineNotFound` | the state machine does not exist, or is being deleted |
//! | `AccessDenied` | the function may not start the state machine |
//! | `Throttled` | too many requests, or too many running executions; a later call may pass |
//! | `ServiceUnavailable` | Step Functions failed, could not be reached or took too long; a later call may pass |
//! | `ServiceRejected` | Step Functions refused the request for another reason |
//!
//! Of several records all are tried before the first error is told.

mod error;
mod event;
mod handler;
mod http;
mod machine;
#[cfg(test)]
mod tests;
mod work;

pub use error::Error;
pub use handler::{BatchItemFailure, Output, StartStep, handle};

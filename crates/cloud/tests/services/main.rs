//! The services of a local cloud, through the requests that their clients send.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod sqs;
mod support;

//! The services of a local cloud, through the requests that their clients send.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod apis;
mod destinations;
mod elsewhere;
mod events;
mod hang_ups;
mod kept;
#[path = "../lambda_support/mod.rs"]
mod lambda_support;
mod mappings;
mod small;
mod sns;
mod sqs;
mod support;

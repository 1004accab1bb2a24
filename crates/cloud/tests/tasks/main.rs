//! Task states that call services, in a whole local cloud.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, its helpers too")]

mod definitions;
mod dynamodb;
mod functions;
mod http;
#[path = "../lambda_support/mod.rs"]
mod lambda_support;
mod messaging;
mod mocks;
mod others;
mod s3;
mod settings;
mod sqs;
mod stage;

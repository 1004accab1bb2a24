//! The local AWS: one port, the service front ends, Lambda, triggers.

pub mod apis;
pub mod cloudwatch;
mod destinations;
pub mod dynamodb;
pub mod events;
pub mod front;
pub mod function_logs;
pub mod lambda;
pub mod local;
pub mod location;
pub mod logs;
pub mod mappings;
mod named;
pub mod place;
mod protocol;
pub mod route;
pub mod s3;
pub mod secrets;
pub mod server;
pub mod service;
pub mod sns;
pub mod sqs;
pub mod ssm;
pub mod states;
pub mod sts;
pub mod targets;
mod wire;

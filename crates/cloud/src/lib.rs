//! The local AWS: one port, the service front ends, Lambda, triggers.

pub mod cloudwatch;
pub mod dynamodb;
pub mod front;
pub mod route;
pub mod s3;
pub mod server;
pub mod service;
mod wire;

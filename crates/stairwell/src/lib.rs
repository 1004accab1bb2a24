//! Runs Step Functions workflows and their Lambda functions on this machine.

pub mod commands;
pub mod replay;

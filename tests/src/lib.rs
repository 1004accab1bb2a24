//! What the end-to-end tests stand on: the real binary as a child process, and AWS clients for it.
//!
//! [`Command`] runs the binary once and waits for its end; [`Runner`] is a `stairwell up` that goes when it is dropped.
//! Nothing here waits for a time to pass: a runner tells on its standard output what happens, and tests wait for that.
//!
//! `cargo test --test file_processing` runs one file of the tests. Without `-p`: then it has the features of the whole
//! workspace, which everything is built with anyway; with `-p end-to-end` the AWS clients are compiled once more.
//!
//! A helper that can't do its part panics, which fails the test that called it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc, reason = "helpers fail their test")]

mod aws;
mod binary;
mod command;
pub mod data;
mod http;
#[cfg(target_os = "linux")]
pub mod process;
mod runner;

pub use binary::{fixture, project};
pub use command::{Command, Finished};
pub use http::Answer;
pub use runner::{Ended, Runner};

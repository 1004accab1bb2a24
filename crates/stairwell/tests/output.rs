//! What becomes of output that can't be written.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{
    fs::{File, OpenOptions},
    process::{Command, Stdio},
};

/// A disk without room.
fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

fn stairwell(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stairwell"));
    command.args(arguments).stdin(Stdio::null());
    command
}

#[test]
fn a_result_that_is_not_written_is_an_error() {
    let output = stairwell(&["completions", "bash"]).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("error: cannot write to standard output"), "{told}");
}

#[test]
fn a_reader_that_went_away_is_none() {
    let mut child = stairwell(&["completions", "bash"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_nobody_can_read_on_standard_error_changes_no_status() {
    let arguments = ["validate", "-t", "there-is-none.yaml"];
    let status = stairwell(&arguments).stdout(Stdio::null()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), stairwell(&arguments).output().unwrap().status.code());
    assert_ne!(status.code(), Some(101));
}

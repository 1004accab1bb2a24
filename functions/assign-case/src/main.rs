//! The Lambda function `assign-case`; see the library for what it does.

use std::process::ExitCode;

use assign_case::{AssignCase, handle};

fn main() -> ExitCode {
    function_kit::start_up(AssignCase::new, handle)
}

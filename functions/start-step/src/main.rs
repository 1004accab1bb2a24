//! The Lambda function `start-step`; see the library for what it does.

use std::process::ExitCode;

use start_step::{StartStep, handle};

fn main() -> ExitCode {
    function_kit::start_up(StartStep::new, handle)
}

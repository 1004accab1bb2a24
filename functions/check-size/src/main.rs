//! The Lambda function `check-size`; see the library for what it does.

use std::process::ExitCode;

use check_size::{CheckSize, handle};

fn main() -> ExitCode {
    function_kit::start_up(CheckSize::new, handle)
}

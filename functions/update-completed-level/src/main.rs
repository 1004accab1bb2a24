//! The Lambda function `update-completed-level`; see the library for what it does.

use std::process::ExitCode;

use update_completed_level::{UpdateCompletedLevel, handle};

fn main() -> ExitCode {
    function_kit::start_up(UpdateCompletedLevel::new, handle)
}

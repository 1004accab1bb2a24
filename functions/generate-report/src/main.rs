//! The Lambda function `generate-report`; see the library for what it does.

use std::process::ExitCode;

use generate_report::{GenerateReport, handle};

fn main() -> ExitCode {
    function_kit::start_up(GenerateReport::new, handle)
}

//! The Lambda function `validate-dragon`; see the library for what it does.

use std::process::ExitCode;

use validate_dragon::{ValidateDragon, handle};

fn main() -> ExitCode {
    function_kit::start_up(ValidateDragon::new, handle)
}

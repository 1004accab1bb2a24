//! The Lambda function `add-dragon`; see the library for what it does.

use std::process::ExitCode;

use add_dragon::{AddDragon, handle};

fn main() -> ExitCode {
    function_kit::start_up(AddDragon::new, handle)
}

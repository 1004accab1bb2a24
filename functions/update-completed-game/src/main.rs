//! The Lambda function `update-completed-game`; see the library for what it does.

use std::process::ExitCode;

use update_completed_game::{UpdateCompletedGame, handle};

fn main() -> ExitCode {
    function_kit::start_up(UpdateCompletedGame::new, handle)
}

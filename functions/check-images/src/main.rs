//! The Lambda function `check-images`; see the library for what it does.

use std::process::ExitCode;

use check_images::{CheckImages, handle};

fn main() -> ExitCode {
    function_kit::start_up(CheckImages::new, handle)
}

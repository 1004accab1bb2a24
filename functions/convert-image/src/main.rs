//! The Lambda function `convert-image`; see the library for what it does.

use std::process::ExitCode;

use convert_image::{ConvertImage, handle};

fn main() -> ExitCode {
    function_kit::start_up(ConvertImage::new, handle)
}

//! The Lambda function `scale-image`; see the library for what it does.

use std::process::ExitCode;

use scale_image::{ScaleImage, handle};

fn main() -> ExitCode {
    function_kit::start_up(ScaleImage::new, handle)
}

//! The Lambda function `analyze-image`; see the library for what it does.

use std::process::ExitCode;

use analyze_image::{AnalyzeImage, handle};

fn main() -> ExitCode {
    function_kit::start_up(AnalyzeImage::new, handle)
}

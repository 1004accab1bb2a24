//! The Lambda function `log-metric`; see the library for what it does.

use std::process::ExitCode;

use log_metric::{LogMetric, handle};

fn main() -> ExitCode {
    function_kit::start_up(LogMetric::new, handle)
}

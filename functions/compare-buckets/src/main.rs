//! The Lambda function `compare-buckets`; see the library for what it does.

use std::process::ExitCode;

use compare_buckets::{CompareBuckets, handle};

fn main() -> ExitCode {
    function_kit::start_up(CompareBuckets::new, handle)
}

//! The Lambda function `sync-objects`; see the library for what it does.

use std::process::ExitCode;

use sync_objects::{SyncObjects, handle};

fn main() -> ExitCode {
    function_kit::start_up(SyncObjects::new, handle)
}

//! `stairwell reset`

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use cloud::place::Place;

use crate::{
    error::Error,
    terminal::{GREEN, painted},
};

/// Remove all data that the local cloud has kept: objects, tables, queues, executions, and the rest
///
/// Refused while an `up`, a `run` or a `demo` uses the data.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell reset
  stairwell reset --data /tmp/orders

Exit status: 0 when no data is there any more, 2 when it could not be removed.")]
pub struct ResetArgs {
    /// Where data is kept, relative to the current folder
    #[arg(long, default_value = ".stairwell", value_name = "FOLDER")]
    data: PathBuf,
}

/// Runs the command.
pub fn run(args: &ResetArgs) -> Result<ExitCode, Error> {
    let data = args.data.display();
    if Place::reset(&args.data)? {
        crate::tell!("{} {data} is removed", painted(GREEN, "✓"));
    } else {
        crate::tell!("There is no data in {data}");
    }
    Ok(ExitCode::SUCCESS)
}

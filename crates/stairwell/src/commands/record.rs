//! `stairwell record`

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::{
    error::Error,
    project::DEFAULT_PORT,
    record::{RecordError, record},
    replay::{Verdict, replay_case},
    terminal::{GREEN, YELLOW, painted, print},
};

/// Record an execution as a case that `replay` compares with
///
/// Reads a Standard execution that has ended: its definition, its input, its history and, out of that, what its tasks
/// were answered. One of the local account 000000000000 is read from a running `stairwell up`; any other from AWS, in
/// the region of its ARN, with the credentials that the AWS command line would use from the environment and from
/// profiles (for those of single sign-on: `eval "$(aws configure export-credentials --format env)"`).
///
/// UUIDs and task tokens become placeholders; nothing else is left out, so look for secrets before you pass a case on.
/// The case is replayed at once. Whether it comes out as recorded is told on standard error.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell record arn:aws:states:us-east-1:000000000000:execution:Orders:first -o cases/first.json
  AWS_PROFILE=production stairwell record ARN --name 'an order of two' -o cases/order-of-two.json
  stairwell replay cases

Exit status: 0 when the case was written, however its replay came out; 2 when it was not.")]
pub struct RecordArgs {
    /// The ARN of the execution
    #[arg(value_name = "ARN")]
    execution: String,

    /// Write the case to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// What the case is called [default: MACHINE/EXECUTION]
    #[arg(long)]
    name: Option<String>,

    /// The port of the `stairwell up` that has an execution of the local account
    #[arg(short, long, default_value_t = DEFAULT_PORT, env = "STAIRWELL_PORT")]
    port: u16,

    /// Ask the Step Functions at this address, whatever the account
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL")]
    endpoint_url: Option<String>,
}

/// Runs the command.
pub async fn run(args: &RecordArgs) -> Result<ExitCode, Error> {
    let case = record(&args.execution, args.name.as_deref(), args.endpoint_url.as_deref(), args.port).await?;
    let not_json = |source| RecordError::NotJson { what: "the case".into(), source };
    let text = serde_json::to_string_pretty(&case).map_err(not_json)?;
    match &args.output {
        Some(path) => std::fs::write(path, text.clone() + "\n")
            .map_err(|source| RecordError::Write { path: path.clone(), source })?,
        None => print(&text),
    }
    match replay_case(&serde_json::from_str(&text).map_err(not_json)?) {
        Verdict::Passed => crate::tell!("{} it replays as it was recorded", painted(GREEN, "✓")),
        Verdict::Failed(difference) => warn(&format!("its replay differs: {difference}")),
        Verdict::Skipped(what) => warn(&format!("it can't be replayed: {what}")),
    }
    Ok(ExitCode::SUCCESS)
}

fn warn(what: &str) {
    crate::tell!("{} {what}", painted(YELLOW, "warning:"));
}

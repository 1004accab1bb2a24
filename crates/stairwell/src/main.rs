//! Runs Step Functions workflows and their Lambda functions on this machine.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use stairwell::commands::replay;

/// Run Step Functions workflows and their Lambda functions on this machine
///
/// Reads the template that `sam deploy` ships. Needs no Docker and no AWS account.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::ReplayArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        Command::Replay(args) => replay::run(args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}

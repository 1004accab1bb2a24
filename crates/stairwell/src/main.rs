//! Runs Step Functions workflows and their Lambda functions on this machine.

use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory, Parser, Subcommand};
use stairwell::{
    commands::{completions, demo, invoke, record, replay, reset, run, up, validate},
    error::Error,
    signals::STOPPED,
    terminal,
};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// Run Step Functions workflows and their Lambda functions on this machine
///
/// Reads the template that `sam deploy` ships. Needs no Docker and no AWS account.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 120)]
#[command(after_help = "Exit status: 0 when all went well, 1 when an execution, a function or a check failed, 2 when \
                        the command could not be carried out, 130 when it was stopped (Ctrl-C) before its end. \
                        `up` has no end of its own: stopped when it is ready, it exits with 0.")]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to use colours; `NO_COLOR` is respected
    #[arg(long, global = true, default_value = "auto", value_name = "WHEN", display_order = 1000)]
    color: ColorChoice,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Up(up::UpArgs),
    Run(run::RunExecutionArgs),
    Invoke(invoke::InvokeArgs),
    Validate(validate::ValidateArgs),
    Replay(replay::ReplayArgs),
    Record(record::RecordArgs),
    Reset(reset::ResetArgs),
    Completions(completions::CompletionsArgs),
}

/// The parts that the runner is made of, as log filters name them.
const PARTS: [&str; 5] = ["asl", "cloud", "engine", "sam", "stairwell"];

fn main() -> ExitCode {
    let cli = Cli::parse();
    terminal::set_color(cli.color);
    let filter = match log_filter() {
        Ok(filter) => filter,
        Err(error) => {
            error.tell();
            return ExitCode::from(2);
        }
    };
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(!terminal::is_plain())
        .with_env_filter(filter)
        // It would panic where standard error can't be written.
        .log_internal_errors(false);
    match std::env::var_os("STAIRWELL_LOG") {
        Some(_) => log.init(),
        // For people who watch: they know the time, and need not know the code.
        None => log.without_time().with_target(false).init(),
    }
    match carry_out(&cli.command) {
        Ok(status) => match terminal::lost() {
            None => status,
            Some(source) => {
                Error::Output { source }.tell();
                ExitCode::from(2)
            }
        },
        Err(error @ Error::Stopped) => {
            stairwell::tell!("{error}");
            ExitCode::from(STOPPED)
        }
        Err(error) => {
            error.tell();
            ExitCode::from(2)
        }
    }
}

/// What the runner tells of itself: warnings, or what `STAIRWELL_LOG` says: a level, or a filter such as `cloud::s3=trace`.
fn log_filter() -> Result<EnvFilter, Error> {
    match std::env::var("STAIRWELL_LOG") {
        Ok(filter) => {
            // A level alone is that of the runner's own parts; the libraries below them would drown it.
            let filter = match filter.parse::<LevelFilter>() {
                Ok(level) => PARTS.map(|part| format!("{part}={level}")).join(",") + ",warn",
                Err(_) => filter,
            };
            EnvFilter::try_new(filter).map_err(|error| Error::LogFilter(error.to_string()))
        }
        // What S3 answers to a client is the client's matter, and not an error of the runner. What the client of AWS is refused
        // is told as an error of the command.
        Err(_) => Ok(EnvFilter::new("warn,s3s=off,aws_config=off")),
    }
}

fn carry_out(command: &Command) -> Result<ExitCode, Error> {
    match command {
        Command::Validate(args) => block_on(validate::run(args)),
        Command::Replay(args) => replay::run(args).map_err(Error::Replay),
        Command::Completions(args) => {
            completions::run(args, &mut Cli::command());
            Ok(ExitCode::SUCCESS)
        }
        Command::Demo(args) => block_on(demo::run(args)),
        Command::Up(args) => block_on(up::run(args)),
        Command::Run(args) => block_on(run::run(args)),
        Command::Invoke(args) => block_on(invoke::run(args)),
        Command::Record(args) => block_on(record::run(args)),
        Command::Reset(args) => reset::run(args),
    }
}

fn block_on(command: impl Future<Output = Result<ExitCode, Error>>) -> Result<ExitCode, Error> {
    tokio::runtime::Runtime::new().map_err(Error::Runtime)?.block_on(command)
}

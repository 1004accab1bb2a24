//! `stairwell run`

use std::process::ExitCode;

use clap::Args;
use cloud::states::Start;
use engine::Outcome;

use crate::{
    error::Error,
    left_out,
    project::{RunArgs, TemplateArgs, build_functions, document, start},
    signals::{stop_asked, unless_stopped},
    terminal::{Display, print, watch},
};

/// Run one execution of a state machine and exit by its status
///
/// Shows the states as they go on standard error, and writes the execution's output to standard output.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell run MyStateMachine --input event.json
  stairwell run MyStateMachine --input '{\"key\":\"value\"}' | jq .
  echo '{}' | stairwell run MyStateMachine --input - --json")]
pub struct RunExecutionArgs {
    /// The state machine's key in the template, or its name
    #[arg(value_name = "STATE MACHINE")]
    state_machine: String,

    /// The input: a JSON file, - for standard input, or the JSON itself
    #[arg(short, long, default_value = "{}", value_name = "JSON")]
    input: String,

    /// The execution's name; a UUID where none is given
    #[arg(long)]
    name: Option<String>,

    /// JSON Lines on standard output: every history event, then how it ended
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    template: TemplateArgs,

    #[command(flatten)]
    run: RunArgs,
}

/// Runs the command.
pub async fn run(args: &RunExecutionArgs) -> Result<ExitCode, Error> {
    let application = args.template.load_checked()?;
    let input = document(&args.input)?;
    let machine = application
        .state_machines
        .iter()
        .find(|machine| [&machine.logical_id, &machine.name].contains(&&args.state_machine))
        .ok_or_else(|| Error::Unknown {
            kind: "state machine",
            name: args.state_machine.clone(),
            known: application.state_machines.iter().map(|machine| machine.logical_id.clone()).collect(),
        })?;
    let executables = build_functions(&application, args.run.release).await?;
    let cloud = start(&application, &executables, &args.run, 0).await?;
    left_out::tell_count(application.left_out.len() + cloud.left_out().len());
    let stop = stop_asked().map_err(Error::Runtime)?;
    let mut logs = cloud.logs();
    let running = cloud
        .states()
        .start(&machine.arn, Start { name: args.name.as_deref(), input: Some(&input), ..Start::default() })?;
    let watching = watch(&running, &machine.logical_id, &mut logs, Display::choose(args.json));
    let outcome = unless_stopped(stop, watching).await;
    cloud.shutdown().await;
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(stopped) => return Ok(stopped),
    };
    match outcome {
        Outcome::Succeeded(output) => {
            if !args.json {
                print(output);
            }
            Ok(ExitCode::SUCCESS)
        }
        _ => Ok(ExitCode::FAILURE),
    }
}

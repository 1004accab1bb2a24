//! `stairwell run`

use std::process::ExitCode;

use clap::Args;
use cloud::states::Start;
use engine::Outcome;

use crate::{
    error::Error,
    left_out,
    project::{RunArgs, TemplateArgs, document, launch},
    signals::{STOPPED, Stopped, stop_asked},
    terminal::{Display, print, watch_until_stopped},
};

/// Run one execution of a state machine and exit by its status
///
/// Shows the states as they go on standard error, and writes the execution's output to standard output. Ctrl-C stops the
/// execution, which then is ABORTED.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell run MyStateMachine --input event.json
  stairwell run MyStateMachine --input '{\"key\":\"value\"}' | jq .
  echo '{}' | stairwell run MyStateMachine --input - --json
  stairwell run MyStateMachine --fast    # a Wait of a day takes no time")]
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
    let start = Start { name: args.name.as_deref(), input: Some(&input), ..Start::default() };
    start.check()?;
    let cloud = launch(&application, &args.run, 0).await?;
    left_out::tell_count(application.left_out.len() + cloud.left_out().len());
    let mut stop = stop_asked().map_err(Error::Runtime)?;
    let running = cloud.states().start(&machine.arn, start)?;
    let display = Display::choose(args.json);
    let watched = watch_until_stopped(&running, &machine.logical_id, cloud.logs(), display, &mut stop).await;
    cloud.shutdown().await;
    match watched {
        Ok(Outcome::Succeeded(output)) => {
            if !args.json {
                print(output);
            }
            Ok(ExitCode::SUCCESS)
        }
        Ok(_) => Ok(ExitCode::FAILURE),
        Err(Stopped) => Ok(ExitCode::from(STOPPED)),
    }
}

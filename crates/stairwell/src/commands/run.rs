//! `stairwell run`

use std::process::ExitCode;

use clap::Args;
use cloud::{local::LocalCloud, states::Start};
use engine::{Outcome, Status, journal::Wanted, run::Executions};
use sam::{Application, Function};

use crate::{
    error::Error,
    needed::Needed,
    project::{MockArgs, ReachArgs, RunArgs, TemplateArgs, document, launch, take_port, tell_left, tell_waiting},
    signals::{STOPPED, Stopped, stop_asked},
    terminal::{Display, Viewer, print},
};

/// Run one execution of a state machine and exit by its status
///
/// Shows the states on standard error as they go, with the executions that they start, and writes the execution's output to
/// standard output. Ctrl-C stops the execution, which is ABORTED then. Of the functions those are built first that the definition
/// names; others when they are called.
///
/// Meanwhile the local cloud answers on a port. Where the execution waits for a callback or for a worker of an activity, you
/// are shown the command that answers.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell run MyStateMachine --input event.json
  stairwell run MyStateMachine --input '{\"key\":\"value\"}' | jq .
  echo '{}' | stairwell run MyStateMachine --input - --json
  stairwell run MyStateMachine --fast    # a Wait of a day takes no time
  stairwell run 'MyStateMachine#NoStock' --mocks mocks.json

Exit status: 0 when the execution succeeded, 1 when it ended otherwise, 2 when it could not be started, 130 when it was stopped \
(Ctrl-C).")]
pub struct RunExecutionArgs {
    /// The state machine's key in the template, or its name; with '#' and a test case of the mocks
    #[arg(value_name = "STATE MACHINE")]
    state_machine: String,

    /// The input: a JSON file, - for standard input, or the JSON itself
    #[arg(short, long, default_value = "{}", value_name = "JSON")]
    input: String,

    /// The execution's name [default: a UUID]
    #[arg(long)]
    name: Option<String>,

    #[command(flatten)]
    template: TemplateArgs,

    /// The port of the local cloud, on the loopback address; 0 takes any free one
    #[arg(short, long, default_value_t = 0)]
    port: u16,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    mocks: MockArgs,

    #[command(flatten)]
    reach: ReachArgs,

    /// JSON Lines on standard output: where the local cloud answers, every history event, then how it ended
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(args: &RunExecutionArgs) -> Result<ExitCode, Error> {
    let port = take_port(args.port)?;
    let mocks = args.mocks.read()?;
    let named = args.state_machine.split_once('#').filter(|_| mocks.is_some());
    let (name, test_case) = named.map_or((&*args.state_machine, None), |(name, case)| (name, Some(case)));
    let is_named = |machine: &sam::StateMachine| [&*machine.logical_id, &*machine.name].contains(&name);
    let application = args.template.load_checked(&port, is_named)?;
    let input = document("--input", &args.input)?;
    let machine = application.state_machines.iter().find(|machine| is_named(machine));
    let machine = machine.ok_or_else(|| no_state_machine(name, &application))?;
    if let (Some(mocks), Some(test_case)) = (&mocks, test_case)
        && mocks.test_case(&machine.name, test_case).is_none()
    {
        return Err(Error::NoTestCase { machine: machine.name.clone(), test_case: test_case.to_owned() });
    }
    let start = Start { name: args.name.as_deref(), input: Some(&input), ..Start::default() };
    start.check()?;
    let mut stop = stop_asked().map_err(Error::Runtime)?;
    let cloud = launch(&application, Needed::By(machine), &args.run, port, mocks, &args.reach, &mut stop).await?;
    tell_waiting(&cloud, &args.run)?;
    if let Some(name) = &args.name
        && is_left(&cloud, machine, name)?
    {
        cloud.shutdown().await;
        return Err(Error::LeftExecution { name: name.clone() });
    }
    let viewer = Viewer::new(&application, &cloud, Display::choose(args.json));
    let viewer = viewer.with_hints(cloud.endpoint_url());
    let mut started = cloud.states().subscribe();
    let arn = test_case.map_or_else(|| machine.arn.clone(), |test_case| format!("{}#{test_case}", machine.arn));
    let running = cloud.states().start(&arn, start)?;
    if args.json {
        let arn = &*running.identity().arn;
        print(serde_json::json!({ "executionArn": arn, "endpointUrl": cloud.endpoint_url() }));
    }
    let watched = viewer.watch(&running, &machine.logical_id, &mut started, &mut stop).await;
    tell_left(&cloud, &args.run);
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

/// Whether an execution of this name is one that an earlier run has left, and that nobody lets go on here.
fn is_left(cloud: &LocalCloud, machine: &sam::StateMachine, name: &str) -> Result<bool, Error> {
    let wanted = Wanted { machine_arn: &machine.arn, status: Some(Status::Running), ..Wanted::default() };
    let running = cloud.states().executions_of(wanted, Executions::NO_LIMIT)?;
    Ok(running.iter().any(|execution| execution.arn.rsplit(':').next() == Some(name)))
}

fn no_state_machine(name: &str, application: &Application) -> Error {
    let kind = "state machine";
    let is_named = |function: &&Function| [&*function.logical_id, &*function.name].contains(&name);
    if let Some(function) = application.functions.iter().find(is_named) {
        let command = format!("invoke {} --event JSON", function.logical_id);
        return Error::OfAnotherKind { kind, name: name.to_owned(), is: "function", command };
    }
    let known = application.state_machines.iter().map(|machine| machine.logical_id.clone()).collect();
    Error::Unknown { kind, name: name.to_owned(), known }
}

//! `stairwell validate`

use std::process::ExitCode;

use clap::Args;
use cloud::{
    local::{LocalCloud, Options},
    states::StateMachine,
};
use sam::Application;

use crate::{
    error::Error,
    left_out,
    problems::{self, InDefinitions, Problem},
    project::{TemplateArgs, tell_notices},
    report,
    terminal::{DIM, GREEN, RED, counted, painted, print},
};

/// Check the template and its state machines together
///
/// Finds what `sam validate` does not: a `Next` that names no state, a substitution that is missing, a function that does
/// not exist, a state that nothing leads to. Tells every problem with its place. Exits with 1 if there is an error.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell validate
  stairwell validate -t service/template.yaml --parameter-overrides Stage=prod
  stairwell validate --json | jq '.[] | .message'")]
pub struct ValidateArgs {
    #[command(flatten)]
    template: TemplateArgs,

    /// Tell each thing of the template that is left out here, with the reason
    #[arg(short, long)]
    verbose: bool,

    /// A JSON array of problems on standard output
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(args: &ValidateArgs) -> Result<ExitCode, Error> {
    let template = args.template.file()?;
    let (problems, left_out, summary) = match args.template.load() {
        Ok(application) => {
            tell_notices(&application);
            let mut problems = Vec::new();
            let mut places = InDefinitions::of(&application);
            for described in &application.state_machines {
                match StateMachine::load(described, &application.functions) {
                    Ok(machine) => {
                        let found = machine.warnings.iter();
                        problems.extend(found.map(|found| places.problem(&described.logical_id, found)));
                    }
                    Err(errors) => problems.extend(errors.iter().map(|error| places.error(error))),
                }
            }
            if !problems.iter().any(Problem::is_error) {
                problems.extend(refused(&application).await);
            }
            let (functions, machines) = (application.functions.len(), application.state_machines.len());
            (
                problems,
                application.left_out,
                format!("{}, {}", counted(functions, "function"), counted(machines, "state machine")),
            )
        }
        Err(Error::Project { problems, .. })
            if problems.iter().any(|one| one.is_error() && one.is_of_the_project()) =>
        {
            (problems, Vec::new(), String::new())
        }
        Err(error) => return Err(error),
    };
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    if args.json {
        let left_out = left_out.iter().map(problems::left_out_json);
        let problems =
            serde_json::Value::from(problems.iter().map(Problem::to_json).chain(left_out).collect::<Vec<_>>());
        print(format_args!("{problems:#}"));
    } else {
        for problem in &problems {
            anstream::eprintln!("{}", report(problem));
        }
        if args.verbose {
            left_out::tell(left_out.iter());
        } else if !left_out.is_empty() {
            left_out::tell_types(left_out.iter());
            anstream::eprintln!("  {}", painted(DIM, "`stairwell validate -v` tells the places and the reasons"));
        }
        let template = template.display();
        match errors {
            0 => anstream::eprintln!("{} {template} is fine: {summary}", painted(GREEN, "✓")),
            count => anstream::eprintln!("{} {template} has {}", painted(RED, "✗"), counted(count, "error")),
        }
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a service refuses of what the template describes: the local cloud is started with it, and stopped. Nothing is built,
/// called or kept.
async fn refused(application: &Application) -> Option<Problem> {
    let never_called = std::env::current_exe().unwrap_or_default();
    let executables = application.functions.iter().map(|function| (function.name.clone(), never_called.clone()));
    match LocalCloud::start(application, &executables.collect(), Options::default()).await {
        Ok(cloud) => {
            cloud.shutdown().await;
            None
        }
        Err(error) => Some(Problem::of_start(&error)),
    }
}

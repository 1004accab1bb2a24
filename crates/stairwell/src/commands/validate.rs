//! `stairwell validate`

use std::{path::Path, process::ExitCode};

use clap::Args;
use cloud::states::StateMachine;
use sam::{Application, LeftOut, LoadError, LoadOptions};

use crate::{
    error::Error,
    left_out,
    problems::{self, InDefinitions, Problem},
    project::{TemplateArgs, in_definitions, of_functions},
    refused::refused,
    report,
    terminal::{DIM, GREEN, RED, YELLOW, counted, painted, print},
};

/// Check the template and its state machines together
///
/// Finds what `sam validate` does not: a `Next` that names no state, a substitution that is missing, a function that does
/// not exist or whose handler is not there, a state that nothing leads to. Tells every problem with its place, and what of the
/// template is not emulated here. Builds and runs nothing.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell validate
  stairwell validate -t service/template.yaml --parameter-overrides Stage=prod
  stairwell validate -t statemachines/orders.asl.json    # a definition alone
  stairwell validate --json | jq '.[] | select(.severity == \"ERROR\") | .message'

Exit status: 0 when there is no error (a warning is none), 1 when there is one, 2 when nothing could be checked.")]
pub struct ValidateArgs {
    #[command(flatten)]
    template: TemplateArgs,

    /// Tell each thing of the template that is not emulated here, with its place and the reason
    #[arg(short, long)]
    verbose: bool,

    /// A JSON array on standard output; the severity of each is `ERROR`, `WARNING` or `NOT_EMULATED`
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(args: &ValidateArgs) -> Result<ExitCode, Error> {
    let template = args.template.file()?;
    let found = match sam::load_definition(&template, &LoadOptions::default()) {
        Some(definition) => Found::in_definition(definition),
        None => Found::in_template(&args.template).await?,
    };
    if args.json {
        print(format_args!("{:#}", found.to_json()));
    } else {
        found.tell(&template, args.verbose);
    }
    Ok(if found.count(Problem::is_error) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was looked at, and what is to be said of it.
struct Found {
    problems: Vec<Problem>,
    left_out: Vec<LeftOut>,
    summary: String,
}

impl Found {
    async fn in_template(template: &TemplateArgs) -> Result<Self, Error> {
        let application = match template.load() {
            Ok(application) => application,
            Err(Error::Project { mut problems, read, .. })
                if problems.iter().any(|one| one.is_error() && one.is_of_the_project()) =>
            {
                if let Some(read) = read {
                    let runnable = Application { state_machines: Vec::new(), ..*read };
                    // What has no place may only follow from what could not be read.
                    problems.extend(refused(runnable).await.into_iter().filter(Problem::is_of_the_project));
                }
                return Ok(Self { problems, left_out: Vec::new(), summary: String::new() });
            }
            Err(error) => return Err(error),
        };
        let mut problems = of_functions(&application);
        let mut runnable = application.clone();
        let mut places = InDefinitions::of(&application);
        runnable.state_machines.retain(|described| match StateMachine::load(described, &application.functions) {
            Ok(machine) => {
                let found = machine.warnings.iter();
                problems.extend(found.map(|found| places.problem(&described.logical_id, found)));
                true
            }
            Err(errors) => {
                problems.extend(errors.iter().map(|error| places.error(error)));
                false
            }
        });
        problems.extend(refused(runnable).await);
        let (functions, machines) = (application.functions.len(), application.state_machines.len());
        let summary = format!("{}, {}", counted(functions, "function"), counted(machines, "state machine"));
        Ok(Self { problems, left_out: application.left_out, summary })
    }

    /// In a definition without its template: what is open in it is not looked at.
    fn in_definition(definition: Result<Application, LoadError>) -> Self {
        let problems = match definition {
            Ok(application) => not_emulated(&application).unwrap_or_else(|| in_definitions(&application)),
            Err(error) => error.problems.iter().map(Problem::of_template).collect(),
        };
        let summary =
            "a definition, looked at alone. Name its template to check what it calls, and what is to be put in";
        Self { problems, left_out: Vec::new(), summary: summary.to_owned() }
    }

    fn count(&self, is: impl Fn(&Problem) -> bool) -> usize {
        self.problems.iter().filter(|problem| is(problem)).count()
    }

    fn to_json(&self) -> serde_json::Value {
        let left_out = self.left_out.iter().map(problems::left_out_json);
        self.problems.iter().map(Problem::to_json).chain(left_out).collect()
    }

    fn tell(&self, file: &Path, verbose: bool) {
        for problem in &self.problems {
            if problem.is_of_the_project() || problem.is_error() {
                crate::tell!("{}", report(problem));
            } else {
                problem.tell();
            }
        }
        if verbose {
            left_out::tell(self.left_out.iter());
        } else if !self.left_out.is_empty() {
            left_out::tell_types(self.left_out.iter());
            crate::tell!("  {}", painted(DIM, "`stairwell validate -v` tells the places and the reasons"));
        }
        let file = file.display();
        let (errors, warnings) = (self.count(Problem::is_error), self.count(|problem| !problem.is_error()));
        let and_warnings = |and: &str| match warnings {
            0 => String::new(),
            warnings => format!("{and}{}", painted(YELLOW, counted(warnings, "warning"))),
        };
        match errors {
            0 => {
                crate::tell!("{} {file} is fine: {}{}", painted(GREEN, "✓"), self.summary, and_warnings("; "));
            }
            errors => {
                let errors = counted(errors, "error");
                crate::tell!("{} {file} has {errors}{}", painted(RED, "✗"), and_warnings(" and "));
            }
        }
    }
}

/// What is to be said of the state machine of a definition that could run as it is: also which states can't do here what they
/// do in AWS. None where something is open in it.
fn not_emulated(application: &Application) -> Option<Vec<Problem>> {
    let described =
        application.state_machines.first().filter(|machine| !machine.definition.to_string().contains("${"))?;
    let machine = StateMachine::load(described, &application.functions).ok()?;
    let mut places = InDefinitions::of(application);
    Some(machine.warnings.iter().map(|found| places.problem(&described.logical_id, found)).collect())
}

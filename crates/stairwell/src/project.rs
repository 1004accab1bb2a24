//! A project on its way to running: its template read, its functions built, its local cloud started.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use cloud::{
    lambda::{BuildEvent, BuildOptions, build},
    local::{LocalCloud, Options, StartError},
    place::Place,
    states::{LoadError, StateMachine},
};
use sam::{Application, LoadOptions};

use crate::{
    error::Error,
    problems::Problem,
    terminal::{DIM, GREEN, Spinner, counted, painted},
};

/// The port of the local cloud where the user names none.
pub const DEFAULT_PORT: u16 = 4566;

/// The template, and how it is read.
#[derive(Args, Debug, Clone)]
pub struct TemplateArgs {
    /// The SAM template
    #[arg(short, long, default_value = "template.yaml", value_name = "FILE")]
    pub template: PathBuf,

    /// Values of the template's parameters, over their defaults; more than once, or several in quotes
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ' ')]
    pub parameter_overrides: Vec<String>,
}

/// How the functions are built, and where data is kept.
#[derive(Args, Debug, Clone)]
pub struct RunArgs {
    /// Keep nothing: data goes when the command ends
    #[arg(long)]
    pub ephemeral: bool,

    /// Where data is kept: a folder below the current one by default, whatever the template; delete it to start over
    #[arg(long, default_value = ".stairwell", value_name = "FOLDER", conflicts_with = "ephemeral")]
    pub data: PathBuf,

    /// Build the functions with the release profile
    #[arg(long)]
    pub release: bool,

    /// Skip Wait states and the delays of retries: time jumps ahead when nothing is under way. Time-outs count as ever
    #[arg(long)]
    pub fast: bool,
}

impl TemplateArgs {
    /// Reads the template and everything it leads to, and checks its state machines: before anything is built for
    /// minutes.
    pub fn load_checked(&self) -> Result<Application, Error> {
        let application = self.load()?;
        let loaded =
            application.state_machines.iter().map(|machine| StateMachine::load(machine, &application.functions));
        let errors: Vec<LoadError> = loaded.filter_map(Result::err).flatten().collect();
        if errors.is_empty() { Ok(application) } else { Err(not_runnable(&application, &errors)) }
    }

    /// Reads the template and everything it leads to.
    pub fn load(&self) -> Result<Application, Error> {
        let mut parameters = BTreeMap::new();
        for pair in &self.parameter_overrides {
            let (name, value) = pair.split_once('=').ok_or_else(|| Error::Override(pair.clone()))?;
            parameters.insert(name.to_owned(), value.to_owned());
        }
        let options = LoadOptions { parameters, ..LoadOptions::default() };
        sam::load(&self.template, &options).map_err(|error| {
            let mut problems: Vec<_> = error.problems.iter().map(Problem::of_template).collect();
            problems.extend(error.read.iter().flat_map(|application| in_definitions(application)));
            Error::Project { template: error.template, problems }
        })
    }
}

/// Builds an application's functions and starts its local cloud. What of this machine it needs is taken before the build.
pub async fn launch(application: &Application, args: &RunArgs, port: u16) -> Result<LocalCloud, Error> {
    let place = Place::take(Options {
        port,
        folder: (!args.ephemeral).then(|| args.data.clone()),
        region: sam::REGION.to_owned(),
        account: sam::ACCOUNT.to_owned(),
        skip_waits: args.fast,
    })?;
    let executables = build_functions(application, args.release).await?;
    LocalCloud::start_at(place, application, &executables).await.map_err(|error| match error {
        StartError::StateMachines(errors) => not_runnable(application, &errors),
        error => Error::Start(error),
    })
}

/// Tells of the executions that go on while the local cloud stops.
pub fn tell_left(cloud: &LocalCloud, args: &RunArgs) {
    let becomes = if args.ephemeral { "given up" } else { "left to go on with the next `stairwell up`" };
    match cloud.states().running() {
        0 => {}
        1 => anstream::eprintln!("1 execution still runs; it is {becomes}"),
        count => anstream::eprintln!("{count} executions still run; they are {becomes}"),
    }
}

/// Builds the functions, with a spinner that tells how far it is.
async fn build_functions(application: &Application, release: bool) -> Result<BTreeMap<String, PathBuf>, Error> {
    let color = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let spinner = Spinner::turning("Building the functions");
    let mut compiled = 0;
    let executables = build(
        &application.functions,
        BuildOptions { release, color, ..BuildOptions::default() },
        |event| match event {
            BuildEvent::Started { functions, .. } => {
                spinner.show(format!("Building {}", counted(functions.len(), "function")));
            }
            BuildEvent::Compiled { package, count } => {
                compiled = count;
                spinner.show(format!("Building the functions: {count} targets compiled, last {package}"));
            }
            BuildEvent::Message(line) => spinner.show(line.trim().to_owned()),
            BuildEvent::Finished { took, .. } => {
                spinner.clear();
                let took = painted(DIM, format_args!("in {:.1} s", took.as_secs_f64()));
                let what = match compiled {
                    0 => "The functions are up to date".to_owned(),
                    count => format!("Built the functions, {}", counted(count, "target")),
                };
                anstream::eprintln!("{} {what} {took}", painted(GREEN, "✓"));
            }
        },
    )
    .await?;
    Ok(executables)
}

/// What is wrong in the definitions of a template that has problems of its own. What they call is not looked at: it may be
/// what could not be read.
fn in_definitions(application: &Application) -> Vec<Problem> {
    let found = application.state_machines.iter().flat_map(|machine| {
        let diagnostics = asl::compile::compile(&asl::Value::from(&machine.definition)).diagnostics;
        diagnostics.into_iter().map(|found| Problem::of_definition(application, &machine.logical_id, &found))
    });
    found.collect()
}

fn not_runnable(application: &Application, errors: &[LoadError]) -> Error {
    let problems = errors.iter().map(|error| Problem::of_state_machine(application, error)).collect();
    Error::Project { template: application.template.clone(), problems }
}

/// The JSON document that an argument gives: a file's path, `-` for standard input, or the document itself.
pub fn document(argument: &str) -> Result<String, Error> {
    let (what, text) = if argument == "-" {
        let what = "standard input".to_owned();
        (what.clone(), std::io::read_to_string(std::io::stdin()).map_err(|source| Error::Read { what, source })?)
    } else if Path::new(argument).exists() {
        let what = argument.to_owned();
        (what.clone(), std::fs::read_to_string(argument).map_err(|source| Error::Read { what, source })?)
    } else {
        // No such file: the JSON itself, or neither, which the message tells.
        (format!("'{argument}' names no file, and it"), argument.to_owned())
    };
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        Err(source) => Err(Error::NotJson { what, source }),
    }
}

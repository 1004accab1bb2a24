//! A project on its way to running: its template read, its functions built, its local cloud started.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use asl::{
    Diagnostic, Value,
    compile::{Code, without_consequences},
};
use aws_config::BehaviorVersion;
use clap::Args;
use cloud::{
    elsewhere::Elsewhere,
    lambda::{BuildOptions, build, notices},
    local::{LocalCloud, Options, StartError},
    place::{Place, PlaceError},
    server::{Reserved, Server},
    states::{LoadError, StateMachine},
};
use engine::mock::MockConfig;
use indexmap::IndexMap;
use sam::{Application, Function, LoadOptions};

use crate::{
    error::Error,
    needed::{Needed, builder},
    problems::{InDefinitions, Problem},
    refused::refusal,
    signals::{Stop, Stopped, unless_stopped},
    terminal::{BuildProgress, DIM, YELLOW, is_plain, painted},
};

/// The port of the local cloud where the user names none.
pub const DEFAULT_PORT: u16 = 4566;

/// The template, and how it is read.
#[derive(Args, Debug, Clone)]
pub struct TemplateArgs {
    /// The SAM template, or the folder that it is in [default: template.yaml, .yml or .json in the current folder]
    #[arg(short, long, value_name = "FILE")]
    template: Option<PathBuf>,

    /// A value for a parameter of the template, in place of its default; repeat it, or give several in quotes with blanks between
    /// them. `samconfig.toml` is not read
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ' ')]
    parameter_overrides: Vec<String>,
}

/// The names that the template has where the user names none, as the SAM command line looks for them.
const TEMPLATES: [&str; 3] = ["template.yaml", "template.yml", "template.json"];

/// How the functions are built, and where data is kept.
#[derive(Args, Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct RunArgs {
    /// Where data is kept, relative to the current folder; `stairwell reset` empties it
    #[arg(long, default_value = ".stairwell", value_name = "FOLDER", conflicts_with = "ephemeral")]
    pub data: PathBuf,

    /// Keep no data after the command ends
    #[arg(long)]
    pub ephemeral: bool,

    /// Start without the data of files that are broken. Each is kept, under another name
    #[arg(long, conflicts_with = "ephemeral")]
    pub set_aside_broken: bool,

    /// Build the functions with the release profile
    #[arg(long)]
    pub release: bool,

    /// Skip Wait states and the delays of retries: time jumps ahead when nothing is under way, but not for an execution that
    /// waits for a callback or for a worker of an activity. Timeouts still apply; durations in which time was skipped are shown as virtual
    #[arg(long)]
    pub fast: bool,
}

/// What may be reached beyond this machine: nothing, unless the user says so.
#[derive(Args, Debug, Clone, Default)]
pub struct ReachArgs {
    /// Let requests to a service that is not emulated go on to your own account, with the credentials of your AWS profile.
    /// SERVICE is the service's name in its address: rekognition. One that signs by another name has that after a colon:
    /// bedrock-runtime:bedrock. Functions never see the credentials
    #[arg(long, value_name = "SERVICE")]
    pub forward: Vec<String>,

    /// Let HTTP tasks call addresses beyond this machine. The credentials of their connections are not sent
    #[arg(long)]
    pub allow_network: bool,
}

impl ReachArgs {
    /// The real services that requests go on to.
    async fn elsewhere(&self) -> Result<Option<Arc<Elsewhere>>, Error> {
        if self.forward.is_empty() {
            return Ok(None);
        }
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let credentials = config.credentials_provider().ok_or(Error::NoCredentials)?;
        let region = config.region().map_or(sam::REGION, |region| region.as_ref());
        // As the AWS clients have it: AWS_ENDPOINT_URL_REKOGNITION. What holds for all services may be the local cloud itself.
        let address = |service: &str| {
            let name = service.to_uppercase().replace(['-', '.'], "_");
            std::env::var(format!("AWS_ENDPOINT_URL_{name}")).ok()
        };
        Ok(Some(Arc::new(Elsewhere::new(&self.forward, region, credentials, address)?)))
    }
}

/// What answers in place of services.
#[derive(Args, Debug, Clone)]
pub struct MockArgs {
    /// Answers in place of services, in the format of MockConfigFile.json of Step Functions Local. An execution gets those
    /// of the test case whose name follows '#' after its state machine
    #[arg(long, value_name = "FILE")]
    pub mocks: Option<PathBuf>,
}

impl MockArgs {
    /// Reads the mocks, where a file of them is named.
    pub fn read(&self) -> Result<Option<Arc<MockConfig>>, Error> {
        let Some(file) = &self.mocks else { return Ok(None) };
        let what = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => Error::NoMocks { file: file.clone() },
            _ => Error::Read { what: what.clone(), source },
        })?;
        let config = Value::parse(&text).map_err(|source| Error::NotJson { what, source })?;
        let config = MockConfig::parse(&config).map_err(|error| Error::Mocks { file: file.clone(), error })?;
        Ok(Some(Arc::new(config)))
    }
}

impl TemplateArgs {
    /// The template's file. A folder stands for the template in it.
    pub fn file(&self) -> Result<PathBuf, Error> {
        let folder = match &self.template {
            Some(path) if path.is_dir() => path.as_path(),
            Some(path) if path.exists() => return Ok(path.clone()),
            Some(path) => return Err(Error::NoSuchTemplate { file: path.clone() }),
            None => Path::new(""),
        };
        let files = TEMPLATES.map(|name| folder.join(name));
        let tried = files.iter().map(|file| file.display().to_string()).collect();
        files.into_iter().find(|file| file.is_file()).ok_or(Error::NoTemplate { tried })
    }

    /// Reads the template and everything it leads to, and checks its state machines: before anything is built for
    /// minutes. Tells which states can't do here what they do in AWS, of the machines that are `run`. Addresses in it are
    /// those of the port.
    pub fn load_checked(
        &self,
        port: &Reserved,
        run: impl Fn(&sam::StateMachine) -> bool,
    ) -> Result<Application, Error> {
        let application = self.load_with(LoadOptions { endpoint: port.url(), ..LoadOptions::default() })?;
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        for described in &application.state_machines {
            match StateMachine::load(described, &application.functions) {
                Ok(machine) => {
                    let is_told = |found: &&Diagnostic| found.code == Code::NotEmulated && run(described);
                    let found = machine.warnings.iter().filter(is_told);
                    warnings.extend(found.map(|found| (described.logical_id.as_str(), found.clone())));
                }
                Err(found) => errors.extend(found),
            }
        }
        if !errors.is_empty() {
            return Err(not_runnable(&application, &errors));
        }
        // In a line each: what is warned of may be an option that is off. `validate` shows the places.
        told_once(&warnings).iter().for_each(Problem::tell);
        // And of functions that can't run here as they would in AWS, or not at all. Others may run all the same.
        for notice in notices(&application.functions) {
            crate::tell!("{} {notice}", painted(YELLOW, "notice:"));
        }
        Ok(application)
    }

    /// Reads the template and everything it leads to.
    pub fn load(&self) -> Result<Application, Error> {
        self.load_with(LoadOptions::default())
    }

    fn load_with(&self, options: LoadOptions) -> Result<Application, Error> {
        let mut parameters = BTreeMap::new();
        for pair in &self.parameter_overrides {
            let (name, value) = pair.split_once('=').ok_or_else(|| Error::Override(pair.clone()))?;
            parameters.insert(name.to_owned(), value.to_owned());
        }
        let options = LoadOptions { parameters, ..options };
        sam::load(&self.file()?, &options).map_err(|error| {
            let mut problems: Vec<_> = error.problems.iter().map(Problem::of_template).collect();
            problems.extend(error.read.iter().flat_map(|application| in_definitions(application)));
            problems.extend(error.unread.iter().map(|machine| Problem::not_checked(machine)));
            let notices = error.read.iter().flat_map(|application| of_functions(application));
            problems.extend(notices);
            Error::Project { template: error.template, problems, read: error.read }
        })
    }
}

/// Takes a port of this machine, which the template's addresses name: 0 stands for any. Must be called inside a Tokio
/// runtime.
pub fn take_port(port: u16) -> Result<Reserved, Error> {
    let taken = Server::reserve(Server::loopback(port));
    taken.map_err(|error| Error::Place(PlaceError::Bind(error)))
}

/// Builds what is needed of an application's functions and starts its local cloud, unless a stop is asked for before. The folder
/// of its data is taken before the build.
pub async fn launch(
    application: &Application,
    needed: Needed<'_>,
    args: &RunArgs,
    port: Reserved,
    mocks: Option<Arc<MockConfig>>,
    reach: &ReachArgs,
    stop: &mut Stop,
) -> Result<LocalCloud, Error> {
    let (now, later) = needed.of(application);
    let options = Options {
        port: port.address().port(),
        folder: (!args.ephemeral).then(|| args.data.clone()),
        region: sam::REGION.to_owned(),
        account: sam::ACCOUNT.to_owned(),
        skip_waits: args.fast,
        mocks,
        elsewhere: reach.elsewhere().await?,
        network: reach.allow_network,
        set_aside_broken: args.set_aside_broken,
        builder: (!later.is_empty()).then(|| builder(args.release)),
    };
    let place = Place::take_with(port, options)?;
    let starting = async {
        let executables = build_functions(&now, args.release).await?;
        LocalCloud::start_at(place, application, &executables).await.map_err(|error| match error {
            StartError::StateMachines(errors) => not_runnable(application, &errors),
            error => match refusal(application, &error) {
                Some(problem) => {
                    let template = application.template.clone();
                    Error::Project { template, problems: vec![problem], read: None }
                }
                None => Error::Start(error),
            },
        })
    };
    unless_stopped(stop, starting).await.map_err(|Stopped| Error::Stopped)?
}

/// Tells of the executions of an earlier runner that this one leaves as they are.
pub fn tell_waiting(cloud: &LocalCloud, args: &RunArgs) -> Result<(), Error> {
    let data = args.data.display();
    let text = match cloud.states().left()? {
        0 => return Ok(()),
        1 => format!("1 execution of an earlier run waits in {data}; `stairwell up` lets it go on"),
        count => format!("{count} executions of earlier runs wait in {data}; `stairwell up` lets them go on"),
    };
    crate::tell!("{}", painted(DIM, text));
    Ok(())
}

/// Tells of the executions that go on while the local cloud stops.
pub fn tell_left(cloud: &LocalCloud, args: &RunArgs) {
    let becomes = if args.ephemeral { "given up" } else { "left to go on with the next `stairwell up`" };
    match cloud.states().running() {
        0 => {}
        1 => crate::tell!("1 execution still runs; it is {becomes}"),
        count => crate::tell!("{count} executions still run; they are {becomes}"),
    }
}

/// Builds the functions, and tells how far it is.
async fn build_functions(functions: &[Function], release: bool) -> Result<BTreeMap<String, PathBuf>, Error> {
    let mut progress = BuildProgress::new();
    Ok(build(functions, build_options(release), |event| progress.take(event)).await?)
}

/// How functions are built for somebody who looks on.
pub fn build_options(release: bool) -> BuildOptions {
    BuildOptions { release, color: !is_plain(), ..BuildOptions::default() }
}

/// What somebody should know of an application's functions.
pub fn of_functions(application: &Application) -> Vec<Problem> {
    notices(&application.functions).iter().map(|notice| Problem::of_notice(notice, application)).collect()
}

/// What is found in the definitions of state machines, without its places: what several states have is told once.
fn told_once(found: &[(&str, Diagnostic)]) -> Vec<Problem> {
    let mut machines: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for (machine, found) in found {
        machines.entry(&found.message).or_default().push(machine);
    }
    machines.into_iter().map(|(message, machines)| Problem::of_states(message, &machines)).collect()
}

/// What is wrong in the definitions of a template that has problems of its own. What they call is not looked at: it may be
/// what could not be read. A `${Name}` that has no value is no value of a field, and has a problem of its own.
pub fn in_definitions(application: &Application) -> Vec<Problem> {
    let mut places = InDefinitions::of(application);
    let found = application.state_machines.iter().flat_map(|machine| {
        let diagnostics = asl::compile::compile(&asl::Value::from(&machine.definition)).diagnostics;
        let diagnostics = without_consequences(diagnostics);
        let problems: Vec<_> = diagnostics.iter().map(|found| places.problem(&machine.logical_id, found)).collect();
        // What is left in the definition after its substitutions has no value.
        let definition = machine.definition.to_string();
        let is_open = move |shown: &str| placeholders(shown).any(|placeholder| definition.contains(placeholder));
        problems.into_iter().filter(move |problem| !problem.shown().is_some_and(&is_open))
    });
    found.collect()
}

/// The `${Name}`s of a text; none of a list or a map, of which they are a part only.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    let scalar = if text.starts_with(['{', '[']) { "" } else { text };
    scalar.match_indices("${").filter_map(|(start, _)| {
        let rest = scalar.get(start..)?;
        rest.get(..=rest.find('}')?)
    })
}

fn not_runnable(application: &Application, errors: &[LoadError]) -> Error {
    let mut places = InDefinitions::of(application);
    let problems = errors.iter().map(|error| places.error(error)).collect();
    Error::Project { template: application.template.clone(), problems, read: None }
}

/// The JSON document that an option's argument gives: a file's path, `-` for standard input, or the document itself.
pub fn document(option: &'static str, argument: &str) -> Result<String, Error> {
    let (what, text) = if argument == "-" {
        let what = "standard input".to_owned();
        let text = std::io::read_to_string(std::io::stdin());
        let text = text.map_err(|source| Error::Read { what: what.clone(), source })?;
        if text.trim().is_empty() {
            return Err(Error::NoInput { option });
        }
        (what, text)
    } else if Path::new(argument).exists() {
        let what = argument.to_owned();
        (what.clone(), std::fs::read_to_string(argument).map_err(|source| Error::Read { what, source })?)
    } else {
        (format!("the argument of {option}"), argument.to_owned())
    };
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        // What begins like no document is the name of a file that is not there.
        Err(_) if text == argument && !text.trim_start().starts_with(['{', '[', '"']) => {
            Err(Error::NoDocument { argument: argument.to_owned(), option })
        }
        Err(source) => Err(Error::NotJson { what, source }),
    }
}

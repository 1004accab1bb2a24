//! `stairwell demo`

use std::{io::IsTerminal, path::PathBuf, process::ExitCode};

use clap::Args;

use crate::{
    demo::{
        answers::Answers,
        plan::{End, Plan, plan},
        produced::{Chosen, Produced},
        script::{self, Script},
        steps::{Shown, Stage, Undone, Verdict},
    },
    error::{Error, called},
    left_out,
    needed::Needed,
    project::{ReachArgs, RunArgs, TemplateArgs, launch, take_port, tell_waiting},
    signals::{STOPPED, Stop, stop_asked},
    terminal::{BOLD, DIM, Display, GREEN, RED, Viewer, YELLOW, painted},
};

/// Show the application at work: build it, run its workflows on real files and events, tell what was produced
///
/// What is shown is told by a script of the application's own, demo.json: files that are put into buckets, requests,
/// executions, and how each ends. Where an execution waits for a person, you are asked at a terminal; without one, or with
/// --auto, the demo answers by itself. Data of earlier demos stay; with --ephemeral it begins with nothing.
#[derive(Args, Debug)]
#[command(after_long_help = AFTER_HELP)]
pub struct DemoArgs {
    /// The workflows to show, by their names in the script [default: all]
    #[arg(value_name = "WORKFLOW")]
    workflows: Vec<String>,

    /// The script that says what is shown; its form is below
    #[arg(long, default_value = "demo.json", value_name = "FILE")]
    script: PathBuf,

    /// Answer by itself what executions ask a person
    #[arg(long)]
    auto: bool,

    /// Name everything that was produced
    #[arg(short, long)]
    verbose: bool,

    /// What the answers of --auto are drawn by: another number gives others
    #[arg(long, default_value_t = 2, value_name = "NUMBER")]
    seed: u64,

    #[command(flatten)]
    template: TemplateArgs,

    #[command(flatten)]
    run: RunArgs,

    /// JSON Lines on standard output: every history event, and how each execution ended
    #[arg(long)]
    json: bool,
}

/// Examples, the form of a script, and the exit statuses.
const AFTER_HELP: &str = "\
Examples:
  stairwell demo
  stairwell demo hello-world
  stairwell demo --ephemeral --script service/demo.json -t service/template.yaml

A script is a JSON object of workflows by name; a KEY is that of a resource of the template:
  { NAME: { \"title\": TEXT, \"steps\": [STEP, …], \"produces\": { KEY: [END OF A NAME, …] } } }
  What it `produces` are the objects that are named at the end: by their buckets, and how their names end.
A STEP says what is done, and how the execution ends that comes of it:
  { \"title\": TEXT, \"do\": DEED,
    \"expect\": { \"stateMachine\": KEY, \"status\": \"SUCCEEDED\", \"state\": NAME, \"again\": NAME } }
  The state is the one that it ends in, `again` the one where an earlier demo has left its data. Both may be left out.
A DEED is one of these; files are named from the script's folder, and `body` and `input` may be JSON objects themselves:
  { \"put\": { \"bucket\": KEY, \"key\": TEXT, \"file\": FILE } }
  { \"request\": { \"api\": KEY, \"method\": \"POST\", \"path\": TEXT, \"body\": FILE } }
  { \"start\": { \"input\": FILE } }
Where the execution waits for a person, the step has no status, but beside its DEED a question:
  \"ask\": { \"state\": NAME, \"question\": TEXT, \"answers\": [ANSWER, …] }
  An ANSWER is { \"title\": TEXT, \"do\": DEED, \"status\": \"SUCCEEDED\" }.
In all texts ${demo} stands for six characters that are others in each demo, for names that must be new.

Exit status: 0 when all executions ended as the script says, 1 when one did not, 2 when a step could not be carried out, 130 \
when it was stopped (Ctrl-C).";

/// Runs the command.
pub async fn run(args: &DemoArgs) -> Result<ExitCode, Error> {
    let port = take_port(0)?;
    // What can't be done here shows itself where a step leads to it.
    let application = args.template.load_checked(&port, |_| false)?;
    let script = chosen(script::read(&args.script)?, &args.workflows)?;
    let plan = plan(&script, &args.script, &application)?;
    let mut stop = stop_asked().map_err(Error::Runtime)?;
    let has_earlier = !args.run.ephemeral && args.run.data.exists();
    let cloud = launch(&application, Needed::All, &args.run, port, None, &ReachArgs::default(), &mut stop).await?;
    crate::tell!("{} The local cloud answers at {}", painted(GREEN, "✓"), cloud.endpoint_url());
    if has_earlier {
        let data = args.run.data.display();
        crate::tell!("  It has the data of earlier runs, from {data}, so what is made now may be there already");
        crate::tell!("  With `--ephemeral` it begins with nothing");
    }
    let produced = Produced::since_now(&application, &cloud).await;
    let (answers, display) = answers_and_display(args, &plan);
    let viewer = Viewer::new(&application, &cloud, display);
    let stage = Stage { cloud: &cloud, script: &args.script, has_earlier, viewer, answers };
    left_out::tell_count(application.left_out.len());
    tell_waiting(&cloud, &args.run)?;
    let results = perform(&plan, &stage, &mut stop).await;
    produced.tell(&application, &cloud, &chosen_objects(args.verbose, &plan), !args.run.ephemeral).await;
    tell(&results, has_earlier);
    cloud.shutdown().await;
    status(results)
}

/// Who answers, and how executions are shown: a tree that is redrawn would be in the way of somebody who types.
fn answers_and_display(args: &DemoArgs, plan: &Plan<'_>) -> (Answers, Display) {
    let display = Display::choose(args.json);
    let asks = plan.iter().flat_map(|act| &act.scenes).any(|scene| matches!(scene.end, End::Asked(_)));
    if args.auto || args.json || !asks || !std::io::stdin().is_terminal() {
        return (Answers::drawn(args.seed), display);
    }
    (Answers::asked(args.seed), Display::Plain)
}

/// How many objects are named where the script does not say which matter.
const OBJECTS: usize = 10;

fn chosen_objects<'p>(all: bool, plan: &'p Plan<'_>) -> Chosen<'p> {
    let highlights: Vec<_> = plan.iter().flat_map(|act| &act.produces).collect();
    match highlights.is_empty() {
        _ if all => Chosen::All,
        true => Chosen::First(OBJECTS),
        false => Chosen::Only(highlights),
    }
}

/// What came of each step that was begun, with its title.
type Results<'p> = Vec<(&'p str, Result<Shown, Undone>)>;

/// Carries out every step, up to one that can't be.
async fn perform<'p>(plan: &Plan<'p>, stage: &Stage<'_>, stop: &mut Stop) -> Results<'p> {
    let mut results = Vec::new();
    for act in plan {
        crate::tell!("\n{}", painted(BOLD, act.title));
        for scene in &act.scenes {
            crate::tell!("\n{} {}", painted(DIM, "»"), scene.title);
            let shown = stage.perform(scene, stop).await;
            let undone = shown.is_err();
            results.push((scene.title, shown));
            if undone {
                return results;
            }
        }
    }
    results
}

/// The status of all: that of a step that could not be carried out, or whether all ended as they should.
fn status(results: Results<'_>) -> Result<ExitCode, Error> {
    let mut status = ExitCode::SUCCESS;
    for (_, result) in results {
        match result {
            Ok(shown) if shown.is_otherwise() => status = ExitCode::FAILURE,
            Ok(_) => {}
            Err(Undone::Stopped) => return Ok(ExitCode::from(STOPPED)),
            Err(Undone::Failed(error)) => return Err(error),
        }
    }
    Ok(status)
}

fn chosen(mut script: Script, names: &[String]) -> Result<Script, Error> {
    if let Some(unknown) = names.iter().find(|name| !script.contains_key(*name)) {
        let known = script.keys().cloned().collect();
        return Err(Error::Unknown { kind: "workflow", name: unknown.clone(), known });
    }
    script.retain(|name, _| names.is_empty() || names.contains(name));
    Ok(script)
}

fn tell(results: &Results<'_>, has_earlier: bool) {
    crate::tell!("\n{}", painted(BOLD, "How it went"));
    let stairwell = called();
    for (title, result) in results {
        let (sign, what) = match result {
            Ok(shown) => {
                let (sign, expected) = match &shown.verdict {
                    Verdict::AsExpected => (painted(GREEN, "✓"), "as expected".to_owned()),
                    Verdict::OfEarlierData { state } => {
                        (painted(YELLOW, "✓"), format!("in '{state}', as expected with the data of earlier runs"))
                    }
                    Verdict::NotAsExpected { difference } => {
                        (painted(RED, "✗"), format!("not as expected: {difference}"))
                    }
                };
                let took = if shown.took.is_empty() { String::new() } else { format!(", {}", shown.took) };
                let answered =
                    shown.answered.as_ref().map(|answer| format!(", answered '{answer}'")).unwrap_or_default();
                (sign, format!("{}, {expected}{answered}{took}", shown.status.name()))
            }
            Err(Undone::Stopped) => (painted(RED, "✗"), "stopped".to_owned()),
            Err(Undone::Failed(_)) => (painted(RED, "✗"), "not carried out".to_owned()),
        };
        crate::tell!("  {sign} {title} {}", painted(DIM, what));
    }
    if has_earlier && results.iter().any(|(_, result)| result.as_ref().is_ok_and(Shown::is_otherwise)) {
        crate::tell!(
            "  The data of earlier runs can be why: `{stairwell} reset` removes it, --ephemeral begins with nothing"
        );
    }
    if results.iter().all(|(_, result)| result.is_ok()) {
        let next = format!(
            "Next: `{stairwell} up` starts it again and keeps it running, `{stairwell} --help` tells the rest."
        );
        crate::tell!("\n{}", painted(DIM, next));
    }
}

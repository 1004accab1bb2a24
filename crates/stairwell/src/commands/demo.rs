//! `stairwell demo`

use std::{io::IsTerminal, path::PathBuf, process::ExitCode};

use clap::Args;

use crate::{
    demo::{
        answers::Answers,
        plan::{End, Plan, plan},
        produced::Produced,
        script::{self, Script},
        steps::{Shown, Stage, Undone, Verdict},
    },
    error::Error,
    left_out,
    project::{ReachArgs, RunArgs, TemplateArgs, launch, take_port, tell_waiting},
    signals::{STOPPED, Stop, stop_asked},
    terminal::{BOLD, DIM, Display, GREEN, RED, Viewer, YELLOW, painted},
};

/// Show the application at work: build it, run its workflows on real files and events, tell what was produced
///
/// What is shown is told by a script of the application's own, demo.json: files that are put into buckets, requests,
/// executions, and how each ends. Exits with 1 if an execution ended in another way than the script says.
///
/// The script is a JSON object of workflows by name: `{"title": …, "steps": [{"title": …, "do": …, "expect":
/// {"stateMachine": KEY, "status": "SUCCEEDED", "state": NAME, "again": NAME}}]}`. The state is the one that the execution ends in,
/// `again` the one where an earlier run has left its data; both can be left out. What a step does is one of `{"put": {"bucket": KEY, "key": …, "file": …}}`, `{"request": {"api": KEY,
/// "method": …, "path": …, "body": FILE}}` and `{"start": {"input": FILE}}`. Files are named from the script's folder; a KEY
/// is one of the template's resources.
///
/// Where an execution waits for a person, the step has no status but asks: `"ask": {"state": …, "question": …, "answers":
/// [{"title": …, "do": {"request": …}, "status": …}]}`. You are asked at a terminal; without one, or with --auto, the demo
/// answers by itself.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell demo
  stairwell demo first-workflow
  stairwell demo --ephemeral --script service/demo.json -t service/template.yaml")]
pub struct DemoArgs {
    /// The workflows to show [default: all of the script]
    #[arg(value_name = "WORKFLOW")]
    workflows: Vec<String>,

    /// The script that says what is shown
    #[arg(long, default_value = "demo.json", value_name = "FILE")]
    script: PathBuf,

    /// Answer by itself what executions ask a person
    #[arg(long)]
    auto: bool,

    /// Another number gives other answers
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

/// Runs the command.
pub async fn run(args: &DemoArgs) -> Result<ExitCode, Error> {
    let port = take_port(0)?;
    // What can't be done here shows itself where a step leads to it.
    let application = args.template.load_checked(&port, |_| false)?;
    let script = chosen(script::read(&args.script)?, &args.workflows)?;
    let plan = plan(&script, &args.script, &application)?;
    let mut stop = stop_asked().map_err(Error::Runtime)?;
    let has_earlier = !args.run.ephemeral && args.run.data.exists();
    let cloud = launch(&application, &args.run, port, None, &ReachArgs::default(), &mut stop).await?;
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
    produced.tell(&application, &cloud, !args.run.ephemeral).await;
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

/// How to call the runner once more: whoever ran it by Cargo may not have it on the path.
fn called() -> &'static str {
    if std::env::var_os("CARGO").is_some() { "cargo stairwell" } else { "stairwell" }
}

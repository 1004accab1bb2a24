//! `stairwell demo`

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::{
    demo::{
        produced::Produced,
        script::{self, Script},
        steps::{Shown, Stage},
    },
    error::Error,
    left_out,
    project::{RunArgs, TemplateArgs, build_functions, start},
    signals::{stop_asked, unless_stopped},
    terminal::{BOLD, DIM, Display, GREEN, RED, duration, painted},
};

/// Show the application at work: build it, run its workflows on real files and events, tell what was produced
///
/// What is shown is told by a script of the application's own, demo.json: files that are put into buckets, requests,
/// executions, and how each ends. Exits with 1 if an execution ended in another way than the script says.
///
/// The script is a JSON object of workflows by name: `{"title": …, "steps": [{"title": …, "do": …, "expect":
/// {"stateMachine": KEY, "status": "SUCCEEDED"}}]}`. What a step does is one of `{"put": {"bucket": KEY, "key": …, "file":
/// …}}`, `{"request": {"api": KEY, "method": …, "path": …, "body": FILE}}` and `{"start": {"input": FILE}}`. Files are
/// named from the script's folder; a KEY is one of the template's resources.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell demo
  stairwell demo first-workflow
  stairwell demo --ephemeral --script service/demo.json -t service/template.yaml")]
pub struct DemoArgs {
    /// The workflows to show; all where none is named
    #[arg(value_name = "WORKFLOW")]
    workflows: Vec<String>,

    /// The script
    #[arg(long, default_value = "demo.json", value_name = "FILE")]
    script: PathBuf,

    /// JSON Lines on standard output: every history event, and how each execution ended
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    template: TemplateArgs,

    #[command(flatten)]
    run: RunArgs,
}

/// Runs the command.
pub async fn run(args: &DemoArgs) -> Result<ExitCode, Error> {
    let application = args.template.load_checked()?;
    let script = chosen(script::read(&args.script)?, &args.workflows)?;
    let executables = build_functions(&application, args.run.release).await?;
    let cloud = start(&application, &executables, &args.run, 0).await?;
    let stop = stop_asked().map_err(Error::Runtime)?;
    anstream::eprintln!("{} The local cloud answers at {}", painted(GREEN, "✓"), cloud.endpoint_url());
    let produced = Produced::since_now(&cloud);
    let stage =
        Stage { application: &application, cloud: &cloud, script: &args.script, display: Display::choose(args.json) };
    left_out::tell_count(application.left_out.len() + cloud.left_out().len());
    let performed = unless_stopped(stop, perform(&script, &stage)).await;
    let status = match performed {
        Ok(Ok(results)) => {
            produced.tell(&application, &cloud, !args.run.ephemeral).await;
            tell(&results);
            let all_as_expected = results.iter().all(|(_, shown)| shown.as_expected);
            Ok(if all_as_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Ok(Err(error)) => Err(error),
        Err(stopped) => Ok(stopped),
    };
    cloud.shutdown().await;
    status
}

/// Carries out every step, and gives what came of each.
async fn perform<'s>(script: &'s Script, stage: &Stage<'_>) -> Result<Vec<(&'s str, Shown)>, Error> {
    let mut results = Vec::new();
    for workflow in script.values() {
        anstream::eprintln!("\n{}", painted(BOLD, &workflow.title));
        for step in &workflow.steps {
            anstream::eprintln!("\n{} {}", painted(DIM, "»"), step.title);
            results.push((step.title.as_str(), stage.perform(step).await?));
        }
    }
    Ok(results)
}

fn chosen(mut script: Script, names: &[String]) -> Result<Script, Error> {
    if let Some(unknown) = names.iter().find(|name| !script.contains_key(*name)) {
        let known = script.keys().cloned().collect();
        return Err(Error::Unknown { kind: "workflow", name: unknown.clone(), known });
    }
    script.retain(|name, _| names.is_empty() || names.contains(name));
    Ok(script)
}

fn tell(results: &[(&str, Shown)]) {
    anstream::eprintln!("\n{}", painted(BOLD, "How it went"));
    for (title, shown) in results {
        let sign = if shown.as_expected { painted(GREEN, "✓") } else { painted(RED, "✗") };
        let expected = if shown.as_expected { "as expected" } else { "not as expected" };
        let status = shown.status.name();
        let took = duration(shown.took);
        anstream::eprintln!("  {sign} {title} {}", painted(DIM, format_args!("{status}, {expected}, {took}")));
    }
    anstream::eprintln!(
        "\n{}",
        painted(DIM, "Next: `stairwell up` starts it again and keeps it running, `stairwell --help` tells the rest.")
    );
}

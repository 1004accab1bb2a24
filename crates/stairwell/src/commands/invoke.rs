//! `stairwell invoke`

use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;
use cloud::lambda::{InvokeOptions, LogKind};

use crate::{
    error::Error,
    project::{ReachArgs, RunArgs, TemplateArgs, document, launch, take_port},
    signals::{STOPPED, stop_asked, unless_stopped},
    terminal::{BOLD, DIM, Display, LogText, Viewer, painted, print},
};

/// Invoke one function with an event, as `sam local invoke` does, without Docker
///
/// Writes the function's answer to standard output and its log to standard error. Executions that the function starts are
/// shown until they end. Exits with 1 if the function failed.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell invoke MyFunction -e event.json
  stairwell invoke MyFunction -e '{\"key\":\"value\"}' --raw-log
  echo '{\"key\":\"value\"}' | stairwell invoke MyFunction -e - | jq .")]
pub struct InvokeArgs {
    /// The function's key in the template, or its name
    function: String,

    /// The event: a JSON file, - for standard input, or the JSON itself
    #[arg(short, long, default_value = "{}", value_name = "JSON")]
    event: String,

    /// Write the function's log lines unchanged, with those of Lambda itself
    #[arg(long)]
    raw_log: bool,

    #[command(flatten)]
    template: TemplateArgs,

    #[command(flatten)]
    run: RunArgs,
}

/// Runs the command.
pub async fn run(args: &InvokeArgs) -> Result<ExitCode, Error> {
    let port = take_port(0)?;
    let application = args.template.load_checked(&port, |_| false)?;
    let event = document("--event", &args.event)?;
    let function = application
        .functions
        .iter()
        .find(|function| [&function.logical_id, &function.name].contains(&&args.function))
        .cloned()
        .ok_or_else(|| Error::Unknown {
            kind: "function",
            name: args.function.clone(),
            known: application.functions.iter().map(|function| function.logical_id.clone()).collect(),
        })?;
    let mut stop = stop_asked().map_err(Error::Runtime)?;
    let cloud = launch(&application, &args.run, port, None, &ReachArgs::default(), &mut stop).await?;
    let (mut logs, mut started) = (cloud.logs().uncalled(), cloud.states().subscribe());
    let invoking = cloud.lambda().invoke(&function.name, Bytes::from(event), InvokeOptions::default());
    let invocation = unless_stopped(&mut stop, invoking).await;
    while let Ok(line) = logs.try_recv() {
        match (args.raw_log, line.kind) {
            (true, _) => anstream::eprintln!("{}", line.line),
            (false, LogKind::Function) => {
                anstream::eprintln!("{} {}", painted(DIM, "│"), LogText(&line.line));
            }
            (false, LogKind::Platform) => {}
        }
    }
    // What the function has started is a part of what the user asked for.
    let mut stopped = invocation.is_err();
    let viewer = Viewer::new(&application, &cloud, Display::choose(false));
    while let (Ok(running), false) = (started.try_recv(), stopped) {
        let title = viewer.title(&running);
        stopped = viewer.watch(&running, &title, &mut started, &mut stop).await.is_err();
    }
    cloud.shutdown().await;
    let Ok(invocation) = invocation else {
        anstream::eprintln!("{} was stopped", painted(BOLD, &function.logical_id));
        return Ok(ExitCode::from(STOPPED));
    };
    let invocation = invocation?;
    print(String::from_utf8_lossy(&invocation.payload));
    Ok(match (stopped, invocation.failed) {
        (true, _) => ExitCode::from(STOPPED),
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::SUCCESS,
    })
}

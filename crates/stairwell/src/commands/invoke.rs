//! `stairwell invoke`

use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;
use cloud::lambda::{InvokeOptions, LogKind};

use crate::{
    error::Error,
    left_out,
    project::{RunArgs, TemplateArgs, build_functions, document, start},
    signals::{stop_asked, unless_stopped},
    terminal::{DIM, Display, LogText, painted, print, watch},
};

/// Invoke one function with an event, as `sam local invoke` does, without Docker
///
/// Writes the function's answer to standard output and its log to standard error. Executions that the function starts are
/// shown until they end. Exits with 1 if the function failed.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell invoke MyFunction -e event.json
  echo '{\"key\":\"value\"}' | stairwell invoke MyFunction -e - | jq .")]
pub struct InvokeArgs {
    /// The function's key in the template, or its name
    function: String,

    /// The event: a JSON file, - for standard input, or the JSON itself
    #[arg(short, long, default_value = "{}", value_name = "JSON")]
    event: String,

    /// Write the function's log as it is, and what Lambda itself says
    #[arg(long)]
    raw_log: bool,

    #[command(flatten)]
    template: TemplateArgs,

    #[command(flatten)]
    run: RunArgs,
}

/// Runs the command.
pub async fn run(args: &InvokeArgs) -> Result<ExitCode, Error> {
    let application = args.template.load_checked()?;
    let event = document(&args.event)?;
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
    let executables = build_functions(&application, args.run.release).await?;
    let cloud = start(&application, &executables, &args.run, 0).await?;
    left_out::tell_count(application.left_out.len() + cloud.left_out().len());
    let stop = stop_asked().map_err(Error::Runtime)?;
    let (mut logs, mut started) = (cloud.logs(), cloud.states().subscribe());
    let invoking = cloud.lambda().invoke(&function.name, Bytes::from(event), InvokeOptions::default());
    let invocation = unless_stopped(stop, invoking).await;
    while let Ok(log) = logs.try_recv() {
        match (args.raw_log, log.line.kind) {
            (true, _) => anstream::eprintln!("{}", log.line.line),
            (false, LogKind::Function) => {
                anstream::eprintln!("{} {}", painted(DIM, "│"), LogText(&log.line.line));
            }
            (false, LogKind::Platform) => {}
        }
    }
    // What the function has started is a part of what the user asked for.
    while let (Ok(running), true) = (started.try_recv(), invocation.is_ok()) {
        let title = running.look(|execution| execution.identity().state_machine_name.clone());
        watch(&running, &title, &mut logs, Display::choose(false)).await;
    }
    cloud.shutdown().await;
    let invocation = match invocation {
        Ok(invocation) => invocation?,
        Err(stopped) => return Ok(stopped),
    };
    print(String::from_utf8_lossy(&invocation.payload));
    Ok(if invocation.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

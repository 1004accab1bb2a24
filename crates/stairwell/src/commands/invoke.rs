//! `stairwell invoke`

use std::{convert::Infallible, pin::pin, process::ExitCode};

use bytes::Bytes;
use clap::Args;
use cloud::{
    function_logs::{Uncalled, UncalledLog},
    lambda::{InvokeOptions, LogKind, LogLine},
};
use sam::{Application, StateMachine};

use crate::{
    error::Error,
    needed::Needed,
    project::{ReachArgs, RunArgs, TemplateArgs, document, launch, take_port, tell_waiting},
    signals::{STOPPED, stop_asked, unless_stopped},
    terminal::{BOLD, DIM, Display, LogText, Viewer, YELLOW, next_now, painted, print},
};

/// Invoke one function with an event, as `sam local invoke` does, without Docker
///
/// Builds the function, and others when they are called. Writes the function's answer to standard output and its log, while it
/// runs, to standard error. Executions that the function starts are shown until they end.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell invoke MyFunction -e event.json
  stairwell invoke MyFunction -e '{\"key\":\"value\"}' --raw-log
  echo '{\"key\":\"value\"}' | stairwell invoke MyFunction -e - | jq .

Exit status: 0 when the function answered, 1 when it failed, 2 when it could not be invoked, 130 when it was stopped (Ctrl-C).")]
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
        .ok_or_else(|| no_function(&args.function, &application))?;
    let mut stop = stop_asked().map_err(Error::Runtime)?;
    let needed = Needed::Function(&function.name);
    let cloud = launch(&application, needed, &args.run, port, None, &ReachArgs::default(), &mut stop).await?;
    tell_waiting(&cloud, &args.run)?;
    let mut started = cloud.states().subscribe();
    let mut log = Log { lines: cloud.logs().uncalled(), is_raw: args.raw_log };
    let invoking = cloud.lambda().invoke(&function.name, Bytes::from(event), InvokeOptions::default());
    let invocation = {
        let mut invoking = pin!(unless_stopped(&mut stop, invoking));
        tokio::select! {
            invocation = &mut invoking => invocation,
            never = log.follow() => match never {},
        }
    };
    log.finish();
    // What the function has started is a part of what the user asked for.
    let mut stopped = invocation.is_err();
    let viewer = Viewer::new(&application, &cloud, Display::choose(false));
    while let (Some(running), false) = (next_now(&mut started), stopped) {
        let title = viewer.title(&running);
        stopped = viewer.watch(&running, &title, &mut started, &mut stop).await.is_err();
    }
    cloud.shutdown().await;
    let Ok(invocation) = invocation else {
        crate::tell!("{} was stopped", painted(BOLD, &function.logical_id));
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

fn no_function(name: &str, application: &Application) -> Error {
    let kind = "function";
    let is_named = |machine: &&StateMachine| [&*machine.logical_id, &*machine.name].contains(&name);
    if let Some(machine) = application.state_machines.iter().find(is_named) {
        let command = format!("run {} --input JSON", machine.logical_id);
        return Error::OfAnotherKind { kind, name: name.to_owned(), is: "state machine", command };
    }
    let known = application.functions.iter().map(|function| function.logical_id.clone()).collect();
    Error::Unknown { kind, name: name.to_owned(), known }
}

/// The function's log, as it is written.
struct Log {
    lines: UncalledLog,
    is_raw: bool,
}

impl Log {
    /// Shows each line, for as long as somebody waits.
    async fn follow(&mut self) -> Infallible {
        loop {
            let next = self.lines.next().await;
            self.show(&next);
        }
    }

    /// Shows the lines that are there.
    fn finish(&mut self) {
        while let Some(next) = self.lines.next_now() {
            self.show(&next);
        }
    }

    fn show(&self, next: &Uncalled) {
        match next {
            Uncalled::Line(LogLine { line, .. }) if self.is_raw => crate::tell!("{line}"),
            Uncalled::Line(LogLine { line, kind: LogKind::Function, .. }) => {
                crate::tell!("{} {}", painted(DIM, "│"), LogText(line));
            }
            Uncalled::Line(LogLine { kind: LogKind::Platform, .. }) => {}
            Uncalled::Missed(missed) => {
                let text = format!("{missed} lines of the log are missing here: they came faster than they are shown");
                crate::tell!("{}", painted(YELLOW, text));
            }
        }
    }
}

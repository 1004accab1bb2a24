//! `stairwell invoke`

use std::{convert::Infallible, pin::pin, process::ExitCode, sync::Arc};

use bytes::Bytes;
use clap::Args;
use cloud::lambda::{InvokeOptions, LogKind, LogLine};
use tokio::sync::broadcast::{
    Receiver,
    error::{RecvError, TryRecvError},
};

use crate::{
    error::Error,
    project::{ReachArgs, RunArgs, TemplateArgs, document, launch, take_port},
    signals::{STOPPED, stop_asked, unless_stopped},
    terminal::{BOLD, DIM, Display, LogText, Viewer, YELLOW, next_now, painted, print},
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

/// The function's log, as it is written.
struct Log {
    lines: Receiver<Arc<LogLine>>,
    is_raw: bool,
}

impl Log {
    /// Shows each line, for as long as somebody waits.
    async fn follow(&mut self) -> Infallible {
        loop {
            match self.lines.recv().await {
                Ok(line) => self.show(&line),
                Err(RecvError::Lagged(missed)) => tell_missed(missed),
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// Shows the lines that are there.
    fn finish(&mut self) {
        loop {
            match self.lines.try_recv() {
                Ok(line) => self.show(&line),
                Err(TryRecvError::Lagged(missed)) => tell_missed(missed),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn show(&self, line: &LogLine) {
        match (self.is_raw, line.kind) {
            (true, _) => crate::tell!("{}", line.line),
            (false, LogKind::Function) => crate::tell!("{} {}", painted(DIM, "│"), LogText(&line.line)),
            (false, LogKind::Platform) => {}
        }
    }
}

fn tell_missed(missed: u64) {
    crate::tell!("{}", painted(YELLOW, format_args!("{missed} lines of the log are left out: they came too fast")));
}

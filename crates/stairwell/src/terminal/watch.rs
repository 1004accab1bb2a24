//! Showing an execution while it runs.

use std::{pin::pin, sync::Arc, time::Duration};

use asl::{Fault, Value};
use cloud::{
    function_logs::{FunctionLogs, StateLine},
    lambda::LogKind,
};
use engine::{Event, Outcome, history, run::Running};
use time::OffsetDateTime;

use super::{Plain, Progress, Spinner, print, render};
use crate::signals::{Stop, Stopped, unless_stopped};

/// How often a live tree is redrawn while nothing happens.
const REDRAW: Duration = Duration::from_millis(80);

/// How an execution is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// A tree that is redrawn in place, then left as it is.
    Tree,
    /// Lines that are written once.
    Plain,
    /// JSON Lines on standard output: every event, then the end.
    Json,
}

impl Display {
    /// The display for standard error as it is, or JSON where that is asked for.
    pub fn choose(json: bool) -> Self {
        use std::io::IsTerminal;
        match (json, std::io::stderr().is_terminal()) {
            (true, _) => Self::Json,
            (false, true) => Self::Tree,
            (false, false) => Self::Plain,
        }
    }
}

/// Shows an execution until it has ended, and returns how it did.
pub async fn watch(running: &Arc<Running>, title: &str, logs: &FunctionLogs, display: Display) -> Outcome {
    let arn = running.look(|execution| execution.identity().arn.clone());
    let mut view = View::new(display, title, &arn);
    let mut logs = logs.of(&arn);
    let mut events = running.subscribe();
    let mut shown = 0;
    loop {
        for event in running.events_from(shown) {
            shown += 1;
            // What the functions wrote before this event is told before it.
            while let Some(line) = logs.next_now() {
                view.log(&line);
            }
            view.event(&event);
        }
        if let Some(outcome) =
            running.look(|execution| (execution.history().len() == shown).then(|| execution.outcome()).flatten())
        {
            view.end(&outcome);
            return outcome;
        }
        tokio::select! {
            _ = events.changed() => {}
            line = logs.next() => view.log(&line),
            () = tokio::time::sleep(REDRAW), if display == Display::Tree => {}
        }
        view.redraw();
    }
}

/// Shows an execution while it runs. Where a stop is asked for, the execution is stopped, and its end is shown and told.
pub async fn watch_until_stopped(
    running: &Arc<Running>,
    title: &str,
    logs: &FunctionLogs,
    display: Display,
    stop: &mut Stop,
) -> Result<Outcome, Stopped> {
    let mut watching = pin!(watch(running, title, logs, display));
    match unless_stopped(stop, watching.as_mut()).await {
        Ok(outcome) => Ok(outcome),
        Err(Stopped) => {
            let why = Fault { error: None, cause: Some("stairwell was asked to stop".into()) };
            if let Err(error) = running.stop(why) {
                anstream::eprintln!("The execution could not be stopped, and goes on with `stairwell up`: {error}");
                return Err(Stopped);
            }
            match watching.await {
                Outcome::Aborted(_) => {
                    let arn = running.look(|execution| execution.identity().arn.clone());
                    anstream::eprintln!("Stopped: {arn} is ABORTED");
                    Err(Stopped)
                }
                // It ended in the same moment.
                outcome => Ok(outcome),
            }
        }
    }
}

enum View {
    Tree { progress: Progress, spinner: Spinner, title: String, frame: usize },
    Plain(Plain),
    Json { arn: String },
}

impl View {
    fn new(display: Display, title: &str, arn: &str) -> Self {
        match display {
            Display::Tree => Self::Tree {
                progress: Progress::default(),
                spinner: Spinner::lines(),
                title: title.to_owned(),
                frame: 0,
            },
            Display::Plain => Self::Plain(Plain::new(title)),
            Display::Json => Self::Json { arn: arn.to_owned() },
        }
    }

    fn event(&mut self, event: &Event) {
        match self {
            Self::Tree { progress, .. } => progress.apply(event),
            Self::Plain(plain) => plain.event(event).iter().for_each(|line| anstream::eprintln!("{line}")),
            Self::Json { arn } => print(Value::from([
                ("executionArn", Value::from(arn.as_str())),
                ("event", history::to_json(event, true)),
            ])),
        }
    }

    fn log(&mut self, StateLine { state, line }: &StateLine) {
        if line.kind != LogKind::Function {
            return;
        }
        match self {
            Self::Tree { progress, .. } => progress.log(state, &line.line),
            Self::Plain(plain) => {
                if let Some(line) = plain.log(state, &line.line) {
                    anstream::eprintln!("{line}");
                }
            }
            Self::Json { arn } => print(Value::from([
                ("executionArn", Value::from(arn.as_str())),
                ("state", state.clone().into()),
                ("log", line.line.as_str().into()),
            ])),
        }
    }

    fn redraw(&mut self) {
        if let Self::Tree { progress, spinner, title, frame } = self {
            *frame += 1;
            let now = OffsetDateTime::now_utc();
            spinner.show(render(progress, title, now, *frame).trim_end());
        }
    }

    fn end(&mut self, outcome: &Outcome) {
        match self {
            Self::Tree { progress, spinner, title, .. } => {
                spinner.clear();
                let now = OffsetDateTime::now_utc();
                anstream::eprint!("{}", render(progress, title, now, 0));
            }
            Self::Plain(_) => {}
            Self::Json { arn } => print(ended(arn, outcome)),
        }
    }
}

/// The last line of JSON output.
fn ended(arn: &str, outcome: &Outcome) -> Value {
    let (status, output, fault) = match outcome {
        Outcome::Succeeded(output) => ("SUCCEEDED", Some(output.clone()), None),
        Outcome::Failed(fault) => ("FAILED", None, Some(fault)),
        Outcome::TimedOut(fault) => ("TIMED_OUT", None, Some(fault)),
        Outcome::Aborted(fault) => ("ABORTED", None, Some(fault)),
    };
    let part = |part: Option<std::sync::Arc<str>>| part.map_or(Value::Null, Value::from);
    Value::from([
        ("executionArn", Value::from(arn)),
        ("status", status.into()),
        ("output", output.unwrap_or_default()),
        ("error", part(fault.and_then(|fault| fault.error.clone()))),
        ("cause", part(fault.and_then(|fault| fault.cause.clone()))),
    ])
}

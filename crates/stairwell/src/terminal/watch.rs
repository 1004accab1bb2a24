//! Showing executions while they run.

use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};

use asl::Fault;
use cloud::{function_logs::FunctionLogs, local::LocalCloud};
use engine::{
    Event, EventKind, Outcome,
    run::{Clock, Running},
};
use time::OffsetDateTime;
use tokio::{
    sync::broadcast::{
        Receiver,
        error::{RecvError, TryRecvError},
    },
    task::JoinSet,
};
use uuid::Uuid;

use super::{Spinner, family::Shared, progress, render, view::View};
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
    /// JSON Lines on standard output: every event, what is waited for, then the end.
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

/// Executions that begin, as [`cloud::states::States::subscribe`] tells of them.
pub type Started = Receiver<Arc<Running>>;

/// Shows executions.
#[derive(Clone)]
pub struct Viewer {
    settings: Settings,
    logs: FunctionLogs,
    /// The names of state machines in their template, by their ARNs.
    names: Arc<HashMap<String, String>>,
}

/// What is the same for every execution that is shown.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) display: Display,
    /// The time that the executions live in.
    pub(super) clock: Clock,
    /// Where callbacks and activities that are waited for can be answered, where that is to be told.
    pub(super) endpoint_url: Option<String>,
}

impl Viewer {
    /// Shows executions of this cloud.
    pub fn new(application: &sam::Application, cloud: &LocalCloud, display: Display) -> Self {
        let machines = application.state_machines.iter();
        let names = machines.map(|machine| (machine.arn.clone(), machine.logical_id.clone())).collect();
        let settings = Settings { display, clock: cloud.states().clock(), endpoint_url: None };
        Self { settings, logs: cloud.logs().clone(), names: Arc::new(names) }
    }

    /// Tells also how to answer callbacks and activities that are waited for, at this address.
    #[must_use]
    pub fn with_hints(mut self, endpoint_url: String) -> Self {
        self.settings.endpoint_url = Some(endpoint_url);
        self
    }

    /// What an execution is called among others: its machine, and enough of its name.
    pub fn title(&self, running: &Running) -> String {
        let identity = running.identity();
        let machine =
            self.names.get(&*identity.state_machine_arn).map_or(&*identity.state_machine_name, String::as_str);
        match (machine.split_once('/'), &identity.map_run_arn) {
            // The state machine of a child execution is named by the machine and the Map state's label.
            (Some((machine, label)), Some(_)) if label.parse::<Uuid>().is_ok() => {
                format!("{machine}/{:.8}", identity.name)
            }
            (Some(_), Some(_)) => format!("{machine}/{:.8}", identity.name),
            _ => format!("{machine}/{}", short(&identity.name)),
        }
    }

    /// Shows one execution until it has ended. What it did before `since` is not told again.
    pub async fn watch_alone(&self, running: &Arc<Running>, since: OffsetDateTime) {
        let view = View::alone(&self.settings, running, &self.title(running));
        self.follow(running, view, since).await;
    }

    /// Shows an execution until it has ended, with all those that are `started` meanwhile. Where a stop is asked for, the
    /// execution is stopped, and its end is shown and told.
    pub async fn watch(
        &self,
        running: &Arc<Running>,
        title: &str,
        started: &mut Started,
        stop: &mut Stop,
    ) -> Result<Outcome, Stopped> {
        let mut watching = pin!(self.watch_family(running, title, started));
        match unless_stopped(stop, watching.as_mut()).await {
            Ok(outcome) => Ok(outcome),
            Err(Stopped) => {
                let why = Fault { error: None, cause: Some("stairwell was asked to stop".into()) };
                if let Err(error) = running.stop(why) {
                    crate::tell!("The execution could not be stopped, and goes on with `stairwell up`: {error}");
                    return Err(Stopped);
                }
                match watching.await {
                    Outcome::Aborted(_) => {
                        crate::tell!("Stopped: {} is ABORTED", running.identity().arn);
                        Err(Stopped)
                    }
                    // It ended in the same moment.
                    outcome => Ok(outcome),
                }
            }
        }
    }

    async fn watch_family(&self, running: &Arc<Running>, title: &str, started: &mut Started) -> Outcome {
        let mut screen = Screen::new(&self.settings);
        let mut others = Others::default();
        let view = View::of_family(&self.settings, running, title, &screen.family);
        let outcome = {
            let mut following = pin!(self.follow(running, view, OffsetDateTime::UNIX_EPOCH));
            loop {
                tokio::select! {
                    outcome = &mut following => break outcome,
                    begun = next(started) => self.show_other(begun, running, &screen, &mut others),
                    () = others.end() => {}
                    () = tokio::time::sleep(REDRAW), if self.settings.display == Display::Tree => {}
                }
                screen.redraw();
            }
        };
        // What began and ended before the end is a part of it.
        while let Some(begun) = next_now(started) {
            self.show_other(begun, running, &screen, &mut others);
        }
        others.ended().await;
        screen.finish();
        outcome
    }

    fn show_other(&self, begun: Arc<Running>, watched: &Arc<Running>, screen: &Screen, others: &mut Others) {
        if Arc::ptr_eq(&begun, watched) {
            return;
        }
        let view = View::of_family(&self.settings, &begun, &self.title(&begun), &screen.family);
        let (viewer, running) = (self.clone(), begun.clone());
        others.open.insert(begun.identity().arn.clone(), begun);
        others.shown.spawn(async move {
            viewer.follow(&running, view, OffsetDateTime::UNIX_EPOCH).await;
            running.identity().arn.clone()
        });
    }

    async fn follow(&self, running: &Arc<Running>, mut view: View, since: OffsetDateTime) -> Outcome {
        let mut logs = self.logs.of(&running.identity().arn);
        let mut events = running.subscribe();
        let mut shown = go_on(&mut view, running, since);
        let mut may_rest = shown > 0;
        loop {
            for event in running.events_from(shown) {
                shown += 1;
                may_rest |= changes_rests(&event);
                // What the functions wrote before this event is told before it.
                while let Some(line) = logs.next_now() {
                    view.log(&line);
                }
                view.event(&event);
            }
            let outcome =
                running.look(|execution| (execution.history().len() == shown).then(|| execution.outcome()).flatten());
            if let Some(outcome) = outcome {
                view.end(&outcome);
                return outcome;
            }
            if std::mem::take(&mut may_rest) {
                view.rests(&running.look(|execution| execution.rests()));
            }
            tokio::select! {
                _ = events.changed() => {}
                line = logs.next() => view.log(&line),
            }
        }
    }
}

/// Shows that an execution goes on, where it has done something before `since` or a redrive. Returns how many of its events
/// were told then.
fn go_on(view: &mut View, running: &Running, since: OffsetDateTime) -> usize {
    let redriven = running.look(|execution| execution.redriven()).map_or(0, |redrive| redrive.event);
    let is_earlier = |event: &Event| event.at < since || event.id <= redriven;
    let earlier = running.events_from(0).into_iter().take_while(is_earlier).collect::<Vec<_>>();
    if !earlier.is_empty() {
        view.goes_on(&earlier);
    }
    earlier.len()
}

/// The next execution that has begun, where there is one.
pub fn next_now(started: &mut Started) -> Option<Arc<Running>> {
    loop {
        match started.try_recv() {
            Ok(begun) => return Some(begun),
            Err(TryRecvError::Lagged(missed)) => tell_missed(missed),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return None,
        }
    }
}

fn tell_missed(missed: u64) {
    tracing::warn!(missed, "executions were started faster than shown");
}

/// The next execution that begins.
async fn next(started: &mut Started) -> Arc<Running> {
    loop {
        match started.recv().await {
            Ok(begun) => return begun,
            Err(RecvError::Lagged(missed)) => tell_missed(missed),
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Whether a state may begin to wait, or may not wait any more, with this event.
fn changes_rests(event: &Event) -> bool {
    // What has failed may be tried again.
    let may_retry = progress::own_failure(&event.kind).is_some();
    may_retry
        || matches!(
            &event.kind,
            EventKind::StateEntered { state_type: "Wait", .. }
                | EventKind::TaskSubmitted { .. }
                | EventKind::ActivityScheduled { .. }
                | EventKind::ActivityStarted { .. }
        )
}

/// A name that people can tell from others: its beginning and its end. The end of the execution has it whole.
fn short(name: &str) -> String {
    const WHOLE: usize = 36;
    let length = name.chars().count();
    if length <= WHOLE {
        return name.to_owned();
    }
    let start: String = name.chars().take(24).collect();
    let end: String = name.chars().skip(length - 6).collect();
    format!("{start}…{end}")
}

/// The other executions that are shown.
#[derive(Default)]
struct Others {
    /// Each one's task gives its ARN at its end.
    shown: JoinSet<Arc<str>>,
    open: HashMap<Arc<str>, Arc<Running>>,
}

impl Others {
    /// One of them was shown to its end.
    async fn end(&mut self) {
        match self.shown.join_next().await {
            Some(Ok(arn)) => drop(self.open.remove(&arn)),
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }

    /// Those that have ended were shown to their ends.
    async fn ended(&mut self) {
        while !self.shown.is_empty() && self.open.values().any(|running| running.look(|running| running.has_ended())) {
            self.end().await;
        }
    }
}

/// The part of the terminal that is redrawn, where there is one.
struct Screen {
    family: Shared,
    spinner: Option<Spinner>,
    clock: Clock,
    frame: usize,
}

impl Screen {
    fn new(settings: &Settings) -> Self {
        let spinner = (settings.display == Display::Tree).then(Spinner::lines);
        Self { family: Shared::default(), spinner, clock: settings.clock.clone(), frame: 0 }
    }

    fn redraw(&mut self) {
        let Some(spinner) = &self.spinner else { return };
        self.frame += 1;
        let mut family = self.family.lock();
        for note in family.notes.drain(..) {
            crate::tell!("{note}");
        }
        spinner.show(render(&family, self.clock.now(), self.frame).trim_end());
    }

    /// Leaves the last picture as it is.
    fn finish(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.clear();
            anstream::eprint!("{}", render(&self.family.lock(), self.clock.now(), 0));
        }
    }
}

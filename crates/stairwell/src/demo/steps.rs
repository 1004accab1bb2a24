//! Carrying out a plan.

use std::{fs, path::Path, pin::pin, sync::Arc, time::Duration};

use axum::body::Body;
use cloud::{
    local::LocalCloud,
    states::{Start, Status},
};
use engine::{
    Event, EventKind,
    core::rests::{Rest, Until},
    run::Running,
};
use http::{Method, Request};
use http_body_util::BodyExt;
use tokio::sync::broadcast::error::RecvError;

use super::{
    answers::Answers,
    plan::{self, Deed, End, Ending, Message, Question, Scene},
};
use crate::{
    error::Error,
    signals::{Stop, Stopped, unless_stopped},
    terminal::{Viewer, took},
};

/// How long a step waits for the execution that it leads to.
const PATIENCE: Duration = Duration::from_mins(1);

/// A local cloud with a script's surroundings.
pub struct Stage<'a> {
    /// Where the application runs.
    pub cloud: &'a LocalCloud,
    /// The script's file.
    pub script: &'a Path,
    /// Whether it has data of earlier runs, which can lead executions another way than the script says.
    pub has_earlier: bool,
    /// What shows executions.
    pub viewer: Viewer,
    /// Who answers what they ask.
    pub answers: Answers,
}

/// An execution that a step led to.
pub struct Shown {
    /// How it ended.
    pub status: Status,
    /// How long it took, for people; nothing for less than a millisecond.
    pub took: String,
    /// Whether that is what the script expects.
    pub verdict: Verdict,
    /// What was answered, where it asked.
    pub answered: Option<String>,
}

impl Shown {
    /// Whether it is otherwise than the script expects, and nothing explains it.
    pub fn is_otherwise(&self) -> bool {
        matches!(self.verdict, Verdict::NotAsExpected { .. })
    }
}

/// How the end of an execution compares with what the script expects.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as the script says.
    AsExpected,
    /// It is as the script says of a step that an earlier run has done before.
    OfEarlierData {
        /// The state that it ended in.
        state: String,
    },
    /// It is otherwise.
    NotAsExpected {
        /// What is, and what the script says.
        difference: String,
    },
}

/// Why a step was not carried out to its end.
#[derive(Debug)]
pub enum Undone {
    /// A stop was asked for.
    Stopped,
    /// It could not be.
    Failed(Error),
}

impl From<Stopped> for Undone {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Stage<'_> {
    /// Carries out a step, and shows the execution that comes of it.
    pub async fn perform(&self, scene: &Scene<'_>, stop: &mut Stop) -> Result<Shown, Undone> {
        let mut started = self.cloud.states().subscribe();
        let running = unless_stopped(stop, self.act(scene)).await??;
        let (expected, answered) = {
            let mut watching = pin!(self.viewer.watch(&running, &scene.machine.logical_id, &mut started, stop));
            match &scene.end {
                End::As(ending) => {
                    watching.await?;
                    (Some(*ending), None)
                }
                End::Asked(question) => {
                    let mut answering = pin!(self.answer(&running, question));
                    tokio::select! {
                        // What leads to a question is shown before it.
                        biased;
                        // The answer's own reply may come after the end that it leads to.
                        ended = &mut watching => {
                            ended?;
                            answering.await?
                        }
                        answer = &mut answering => {
                            let answer = answer?;
                            watching.await?;
                            answer
                        }
                    }
                    .unzip()
                }
            }
        };
        Ok(running.look(|execution| {
            let status = Status::of(execution);
            let ended = execution.history().last().map_or(execution.identity().started_at, |last| last.at);
            let took = took(&self.cloud.states().clock(), execution.identity().started_at, ended);
            let verdict = self.verdict(status, last_state(execution.history()), expected);
            Shown { status, took, verdict, answered }
        }))
    }

    fn verdict(&self, status: Status, state: Option<&str>, expected: Option<Ending<'_>>) -> Verdict {
        let Some(expected) = expected else {
            return Verdict::NotAsExpected { difference: "it did not ask".to_owned() };
        };
        if expected.status != status {
            let place = state.map(|state| format!(" in '{state}'")).unwrap_or_default();
            let difference = format!("it ended{place}, and should be {}", expected.status.name());
            return Verdict::NotAsExpected { difference };
        }
        match (expected.state, state) {
            (Some(first), Some(state)) if first != state => {
                if self.has_earlier && expected.again == Some(state) {
                    return Verdict::OfEarlierData { state: state.to_owned() };
                }
                Verdict::NotAsExpected { difference: format!("it ended in '{state}', and should in '{first}'") }
            }
            _ => Verdict::AsExpected,
        }
    }

    /// Waits until the execution asks, and hands an answer over. Gives the end that comes of it, and the answer; nothing
    /// where it ended and did not ask.
    async fn answer<'q>(
        &self,
        running: &Running,
        question: &'q Question<'q>,
    ) -> Result<Option<(Ending<'q>, String)>, Error> {
        let mut events = running.subscribe();
        let asks = |rest: &Rest| *rest.state == *question.state && matches!(rest.until, Until::Callback { .. });
        while !running.look(|execution| execution.rests().iter().any(asks)) {
            if running.look(|execution| execution.has_ended()) || events.changed().await.is_err() {
                return Ok(None);
            }
        }
        // Whoever watches it shows it first.
        tokio::task::yield_now().await;
        let answer = self.answers.choose(question).await?;
        let Message { method, path, body } = &answer.message;
        self.send(method, path, read(body)?).await?;
        Ok(Some((answer.end, answer.title.to_owned())))
    }

    /// Does it; gives the execution that comes of it.
    async fn act(&self, scene: &Scene<'_>) -> Result<Arc<Running>, Error> {
        match &scene.deed {
            Deed::Start { input } => {
                let start = Start { input: Some(input), ..Start::default() };
                Ok(self.cloud.states().start(&scene.machine.arn, start)?)
            }
            Deed::Send(Message { method, path, body }) => {
                let mut started = self.cloud.states().subscribe();
                self.send(method, path, read(body)?).await?;
                let next = async {
                    loop {
                        match started.recv().await {
                            Ok(running) if belongs(&running, scene.machine) => return Some(running),
                            Ok(_) | Err(RecvError::Lagged(_)) => {}
                            Err(RecvError::Closed) => return None,
                        }
                    }
                };
                tokio::time::timeout(PATIENCE, next).await.ok().flatten().ok_or_else(|| {
                    let (name, title, seconds) = (&scene.machine.logical_id, scene.title, PATIENCE.as_secs());
                    self.error(format!(
                        "no execution of {name} came of the step '{title}' within {seconds} s: does a rule of the template \
                         match what it does?"
                    ))
                })
            }
        }
    }

    async fn send(&self, method: &Method, path: &str, body: Vec<u8>) -> Result<(), Error> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.cloud.address().to_string())
            .header("content-length", body.len())
            .body(Body::from(body))
            .map_err(|error| self.error(format!("{method} {path}: {error}")))?;
        let response = self.cloud.send(request).await;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Err(self.error(format!("{method} {path} was answered {status}: {}", String::from_utf8_lossy(&body))))
    }

    fn error(&self, message: String) -> Error {
        Error::Demo { file: self.script.to_owned(), message }
    }
}

/// The state that an execution ended in: the last one that it entered or left.
fn last_state(history: &[Event]) -> Option<&str> {
    history.iter().rev().find_map(|event| match &event.kind {
        EventKind::StateEntered { name, .. } | EventKind::StateExited { name, .. } => Some(&**name),
        _ => None,
    })
}

fn read(body: &plan::Body) -> Result<Vec<u8>, Error> {
    match body {
        plan::Body::File(file) => {
            fs::read(file).map_err(|source| Error::Read { what: file.display().to_string(), source })
        }
        plan::Body::Text(text) => Ok(text.clone().into_bytes()),
    }
}

fn belongs(running: &Arc<Running>, machine: &sam::StateMachine) -> bool {
    running.look(|execution| *execution.identity().state_machine_arn == *machine.arn)
}

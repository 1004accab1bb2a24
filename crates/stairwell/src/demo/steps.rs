//! Carrying out steps.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::body::Body;
use cloud::{
    local::LocalCloud,
    states::{Start, Status},
};
use engine::run::Running;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use sam::Application;
use tokio::sync::broadcast::error::RecvError;

use super::script::{Action, Expectation, Step};
use crate::{
    error::Error,
    terminal::{Display, watch},
};

/// How long a step waits for the execution that it leads to.
const PATIENCE: Duration = Duration::from_mins(1);

/// A local cloud with a script's surroundings.
pub struct Stage<'a> {
    /// The application.
    pub application: &'a Application,
    /// Where it runs.
    pub cloud: &'a LocalCloud,
    /// The script's file; the files that it names are beside it.
    pub script: &'a Path,
    /// How executions are shown.
    pub display: Display,
}

/// An execution that a step led to.
pub struct Shown {
    /// How it ended.
    pub status: Status,
    /// How long it took.
    pub took: time::Duration,
    /// Whether that is what the script expects.
    pub as_expected: bool,
}

impl Stage<'_> {
    /// Carries out a step, and shows the execution that comes of it.
    pub async fn perform(&self, step: &Step) -> Result<Shown, Error> {
        let machine = self.machine(&step.expect)?;
        let mut started = self.cloud.states().subscribe();
        let mut logs = self.cloud.logs();
        let running = match self.act(&step.action, machine).await? {
            Some(running) => running,
            None => {
                let next = async {
                    loop {
                        match started.recv().await {
                            Ok(running) if belongs(&running, machine) => return Some(running),
                            Ok(_) | Err(RecvError::Lagged(_)) => {}
                            Err(RecvError::Closed) => return None,
                        }
                    }
                };
                tokio::time::timeout(PATIENCE, next).await.ok().flatten().ok_or_else(|| {
                    let name = &step.expect.state_machine;
                    let (title, seconds) = (&step.title, PATIENCE.as_secs());
                    self.error(format!(
                        "no execution of {name} came of the step '{title}' within {seconds} s: does a rule of the template \
                         match what it does?"
                    ))
                })?
            }
        };
        watch(&running, &step.expect.state_machine, &mut logs, self.display).await;
        Ok(running.look(|execution| {
            let status = Status::of(execution);
            let ended = execution.history().last().map_or(execution.identity().started_at, |last| last.at);
            Shown {
                status,
                took: ended - execution.identity().started_at,
                as_expected: status.name() == step.expect.status,
            }
        }))
    }

    /// Does it; gives the execution where it was started here.
    async fn act(&self, action: &Action, machine: &sam::StateMachine) -> Result<Option<Arc<Running>>, Error> {
        match action {
            Action::Put { bucket, key, file } => {
                let found = self.application.buckets.iter().find(|known| known.logical_id == *bucket);
                let bucket = found.ok_or_else(|| self.error(format!("the template has no bucket {bucket}")))?;
                self.send("PUT", &format!("/{}/{key}", bucket.name), self.read(file)?).await?;
                Ok(None)
            }
            Action::Request { api, method, path, body } => {
                self.send(method, &format!("/_api/{api}{path}"), self.read(body)?).await?;
                Ok(None)
            }
            Action::Start { input } => {
                let input = String::from_utf8(self.read(input)?)
                    .map_err(|_| self.error(format!("{} is not UTF-8", input.display())))?;
                let start = Start { input: Some(&input), ..Start::default() };
                Ok(Some(self.cloud.states().start(&machine.arn, start)?))
            }
        }
    }

    async fn send(&self, method: &str, path: &str, body: Vec<u8>) -> Result<(), Error> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.cloud.address().to_string())
            .header("content-length", body.len())
            .body(Body::from(body))
            .map_err(|error| self.error(format!("{method} {path}: {error}")))?;
        let response = self.cloud.send(request).await;
        let status = response.status();
        if status.is_success() || status == StatusCode::ACCEPTED {
            return Ok(());
        }
        let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Err(self.error(format!("{method} {path} was answered {status}: {}", String::from_utf8_lossy(&body))))
    }

    fn machine(&self, expect: &Expectation) -> Result<&sam::StateMachine, Error> {
        let machines = &self.application.state_machines;
        machines
            .iter()
            .find(|machine| machine.logical_id == expect.state_machine)
            .ok_or_else(|| self.error(format!("the template has no state machine {}", expect.state_machine)))
    }

    fn read(&self, file: &Path) -> Result<Vec<u8>, Error> {
        let path: PathBuf = self.script.parent().unwrap_or(Path::new("")).join(file);
        fs::read(&path).map_err(|source| Error::Read { what: path.display().to_string(), source })
    }

    fn error(&self, message: String) -> Error {
        Error::Demo { file: self.script.to_owned(), message }
    }
}

fn belongs(running: &Arc<Running>, machine: &sam::StateMachine) -> bool {
    running.look(|execution| *execution.identity().state_machine_arn == *machine.arn)
}

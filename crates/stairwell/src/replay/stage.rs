//! A Step Functions with nothing in it, and a clock that stands still until somebody waits.

use std::{sync::Arc, time::Duration};

use asl::Value;
use axum::body::Body;
use cloud::{
    logs::Logs,
    service::Service,
    states::{FrontEnd, Parts, States},
};
use engine::{
    Identity,
    core::Call,
    journal::Journal,
    run::{Answer, Outside, Reports},
};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tokio::runtime::{Builder, Runtime};

/// How long a call may take on the stage's clock: longer than any that waits, such as `GetActivityTask`.
const PATIENCE: Duration = Duration::from_hours(1);

/// Where a transcript is replayed.
pub(super) struct Stage {
    runtime: Runtime,
    front: FrontEnd,
    logs: Arc<Logs>,
}

/// What the service says to a call.
#[derive(Debug)]
pub(super) enum Said {
    Answer(Value),
    Refusal {
        code: String,
        message: String,
    },
    /// It would wait for ever.
    Nothing,
}

impl Stage {
    /// An empty one, in the region and the account of recordings.
    pub(super) fn new(outside: Arc<dyn Outside>) -> Result<Self, String> {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .map_err(|error| format!("no runtime: {error}"))?;
        let journal = Journal::in_memory().map_err(|error| error.to_string())?;
        let parts = Parts::new("us-east-1", "111111111111", journal, outside);
        let logs = parts.logs.clone();
        Ok(Self { runtime, front: FrontEnd::new(States::empty(parts)), logs })
    }

    /// Makes a call.
    pub(super) fn call(&self, operation: &str, request: &Value) -> Result<Said, String> {
        let request = Request::post("/")
            .header("x-amz-target", format!("AWSStepFunctions.{operation}"))
            .body(Body::from(request.to_string()))
            .map_err(|error| error.to_string())?;
        self.runtime.block_on(async {
            let Ok(response) = tokio::time::timeout(PATIENCE, self.front.call(request)).await else {
                return Ok(Said::Nothing);
            };
            let status = response.status();
            let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
            let answer: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
            let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            Ok(match status {
                StatusCode::OK => Said::Answer(answer),
                _ => Said::Refusal { code: text("__type"), message: text("message") },
            })
        })
    }

    /// Lets a log group be there.
    pub(super) fn has_log_group(&self, name: &str) {
        // One that is there already is just as good.
        let _ = self.logs.create_group(name);
    }

    /// Lets time pass, at no cost.
    pub(super) fn wait(&self, time: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(time).await });
    }
}

/// An outside that never answers.
pub(super) struct Silence;

impl Outside for Silence {
    fn call(&self, _: &Arc<Identity>, _: Call, _: Reports) -> Answer {
        Box::pin(std::future::pending())
    }
}

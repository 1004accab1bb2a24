//! The Runtime API: what a function's process asks for work and posts its answers to.
//!
//! Each process has a listener of its own, so `AWS_LAMBDA_RUNTIME_API` is a plain `host:port` as on Lambda, and works
//! with every runtime.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::task::AbortOnDropHandle;

use super::invocation::{MAX_RESPONSE, PlatformError, Task};
use crate::guard;

/// What the process has said.
#[derive(Debug)]
pub(crate) enum Report {
    /// It has asked for work.
    Ready,
    /// It has answered.
    Response(Bytes),
    /// It has reported an error of the function.
    Error(Bytes),
    /// It has reported that it cannot start.
    InitError(Bytes),
    /// It has answered in a way that Lambda turns into an error.
    Refused(PlatformError),
}

/// The Runtime API of one process. Its listener and connections end when it is dropped.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    endpoint: Arc<Endpoint>,
    tasks: mpsc::UnboundedSender<Task>,
    reports: mpsc::UnboundedReceiver<Report>,
    _server: AbortOnDropHandle<()>,
}

impl RuntimeApi {
    /// Listens on a free port of the loopback interface. Each invocation of the function has `timeout`.
    pub(crate) async fn start(timeout: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (tasks, queue) = mpsc::unbounded_channel();
        let (reporter, reports) = mpsc::unbounded_channel();
        let endpoint = Arc::new(Endpoint {
            timeout,
            phase: Mutex::new(Phase::Starting),
            queue: tokio::sync::Mutex::new(queue),
            reporter,
        });
        let server = AbortOnDropHandle::new(tokio::spawn(serve(listener, Arc::clone(&endpoint))));
        Ok(Self { address, endpoint, tasks, reports, _server: server })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives the process its next task. It is taken when the process asks.
    pub(crate) fn hand_over(&self, task: Task) {
        // The receiver lives in the endpoint, which lives as long as this.
        let _ = self.tasks.send(task);
    }

    /// Whether the process has taken the task that was handed over.
    pub(crate) fn taken(&self) -> bool {
        matches!(*self.endpoint.phase(), Phase::Running(_) | Phase::Responded)
    }

    /// What the process says next.
    pub(crate) async fn report(&mut self) -> Option<Report> {
        self.reports.recv().await
    }

    /// What the process has said already.
    pub(crate) fn reported(&mut self) -> Option<Report> {
        self.reports.try_recv().ok()
    }
}

/// Where the process is, in the order of its life.
#[derive(Debug)]
enum Phase {
    Starting,
    Ready,
    Running(String),
    Responded,
}

impl Phase {
    fn name(&self) -> &'static str {
        match self {
            Self::Starting => "Starting",
            Self::Ready => "Ready",
            Self::Running(_) => "Running",
            Self::Responded => "ResponseSent",
        }
    }
}

#[derive(Debug)]
struct Endpoint {
    timeout: Duration,
    phase: Mutex<Phase>,
    queue: tokio::sync::Mutex<mpsc::UnboundedReceiver<Task>>,
    reporter: mpsc::UnboundedSender<Report>,
}

/// The pause after a connection that was not accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

type Answer = Response<Full<Bytes>>;

async fn serve(listener: TcpListener, endpoint: Arc<Endpoint>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // No free file descriptor, or a client that is gone already: others need a moment to end.
                tracing::warn!(%error, "a connection to the Runtime API was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
        let endpoint = Arc::clone(&endpoint);
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let endpoint = Arc::clone(&endpoint);
                async move { Ok::<_, Infallible>(endpoint.answer(request).await) }
            });
            if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "a connection to the Runtime API ended");
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

impl Endpoint {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        if let Err(stranger) = guard::check_process(&parts) {
            return failure(StatusCode::FORBIDDEN, "AccessDenied", &stranger.to_string());
        }
        let request = Request::from_parts(parts, body);
        let path = request.uri().path().to_owned();
        let Some(call) = path.strip_prefix("/2018-06-01/runtime/") else {
            return unknown(request.method(), &path);
        };
        match (request.method(), call.split('/').collect::<Vec<_>>().as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => self.response(id, request).await,
            (&Method::POST, ["invocation", id, "error"]) => self.error(id, request).await,
            (&Method::POST, ["init", "error"]) => self.init_error(request).await,
            (method, _) => unknown(method, &path),
        }
    }

    /// `GET /runtime/invocation/next`: waits for work.
    async fn next(&self) -> Answer {
        {
            let mut phase = self.phase();
            if matches!(*phase, Phase::Running(_)) {
                return forbidden(&phase, "Ready");
            }
            *phase = Phase::Ready;
            self.report(Report::Ready);
        }
        let Some(task) = self.queue.lock().await.recv().await else {
            return failure(StatusCode::GONE, "Runtime.Shutdown", "the execution environment is shutting down");
        };
        *self.phase() = Phase::Running(task.request_id.clone());
        self.event(task)
    }

    fn event(&self, task: Task) -> Answer {
        let deadline = SystemTime::now() + self.timeout;
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let mut event = Response::builder()
            .header(CONTENT_TYPE, "application/json")
            .header("Lambda-Runtime-Aws-Request-Id", task.request_id)
            .header("Lambda-Runtime-Deadline-Ms", deadline.to_string())
            .header("Lambda-Runtime-Invoked-Function-Arn", task.invoked_arn)
            .header("Lambda-Runtime-Trace-Id", task.trace_id);
        if let Some(context) = task.client_context {
            event = event.header("Lambda-Runtime-Client-Context", context);
        }
        event.body(Full::new(task.payload)).unwrap_or_else(|error| {
            // The function's ARN is the one value that was not checked before.
            failure(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", &error.to_string())
        })
    }

    /// `POST /runtime/invocation/{id}/response`.
    async fn response(&self, id: &str, request: Request<Incoming>) -> Answer {
        let streamed = is(request.headers(), "lambda-runtime-function-response-mode", "streaming");
        match read(request).await {
            Err(error) => failure(StatusCode::BAD_REQUEST, "InvalidRequest", &error.to_string()),
            Ok(_) if streamed => {
                let refusal = PlatformError::streamed();
                let answer = failure(StatusCode::BAD_REQUEST, refusal.error_type, &refusal.message);
                self.respond(id, Report::Refused(refusal)).unwrap_or(answer)
            }
            Ok(Some(body)) => self.respond(id, Report::Response(body)).unwrap_or_else(accepted),
            Ok(None) => {
                self.respond(id, Report::Refused(PlatformError::response_too_large())).unwrap_or_else(too_large)
            }
        }
    }

    /// `POST /runtime/invocation/{id}/error`.
    async fn error(&self, id: &str, request: Request<Incoming>) -> Answer {
        let error_type = error_type(request.headers());
        match read(request).await {
            Err(error) => failure(StatusCode::BAD_REQUEST, "InvalidRequest", &error.to_string()),
            Ok(Some(body)) => self.respond(id, Report::Error(described(body, &error_type))).unwrap_or_else(accepted),
            Ok(None) => {
                self.respond(id, Report::Refused(PlatformError::response_too_large())).unwrap_or_else(too_large)
            }
        }
    }

    /// `POST /runtime/init/error`.
    async fn init_error(&self, request: Request<Incoming>) -> Answer {
        let error_type = error_type(request.headers());
        let body = match read(request).await {
            Ok(body) => body.unwrap_or_default(),
            Err(error) => return failure(StatusCode::BAD_REQUEST, "InvalidRequest", &error.to_string()),
        };
        let phase = self.phase();
        if !matches!(*phase, Phase::Starting) {
            return forbidden(&phase, "InitError");
        }
        self.report(Report::InitError(described(body, &error_type)));
        accepted()
    }

    /// Ends the running invocation with a report; gives the answer where `id` is not running.
    fn respond(&self, id: &str, report: Report) -> Option<Answer> {
        let mut phase = self.phase();
        if !matches!(&*phase, Phase::Running(running) if running == id) {
            return Some(failure(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"));
        }
        *phase = Phase::Responded;
        self.report(report);
        None
    }

    fn report(&self, report: Report) {
        // Nobody listens only when the process is about to be killed.
        let _ = self.reporter.send(report);
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a body; `None` stands for one above the limit, which is read to its end all the same: a client that is still
/// sending would not see the answer.
async fn read(request: Request<Incoming>) -> Result<Option<Bytes>, hyper::Error> {
    let mut body = request.into_body();
    let mut pieces: Vec<Bytes> = Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= MAX_RESPONSE {
            pieces.push(data);
        } else {
            pieces.clear();
        }
    }
    Ok((length <= MAX_RESPONSE).then(|| match pieces.as_slice() {
        [whole] => whole.clone(),
        pieces => pieces.concat().into(),
    }))
}

/// The payload of a reported error: as the runtime posted it, or made of its header where it posted nothing.
fn described(body: Bytes, error_type: &str) -> Bytes {
    if body.is_empty() { json!({ "errorType": error_type, "errorMessage": "" }).to_string().into() } else { body }
}

fn error_type(headers: &HeaderMap) -> String {
    let value = headers.get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok());
    value.unwrap_or("Runtime.Unknown").to_owned()
}

fn is(headers: &HeaderMap, name: &str, value: &str) -> bool {
    headers.get(name).is_some_and(|found| found.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
}

fn accepted() -> Answer {
    answer(StatusCode::ACCEPTED, json!({ "status": "OK" }).to_string())
}

fn too_large() -> Answer {
    let message = format!("Exceeded maximum allowed payload size ({MAX_RESPONSE} bytes).");
    failure(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
}

fn forbidden(from: &Phase, to: &str) -> Answer {
    let message = format!(
        "State transition from {} to {to} failed for runtime. Error: State transition is not allowed",
        from.name()
    );
    failure(StatusCode::FORBIDDEN, "InvalidStateTransition", &message)
}

fn unknown(method: &Method, path: &str) -> Answer {
    tracing::warn!(%method, path, "a function called what the local Runtime API does not have");
    failure(StatusCode::NOT_FOUND, "NotFound", &format!("{method} {path} is no part of the local Runtime API"))
}

fn failure(status: StatusCode, error_type: &str, message: &str) -> Answer {
    answer(status, json!({ "errorType": error_type, "errorMessage": message }).to_string())
}

fn answer(status: StatusCode, body: String) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    answer
}

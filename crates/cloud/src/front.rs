//! The front: sends every request to its service, and answers for what no service can answer.

use std::{collections::BTreeMap, future::Future, panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Instant};

use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use futures::FutureExt as _;
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::{BodyExt as _, Collected, LengthLimitError, Limited};

use crate::{
    elsewhere::Elsewhere,
    guard,
    route::{Route, ServiceName, is_guessed, query_route, route, signing_name},
    service::{Request, Response, Service},
    wire::{self, Format},
};

const MIB: usize = 1024 * 1024;

/// The services behind the port, by name.
///
/// It refuses what web pages of other hosts send, calls to services that are not there, and bodies above the service's limit
/// (413). It turns a panic of a service into a response with status 500.
#[derive(Default)]
pub struct Front {
    services: BTreeMap<ServiceName, Arc<dyn Service>>,
    elsewhere: Option<Arc<Elsewhere>>,
}

impl Front {
    /// A front with no service behind it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a service behind the front, in the place of an earlier one of that name.
    #[must_use]
    pub fn with(mut self, name: ServiceName, service: Arc<dyn Service>) -> Self {
        self.services.insert(name, service);
        self
    }

    /// Lets requests to some services that are not here go on to a real account.
    #[must_use]
    pub fn with_elsewhere(mut self, elsewhere: Option<Arc<Elsewhere>>) -> Self {
        self.elsewhere = elsewhere;
        self
    }

    /// Answers, and tells of it: which operation of which service, and what came of it. Queries and bodies are not told, for
    /// they hold signatures and payloads.
    async fn answer(&self, request: Request) -> Response {
        let started = Instant::now();
        let (parts, body) = request.into_parts();
        if let Err(stranger) = guard::check(&parts) {
            tracing::warn!(reason = %stranger, "a request was refused");
            return stranger.response(&parts);
        }
        if is_of_a_browser(&parts) {
            return told_to_a_browser();
        }
        if let (Some(elsewhere), Some(name)) = (&self.elsewhere, signing_name(&parts))
            && elsewhere.has(name)
        {
            tracing::debug!(service = name, "a request goes on to the real account");
            return elsewhere.call(Request::from_parts(parts, body)).await;
        }
        let operation = tracing::enabled!(tracing::Level::DEBUG).then(|| operation(&parts));
        let (target, body) = match route(&parts) {
            Route::AskBody => match collect(body, limit(ServiceName::CloudWatch)).await {
                Ok(form) => (query_route(&String::from_utf8_lossy(&form)), Body::from(form)),
                Err(refusal) => return refusal.response(Format::QueryXml),
            },
            target => (target, body),
        };
        let service = target.title().to_owned();
        let is_guessed = is_guessed(&parts);
        let response = self.respond(target, parts, body).await;
        let response = if is_guessed { explained(response).await } else { response };
        let (status, took) = (response.status().as_u16(), started.elapsed());
        tracing::debug!(service, operation, status, ?took, "a request was answered");
        response
    }

    async fn respond(&self, target: Route, parts: Parts, body: Body) -> Response {
        match target {
            Route::To(name, format) => match self.services.get(&name) {
                Some(service) => pass_on(service.as_ref(), name, format, parts, body).await,
                None => not_emulated(name.title(), format),
            },
            Route::NotEmulated(title, format) => not_emulated(&title, format),
            Route::AskBody => wire::error(Format::QueryXml, StatusCode::BAD_REQUEST, "MissingAction", WHOSE_PORT),
        }
    }
}

impl Service for Front {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(self.answer(request))
    }
}

impl std::fmt::Debug for Front {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.services.keys()).finish()
    }
}

/// The answer to a request that may have been meant for anybody: where S3 has no such bucket, it says who answers here.
async fn explained(response: Response) -> Response {
    const LONGEST: u64 = 4096;
    let is_short = response.body().size_hint().upper().is_some_and(|length| length <= LONGEST);
    if !response.status().is_client_error() || !is_short {
        return response;
    }
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let is_of = |code: &str| String::from_utf8_lossy(&body).contains(&format!("<Code>{code}</Code>"));
    match ["NoSuchBucket", "InvalidBucketName"].into_iter().find(|code| is_of(code)) {
        Some(code) => wire::error(Format::S3Xml, parts.status, code, WHOSE_PORT),
        None => Response::from_parts(parts, Body::from(body)),
    }
}

/// Whether somebody looks what is at the port. To S3 it is a request for the list of the buckets, which nobody's client asks
/// for unsigned and as a page.
fn is_of_a_browser(parts: &Parts) -> bool {
    let wants_a_page = || {
        parts
            .headers
            .get(header::ACCEPT)
            .and_then(|kinds| kinds.to_str().ok())
            .is_some_and(|kinds| kinds.contains("text/html"))
    };
    parts.method == Method::GET
        && parts.uri.path() == "/"
        && parts.uri.query().is_none()
        && is_guessed(parts)
        && wants_a_page()
}

fn told_to_a_browser() -> Response {
    let mut response = Response::new(Body::from(WHOSE_PORT));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// What somebody should know who asks this port for something that is nowhere.
const WHOSE_PORT: &str = "This is the port of a local AWS, which stairwell runs. AWS clients find the services here by \
                          AWS_ENDPOINT_URL; the HTTP APIs of the template are below /_api/. A request that says no service \
                          is taken for one to S3, whose first part of the path is a bucket.";

/// What a request asks for: the operation's name where the head has it, else the method and the path.
fn operation(parts: &Parts) -> String {
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()?.rsplit('.').next());
    let path = parts.uri.path();
    let named = target.or_else(|| path.split_once("/operation/").map(|(_, operation)| operation));
    named.map_or_else(|| format!("{} {path}", parts.method), str::to_owned)
}

/// The largest body that is let through, in bytes: what the service itself takes, or a little more where the
/// service answers in words of its own. S3 streams, and has its own limit of 5 GiB.
fn limit(name: ServiceName) -> usize {
    match name {
        ServiceName::States => 4 * MIB,
        ServiceName::Lambda => 70 * MIB,
        ServiceName::DynamoDb => 16 * MIB,
        ServiceName::Sqs | ServiceName::Sns | ServiceName::Events | ServiceName::Logs => 3 * MIB,
        ServiceName::CloudWatch
        | ServiceName::Scheduler
        | ServiceName::Ssm
        | ServiceName::Secrets
        | ServiceName::Sts => MIB,
        ServiceName::Apis => 10 * MIB,
        ServiceName::S3 => usize::MAX,
    }
}

async fn pass_on(service: &dyn Service, name: ServiceName, format: Format, parts: Parts, body: Body) -> Response {
    let limit = limit(name);
    if content_length(&parts).is_some_and(|length| length > limit) {
        return too_large(format);
    }
    let body = if limit == usize::MAX { body } else { Body::new(Limited::new(body, limit)) };
    let request = Request::from_parts(parts, body);
    match AssertUnwindSafe(service.call(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            tracing::error!(service = name.title(), panic = panic_text(panic.as_ref()), "a request ended in a panic");
            let message = "The local service failed on this request; its log says where.";
            wire::error(format, StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", message)
        }
    }
}

fn content_length(parts: &Parts) -> Option<usize> {
    parts.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// What a panic says.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

fn not_emulated(title: &str, format: Format) -> Response {
    let message = format!(
        "{title} is not emulated. Mock what a state calls, start with --forward to let calls go on to your own account, \
         or point this client at AWS."
    );
    wire::error(format, StatusCode::NOT_IMPLEMENTED, "ServiceNotEmulated", &message)
}

fn too_large(format: Format) -> Response {
    wire::error(format, StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "The request body is too large.")
}

/// Why a body could not be read whole.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BodyRefused {
    TooLarge,
    Broken,
}

impl BodyRefused {
    pub(crate) fn response(self, format: Format) -> Response {
        match self {
            Self::TooLarge => too_large(format),
            Self::Broken => {
                let message = "The connection ended before the request body did.";
                wire::error(format, StatusCode::BAD_REQUEST, "IncompleteBody", message)
            }
        }
    }
}

/// Reads a whole body of at most `limit` bytes.
pub(crate) async fn collect(body: Body, limit: usize) -> Result<Bytes, BodyRefused> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if is_length_limit(error.as_ref()) => Err(BodyRefused::TooLarge),
        Err(_) => Err(BodyRefused::Broken),
    }
}

/// Looks through the wrappers of an error: a limit set by the front arrives wrapped by the body types in between.
fn is_length_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

//! API Gateway's HTTP and REST APIs, with routes to functions and state machines, and the URLs of functions.
//!
//! An API answers at `http://<logical id>.execute-api.localhost:<port>/…` and at
//! `http://127.0.0.1:<port>/_api/<logical id>/…`. The stage of a REST API is the first part of the path, that of an HTTP API
//! need not be in it. Authorizers are not applied.
//!
//! Source: the API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs".

mod exchange;
mod execution;
mod route;

use std::{future::Future, pin::Pin, sync::Arc};

use http::{StatusCode, header::HOST};
use http_body_util::BodyExt;
use sam::{Api, ApiKind, Integration, PayloadFormat};
use serde_json::Value;

use crate::{
    lambda::{InvokeOptions, Lambda},
    service::{Peer, Request, Response, Service},
};
use exchange::{Exchange, failed, message, response_v1, response_v2};
use route::Matched;

/// How much of an answer is told, in characters.
const LONGEST_SHOWN: usize = 200;

/// The APIs of an application.
pub struct Apis {
    described: Vec<Api>,
    account: String,
    lambda: Arc<Lambda>,
    states: Arc<dyn Service>,
}

impl Apis {
    /// The APIs, whose routes call these functions, and Step Functions.
    pub fn new(described: Vec<Api>, account: &str, lambda: Arc<Lambda>, states: Arc<dyn Service>) -> Self {
        Self { described, account: account.to_owned(), lambda, states }
    }

    async fn answer(&self, request: Request) -> Response {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_string());
        let (parts, body) = request.into_parts();
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
        let Some((api, path)) = self.address(&host, parts.uri.path()) else {
            return message(StatusCode::NOT_FOUND, &self.no_such_api(parts.uri.path()));
        };
        let Some(Matched { route, path_parameters }) = route::find(&api.routes, parts.method.as_str(), path) else {
            return match api.kind {
                ApiKind::Rest => message(StatusCode::FORBIDDEN, "Missing Authentication Token"),
                ApiKind::Http | ApiKind::FunctionUrl => message(StatusCode::NOT_FOUND, "Not Found"),
            };
        };
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            // The front's limit was passed, or the client went away.
            Err(_) => return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        };
        let exchange = Exchange {
            api,
            route,
            path,
            path_parameters: &path_parameters,
            parts: &parts,
            body: &body,
            host: &host,
            source_ip: peer.as_deref().unwrap_or("127.0.0.1"),
            account: &self.account,
        };
        match &route.integration {
            Integration::Function { name, payload } => self.invoke(&exchange, name, *payload).await,
            Integration::StateMachine { action, parameters } => {
                exchange.execute(self.states.as_ref(), *action, parameters).await
            }
        }
    }

    /// What API Gateway itself does not say: it has no host for an API that is not there.
    fn no_such_api(&self, path: &str) -> String {
        let name = path.trim_start_matches("/_api").trim_start_matches('/').split('/').next().unwrap_or_default();
        if let Some(api) = self.described.iter().find(|api| api.logical_id.eq_ignore_ascii_case(name)) {
            return format!("The API {name:?} answers at {}, with its stage.", address_of(api));
        }
        let names: Vec<String> = self.described.iter().map(address_of).collect();
        match names.as_slice() {
            [] => format!("There is no API {name:?}: the template has none."),
            names => format!("There is no API {name:?}. Those of the template are at {}.", names.join(", ")),
        }
    }

    async fn invoke(&self, exchange: &Exchange<'_>, function: &str, format: PayloadFormat) -> Response {
        let payload = exchange.event(format).to_string().into();
        let answered = match self.lambda.invoke(function, payload, InvokeOptions::default()).await {
            Ok(invocation) if invocation.failed => Err(fault(&invocation.payload)),
            Ok(invocation) => {
                let response = match format {
                    PayloadFormat::V1 => response_v1(&invocation.payload),
                    PayloadFormat::V2 => response_v2(&invocation.payload),
                };
                response.ok_or_else(|| {
                    let payload = String::from_utf8_lossy(&invocation.payload);
                    let shown = payload.char_indices().nth(LONGEST_SHOWN).map_or(&*payload, |(end, _)| &payload[..end]);
                    format!("its answer is not one that API Gateway takes: {shown}")
                })
            }
            Err(error) => Err(error.to_string()),
        };
        answered.unwrap_or_else(|why| {
            // The client is told nothing, so this is where somebody can read it.
            tracing::warn!("{function} failed for {} {}: {why}", exchange.parts.method, exchange.path);
            failed(exchange.api.kind)
        })
    }

    /// The API that a request is for, and the path below it, without the stage of a REST API.
    fn address<'a>(&self, host: &str, path: &'a str) -> Option<(&Api, &'a str)> {
        let named = |name: &str| self.described.iter().find(|api| api.logical_id.eq_ignore_ascii_case(name));
        let (api, below) = match path.strip_prefix("/_api/") {
            Some(rest) => {
                let (name, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (named(name)?, below)
            }
            None => (named(host.split_once(".execute-api.")?.0)?, path),
        };
        let below = match api.kind {
            ApiKind::Rest => below_stage(api, below)?,
            // Who calls it as in AWS, with a stage that has a name, is right too.
            ApiKind::Http => below_stage(api, below).unwrap_or(below),
            ApiKind::FunctionUrl => below,
        };
        match below {
            "" => Some((api, "/")),
            below => below.starts_with('/').then_some((api, below)),
        }
    }
}

/// The error that a function failed with, in one line.
fn fault(payload: &[u8]) -> String {
    let Ok(error) = serde_json::from_slice::<Value>(payload) else {
        return String::from_utf8_lossy(payload).into_owned();
    };
    let texts = ["errorType", "errorMessage"].map(|field| error[field].as_str().unwrap_or_default());
    texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ")
}

/// What of a path is below an API's stage: nothing, or what begins with a slash.
fn below_stage<'a>(api: &Api, path: &'a str) -> Option<&'a str> {
    let below = path.strip_prefix('/')?.strip_prefix(api.stage.as_str())?;
    (below.is_empty() || below.starts_with('/')).then_some(below)
}

/// Where an API is below the address of the port.
fn address_of(api: &Api) -> String {
    match api.kind {
        ApiKind::Rest => format!("/_api/{}/{}/", api.logical_id, api.stage),
        ApiKind::Http | ApiKind::FunctionUrl => format!("/_api/{}/", api.logical_id),
    }
}

impl Service for Apis {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(self.answer(request))
    }
}

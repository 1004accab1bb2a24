//! API Gateway HTTP APIs: routes to functions, payload format 2.0.
//!
//! An API answers at `http://<logical id>.execute-api.localhost:<port>/…` and at
//! `http://127.0.0.1:<port>/_api/<logical id>/…`. Its stage is not part of the path. Authorizers are not applied.
//!
//! Source: the API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs".

mod exchange;
mod route;

use std::{future::Future, pin::Pin, sync::Arc};

use http::{StatusCode, header::HOST};
use http_body_util::BodyExt;
use sam::HttpApi;

use crate::{
    lambda::{InvokeOptions, Lambda},
    service::{Peer, Request, Response, Service},
};
use exchange::{Exchange, message, response};
use route::Matched;

/// The HTTP APIs of an application.
pub struct Apis {
    described: Vec<HttpApi>,
    account: String,
    lambda: Arc<Lambda>,
}

impl Apis {
    /// The APIs, whose routes call these functions.
    pub fn new(described: Vec<HttpApi>, account: &str, lambda: Arc<Lambda>) -> Self {
        Self { described, account: account.to_owned(), lambda }
    }

    async fn answer(&self, request: Request) -> Response {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_string());
        let (parts, body) = request.into_parts();
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
        let Some((api, path)) = self.address(&host, parts.uri.path()) else {
            return message(StatusCode::NOT_FOUND, &self.no_such_api(parts.uri.path()));
        };
        let Some(Matched { route, path_parameters }) = route::find(&api.routes, parts.method.as_str(), path) else {
            return message(StatusCode::NOT_FOUND, "Not Found");
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
        let payload = exchange.event().to_string().into();
        match self.lambda.invoke(&route.function, payload, InvokeOptions::default()).await {
            Ok(invocation) if !invocation.failed => response(&invocation.payload),
            Ok(_) => message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Err(error) => {
                tracing::error!(%error, function = route.function, "an API could not call its function");
                message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
        }
    }

    /// What API Gateway itself does not say: it has no host for an API that is not there.
    fn no_such_api(&self, path: &str) -> String {
        let name = path.trim_start_matches("/_api").trim_start_matches('/').split('/').next().unwrap_or_default();
        let names: Vec<String> = self.described.iter().map(|api| format!("/_api/{}/", api.logical_id)).collect();
        match names.as_slice() {
            [] => format!("There is no HTTP API {name:?}: the template has none."),
            names => format!("There is no HTTP API {name:?}. Those of the template are at {}.", names.join(", ")),
        }
    }

    /// The API that a request is for, and the path below it.
    fn address<'a>(&self, host: &str, path: &'a str) -> Option<(&HttpApi, &'a str)> {
        let named = |name: &str| self.described.iter().find(|api| api.logical_id.eq_ignore_ascii_case(name));
        if let Some(rest) = path.strip_prefix("/_api/") {
            let end = rest.find('/').unwrap_or(rest.len());
            let (name, below) = rest.split_at(end);
            return named(name).map(|api| (api, if below.is_empty() { "/" } else { below }));
        }
        let (name, _) = host.split_once(".execute-api.")?;
        named(name).map(|api| (api, path))
    }
}

impl Service for Apis {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(self.answer(request))
    }
}

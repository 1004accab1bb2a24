//! The operations of Lambda's API that are about event source mappings, in front of Lambda's other ones.

use std::{future::Future, pin::Pin, sync::Arc};

use http::{Method, StatusCode, request::Parts};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Mappings, description::invalid};
use crate::{
    front::collect,
    protocol::Failure,
    service::{Request, Response, Service},
    wire::{self, Format},
};

/// Where they are.
const PATH: &str = "/2015-03-31/event-source-mappings";

/// The longest body, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Lambda's API with that of the mappings.
pub(crate) struct FrontEnd {
    pub(crate) mappings: Arc<Mappings>,
    pub(crate) lambda: Arc<dyn Service>,
}

/// Which mappings are asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) source: Option<String>,
    pub(super) function: Option<String>,
    pub(super) marker: Option<String>,
    pub(super) most: Option<usize>,
}

impl Service for FrontEnd {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        let path = request.uri().path();
        let below = path.strip_prefix(PATH).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let Some(id) = below.map(|rest| rest.trim_matches('/').to_owned()) else { return self.lambda.call(request) };
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = match collect(body, MAX_BODY).await {
                Ok(body) => body,
                Err(refused) => return refused.response(Format::Json),
            };
            match self.answer(&parts, &id, &body) {
                Ok((status, answer)) => wire::json(status, &answer),
                Err(failure) => wire::error(Format::Json, failure.status, failure.code, &failure.message),
            }
        })
    }
}

impl FrontEnd {
    fn answer(&self, parts: &Parts, id: &str, body: &[u8]) -> Result<(StatusCode, Value), Failure> {
        let description = || {
            let refused = |error: serde_json::Error| Failure::new("InvalidParameterValueException", error.to_string());
            serde_json::from_slice(body).map_err(refused)
        };
        // What is done to a mapping takes its time in AWS, so its clients hear that it was begun.
        match (&parts.method, id) {
            (&Method::POST, "") => Ok((StatusCode::ACCEPTED, self.mappings.create(description()?)?)),
            (&Method::GET, "") => {
                Ok((StatusCode::OK, self.mappings.list(&asked(parts.uri.query().unwrap_or_default())?)?))
            }
            (&Method::GET, id) => Ok((StatusCode::OK, self.mappings.get(id)?)),
            (&Method::PUT, id) => Ok((StatusCode::ACCEPTED, self.mappings.update(id, description()?)?)),
            (&Method::DELETE, id) => Ok((StatusCode::ACCEPTED, self.mappings.delete(id)?)),
            (method, _) => Err(Failure::no_operation("Lambda", &format!("{method} {}", parts.uri.path()))),
        }
    }
}

fn asked(query: &str) -> Result<Asked, Failure> {
    let mut asked = Asked::default();
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
        match name {
            "EventSourceArn" => asked.source = Some(value),
            "FunctionName" => asked.function = Some(value),
            "Marker" => asked.marker = Some(value),
            "MaxItems" => asked.most = Some(value.parse().map_err(|_| invalid("MaxItems is a number."))?),
            other => return Err(invalid(format!("There is no parameter {other}."))),
        }
    }
    Ok(asked)
}

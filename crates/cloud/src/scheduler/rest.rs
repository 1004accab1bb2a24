//! Scheduler as its clients see it: JSON in a REST of its own.

use std::{future::Future, pin::Pin, sync::Arc};

use http::{Method, StatusCode, request::Parts};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Scheduler, operations::Asked, schedule::refused};
use crate::{
    front::collect,
    protocol::Failure,
    service::{Request, Response, Service},
    wire::{self, Format},
};

/// The longest body, in bytes: an input has 256 KiB at most.
const MAX_BODY: usize = 1024 * 1024;

/// Scheduler behind the port.
#[derive(Debug)]
pub(crate) struct FrontEnd(pub(crate) Arc<Scheduler>);

impl Service for FrontEnd {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = match collect(body, MAX_BODY).await {
                Ok(body) => body,
                Err(refused) => return refused.response(Format::Json),
            };
            match self.answer(&parts, &body) {
                Ok(answer) => wire::json(StatusCode::OK, &answer),
                Err(failure) => wire::error(Format::Json, failure.status, failure.code, &failure.message),
            }
        })
    }
}

impl FrontEnd {
    fn answer(&self, parts: &Parts, body: &[u8]) -> Result<Value, Failure> {
        let Self(scheduler) = self;
        let path: Vec<String> = parts.uri.path().trim_matches('/').split('/').map(decode).collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let asked = asked(parts.uri.query().unwrap_or_default())?;
        let body = || match body {
            [] => Ok(Value::Object(serde_json::Map::new())),
            body => serde_json::from_slice(body).map_err(|error| refused(error.to_string())),
        };
        match (&parts.method, path.as_slice()) {
            (&Method::POST, ["schedules", name]) => scheduler.create(name, body()?),
            (&Method::PUT, ["schedules", name]) => scheduler.update(name, body()?),
            (&Method::GET, ["schedules", name]) => scheduler.get(name, &asked),
            (&Method::DELETE, ["schedules", name]) => scheduler.delete(name, &asked),
            (&Method::GET, ["schedules"]) => scheduler.list(&asked),
            (&Method::POST, ["schedule-groups", name]) => scheduler.create_group(name, body()?),
            (&Method::GET, ["schedule-groups", name]) => scheduler.get_group(name),
            (&Method::DELETE, ["schedule-groups", name]) => scheduler.delete_group(name),
            (&Method::GET, ["schedule-groups"]) => Ok(scheduler.list_groups(&asked)),
            (&Method::POST, ["tags", arn @ ..]) => scheduler.tag(&arn.join("/"), body()?),
            (&Method::DELETE, ["tags", arn @ ..]) => scheduler.untag(&arn.join("/"), &asked),
            (&Method::GET, ["tags", arn @ ..]) => scheduler.list_tags(&arn.join("/")),
            (method, _) => {
                Err(Failure::no_operation("EventBridge Scheduler", &format!("{method} {}", parts.uri.path())))
            }
        }
    }
}

fn asked(query: &str) -> Result<Asked, Failure> {
    let mut asked = Asked::default();
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let value = decode(value);
        match name {
            "groupName" | "ScheduleGroup" => asked.group = Some(value),
            "NamePrefix" => asked.prefix = Some(value),
            "State" => asked.state = Some(value),
            "MaxResults" => {
                let most = value.parse().map_err(|_| refused("MaxResults is a number."))?;
                asked.max_results = Some(most);
            }
            "NextToken" => asked.next_token = Some(value),
            "TagKeys" => asked.tag_keys.push(value),
            // What tells a request from its repetition: here each is carried out.
            "clientToken" => {}
            other => return Err(refused(format!("There is no parameter {other}."))),
        }
    }
    Ok(asked)
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

//! A request as a function gets it, and a function's answer as a client gets it.

use std::collections::BTreeMap;

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, COOKIE, SET_COOKIE},
    request::Parts,
};
use sam::{HttpApi, Route};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, macros::format_description};
use uuid::Uuid;

use crate::service::Response;

/// Everything that an event is made of.
pub(super) struct Exchange<'a> {
    pub(super) api: &'a HttpApi,
    pub(super) route: &'a Route,
    pub(super) path: &'a str,
    pub(super) path_parameters: &'a BTreeMap<String, String>,
    pub(super) parts: &'a Parts,
    pub(super) body: &'a [u8],
    pub(super) host: &'a str,
    pub(super) source_ip: &'a str,
    pub(super) account: &'a str,
}

impl Exchange<'_> {
    /// The event in payload format 2.0.
    pub(super) fn event(&self) -> Value {
        let now = OffsetDateTime::now_utc();
        let headers = &self.parts.headers;
        let query = self.parts.uri.query().unwrap_or_default();
        let route_key = match self.route.path.as_str() {
            "$default" => "$default".to_owned(),
            path => format!("{} {path}", self.route.method),
        };
        let user_agent = headers.get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let clock = format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
        let mut event = json!({
            "version": "2.0",
            "routeKey": route_key,
            "rawPath": self.path,
            "rawQueryString": query,
            "headers": joined(headers),
            "requestContext": {
                "accountId": self.account,
                "apiId": self.api.logical_id,
                "domainName": self.host,
                "domainPrefix": self.host.split('.').next().unwrap_or_default(),
                "http": {
                    "method": self.parts.method.as_str(),
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": self.source_ip,
                    "userAgent": user_agent,
                },
                "requestId": Uuid::new_v4().to_string(),
                "routeKey": route_key,
                "stage": self.api.stage,
                "time": now.format(clock).unwrap_or_default(),
                "timeEpoch": now.unix_timestamp_nanos() / 1_000_000,
            },
            "isBase64Encoded": false,
        });
        let mut set = |key: &str, value: Value| event[key] = value;
        let cookies: Vec<_> = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
        if !cookies.is_empty() {
            set("cookies", cookies.iter().flat_map(|line| line.split("; ")).collect::<Vec<_>>().into());
        }
        if !query.is_empty() {
            set("queryStringParameters", query_parameters(query).into());
        }
        if !self.path_parameters.is_empty() {
            set("pathParameters", json!(self.path_parameters));
        }
        if !self.body.is_empty() {
            match std::str::from_utf8(self.body) {
                Ok(text) => set("body", text.into()),
                Err(_) => {
                    set("body", STANDARD.encode(self.body).into());
                    set("isBase64Encoded", true.into());
                }
            }
        }
        event
    }
}

/// Headers in lower case, repeated ones joined by commas; cookies stand apart.
fn joined(headers: &HeaderMap) -> Map<String, Value> {
    let text = |name: &HeaderName| {
        let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        values.collect::<Vec<_>>().join(",")
    };
    let names = headers.keys().filter(|name| **name != COOKIE);
    names.map(|name| (name.as_str().to_owned(), text(name).into())).collect()
}

/// Decoded parameters, repeated ones joined by commas.
fn query_parameters(query: &str) -> Map<String, Value> {
    let decode =
        |text: &str| percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        parameters.entry(decode(name)).or_default().push(decode(value));
    }
    parameters.into_iter().map(|(name, values)| (name, values.join(",").into())).collect()
}

/// A function's answer that says more than its body.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    cookies: Vec<String>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// What the client gets of a function's answer: an object with a `statusCode` is taken apart, anything else is the body
/// of a 200.
pub(super) fn response(payload: &[u8]) -> Response {
    let Ok(value) = serde_json::from_slice::<Value>(payload) else {
        return message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    };
    if value.get("statusCode").is_none() {
        return with_body(StatusCode::OK, value.to_string().into_bytes());
    }
    serde_json::from_value::<Answer>(value)
        .ok()
        .and_then(shaped)
        .unwrap_or_else(|| message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"))
}

fn shaped(answer: Answer) -> Option<Response> {
    let body = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded { STANDARD.decode(body).ok()? } else { body.into_bytes() };
    let mut response = with_body(StatusCode::from_u16(answer.status_code).ok()?, body);
    let headers = response.headers_mut();
    for (name, value) in &answer.headers {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        headers.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(&text).ok()?);
    }
    for cookie in &answer.cookies {
        headers.append(SET_COOKIE, HeaderValue::from_str(cookie).ok()?);
    }
    Some(response)
}

/// A message of the gateway itself.
pub(super) fn message(status: StatusCode, text: &str) -> Response {
    with_body(status, json!({ "message": text }).to_string().into_bytes())
}

fn with_body(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

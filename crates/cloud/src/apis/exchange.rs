//! A request as a function gets it, and a function's answer as a client gets it.

use std::collections::BTreeMap;

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, COOKIE, SET_COOKIE},
    request::Parts,
};
use sam::{Api, ApiKind, PayloadFormat, Route};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};
use uuid::Uuid;

use crate::service::Response;

/// The time of a request, as in a web server's log.
const CLOCK: &[BorrowedFormatItem<'_>] =
    format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");

/// Everything that an event is made of.
pub(super) struct Exchange<'a> {
    pub(super) api: &'a Api,
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
    /// The event of a function.
    pub(super) fn event(&self, format: PayloadFormat) -> Value {
        match format {
            PayloadFormat::V1 => self.event_v1(),
            PayloadFormat::V2 => self.event_v2(),
        }
    }

    /// The event in payload format 1.0, which is that of REST APIs. The names of headers are in lower case, as they come in.
    fn event_v1(&self) -> Value {
        let now = OffsetDateTime::now_utc();
        let headers = &self.parts.headers;
        let several = |entries: Vec<(String, String)>| {
            let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (name, value) in entries {
                all.entry(name).or_default().push(value);
            }
            all
        };
        // Of several values of one name the last counts.
        let last = |all: &BTreeMap<String, Vec<String>>| {
            all.iter().map(|(name, values)| (name.clone(), values.last().cloned())).collect::<BTreeMap<_, _>>()
        };
        let given = headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let given = several(given.collect());
        let query = several(query_pairs(self.parts.uri.query().unwrap_or_default()));
        let or_null = |value: Value| match value.as_object() {
            Some(fields) if fields.is_empty() => Value::Null,
            _ => value,
        };
        let (body, is_base64_encoded) = self.body();
        let is_rest = self.api.kind == ApiKind::Rest;
        let full_path = if is_rest { format!("/{}{}", self.api.stage, self.path) } else { self.path.to_owned() };
        let user_agent = headers.get("user-agent").and_then(|value| value.to_str().ok());
        let request_id = Uuid::new_v4().to_string();
        let mut event = json!({
            "resource": self.route.path,
            "path": self.path,
            "httpMethod": self.parts.method.as_str(),
            "headers": last(&given),
            "multiValueHeaders": given,
            "queryStringParameters": or_null(json!(last(&query))),
            "multiValueQueryStringParameters": or_null(json!(query)),
            "pathParameters": or_null(json!(self.path_parameters)),
            "stageVariables": null,
            "requestContext": {
                "accountId": self.account,
                "apiId": self.api.logical_id,
                "domainName": self.host,
                "domainPrefix": self.host.split('.').next().unwrap_or_default(),
                "extendedRequestId": request_id,
                "httpMethod": self.parts.method.as_str(),
                "identity": { "sourceIp": self.source_ip, "userAgent": user_agent },
                "path": full_path,
                "protocol": "HTTP/1.1",
                "requestId": request_id,
                "requestTime": now.format(CLOCK).unwrap_or_default(),
                "requestTimeEpoch": now.unix_timestamp_nanos() / 1_000_000,
                "resourceId": self.route.path,
                "resourcePath": self.route.path,
                "stage": self.api.stage,
            },
            "body": body,
            "isBase64Encoded": is_base64_encoded,
        });
        if !is_rest {
            event["version"] = json!("1.0");
        }
        event
    }

    /// The body as text, or in Base64.
    pub(super) fn body(&self) -> (Option<String>, bool) {
        match std::str::from_utf8(self.body) {
            Ok("") => (None, false),
            Ok(text) => (Some(text.to_owned()), false),
            Err(_) => (Some(STANDARD.encode(self.body)), true),
        }
    }

    /// The event in payload format 2.0.
    fn event_v2(&self) -> Value {
        let now = OffsetDateTime::now_utc();
        let headers = &self.parts.headers;
        let query = self.parts.uri.query().unwrap_or_default();
        let route_key = match self.route.path.as_str() {
            "$default" => "$default".to_owned(),
            path => format!("{} {path}", self.route.method),
        };
        let user_agent = headers.get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default();
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
                "time": now.format(CLOCK).unwrap_or_default(),
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
        let (body, is_base64_encoded) = self.body();
        if let Some(body) = body {
            set("body", body.into());
            set("isBase64Encoded", is_base64_encoded.into());
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
    let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in query_pairs(query) {
        parameters.entry(name).or_default().push(value);
    }
    parameters.into_iter().map(|(name, values)| (name, values.join(",").into())).collect()
}

/// Decoded parameters in their order.
pub(super) fn query_pairs(query: &str) -> Vec<(String, String)> {
    let decode =
        |text: &str| percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

/// A function's answer that says more than its body.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default, deserialize_with = "or_default")]
    headers: BTreeMap<String, Value>,
    #[serde(default, deserialize_with = "or_default")]
    multi_value_headers: BTreeMap<String, Vec<Value>>,
    #[serde(default)]
    cookies: Vec<String>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// What the client gets of a function's answer in payload format 1.0, where it must be an object with a `statusCode`; nothing
/// where it is no such answer.
pub(super) fn response_v1(payload: &[u8]) -> Option<Response> {
    shaped(serde_json::from_slice(payload).ok()?)
}

/// What an API answers where the function has failed.
pub(super) fn failed(kind: ApiKind) -> Response {
    match kind {
        ApiKind::Rest => message(StatusCode::BAD_GATEWAY, "Internal server error"),
        ApiKind::FunctionUrl => message(StatusCode::BAD_GATEWAY, "Internal Server Error"),
        ApiKind::Http => message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    }
}

/// What the client gets of a function's answer in payload format 2.0: an object with a `statusCode` is taken apart, anything
/// else is the body of a 200. Nothing where it is neither.
pub(super) fn response_v2(payload: &[u8]) -> Option<Response> {
    let value: Value = serde_json::from_slice(payload).ok()?;
    if value.get("statusCode").is_none() {
        return Some(with_body(StatusCode::OK, value.to_string().into_bytes()));
    }
    shaped(serde_json::from_value(value).ok()?)
}

/// A field that is `null` is one that is not there.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
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
    for (name, values) in &answer.multi_value_headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.remove(&name);
        for value in values {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            headers.append(&name, HeaderValue::from_str(&text).ok()?);
        }
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

//! `apigateway:invoke` and `http:invoke`: calls of HTTP endpoints.
//!
//! The HTTP APIs of the application are called as the port would; other endpoints over a socket, on this machine alone unless
//! the user allows more. The credentials of an `EventBridge` connection are not here: an endpoint is called without them.
//!
//! Source: Step Functions Developer Guide, "Call HTTPS APIs in Step Functions workflows" and "Create API Gateway REST APIs
//! with Step Functions".

mod encode;

use std::{net::IpAddr, time::Duration};

use asl::{Fault, Value, fault::names, value::Object};
use axum::body::Body;
use bytes::Bytes;
use engine::{Identity, core::Call, services::Operation};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header, uri::Authority};

use super::service::Services;
use crate::{
    front::{BodyRefused, collect},
    https,
    service::Response,
    states::sdk,
};
use encode::{Encoding, Query};

/// How long an endpoint has.
const PATIENCE: Duration = Duration::from_mins(1);

/// The longest answer that is read, in bytes: more than a task's result may have.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// The error of an endpoint that can't be reached, or that does not answer in time.
const SOCKET: &str = "States.Http.Socket";

/// Headers that an HTTP task can't have, and beginnings of such.
const RESERVED: [&str; 29] = [
    "a-im",
    "accept-charset",
    "accept-datetime",
    "accept-encoding",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-md5",
    "date",
    "expect",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authorization",
    "referer",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "warning",
    "x-forwarded-for",
    "x-forwarded-host",
];
const RESERVED_BEGINNINGS: [&str; 3] = ["if-", "x-amz-", "x-amzn-"];

/// Who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::states) enum Endpoint {
    /// `apigateway:invoke`
    Api,
    /// `http:invoke`
    Http,
}

impl Endpoint {
    /// Whether an address is neither on this machine nor that of an API of the application.
    pub(in crate::states) fn is_far(self, address: &str) -> bool {
        let authority: Option<Authority> = match self {
            Self::Api if address.contains(".execute-api.") => None,
            Self::Api => address.split('/').next().and_then(|host| host.parse().ok()),
            Self::Http => address.parse::<Uri>().ok().and_then(|address| address.authority().cloned()),
        };
        authority.is_some_and(|authority| !is_loopback(&authority))
    }
}

/// Parameters of which no call can be made, in words that follow "could not be used to start the Task".
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("The value of the field '{0}' has an invalid format")]
    Format(&'static str),
    #[error("The header '{0}' is not allowed")]
    Header(String),
    #[error("{0}")]
    Misfit(#[from] engine::services::values::Misfit),
    #[error("'{0}' is not on this machine: mock the call, or allow it with --allow-network")]
    Elsewhere(String),
    #[error(
        "'{0}' is neither an HTTP API of the application nor on this machine: mock the call, or allow it with --allow-network"
    )]
    NoApi(String),
}

/// A request, and the way that it goes.
struct Outgoing {
    request: Request<Bytes>,
    /// Whether the application itself answers it.
    is_own: bool,
}

/// Calls an endpoint with a task's parameters.
pub(super) fn call(
    endpoint: Endpoint,
    operation: &Operation,
    execution: &Identity,
    call: &Call,
    services: &Services,
    network: bool,
) -> impl Future<Output = Result<Value, Fault>> + Send + use<> {
    let outgoing =
        operation.parameters(&call.input, "").map_err(Unusable::from).and_then(|parameters| match endpoint {
            Endpoint::Api => api_request(&parameters, execution, network),
            Endpoint::Http => http_request(&parameters, execution, network),
        });
    let outgoing = outgoing.map_err(|error| {
        Fault::runtime(format!("The Parameters '{}' could not be used to start the Task: [{error}]", call.input))
    });
    let services = services.all();
    async move {
        let Outgoing { request, is_own } = outgoing?;
        let target = request.uri().to_string();
        let failed = |why: &dyn std::fmt::Display| Fault::new(SOCKET, format!("{target}: {why}"));
        let answering = async {
            let response = if is_own {
                let services = services.ok_or_else(|| failed(&"the runner stops"))?;
                services.call(request.map(Body::from)).await
            } else {
                https::send(request.map(Body::from)).await.map_err(|error| failed(&innermost(&error)))?
            };
            answer(endpoint, response).await
        };
        let in_time = tokio::time::timeout(PATIENCE, answering).await;
        in_time.unwrap_or_else(|_| Err(failed(&format_args!("no answer within {} seconds", PATIENCE.as_secs()))))
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// `https://<ApiEndpoint>/<Stage>/<Path>`. An API of the application is found by its host.
fn api_request(parameters: &Object, execution: &Identity, network: bool) -> Result<Outgoing, Unusable> {
    const FIELD: &str = "ApiEndpoint";
    let text = |name: &str| parameters.get(name).and_then(Value::as_str).unwrap_or_default();
    let (host, base) = text(FIELD).split_once('/').unwrap_or((text(FIELD), ""));
    let authority: Authority = host.parse().map_err(|_| Unusable::Format(FIELD))?;
    let is_own = host.contains(".execute-api.");
    let is_near = is_own || is_loopback(&authority);
    if !is_near && !network {
        return Err(Unusable::NoApi(host.to_owned()));
    }
    // The stage of that name is in no path.
    let stage = Some(text("Stage")).filter(|stage| *stage != "$default").unwrap_or_default();
    let parts = [base, stage, text("Path")].map(|part| part.trim_matches('/'));
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let path = parts.join("/");
    let query = match parameters.get("QueryParameters") {
        Some(Value::Object(fields)) => Query::of_lists(fields).to_string(),
        _ => String::new(),
    };
    let scheme = if is_near { "http" } else { "https" };
    let uri = uri(&format!("{scheme}://{host}/{path}{query}"), FIELD)?;
    let mut headers = headers(parameters.get("Headers"))?;
    let body = parameters.get("RequestBody").map(|body| match parameters.get("AllowNullValues") {
        Some(Value::Bool(true)) => body.clone(),
        _ => encode::without_nulls(body),
    });
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    if let Some(trace) = execution.trace_header.as_deref().and_then(|trace| HeaderValue::from_str(trace).ok()) {
        headers.entry("x-amzn-trace-id").or_insert(trace);
    }
    headers.insert(header::HOST, HeaderValue::from_str(host).map_err(|_| Unusable::Format(FIELD))?);
    Ok(Outgoing { request: request(parameters, uri, headers, body.into())?, is_own })
}

fn http_request(parameters: &Object, execution: &Identity, network: bool) -> Result<Outgoing, Unusable> {
    const FIELD: &str = "ApiEndpoint";
    let endpoint = parameters.get(FIELD).and_then(Value::as_str).unwrap_or_default();
    let parsed = uri(endpoint, FIELD)?;
    let authority = parsed.authority().ok_or(Unusable::Format(FIELD))?;
    if !is_loopback(authority) && !network {
        return Err(Unusable::Elsewhere(endpoint.to_owned()));
    }
    let query = match parameters.get("QueryParameters") {
        None => Query::default(),
        Some(Value::Object(fields)) => Query::of(fields),
        Some(_) => return Err(Unusable::Format("QueryParameters")),
    };
    let uri = uri(&format!("{endpoint}{}", query.after(parsed.query())), FIELD)?;
    let mut headers = headers(parameters.get("Headers"))?;
    let is_reserved = |name: &str| {
        RESERVED.contains(&name) || RESERVED_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
    };
    if let Some(name) = headers.keys().find(|name| is_reserved(name.as_str())) {
        return Err(Unusable::Header(name.to_string()));
    }
    let encoding = Encoding::read(parameters.get("Transform")).ok_or(Unusable::Format("Transform"))?;
    let body = match parameters.get("RequestBody") {
        None => String::new(),
        Some(body) => {
            headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(encoding.content_type()));
            encoding.body(body).ok_or(Unusable::Format("RequestBody"))?
        }
    };
    let agent = format!("Amazon|StepFunctions|HttpInvoke|{}", execution.region);
    headers.insert(header::USER_AGENT, HeaderValue::try_from(agent).map_err(|_| Unusable::Format("Headers"))?);
    headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-262144"));
    Ok(Outgoing { request: request(parameters, uri, headers, body.into())?, is_own: false })
}

fn uri(text: &str, field: &'static str) -> Result<Uri, Unusable> {
    text.parse().map_err(|_| Unusable::Format(field))
}

fn request(parameters: &Object, uri: Uri, headers: HeaderMap, body: Bytes) -> Result<Request<Bytes>, Unusable> {
    let method = parameters.get("Method").and_then(Value::as_str).unwrap_or_default();
    let mut request = Request::new(body);
    *request.method_mut() = Method::from_bytes(method.as_bytes()).map_err(|_| Unusable::Format("Method"))?;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    let length = request.body().len();
    request.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    Ok(request)
}

/// Names with a text each, or with several.
fn headers(given: Option<&Value>) -> Result<HeaderMap, Unusable> {
    let unusable = || Unusable::Format("Headers");
    let mut headers = HeaderMap::new();
    let fields = match given {
        None => return Ok(headers),
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(unusable()),
    };
    for (name, values) in fields.iter() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?;
        let values = match values {
            Value::Array(values) => values.to_vec(),
            value => vec![value.clone()],
        };
        for value in values {
            let text = sdk::text(&value).ok_or_else(unusable)?;
            headers.append(name.clone(), HeaderValue::from_str(&text).map_err(|_| unusable())?);
        }
    }
    Ok(headers)
}

fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A task's result, or its failure by the status.
async fn answer(endpoint: Endpoint, response: Response) -> Result<Value, Fault> {
    let (parts, body) = response.into_parts();
    let body = collect(body, LONGEST_ANSWER).await.map_err(|refused| match refused {
        BodyRefused::TooLarge => {
            Fault::new(names::DATA_LIMIT_EXCEEDED, format!("The answer has more than {LONGEST_ANSWER} bytes."))
        }
        BodyRefused::Broken => Fault::new(SOCKET, "The answer ended too early."),
    })?;
    let text = String::from_utf8_lossy(&body);
    if !parts.status.is_success() {
        let kind = match endpoint {
            Endpoint::Api => "ApiGateway",
            Endpoint::Http => "States.Http.StatusCode",
        };
        return Err(Fault::new(format!("{kind}.{}", parts.status.as_u16()), text));
    }
    let body = if text.is_empty() { Value::from("") } else { Value::parse(&text).unwrap_or_else(|_| (&*text).into()) };
    Ok(Value::from([
        ("Headers", told(&parts.headers).into()),
        ("ResponseBody", body),
        ("StatusCode", u64::from(parts.status.as_u16()).into()),
        ("StatusText", status_text(parts.status).into()),
    ]))
}

fn status_text(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or_default()
}

/// Each header with all its values.
fn told(headers: &HeaderMap) -> Object {
    let names = headers.keys().map(|name| {
        let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        (name.as_str().into(), values.map(Value::from).collect::<Vec<_>>().into())
    });
    let mut told: Object = names.collect();
    told.sort_unstable_keys();
    told
}

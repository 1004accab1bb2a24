//! `CloudWatch` metrics in memory, in the three protocols that clients speak: RPC v2 CBOR, JSON 1.0 and query.
//!
//! Metrics are put, listed and read. Alarms, dashboards, streams and the rest are refused, because nothing here
//! would ever evaluate them.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rustack_cloudwatch_core::{
    config::CloudWatchConfig, handler::RustackCloudWatchHandler, provider::RustackCloudWatch,
};
use rustack_cloudwatch_http::{
    body::CloudWatchResponseBody,
    dispatch::{Protocol, dispatch_operation},
    request::parse_form_params,
    response::{cbor_error_response, error_to_response},
};
use rustack_cloudwatch_model::{
    CloudWatchError, CloudWatchErrorCode, CloudWatchOperation,
    input::{GetMetricStatisticsInput, ListMetricsInput},
    types::Metric,
};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::io::AsyncReadExt as _;

use crate::{
    front::collect,
    service::{Request, Response, Service},
    wire::{self, Format},
};

/// The service's own limit, before and after decompression.
const MAX_BODY: usize = 1024 * 1024;

/// What was put under one metric: a namespace, a name and a set of dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSummary {
    /// The namespace.
    pub namespace: String,
    /// The metric's name.
    pub name: String,
    /// Names and values of the dimensions, sorted by name.
    pub dimensions: Vec<(String, String)>,
    /// How many samples were put.
    pub samples: f64,
    /// Their sum.
    pub sum: f64,
    /// The smallest sample.
    pub minimum: f64,
    /// The largest sample.
    pub maximum: f64,
}

/// The local `CloudWatch`. Clones share the metrics.
#[derive(Clone, Debug)]
pub struct CloudWatch {
    metrics: Arc<RustackCloudWatch>,
    handler: Arc<RustackCloudWatchHandler>,
}

impl Default for CloudWatch {
    fn default() -> Self {
        Self::new()
    }
}

impl CloudWatch {
    /// Starts with no metrics.
    pub fn new() -> Self {
        let metrics = Arc::new(RustackCloudWatch::new(Arc::new(CloudWatchConfig::default())));
        let handler = Arc::new(RustackCloudWatchHandler::new(Arc::clone(&metrics)));
        Self { metrics, handler }
    }

    /// Everything that was put so far, sorted by namespace, name and dimensions.
    pub fn summaries(&self) -> Vec<MetricSummary> {
        let listed = self.metrics.list_metrics(ListMetricsInput::default()).unwrap_or_default();
        let mut summaries: Vec<_> = listed.metrics.into_iter().filter_map(|metric| self.summary(metric)).collect();
        summaries.sort_by(|a, b| (&a.namespace, &a.name, &a.dimensions).cmp(&(&b.namespace, &b.name, &b.dimensions)));
        summaries
    }

    fn summary(&self, metric: Metric) -> Option<MetricSummary> {
        let question: GetMetricStatisticsInput = serde_json::from_value(json!({
            "Namespace": metric.namespace,
            "MetricName": metric.metric_name,
            "Dimensions": metric.dimensions,
            "StartTime": "1970-01-01T00:00:00Z",
            "EndTime": "9999-12-31T00:00:00Z",
            "Period": i32::MAX,
            "Statistics": ["Sum", "Minimum", "Maximum", "SampleCount"],
        }))
        .ok()?;
        let buckets = self.metrics.get_metric_statistics(question).ok()?.datapoints;
        let fold = |start: f64, value: fn(f64, f64) -> f64, of: &dyn Fn(usize) -> Option<f64>| {
            (0..buckets.len()).filter_map(of).fold(start, value)
        };
        Some(MetricSummary {
            namespace: metric.namespace?,
            name: metric.metric_name?,
            dimensions: metric.dimensions.into_iter().map(|dimension| (dimension.name, dimension.value)).collect(),
            samples: fold(0.0, |a, b| a + b, &|at| buckets.get(at)?.sample_count),
            sum: fold(0.0, |a, b| a + b, &|at| buckets.get(at)?.sum),
            minimum: fold(f64::INFINITY, f64::min, &|at| buckets.get(at)?.minimum),
            maximum: fold(f64::NEG_INFINITY, f64::max, &|at| buckets.get(at)?.maximum),
        })
    }

    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let protocol = protocol(&parts.headers);
        let id = wire::request_id();
        if parts.method != Method::POST {
            return error(&CloudWatchError::missing_action(), protocol, &id);
        }
        let body = match collect(body, MAX_BODY).await {
            Ok(body) => body,
            Err(refused) => return refused.response(format(protocol)),
        };
        let Some(body) = decompressed(&parts.headers, body).await else {
            let message = "The request body is not valid gzip, or is above 1 MiB when decompressed.";
            return wire::error(format(protocol), StatusCode::BAD_REQUEST, "InvalidRequestContent", message);
        };
        let Some(name) = operation_name(protocol, &parts, &body) else {
            return error(&CloudWatchError::missing_action(), protocol, &id);
        };
        let operation = match supported(&name) {
            Ok(operation) => operation,
            Err(refusal) => return error(&refusal, protocol, &id),
        };
        match dispatch_operation(self.handler.as_ref(), operation, body, protocol).await {
            Ok(response) if protocol == Protocol::AwsJson => as_json(&name, response.map(Body::new)).await,
            Ok(response) => response.map(Body::new),
            Err(refusal) => error(&refusal, protocol, &id),
        }
    }
}

/// An answer in JSON as the protocol has it: times are seconds since 1970, and a list is there where nothing is in it.
async fn as_json(operation: &str, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = match collect(body, usize::MAX).await {
        Ok(body) => body,
        Err(refused) => return refused.response(Format::Json),
    };
    let Ok(mut answer) = serde_json::from_slice(&body) else {
        return Response::from_parts(parts, Body::from(body));
    };
    make_epochs(&mut answer);
    let list = match operation {
        "ListMetrics" => Some("Metrics"),
        "GetMetricStatistics" => Some("Datapoints"),
        "GetMetricData" => Some("MetricDataResults"),
        _ => None,
    };
    if let (Some(list), Value::Object(fields)) = (list, &mut answer) {
        fields.entry(list).or_insert_with(|| json!([]));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(answer.to_string()))
}

fn make_epochs(value: &mut Value) {
    let epoch = |text: &Value| {
        let time = OffsetDateTime::parse(text.as_str()?, &Rfc3339).ok()?;
        Some(json!(time.unix_timestamp()))
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(make_epochs),
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), &mut *value) {
                    ("Timestamp", time) => *time = epoch(time).unwrap_or_default(),
                    ("Timestamps", Value::Array(times)) => {
                        for time in times {
                            *time = epoch(time).unwrap_or_default();
                        }
                    }
                    (_, value) => make_epochs(value),
                }
            }
        }
        _ => {}
    }
}

impl Service for CloudWatch {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(self.answer(request))
    }
}

fn protocol(headers: &HeaderMap) -> Protocol {
    let has = |name, wanted| {
        headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).is_some_and(|v| v.contains(wanted))
    };
    if has("smithy-protocol", "rpc-v2-cbor") || has("content-type", "application/cbor") {
        Protocol::RpcV2Cbor
    } else if headers.contains_key("x-amz-target") {
        Protocol::AwsJson
    } else {
        Protocol::AwsQuery
    }
}

fn format(protocol: Protocol) -> Format {
    match protocol {
        Protocol::AwsQuery => Format::QueryXml,
        Protocol::AwsJson | Protocol::RpcV2Cbor => Format::Json,
    }
}

/// Clients compress `PutMetricData` from 10 KiB on.
async fn decompressed(headers: &HeaderMap, body: Bytes) -> Option<Bytes> {
    if headers.get(header::CONTENT_ENCODING).is_none_or(|encoding| encoding != "gzip") {
        return Some(body);
    }
    let mut plain = Vec::new();
    let limit = MAX_BODY as u64 + 1;
    let decoder = async_compression::tokio::bufread::GzipDecoder::new(body.as_ref());
    decoder.take(limit).read_to_end(&mut plain).await.ok()?;
    (plain.len() <= MAX_BODY).then(|| plain.into())
}

fn operation_name(protocol: Protocol, parts: &http::request::Parts, body: &[u8]) -> Option<String> {
    match protocol {
        Protocol::RpcV2Cbor => parts.uri.path().rsplit_once("/operation/").map(|(_, name)| name.to_owned()),
        Protocol::AwsJson => {
            let target = parts.headers.get("x-amz-target")?.to_str().ok()?;
            target.rsplit_once('.').map(|(_, name)| name.to_owned())
        }
        Protocol::AwsQuery => {
            let action = parse_form_params(body).into_iter().find(|(name, _)| name == "Action");
            action.map(|(_, value)| value)
        }
    }
}

fn supported(name: &str) -> Result<CloudWatchOperation, CloudWatchError> {
    match CloudWatchOperation::from_name(name) {
        Some(
            operation @ (CloudWatchOperation::PutMetricData
            | CloudWatchOperation::GetMetricData
            | CloudWatchOperation::GetMetricStatistics
            | CloudWatchOperation::ListMetrics),
        ) => Ok(operation),
        Some(_) => Err(CloudWatchError::with_message(
            CloudWatchErrorCode::InvalidAction,
            format!("{name} is not emulated: of CloudWatch, metrics can be put, listed and read"),
        )),
        None => Err(CloudWatchError::unknown_operation(name)),
    }
}

fn error(error: &CloudWatchError, protocol: Protocol, id: &str) -> Response {
    let boxed = |response: http::Response<CloudWatchResponseBody>| response.map(Body::new);
    match protocol {
        Protocol::AwsQuery => boxed(error_to_response(error, id)),
        Protocol::RpcV2Cbor => boxed(cbor_error_response(error, id)),
        Protocol::AwsJson => wire::error(Format::Json, error.status_code, error.code.as_str(), &error.message),
    }
}

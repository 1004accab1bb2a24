//! A client of Step Functions: what it sends and how it reads the answer are those of AWS's own clients, in AWS JSON 1.0 over
//! HTTP. Its connection is in memory, so that it costs no time and no port.

use std::{net::SocketAddr, sync::Arc};

use asl::Value;
use axum::body::Body;
use cloud::{front::Front, server::serve_connection};
use http::{Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::stage::Said;

/// How much of a message is on its way at once, in bytes.
const BUFFER: usize = 64 * 1024;

/// What the service speaks.
const JSON: &str = "application/x-amz-json-1.0";

/// Makes a call, and reads what is said to it.
pub(super) async fn call(front: Arc<Front>, operation: &str, parameters: &Value) -> Result<Said, String> {
    let (ours, theirs) = tokio::io::duplex(BUFFER);
    let peer = SocketAddr::from(([127, 0, 0, 1], 0));
    // Dropped with the call, whether it is answered or given up, and both ends with it.
    let mut connected = JoinSet::new();
    connected.spawn(serve_connection(theirs, peer, front, CancellationToken::new()));
    let failed = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(ours)).await.map_err(failed)?;
    connected.spawn(async move { drop(connection.await) });
    let response = sender.send_request(request(operation, parameters)?).await.map_err(failed)?;
    read(response).await
}

/// The operations that the SDKs send to a host of their own.
fn host(operation: &str) -> &'static str {
    match operation {
        "StartSyncExecution" | "TestState" => "sync-states.us-east-1.amazonaws.com",
        _ => "states.us-east-1.amazonaws.com",
    }
}

fn request(operation: &str, parameters: &Value) -> Result<Request<Body>, String> {
    let signature = "AWS4-HMAC-SHA256 Credential=AKIA/20300101/us-east-1/states/aws4_request, \
                     SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=0";
    Request::post("/")
        .header(header::HOST, host(operation))
        .header(header::CONTENT_TYPE, JSON)
        .header(header::AUTHORIZATION, signature)
        .header("x-amz-date", "20300101T000000Z")
        .header("x-amz-target", format!("AWSStepFunctions.{operation}"))
        .body(Body::from(parameters.to_string()))
        .map_err(|error| error.to_string())
}

async fn read(response: Response<Incoming>) -> Result<Said, String> {
    let (head, body) = response.into_parts();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header("content-type") != JSON || header("x-amzn-requestid").is_empty() {
        return Err(format!("an answer that no client reads: {head:?}"));
    }
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    let answer: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    if head.status.is_success() {
        return Ok(Said::Answer(answer));
    }
    let text = |key: &str| answer.get(key).and_then(Value::as_str);
    // A namespace may stand before the name.
    let code = text("__type").unwrap_or_default().rsplit('#').next().unwrap_or_default().to_owned();
    let message = text("message").or_else(|| text("Message")).unwrap_or_default().to_owned();
    Ok(Said::Refusal { code, message })
}

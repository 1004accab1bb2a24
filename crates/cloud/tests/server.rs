//! The port and the front: what every service gets from them.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod common;

use std::{future::Future, pin::Pin, sync::Arc};

use axum::body::Body;
use cloud::{
    front::Front,
    route::ServiceName,
    server::{BindError, Server},
    service::{Peer, Request, Response, Service},
};
use common::{Cloud, raw};
use http_body_util::BodyExt as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Panics for `/_api/panic`, waits for `/_api/slow`, and else says who asked and what came.
struct Moody {
    reached: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Service for Moody {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            let peer = request.extensions().get::<Peer>().unwrap().0.ip();
            match path.as_str() {
                "/_api/panic" => panic!("as asked"),
                "/_api/slow" => {
                    self.reached.notify_one();
                    self.go_on.notified().await;
                }
                _ => {}
            }
            let length = request.into_body().collect().await.map_or(0, |body| body.to_bytes().len());
            Response::new(Body::from(format!("{path} of {length} bytes from {peer}")))
        })
    }
}

struct Running {
    address: std::net::SocketAddr,
    reached: Arc<Notify>,
    go_on: Arc<Notify>,
    shutdown: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
}

fn start() -> Running {
    let (reached, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let moody = Moody { reached: Arc::clone(&reached), go_on: Arc::clone(&go_on) };
    let front = Front::new().with(ServiceName::Apis, Arc::new(moody));
    let server = Server::bind(Server::loopback(0)).unwrap();
    let (address, shutdown) = (server.address(), CancellationToken::new());
    let serving = tokio::spawn(server.serve(Arc::new(front), shutdown.clone()));
    Running { address, reached, go_on, shutdown, serving }
}

#[tokio::test]
async fn a_service_sees_the_client_and_the_body() {
    let running = start();
    let response = raw(running.address, "POST /_api/Api/path HTTP/1.1", "hello").await;
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert!(response.ends_with("/_api/Api/path of 5 bytes from 127.0.0.1"), "{response}");
}

#[tokio::test]
async fn a_panic_is_an_answer_and_the_next_request_works() {
    let running = start();
    let response = raw(running.address, "GET /_api/panic HTTP/1.1", "").await;
    assert!(response.starts_with("HTTP/1.1 500"), "{response}");
    assert!(response.contains("InternalFailure"), "{response}");
    let response = raw(running.address, "GET /_api/Api/ HTTP/1.1", "").await;
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_before_it_is_read() {
    let running = start();
    let head = format!("POST /_api/Api/ HTTP/1.1\r\ncontent-length: {}", 11 * 1024 * 1024);
    let mut stream = tokio::net::TcpStream::connect(running.address).await.unwrap();
    let request = format!("{head}\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let mut response = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 413"), "{response}");
}

#[tokio::test]
async fn a_shutdown_lets_the_request_under_way_end() {
    let running = start();
    let request = tokio::spawn(raw(running.address, "GET /_api/slow HTTP/1.1", ""));
    running.reached.notified().await;
    running.shutdown.cancel();
    running.go_on.notify_one();
    assert!(request.await.unwrap().starts_with("HTTP/1.1 200"));
    running.serving.await.unwrap();
    assert!(tokio::net::TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_holder() {
    let first = Server::bind(Server::loopback(0)).unwrap();
    let error = Server::bind(first.address()).unwrap_err();
    let port = first.address().port();
    assert!(error.to_string().contains(&format!("port {port} of 127.0.0.1 is taken")), "{error}");
    if cfg!(target_os = "linux") {
        let BindError::Taken { holder: Some(holder), .. } = error else { panic!("no holder: {error}") };
        assert!(holder.ends_with(&format!("(process {})", std::process::id())), "{holder}");
    }
}

#[tokio::test]
async fn services_that_are_not_there_are_refused_by_name() {
    let cloud = Cloud::start();
    let form = "content-type: application/x-www-form-urlencoded";
    let cases = [
        ("POST / HTTP/1.1\nx-amz-target: AmazonSQS.SendMessage".to_owned(), "{}", "SQS is not emulated"),
        ("POST / HTTP/1.1\nx-amz-target: AWSEvents.PutEvents".to_owned(), "{}", "EventBridge is not emulated"),
        ("POST / HTTP/1.1\nx-amz-target: AWSStepFunctions.ListExecutions".to_owned(), "{}", "Step Functions is not"),
        (format!("POST / HTTP/1.1\n{form}"), "Action=Publish&Version=2010-03-31", "<Message>SNS is not emulated"),
        ("GET /_api/Api/ HTTP/1.1".to_owned(), "", "API Gateway is not emulated"),
    ];
    for (head, body, expected) in cases {
        let response = cloud.raw(&head, body).await;
        assert!(response.starts_with("HTTP/1.1 501"), "{response}");
        assert!(response.contains(expected), "{response}");
        assert!(response.contains("x-amzn-errortype: ServiceNotEmulated"), "{response}");
    }
}

#[tokio::test]
async fn whoever_asks_for_what_is_nowhere_is_told_whose_port_this_is() {
    let api =
        sam::Api { logical_id: "Api".into(), kind: sam::ApiKind::Http, stage: "$default".into(), routes: Vec::new() };
    let application = sam::Application { apis: vec![api], ..sam::Application::default() };
    let options = cloud::local::Options::default();
    let cloud =
        cloud::local::LocalCloud::start(&application, &std::collections::BTreeMap::default(), options).await.unwrap();
    let signed = "\r\nauthorization: AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request, \
                  SignedHeaders=host, Signature=0";
    for (head, status, told) in [
        ("GET /nothing HTTP/1.1".to_owned(), 404, "This is the port of a local AWS"),
        ("GET /nothing/here HTTP/1.1".to_owned(), 404, "<Code>NoSuchBucket</Code>"),
        ("GET /Not_a_bucket HTTP/1.1".to_owned(), 400, "This is the port of a local AWS"),
        (format!("GET /nothing HTTP/1.1{signed}"), 404, "The specified bucket does not exist"),
        ("GET / HTTP/1.1\r\naccept: text/html,*/*;q=0.8".to_owned(), 200, "This is the port of a local AWS"),
        (format!("GET / HTTP/1.1{signed}\r\naccept: text/html"), 200, "<ListAllMyBucketsResult"),
        ("GET / HTTP/1.1".to_owned(), 200, "<ListAllMyBucketsResult"),
        ("GET /_api HTTP/1.1".to_owned(), 404, "Those of the template are at /_api/Api/."),
        ("GET /_api/Other/path HTTP/1.1".to_owned(), 404, "There is no API \\\"Other\\\"."),
        ("GET /_api/Api/path HTTP/1.1".to_owned(), 404, "{\"message\":\"Not Found\"}"),
    ] {
        let response = raw(cloud.address(), &head, "").await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")) && response.contains(told), "{head}: {response}");
    }
    cloud.shutdown().await;
}

#[tokio::test]
async fn what_a_web_page_of_another_host_sends_is_refused() {
    let running = start();
    let elsewhere = "POST /2015-03-31/functions HTTP/1.1\norigin: https://elsewhere.example\ncontent-type: text/plain";
    let rebound = "GET /_api/x HTTP/1.1\nhost: elsewhere.example";
    for request in [elsewhere, rebound] {
        let answer = raw(running.address, request, "").await;
        assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("AccessDenied"), "{request}: {answer}");
    }
    let api = raw(running.address, "POST /_api/x HTTP/1.1\norigin: https://elsewhere.example", "").await;
    assert!(api.starts_with("HTTP/1.1 200"), "{api}");
}

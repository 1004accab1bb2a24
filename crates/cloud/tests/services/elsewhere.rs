//! Requests that go on to a real account: a listener stands for it.

use std::sync::Arc;

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use axum::body::Body;
use cloud::{
    elsewhere::{Elsewhere, ElsewhereError},
    local::{LocalCloud, Options},
};
use http_body_util::BodyExt as _;
use sam::Application;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

/// Hears one request, and answers it.
async fn account() -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        while !heard.ends_with(b"{\"a\":1}") {
            assert_ne!(stream.read_buf(&mut heard).await.unwrap(), 0);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"real\":1}").await.unwrap();
        String::from_utf8(heard).unwrap().to_lowercase()
    });
    (address, heard)
}

fn elsewhere(services: &[&str], address: Option<&str>) -> Result<Elsewhere, ElsewhereError> {
    let credentials = Credentials::new("AKIDOFTHEUSER", "secret", Some("session".to_owned()), None, "test");
    let services: Vec<String> = services.iter().map(|name| (*name).to_owned()).collect();
    Elsewhere::new(&services, "eu-west-1", SharedCredentialsProvider::new(credentials), |_| address.map(str::to_owned))
}

fn request(service: &str) -> http::Request<Body> {
    let made_up = format!(
        "AWS4-HMAC-SHA256 Credential=made-up/20300101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let request = http::Request::post("/path?b=2&a=1").header("authorization", made_up).header("x-amz-date", "then");
    let request = request.header("x-amz-target", "RekognitionService.DetectLabels").header("host", "127.0.0.1:4566");
    request.body(Body::from("{\"a\":1}")).unwrap()
}

#[tokio::test]
async fn a_service_that_is_named_answers_to_the_users_credentials() {
    let (address, heard) = account().await;
    let elsewhere = Arc::new(elsewhere(&["rekognition"], Some(&address)).unwrap());
    let options = Options { elsewhere: Some(elsewhere), ..Options::default() };
    let cloud = LocalCloud::start(&Application::default(), &std::collections::BTreeMap::new(), options).await.unwrap();
    let answer = cloud.send(request("rekognition")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "{\"real\":1}");
    let heard = heard.await.unwrap();
    for part in [
        "post /path?b=2&a=1 http/1.1",
        "credential=akidoftheuser/",
        "/eu-west-1/rekognition/aws4_request",
        "x-amz-security-token: session",
        "x-amz-target: rekognitionservice.detectlabels",
        "\r\n\r\n{\"a\":1}",
    ] {
        assert!(heard.contains(part), "{part}: {heard}");
    }
    assert!(!heard.contains("made-up") && !heard.contains("4566"), "{heard}");

    let other = cloud.send(request("textract")).await;
    assert_eq!(other.status(), 501);
    cloud.shutdown().await;
}

#[tokio::test]
async fn what_is_emulated_is_not_forwarded() {
    assert!(matches!(elsewhere(&["s3"], None), Err(ElsewhereError::Here(name)) if name == "s3"));
    assert!(matches!(elsewhere(&["states-x:states"], None), Err(ElsewhereError::Here(_))));
    for name in ["", "a b", "a/b", "a:", "a@b"] {
        assert!(matches!(elsewhere(&[name], None), Err(ElsewhereError::Name(_))), "{name}");
    }
}

//! Clients that go away in the middle of what they have asked for.

use std::{fs, path::Path, time::Duration};

use axum::body::Body;
use cloud::local::LocalCloud;
use futures::FutureExt as _;
use sam::{Application, Bucket, StateMachine, StateMachineKind};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{arn, cloud, cloud_in, next_body, queue};

fn application() -> Application {
    let bucket = Bucket {
        logical_id: "Kept".into(),
        name: "kept".into(),
        versioned: false,
        event_bridge: false,
        notifications: Vec::new(),
    };
    let definition = json!({
        "StartAt": "Wait",
        "States": {
            "Wait": { "Type": "Wait", "Seconds": 1, "Next": "Tell" },
            "Tell": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage",
                "Parameters": { "QueueUrl.$": "$.queue", "MessageBody": "told" },
                "End": true,
            },
        },
    });
    let machine = StateMachine {
        logical_id: "Telling".into(),
        name: "Telling".into(),
        arn: arn("states", "stateMachine:Telling"),
        kind: StateMachineKind::Express,
        definition,
        definition_file: "template.yaml".into(),
        logging: None,
        role_arn: "arn:aws:iam::000000000000:role/any".into(),
    };
    Application {
        buckets: vec![bucket],
        queues: vec![queue("told", &[])],
        state_machines: vec![machine],
        ..Application::default()
    }
}

fn request(target: &str, body: &Value) -> http::Request<Body> {
    let request = http::Request::post("/").header("x-amz-target", target);
    request.body(Body::from(body.to_string())).unwrap()
}

fn url(cloud: &LocalCloud) -> String {
    format!("{}/{}/told", cloud.endpoint_url(), sam::ACCOUNT)
}

/// Sends what is given, hangs up, and waits until the port has done the same.
async fn send_and_hang_up(cloud: &LocalCloud, sent: &[u8]) {
    let mut stream = TcpStream::connect(cloud.address()).await.unwrap();
    stream.write_all(sent).await.unwrap();
    stream.shutdown().await.unwrap();
    // What is answered, if anything, nobody reads.
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// The status of a request for an object.
async fn status_of_object(cloud: &LocalCloud, key: &str) -> u16 {
    let request = http::Request::get(format!("/kept/{key}")).body(Body::empty()).unwrap();
    cloud.send(request).await.status().as_u16()
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[tokio::test]
async fn half_an_object_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud_in(folder.path(), &application()).await;
    let objects = folder.path().join("s3/kept/objects");
    let chunked = "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nx-amz-decoded-content-length: 1000\r\n";
    for sent in [
        "PUT /kept/k HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nhalf".to_owned(),
        "PUT /kept/k HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\nha".to_owned(),
        format!("PUT /kept/k HTTP/1.1\r\nhost: localhost\r\n{chunked}content-length: 2000\r\n\r\n3e8\r\nhalf"),
        "PUT /kept/k HTTP/1.1\r\nhost: localhost\r\ncontent-le".to_owned(),
        "PUT /kept/k HTTP".to_owned(),
    ] {
        send_and_hang_up(&cloud, sent.as_bytes()).await;
        assert_eq!((status_of_object(&cloud, "k").await, files(&objects)), (404, 0), "{sent}");
    }
    let whole = http::Request::put("/kept/k").body(Body::from("whole")).unwrap();
    assert_eq!(cloud.send(whole).await.status(), 200);
    assert_eq!((status_of_object(&cloud, "k").await, files(&objects)), (200, 2));
    cloud.shutdown().await;
}

#[tokio::test]
async fn an_answer_that_nobody_reads_keeps_nobody_else_waiting() {
    let cloud = cloud(&application()).await;
    let large = http::Request::put("/kept/large").body(Body::from(vec![b'x'; 8 * 1024 * 1024])).unwrap();
    assert_eq!(cloud.send(large).await.status(), 200);
    let mut readers = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(cloud.address()).await.unwrap();
        stream.write_all(b"GET /kept/large HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        // Some of it, and then no more.
        stream.read_exact(&mut [0; 1000]).await.unwrap();
        readers.push(stream);
    }
    assert_eq!(status_of_object(&cloud, "large").await, 200);
    drop(readers);
    assert_eq!(status_of_object(&cloud, "large").await, 200);
    cloud.shutdown().await;
}

#[tokio::test]
async fn who_no_longer_waits_for_a_message_takes_none() {
    let cloud = cloud(&application()).await;
    let receive = json!({ "QueueUrl": url(&cloud), "WaitTimeSeconds": 20 });
    let mut waiting = Box::pin(cloud.send(request("AmazonSQS.ReceiveMessage", &receive)));
    assert!((&mut waiting).now_or_never().is_none());
    drop(waiting);
    let message = json!({ "QueueUrl": url(&cloud), "MessageBody": "for who is there" });
    cloud.send(request("AmazonSQS.SendMessage", &message)).await;
    assert_eq!(next_body(&cloud, "told").await, "for who is there");
    cloud.shutdown().await;
}

#[tokio::test]
async fn an_execution_goes_on_without_whoever_waited_for_its_end() {
    let cloud = cloud(&application()).await;
    let input = json!({ "queue": url(&cloud) }).to_string();
    let start = json!({ "stateMachineArn": arn("states", "stateMachine:Telling"), "input": input });
    let waiting = cloud.send(request("AWSStepFunctions.StartSyncExecution", &start));
    assert!(tokio::time::timeout(Duration::from_millis(100), waiting).await.is_err());
    assert_eq!(next_body(&cloud, "told").await, "told");
    cloud.shutdown().await;
}

//! A whole local cloud on a free port, and clients for it.
#![allow(dead_code, reason = "each test file uses a part of this")]

use std::{net::SocketAddr, path::Path, sync::Arc};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use cloud::{
    cloudwatch::CloudWatch,
    dynamodb::DynamoDb,
    front::Front,
    route::ServiceName,
    s3::{ObjectEvent, S3},
    server::Server,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// A running cloud.
pub(crate) struct Cloud {
    pub(crate) address: SocketAddr,
    pub(crate) s3: Arc<S3>,
    pub(crate) dynamodb: DynamoDb,
    pub(crate) cloudwatch: CloudWatch,
    pub(crate) events: mpsc::UnboundedReceiver<ObjectEvent>,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

impl Cloud {
    /// Everything in memory or in a folder that goes away.
    pub(crate) fn start() -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        Self::assemble(S3::ephemeral(sender).unwrap(), DynamoDb::ephemeral().unwrap(), events)
    }

    /// Everything in a folder that stays.
    pub(crate) fn start_in(folder: &Path) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let s3 = S3::open(&folder.join("s3"), sender, false).unwrap();
        Self::assemble(s3, DynamoDb::open(&folder.join("dynamodb")).unwrap(), events)
    }

    fn assemble(s3: S3, dynamodb: DynamoDb, events: mpsc::UnboundedReceiver<ObjectEvent>) -> Self {
        let (s3, cloudwatch) = (Arc::new(s3), CloudWatch::new());
        let front = Front::new()
            .with(ServiceName::S3, Arc::clone(&s3) as _)
            .with(ServiceName::DynamoDb, Arc::new(dynamodb.clone()))
            .with(ServiceName::CloudWatch, Arc::new(cloudwatch.clone()));
        let server = Server::bind(Server::loopback(0)).unwrap();
        let (address, shutdown) = (server.address(), CancellationToken::new());
        let serving = tokio::spawn(server.serve(Arc::new(front), shutdown.clone()));
        Self { address, s3, dynamodb, cloudwatch, events, shutdown, serving }
    }

    /// Stops, and waits until everything is closed.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.serving.await.unwrap();
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::from_conf(self.s3_config().build())
    }

    pub(crate) fn s3_config(&self) -> aws_sdk_s3::config::Builder {
        aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(self.endpoint())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .force_path_style(true)
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .endpoint_url(self.endpoint())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }

    pub(crate) fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        let config = aws_sdk_cloudwatch::Config::builder()
            .behavior_version(aws_sdk_cloudwatch::config::BehaviorVersion::latest())
            .endpoint_url(self.endpoint())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials())
            .build();
        aws_sdk_cloudwatch::Client::from_conf(config)
    }

    /// Sends a request as written, on a connection of its own, and gives the whole response.
    pub(crate) async fn raw(&self, head: &str, body: &str) -> String {
        raw(self.address, head, body).await
    }

    /// The events so far.
    pub(crate) fn take_events(&mut self) -> Vec<ObjectEvent> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new("AKIDTEST", "any secret", None, None, "test")
}

/// `head` is the request line and headers, a line each; length and host are added.
pub(crate) async fn raw(address: SocketAddr, head: &str, body: &str) -> String {
    let mut lines: Vec<String> = head.lines().map(|line| line.trim().to_owned()).collect();
    if !head.to_ascii_lowercase().contains("host:") {
        lines.push(format!("host: {address}"));
    }
    lines.push(format!("content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(lines.join("\r\n").as_bytes()).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    String::from_utf8_lossy(&response).into_owned()
}

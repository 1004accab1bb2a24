//! The load generator: connections that stay open, each with one request under way.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A connection to the port.
pub(crate) struct Client {
    stream: TcpStream,
    /// What was read of the answer so far.
    read: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    /// So many connections.
    pub(crate) async fn several(count: usize, address: SocketAddr) -> Vec<Self> {
        let mut clients = Vec::with_capacity(count);
        for _ in 0..count {
            clients.push(Self::connect(address).await);
        }
        clients
    }

    /// Asks Step Functions for something.
    pub(crate) async fn states(&mut self, operation: &str, body: &Value) -> Value {
        let body = body.to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: AWSStepFunctions.{operation}\r\ncontent-type: \
             application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        serde_json::from_slice(self.answer().await).unwrap()
    }

    /// The body of the next answer.
    async fn answer(&mut self) -> &[u8] {
        self.read.clear();
        loop {
            let count = self.stream.read_buf(&mut self.read).await.unwrap();
            assert!(count > 0, "the port has hung up");
            let Some(head) = self.read.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let headers = String::from_utf8_lossy(&self.read[..head]).to_lowercase();
            let (_, length) = headers.split_once("content-length: ").expect("the answer has a length");
            let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
            if self.read.len() >= head + 4 + length {
                return &self.read[head + 4..];
            }
        }
    }
}

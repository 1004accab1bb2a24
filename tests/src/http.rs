//! Requests that no AWS client sends.

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Runner;

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers as they came, in lower case.
    pub headers: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Runner {
    /// Sends a request on a connection of its own. `headers` are whole lines.
    pub async fn request(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let (request, host) = (format!("{method} {path} HTTP/1.1"), format!("host: {}", self.address()));
        let length = format!("content-length: {}", body.len());
        let lines = [&[request.as_str(), &host, &length, "connection: close"], headers, &["", ""]].concat();
        let head = lines.join("\r\n");
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status: {head}"));
        Answer { status, headers: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// Invokes a function of the template through the API of Lambda.
    pub async fn invoke(&self, function: &str, event: &[u8]) -> Answer {
        let arn = self.function(function);
        let name = arn.rsplit(':').next().unwrap();
        self.request("POST", &format!("/2015-03-31/functions/{name}/invocations"), &[], event).await
    }
}

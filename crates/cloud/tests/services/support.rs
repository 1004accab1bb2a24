//! A local cloud, and what clients send to it.

use std::{collections::BTreeMap, path::Path};

use cloud::{
    function_logs::{Uncalled, UncalledLog},
    lambda::LogKind,
    local::{LocalCloud, Options},
};
use http::{StatusCode, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use sam::{Application, Queue};
use serde_json::Value;

/// A cloud with what an application describes, which keeps nothing.
pub(crate) async fn cloud(application: &Application) -> LocalCloud {
    start(application, None).await
}

/// A cloud that keeps what it has in a folder.
pub(crate) async fn cloud_in(folder: &Path, application: &Application) -> LocalCloud {
    start(application, Some(folder)).await
}

async fn start(application: &Application, folder: Option<&Path>) -> LocalCloud {
    let options = Options { folder: folder.map(Path::to_owned), ..Options::default() };
    LocalCloud::start(application, &BTreeMap::new(), options).await.unwrap()
}

/// A client of one service.
pub(crate) struct Client<'a> {
    pub(crate) cloud: &'a LocalCloud,
    /// What `X-Amz-Target` begins with: `AmazonSQS`.
    pub(crate) target: &'static str,
}

/// What a service answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

impl Client<'_> {
    /// The answer of an operation that has to be a good one.
    pub(crate) async fn call(&self, operation: &str, parameters: Value) -> Value {
        let answer = self.ask(operation, parameters).await;
        assert_eq!(answer.status, StatusCode::OK, "{operation}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// The code and the message of an operation that has to be refused.
    pub(crate) async fn refusal(&self, operation: &str, parameters: Value) -> (String, String) {
        let answer = self.ask(operation, parameters).await;
        assert_ne!(answer.status, StatusCode::OK, "{operation}: {}", answer.body);
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (text("__type"), text("message"))
    }

    async fn ask(&self, operation: &str, parameters: Value) -> Answer {
        let request = http::Request::post("/").header("x-amz-target", format!("{}.{operation}", self.target));
        let request = request.header(CONTENT_TYPE, "application/x-amz-json-1.0");
        send(self.cloud, request.body(parameters.to_string().into()).unwrap()).await
    }
}

/// Sends a form, as clients of the query protocol do, to a service by its name in signatures.
pub(crate) async fn query(cloud: &LocalCloud, service: &str, path: &str, form: &str) -> Answer {
    let signature = format!("AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/{service}/aws4_request, Signature=0");
    let request = http::Request::post(path)
        .header("authorization", signature)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8");
    send(cloud, request.body(form.to_owned().into()).unwrap()).await
}

pub(crate) async fn send(cloud: &LocalCloud, request: cloud::service::Request) -> Answer {
    let (parts, body) = cloud.send(request).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Answer {
        status: parts.status,
        content_type: content_type.to_owned(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// The next line that a function prints, as JSON: what it shows.
pub(crate) async fn shown(lines: &mut UncalledLog) -> Value {
    loop {
        let Uncalled::Line(line) = lines.next().await else { panic!("lines are missing") };
        if line.kind == LogKind::Function
            && let Ok(shown) = serde_json::from_str(&line.line)
        {
            return shown;
        }
    }
}

/// The ARN of a service's resource.
pub(crate) fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{}:{}:{resource}", sam::REGION, sam::ACCOUNT)
}

/// The body of the next message of a queue, which is waited for.
pub(crate) async fn next_body(cloud: &LocalCloud, queue: &str) -> String {
    let sqs = Client { cloud, target: "AmazonSQS" };
    let url = format!("{}/{}/{queue}", cloud.endpoint_url(), sam::ACCOUNT);
    let request = serde_json::json!({ "QueueUrl": url, "WaitTimeSeconds": 20 });
    let answer = sqs.call("ReceiveMessage", request).await;
    let message = &answer["Messages"][0];
    let deletion = serde_json::json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] });
    sqs.call("DeleteMessage", deletion).await;
    message["Body"].as_str().unwrap().to_owned()
}

/// A queue with these attributes.
pub(crate) fn queue(name: &str, attributes: &[(&str, &str)]) -> Queue {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Queue { logical_id: name.to_owned(), name: name.to_owned(), attributes: attributes.collect() }
}

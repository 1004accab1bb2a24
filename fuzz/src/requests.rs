//! What is done with any request: the targets call this with what the fuzzer makes up, and
//! `crates/cloud/tests/any_request.rs` with what is generated in every run of the tests. Each has to get an answer that its
//! client can read, and nothing may panic.
//!
//! The targets `request_json`, `request_query`, `request_s3`, `request_presigned`, `request_lambda`, `request_api` and
//! `request_rpc`: CONTRIBUTING.md tells how they are run.

use std::{collections::BTreeMap, sync::OnceLock};

use axum::body::Body;
use cloud::local::{LocalCloud, Options};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use sam::{
    Api, ApiKind, Application, Bucket, Integration, Queue, Route, StateMachine, StateMachineAction, StateMachineKind,
};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

/// A front end, by the way in which it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrontEnd {
    /// AWS JSON 1.0 and 1.1: `<prefix>.<operation>`, then a body.
    Json,
    /// The query protocol: a form.
    Query,
    /// S3: `<method> <path and query>`, headers, an empty line, a body.
    S3,
    /// An address of S3 with a signature in it: a path and a query.
    Presigned,
    /// Lambda: `<method> <path below the version>`, headers, an empty line, a body.
    Lambda,
    /// The APIs of the application: `<method> <path below the API>`, headers, an empty line, a body.
    Api,
    /// Smithy's RPC with CBOR: `<service>/operation/<operation>`, then a body.
    Rpc,
}

/// Sends what `text` and `body` say, where a client could send it, and holds the answer to what a client can read.
pub fn request(front_end: FrontEnd, text: &str, body: &[u8]) {
    let Some(request) = written(front_end, text, body) else { return };
    let (method, address) = (request.method().clone(), request.uri().to_string());
    let stage = stage();
    let (head, content) = stage.runtime.block_on(async {
        let response: Response<Body> = stage.cloud.send(request).await;
        let (head, body) = response.into_parts();
        (head, body.collect().await.expect("the answer has an end").to_bytes())
    });
    let told = || format!("{method} {address} {text:?}: {} {}", head.status, String::from_utf8_lossy(&content));
    // What is wrong with a request is its sender's fault, and what is not here is said to be.
    assert!(!head.status.is_server_error() || head.status == StatusCode::NOT_IMPLEMENTED, "{}", told());
    if let Err(error) = read(&head.headers, &content) {
        panic!("{error}: {}", told());
    }
}

/// Reads an answer as the type that it says it has. What somebody has put there has the type that they gave it.
fn read(headers: &HeaderMap, content: &[u8]) -> Result<(), String> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if content.is_empty() || headers.contains_key(header::ETAG) {
        return Ok(());
    }
    if kind.contains("json") {
        return serde_json::from_slice::<serde::de::IgnoredAny>(content).map(drop).map_err(|error| error.to_string());
    }
    if kind.contains("xml") {
        let text = std::str::from_utf8(content).map_err(|error| error.to_string())?;
        let mut reader = quick_xml::Reader::from_str(text);
        loop {
            match reader.read_event() {
                Ok(quick_xml::events::Event::Eof) => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }
    Ok(())
}

fn written(front_end: FrontEnd, text: &str, body: &[u8]) -> Option<Request<Body>> {
    let body = Body::from(body.to_vec());
    let post = |path: &str| Request::post(path);
    match front_end {
        FrontEnd::Json => post("/").header("x-amz-target", text).body(body).ok(),
        FrontEnd::Query => post("/")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(text.to_owned()))
            .ok(),
        FrontEnd::Presigned => {
            let separator = if text.contains('?') { '&' } else { '?' };
            let signed =
                format!("/kept/{text}{separator}X-Amz-Signature=0&X-Amz-Expires=60&X-Amz-Date=99990101T000000Z");
            Request::get(signed).body(body).ok()
        }
        FrontEnd::S3 => of_lines(text, "/", body),
        FrontEnd::Lambda => of_lines(text, "/2015-03-31/", body),
        FrontEnd::Api => of_lines(text, "/_api/Api/", body),
        FrontEnd::Rpc => post(&format!("/service/{text}"))
            .header("smithy-protocol", "rpc-v2-cbor")
            .header(header::CONTENT_TYPE, "application/cbor")
            .body(body)
            .ok(),
    }
}

/// `<method> <path below a base>`, then a header a line.
fn of_lines(text: &str, base: &str, body: Body) -> Option<Request<Body>> {
    let mut lines = text.lines();
    let (method, path) = lines.next()?.split_once(' ')?;
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    let mut request = Request::builder().method(method).uri(format!("{base}{path}"));
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        request = request.header(name, value);
    }
    request.body(body).ok()
}

/// A local cloud of its own for the process, in which time passes while it has nothing to do: who waits, waits for nothing.
struct Stage {
    runtime: Runtime,
    cloud: LocalCloud,
}

fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        let (application, executables) = (application(), BTreeMap::new());
        let starting = LocalCloud::start(&application, &executables, Options::default());
        let cloud = runtime.block_on(starting).expect("a local cloud");
        Stage { runtime, cloud }
    })
}

/// One thing of each kind that requests can be about.
fn application() -> Application {
    let machine = |name: &str, kind| StateMachine {
        logical_id: name.to_owned(),
        name: name.to_owned(),
        arn: format!("arn:aws:states:us-east-1:000000000000:stateMachine:{name}"),
        kind,
        definition: json!({ "StartAt": "Pass", "States": { "Pass": { "Type": "Pass", "End": true } } }),
        definition_file: "template.yaml".into(),
        logging: None,
        role_arn: "arn:aws:iam::000000000000:role/any".to_owned(),
    };
    let express = machine("Express", StateMachineKind::Express);
    let parameters = [("StateMachineArn", express.arn.as_str()), ("Input", "$request.body")];
    let route = Route {
        method: "ANY".to_owned(),
        path: "/start/{name}".to_owned(),
        integration: Integration::StateMachine {
            action: StateMachineAction::StartSync,
            parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        },
    };
    Application {
        apis: vec![Api {
            logical_id: "Api".into(),
            kind: ApiKind::Http,
            stage: "$default".into(),
            routes: vec![route],
        }],
        buckets: vec![Bucket {
            logical_id: "Kept".into(),
            name: "kept".into(),
            versioned: true,
            event_bridge: true,
            notifications: Vec::new(),
        }],
        queues: vec![Queue { logical_id: "Work".into(), name: "work".into(), attributes: [].into() }],
        state_machines: vec![machine("Standard", StateMachineKind::Standard), express],
        ..Application::default()
    }
}

//! What a request and an invocation cost: over HTTP on a kept-alive connection, and without.
//!
//! Started by Lambda, this same program is the function that is invoked.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on must stop")]

use std::{
    collections::BTreeMap,
    env,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use bytes::Bytes;
use cloud::{
    lambda::InvokeOptions,
    local::{LocalCloud, Options},
};
use divan::{Bencher, black_box};
use sam::{Application, Code, Function, StateMachine, StateMachineKind};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn main() {
    if env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        return function();
    }
    divan::main();
}

/// The function: gives back what it gets.
fn function() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let echo = lambda_runtime::service_fn(async |event: lambda_runtime::LambdaEvent<Value>| {
        Ok::<_, lambda_runtime::Error>(event.payload)
    });
    runtime.block_on(lambda_runtime::run(echo)).unwrap();
}

/// A local cloud with a function, two machines and data on the disk, for as long as the program runs.
struct Stage {
    runtime: Runtime,
    cloud: LocalCloud,
    _folder: TempDir,
}

fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let executable = env::current_exe().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let data = Some(folder.path().to_owned());
        let options = Options {
            port: 0,
            folder: data,
            region: "us-east-1".into(),
            account: "000000000000".into(),
            skip_waits: false,
            mocks: None,
        };
        let cloud = runtime.block_on(LocalCloud::start(&application(&executable), &BTreeMap::new(), options)).unwrap();
        Stage { runtime, cloud, _folder: folder }
    })
}

fn application(executable: &Path) -> Application {
    let pass = json!({ "StartAt": "Pass", "States": { "Pass": { "Type": "Pass", "End": true } } });
    Application {
        template: PathBuf::from("template.yaml"),
        stack_name: "bench".into(),
        functions: vec![Function {
            logical_id: "Echo".into(),
            name: "Echo".into(),
            arn: "arn:aws:lambda:us-east-1:000000000000:function:Echo".into(),
            code: Code::Bootstrap { path: executable.to_owned() },
            handler: "bootstrap".into(),
            runtime: "provided.al2023".into(),
            timeout: std::time::Duration::from_secs(3),
            memory_mb: 128,
            environment: BTreeMap::new(),
            log_group: "/aws/lambda/Echo".into(),
            log_format: sam::LogFormat::Text,
            event_invoke: sam::EventInvoke::default(),
            reserved_concurrency: None,
            alias: None,
        }],
        state_machines: vec![
            machine("Standard", StateMachineKind::Standard, pass.clone()),
            machine("Express", StateMachineKind::Express, pass),
        ],
        ..Application::default()
    }
}

fn machine(name: &str, kind: StateMachineKind, definition: Value) -> StateMachine {
    StateMachine {
        logical_id: name.into(),
        name: name.into(),
        arn: arn(name),
        kind,
        definition,
        definition_file: PathBuf::from("template.yaml"),
        role_arn: "arn:aws:iam::000000000000:role/bench".into(),
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:states:us-east-1:000000000000:stateMachine:{name}")
}

/// A kept-alive connection to the port.
struct Client(TcpStream);

impl Client {
    fn connect() -> Self {
        let stream = TcpStream::connect(stage().cloud.address()).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    fn states(&mut self, operation: &str, body: &Value) -> Value {
        let body = body.to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: AWSStepFunctions.{operation}\r\ncontent-type: \
             application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.write_all(request.as_bytes()).unwrap();
        serde_json::from_slice(&self.answer()).unwrap()
    }

    /// The body of the next answer.
    fn answer(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let read = self.0.read(&mut chunk).unwrap();
            text.extend_from_slice(&chunk[..read]);
            let Some(head) = text.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let headers = String::from_utf8_lossy(&text[..head]).to_lowercase();
            let (_, length) = headers.split_once("content-length: ").expect("the answer has a length");
            let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
            if text.len() >= head + 4 + length {
                return text.split_off(head + 4);
            }
        }
    }
}

#[divan::bench]
fn start_sync_execution_of_one_pass_over_http(bencher: Bencher<'_, '_>) {
    let mut client = Client::connect();
    let request = json!({ "stateMachineArn": arn("Express"), "input": "{}" });
    bencher.bench_local(|| {
        let answer = client.states("StartSyncExecution", &request);
        assert_eq!(answer["status"], "SUCCEEDED");
    });
}

#[divan::bench]
fn standard_execution_of_one_pass_over_http_start_to_described_as_done(bencher: Bencher<'_, '_>) {
    let mut client = Client::connect();
    let request = json!({ "stateMachineArn": arn("Standard") });
    bencher.bench_local(|| {
        let started = client.states("StartExecution", &request);
        let described = client.states("DescribeExecution", &json!({ "executionArn": started["executionArn"] }));
        assert_eq!(described["status"], "SUCCEEDED");
    });
}

#[divan::bench]
fn warm_invocation_and_back(bencher: Bencher<'_, '_>) {
    let stage = stage();
    let invoke = || {
        let invoking = stage.cloud.lambda().invoke("Echo", Bytes::from_static(b"{}"), InvokeOptions::default());
        let invocation = stage.runtime.block_on(invoking).unwrap();
        assert!(!invocation.failed);
        invocation
    };
    invoke();
    bencher.bench_local(|| black_box(invoke()));
}

//! What the tests of the local Lambda share: the function that they invoke, and its settings.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic, here too")]

mod function;

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use cloud::lambda::{Invocation, InvokeOptions, Lambda, LambdaConfig, LogLine};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A file of this folder.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lambda_support").join(name)
}

/// A function `Deeds` that has ten seconds.
pub(crate) fn function() -> sam::Function {
    let test_binary = env::current_exe().unwrap().to_str().unwrap().to_owned();
    sam::Function {
        logical_id: "DeedsFunction".to_owned(),
        name: "Deeds".to_owned(),
        arn: format!("arn:aws:lambda:{}:{}:function:Deeds", sam::REGION, sam::ACCOUNT),
        code: sam::Code::Bootstrap { path: file("bootstrap") },
        handler: "bootstrap".to_owned(),
        runtime: "provided.al2023".to_owned(),
        timeout: Duration::from_secs(10),
        memory_mb: 128,
        environment: BTreeMap::from([("TEST_BINARY".to_owned(), test_binary)]),
        log_group: "/aws/lambda/Deeds".to_owned(),
        log_format: sam::LogFormat::Text,
        event_invoke: sam::EventInvoke::default(),
        layers: Vec::new(),
        reserved_concurrency: None,
        alias: Some("live".to_owned()),
    }
}

/// The settings of a Lambda with these functions.
pub(crate) fn config(functions: Vec<sam::Function>) -> LambdaConfig {
    LambdaConfig::new(functions, "http://127.0.0.1:4566")
}

/// A Lambda with the one function.
pub(crate) fn lambda() -> Arc<Lambda> {
    Lambda::new(config(vec![function()])).unwrap()
}

/// Invokes `Deeds`.
pub(crate) async fn invoke(lambda: &Lambda, payload: Value) -> Invocation {
    lambda.invoke("Deeds", Bytes::from(payload.to_string()), InvokeOptions::default()).await.unwrap()
}

/// The answer of `Deeds`, which has to be a good one.
pub(crate) async fn answer(lambda: &Lambda, payload: Value) -> Value {
    let invocation = invoke(lambda, payload).await;
    let payload = json_of(&invocation);
    assert!(!invocation.failed, "{payload}");
    payload
}

/// The payload of an invocation.
pub(crate) fn json_of(invocation: &Invocation) -> Value {
    serde_json::from_slice(&invocation.payload).unwrap()
}

/// The error of an invocation that has to have failed: its type and message.
pub(crate) fn error_of(invocation: &Invocation) -> (String, String) {
    assert!(invocation.failed);
    let error = json_of(invocation);
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (text("errorType"), text("errorMessage"))
}

/// Keeps all log lines, and tells of each as it comes.
pub(crate) fn record(config: &mut LambdaConfig) -> (Arc<Mutex<Vec<LogLine>>>, mpsc::UnboundedReceiver<LogLine>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let (sender, receiver) = mpsc::unbounded_channel();
    let kept = Arc::clone(&lines);
    config.log_sink = Arc::new(move |line: LogLine| {
        kept.lock().unwrap().push(line.clone());
        let _ = sender.send(line);
    });
    (lines, receiver)
}

/// The payload that makes `Deeds` wait at an address.
pub(crate) fn meet(address: std::net::SocketAddr) -> Value {
    json!({ "do": "meet", "at": address.to_string() })
}

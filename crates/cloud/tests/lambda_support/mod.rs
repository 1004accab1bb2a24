//! What the tests of the local Lambda share: the function that they invoke, and its settings.

use std::{
    collections::BTreeMap,
    env,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use cloud::lambda::{FunctionSpec, Invocation, InvokeOptions, Lambda, LambdaConfig, LogLine};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// The example `lambda_function`, which Cargo builds beside the tests of this package.
pub fn executable() -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let executable = profile.join("examples/lambda_function");
    assert!(executable.exists(), "run `cargo build -p cloud --examples`, as `cargo test -p cloud` does");
    executable
}

/// A function `Deeds` that has ten seconds.
pub fn function() -> FunctionSpec {
    let executable = executable();
    FunctionSpec {
        function: sam::Function {
            logical_id: "DeedsFunction".to_owned(),
            name: "Deeds".to_owned(),
            arn: format!("arn:aws:lambda:{}:{}:function:Deeds", sam::REGION, sam::ACCOUNT),
            code: sam::Code::Bootstrap { path: executable.clone() },
            handler: "bootstrap".to_owned(),
            runtime: "provided.al2023".to_owned(),
            timeout: Duration::from_secs(10),
            memory_mb: 128,
            environment: BTreeMap::new(),
        },
        executable,
    }
}

/// The settings of a Lambda with these functions.
pub fn config(functions: Vec<FunctionSpec>) -> LambdaConfig {
    LambdaConfig::new(functions, "http://127.0.0.1:4566")
}

/// A Lambda with the one function.
pub fn lambda() -> Arc<Lambda> {
    Lambda::new(config(vec![function()])).unwrap()
}

/// Invokes `Deeds`.
pub async fn invoke(lambda: &Lambda, payload: Value) -> Invocation {
    lambda.invoke("Deeds", Bytes::from(payload.to_string()), InvokeOptions::default()).await.unwrap()
}

/// The answer of `Deeds`, which has to be a good one.
#[allow(dead_code, reason = "each test binary uses its part")]
pub async fn answer(lambda: &Lambda, payload: Value) -> Value {
    let invocation = invoke(lambda, payload).await;
    let payload = json_of(&invocation);
    assert!(!invocation.failed, "{payload}");
    payload
}

/// The payload of an invocation.
#[allow(dead_code, reason = "each test binary uses its part")]
pub fn json_of(invocation: &Invocation) -> Value {
    serde_json::from_slice(&invocation.payload).unwrap()
}

/// The error of an invocation that has to have failed: its type and message.
#[allow(dead_code, reason = "each test binary uses its part")]
pub fn error_of(invocation: &Invocation) -> (String, String) {
    assert!(invocation.failed);
    let error = json_of(invocation);
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (text("errorType"), text("errorMessage"))
}

/// Keeps all log lines, and tells of each as it comes.
#[allow(dead_code, reason = "each test binary uses its part")]
pub fn record(config: &mut LambdaConfig) -> (Arc<Mutex<Vec<LogLine>>>, mpsc::UnboundedReceiver<LogLine>) {
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
#[allow(dead_code, reason = "each test binary uses its part")]
pub fn meet(address: std::net::SocketAddr) -> Value {
    json!({ "do": "meet", "at": address.to_string() })
}

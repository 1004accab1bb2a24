//! Functions made by the API: what is made, changed and published is what runs, now and after a restart. And how many
//! invocations may run at once.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic, its helpers too")]

mod lambda_support;

use std::{
    collections::BTreeMap,
    io::{Cursor, Write},
    num::NonZeroUsize,
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::body::Body;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use cloud::{
    lambda::{
        ApiConfig, EventOutcome, FrontEnd, InvokeError, InvokeOptions, Lambda, LambdaConfig, NotRun, ThrottleReason,
    },
    service::Service,
    states::Store,
};
use http::Request;
use http_body_util::BodyExt;
use lambda_support::{answer, config, function, json_of, lambda, meet};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpListener, sync::mpsc};
use zip::{ZipWriter, write::SimpleFileOptions};

const FUNCTIONS: &str = "/2015-03-31/functions";

struct Api {
    lambda: Arc<Lambda>,
    front_end: FrontEnd,
}

impl Api {
    /// An API that keeps what it makes in a folder.
    fn open(folder: &Path) -> Self {
        Self::of(config(Vec::new()), folder)
    }

    fn of(config: LambdaConfig, folder: &Path) -> Self {
        let lambda = Lambda::new(config).unwrap();
        let store = Store::at(folder.join("functions.json"));
        let config = ApiConfig { store, code: Some(folder.join("code")), ..ApiConfig::default() };
        Self { front_end: FrontEnd::open(Arc::clone(&lambda), config).unwrap(), lambda }
    }

    /// The status and the body of an answer.
    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = Request::builder().method(method).uri(path).body(body).unwrap();
        let response = self.front_end.call(request).await;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// The body of an answer that has to be a good one.
    async fn call(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    async fn create(&self, name: &str, text: &str, more: Value) -> Value {
        let mut body = json!({
            "FunctionName": name,
            "Runtime": "python3.13",
            "Role": "arn:aws:iam::000000000000:role/r",
            "Handler": "app.handler",
            "Code": { "ZipFile": zipped(text) },
        });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        self.call("POST", FUNCTIONS, body).await
    }

    /// What a function answers.
    async fn says(&self, name: &str) -> Value {
        let invocation = self.lambda.invoke(name, Bytes::new(), InvokeOptions::default()).await.unwrap();
        assert!(!invocation.failed, "{:?}", invocation.payload);
        json_of(&invocation)
    }
}

/// An archive with one module, in base 64.
fn zipped(text: &str) -> String {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("app.py", SimpleFileOptions::default()).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    BASE64_STANDARD.encode(writer.finish().unwrap().into_inner())
}

/// A module whose handler answers its name, with the version that runs.
fn module(name: &str) -> String {
    format!("def handler(event, context): return ['{name}', context.function_version]")
}

#[tokio::test]
async fn what_is_changed_runs_at_once_and_what_is_published_stays() {
    let folder = tempfile::tempdir().unwrap();
    let api = Api::open(folder.path());
    let made = api.create("f", &module("one"), json!({ "Publish": true, "Timeout": 7, "Tags": { "a": "b" } })).await;
    assert_eq!((&made["Version"], &made["Timeout"]), (&json!("1"), &json!(7)));
    assert_eq!(api.says("f").await, json!(["one", "$LATEST"]));

    let path = format!("{FUNCTIONS}/f");
    api.call("PUT", &format!("{path}/code"), json!({ "ZipFile": zipped(&module("two")) })).await;
    for (name, expected) in [("f", json!(["two", "$LATEST"])), ("f:1", json!(["one", "1"]))] {
        assert_eq!(api.says(name).await, expected);
    }
    // Published twice, it is one version.
    for _ in 0..2 {
        assert_eq!(api.call("POST", &format!("{path}/versions"), json!({})).await["Version"], json!("2"));
    }
    let alias = json!({ "Name": "live", "FunctionVersion": "1" });
    let alias = api.call("POST", &format!("{path}/aliases"), alias).await;
    assert_eq!(alias["AliasArn"], json!(format!("arn:aws:lambda:{}:{}:function:f:live", sam::REGION, sam::ACCOUNT)));
    assert_eq!(api.says("f:live").await, json!(["one", "1"]));
    let routing = json!({ "RoutingConfig": { "AdditionalVersionWeights": { "2": 1.0 } } });
    api.call("PUT", &format!("{path}/aliases/live"), routing).await;
    assert_eq!(api.says("f:live").await, json!(["two", "2"]));
    let (status, refused) = api.ask("DELETE", &format!("{path}?Qualifier=1"), Value::Null).await;
    assert_eq!(status, 409, "{refused}");
    api.call("PUT", "/2017-10-31/functions/f/concurrency", json!({ "ReservedConcurrentExecutions": 3 })).await;

    // All of it is there after a restart, and a number is not used again.
    api.lambda.shutdown().await;
    let api = Api::open(folder.path());
    for (name, version) in [("f", "$LATEST"), ("f:2", "2"), ("f:live", "2")] {
        assert_eq!(api.says(name).await, json!(["two", version]));
    }
    let described = api.call("GET", &path, Value::Null).await;
    assert_eq!(described["Concurrency"]["ReservedConcurrentExecutions"], json!(3));
    assert_eq!((&described["Tags"]["a"], &described["Configuration"]["Timeout"]), (&json!("b"), &json!(7)));
    api.call("DELETE", &format!("{path}/aliases/live"), Value::Null).await;
    api.call("DELETE", &format!("{path}?Qualifier=2"), Value::Null).await;
    assert_eq!(api.call("POST", &format!("{path}/versions"), json!({})).await["Version"], json!("3"));
    api.call("DELETE", &path, Value::Null).await;
    let error = api.lambda.invoke("f", Bytes::new(), InvokeOptions::default()).await.unwrap_err();
    assert!(matches!(error, InvokeError::ResourceNotFound { .. }));
    drop(api);
    let (status, _) = Api::open(folder.path()).ask("GET", &path, Value::Null).await;
    assert_eq!(status, 404);
    assert_eq!(std::fs::read_dir(folder.path().join("code")).unwrap().count(), 0, "code that nothing needs is gone");
}

#[tokio::test]
async fn code_that_nothing_runs_any_more_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let api = Api::open(folder.path());
    api.create("f", &module("zero"), json!({ "Publish": true })).await;
    for name in ["one", "two", "three"] {
        api.call("PUT", &format!("{FUNCTIONS}/f/code"), json!({ "ZipFile": zipped(&module(name)) })).await;
        assert_eq!(api.says("f").await, json!([name, "$LATEST"]));
    }
    // Each call looks for it; a process that has just answered may be about to end.
    let folders = || std::fs::read_dir(folder.path().join("code")).unwrap().count();
    while folders() > 2 {
        api.call("GET", &format!("{FUNCTIONS}/f"), Value::Null).await;
    }
    assert_eq!(api.says("f").await, json!(["three", "$LATEST"]));
    assert_eq!(api.says("f:1").await, json!(["zero", "1"]));
}

#[tokio::test]
async fn an_update_loses_no_call_and_waits_for_none() {
    let folder = tempfile::tempdir().unwrap();
    let api = Api::open(folder.path());
    // The old build is in the middle of a call when the new one comes.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let waits = format!(
        "import socket\ndef handler(event, context):\n  socket.create_connection(('127.0.0.1', {port})).recv(1)\n  return 'old'"
    );
    api.create("f", &waits, json!({ "Timeout": 60 })).await;
    let running = tokio::spawn({
        let lambda = Arc::clone(&api.lambda);
        async move { lambda.invoke("f", Bytes::new(), InvokeOptions::default()).await }
    });
    let mut held = listener.accept().await.unwrap().0;
    api.call("PUT", &format!("{FUNCTIONS}/f/code"), json!({ "ZipFile": zipped(&module("new")) })).await;
    assert_eq!(api.says("f").await, json!(["new", "$LATEST"]));
    held.write_all(b"!").await.unwrap();
    assert_eq!(json_of(&running.await.unwrap().unwrap()), json!("old"));
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let api = Api::open(folder.path());
    api.create("f", &module("one"), Value::Null).await;
    let create = |field: &str, value: Value| {
        let mut body = json!({
            "FunctionName": "g", "Runtime": "python3.13", "Role": "r", "Handler": "app.handler",
            "Code": { "ZipFile": zipped("") },
        });
        body[field] = value;
        ("POST", FUNCTIONS.to_owned(), body)
    };
    let of_f = |method: &'static str, path: &str, body: Value| (method, format!("{FUNCTIONS}/f{path}"), body);
    let cases = [
        (create("FunctionName", json!("f")), 409, "Function already exist: f"),
        (create("FunctionName", json!("a b")), 400, "functionName"),
        (create("Runtime", json!("java21")), 400, "java21"),
        (create("Handler", Value::Null), 400, "Handler is mandatory"),
        (create("Timeout", json!(901)), 400, "less than or equal to 900"),
        (create("MemorySize", json!(64)), 400, "greater than or equal to 128"),
        (create("Environment", json!({ "Variables": { "AWS_REGION": "x" } })), 400, "reserved keys"),
        (create("Environment", json!({ "Variables": { "A": "x".repeat(4096) } })), 400, "exceeded the 4KB limit"),
        (create("Layers", json!(["arn"])), 400, "Layers is not emulated"),
        (create("PackageType", json!("Image")), 400, "Image"),
        (create("Code", json!({})), 400, "Please provide a source for function code."),
        (create("Code", json!({ "ZipFile": "AAAA" })), 400, "Could not unzip uploaded file"),
        (create("Code", json!({ "S3Bucket": "b", "S3Key": "k" })), 400, "NoSuchKey"),
        (of_f("PUT", "/configuration", json!({ "RevisionId": "old" })), 412, "Revision Id"),
        (of_f("POST", "/versions", json!({ "CodeSha256": "other" })), 400, "different from current CodeSHA256"),
        (of_f("POST", "/aliases", json!({ "Name": "live", "FunctionVersion": "9" })), 404, "function:f:9"),
        (of_f("POST", "/aliases", json!({ "Name": "12", "FunctionVersion": "$LATEST" })), 400, "'name'"),
        (of_f("GET", "/aliases/none", Value::Null), 404, "Cannot find alias arn: "),
        (of_f("DELETE", "?Qualifier=$LATEST", Value::Null), 400, "cannot be deleted"),
        (("GET", format!("{FUNCTIONS}/none"), Value::Null), 404, "Function not found: "),
    ];
    for ((method, path, body), status, message) in cases {
        let (found, error) = api.ask(method, &path, body).await;
        let text = error["Message"].as_str().unwrap_or_default();
        assert!(found == status && text.contains(message), "{method} {path}: {found} {error}");
    }
}

#[tokio::test]
async fn a_function_that_reserves_is_throttled_above_it_and_its_events_wait() {
    let mut few = function();
    few.reserved_concurrency = Some(1);
    let mut config = config(vec![few]);
    config.throttle_pause = Duration::from_millis(1);
    let (ends, mut ended) = mpsc::unbounded_channel();
    config.event_ends = Some(ends);
    let lambda = Lambda::new(config).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = tokio::spawn({
        let (lambda, payload) = (Arc::clone(&lambda), meet(listener.local_addr().unwrap()));
        async move { answer(&lambda, payload).await }
    });
    let mut held = listener.accept().await.unwrap().0;
    let error = lambda.invoke("Deeds", Bytes::new(), InvokeOptions::default()).await.unwrap_err();
    let reason = ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded;
    assert_eq!(error, InvokeError::TooManyRequests { reason });
    assert_eq!(error.to_string(), "Rate Exceeded.");
    lambda.invoke_event("Deeds", Bytes::from_static(b"{\"late\":1}"), InvokeOptions::default()).unwrap();
    held.write_all(b"!").await.unwrap();
    assert_eq!(running.await.unwrap(), json!("met"));
    // Being throttled is no attempt.
    let end = ended.recv().await.unwrap();
    assert!(matches!(&end.outcome, EventOutcome::Done(answer) if **answer == *b"{\"late\":1}"), "{end:?}");
    assert_eq!(end.attempts, 1);
}

#[tokio::test]
async fn what_waits_for_one_function_throttles_no_other() {
    let mut other = function();
    other.name = "Other".to_owned();
    other.arn = other.arn.replace("Deeds", "Other");
    let mut config = config(vec![function(), other]);
    config.max_processes = NonZeroUsize::MIN;
    let lambda = Lambda::new(config).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let payload = Bytes::from(meet(listener.local_addr().unwrap()).to_string());
    // More than the account may run at once.
    for _ in 0..1001 {
        lambda.invoke_event("Deeds", payload.clone(), InvokeOptions::default()).unwrap();
    }
    let _held = listener.accept().await.unwrap();
    let payload = Bytes::from_static(b"{\"other\":1}");
    let invocation = lambda.invoke("Other", payload.clone(), InvokeOptions::default()).await.unwrap();
    assert_eq!(invocation.payload, payload);
    // What was not done is told at the end.
    assert_eq!(lambda.shutdown().await, BTreeMap::from([("Deeds".to_owned(), 1001)]));
    assert_eq!(lambda.shutdown().await, BTreeMap::new());
}

#[tokio::test]
async fn events_of_a_function_that_may_not_run_are_given_up() {
    let mut none = function();
    none.reserved_concurrency = Some(0);
    let mut old = function();
    (old.name, old.reserved_concurrency) = ("Old".to_owned(), Some(1));
    old.arn = old.arn.replace("Deeds", "Old");
    old.event_invoke.max_age = Some(Duration::ZERO);
    let mut config = config(vec![none, old]);
    let (ends, mut ended) = mpsc::unbounded_channel();
    config.event_ends = Some(ends);
    let lambda = Lambda::new(config).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let payload = Bytes::from(meet(listener.local_addr().unwrap()).to_string());
    let running = tokio::spawn({
        let lambda = Arc::clone(&lambda);
        async move { lambda.invoke("Old", payload, InvokeOptions::default()).await }
    });
    let _held = listener.accept().await.unwrap();
    for (name, reason) in [("Deeds", NotRun::ZeroReservedConcurrency), ("Old", NotRun::EventAgeExceeded)] {
        lambda.invoke_event(name, Bytes::new(), InvokeOptions::default()).unwrap();
        let end = ended.recv().await.unwrap();
        assert!(matches!(&end.outcome, EventOutcome::NotRun(found) if *found == reason), "{end:?}");
        assert_eq!((end.function.as_str(), end.attempts), (name, 0));
    }
    running.abort();
}

/// The attempts of the events that a file keeps.
fn kept_attempts(file: &Path) -> Vec<u32> {
    let events = Connection::open(file).unwrap();
    let mut rows = events.prepare("SELECT attempts FROM events ORDER BY number").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn events_that_are_kept_go_on_with_their_attempts_and_their_age() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.sqlite");
    let lambda = || {
        let mut config = config(vec![function()]);
        config.retry_delays = vec![Duration::from_hours(1), Duration::from_hours(1)];
        config.events = Some(file.clone());
        let (ends, ended) = mpsc::unbounded_channel();
        config.event_ends = Some(ends);
        (Lambda::new(config).unwrap(), ended)
    };
    let (first, mut ended) = lambda();
    let event = |payload: &'static [u8]| Bytes::from_static(payload);
    first.invoke_event("Deeds", event(b"{\"a\":1}"), InvokeOptions::default()).unwrap();
    let done = ended.recv().await.unwrap();
    let id = first.invoke_event("Deeds", event(b"{\"do\":\"error\"}"), InvokeOptions::default()).unwrap();
    while kept_attempts(&file) != [0, 1] {
        tokio::task::yield_now().await;
    }
    // Nobody has said of the first one that it is done with until now.
    done.done();
    assert_eq!(first.shutdown().await, BTreeMap::from([("Deeds".to_owned(), 1)]));
    assert_eq!(kept_attempts(&file), [1]);

    // It is due, and tried for the second time.
    let change = |sql: &str| Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    change("UPDATE events SET due_at = 0");
    let (second, _ended) = lambda();
    assert_eq!(second.resume_events(), BTreeMap::from([("Deeds".to_owned(), 1)]));
    assert_eq!(second.resume_events(), BTreeMap::new());
    while kept_attempts(&file) != [2] {
        tokio::task::yield_now().await;
    }
    drop(second.shutdown().await);

    // The third time is the last one.
    change("UPDATE events SET due_at = 0");
    let (third, mut ended) = lambda();
    third.resume_events();
    let end = ended.recv().await.unwrap();
    assert!(matches!(&end.outcome, EventOutcome::Failed(_)), "{end:?}");
    assert_eq!((end.attempts, end.request_id.as_str()), (3, id.as_str()));
    drop(third.shutdown().await);

    // What is too old is not tried any more.
    change("UPDATE events SET attempts = 1, due_at = 0, received_at = 0");
    let (fourth, mut ended) = lambda();
    fourth.resume_events();
    let end = ended.recv().await.unwrap();
    assert!(matches!(&end.outcome, EventOutcome::NotRun(NotRun::EventAgeExceeded)), "{end:?}");
    assert_eq!(end.attempts, 1);
    end.done();
    assert!(kept_attempts(&file).is_empty());
}

#[tokio::test]
async fn a_build_is_replaced_without_a_loss() {
    let lambda = lambda();
    let before = answer(&lambda, json!({ "do": "process" })).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = tokio::spawn({
        let (lambda, payload) = (Arc::clone(&lambda), meet(listener.local_addr().unwrap()));
        async move { answer(&lambda, payload).await }
    });
    let mut held = listener.accept().await.unwrap().0;
    assert!(lambda.replace("Deeds", None).unwrap());
    assert!(!lambda.replace("None", None).unwrap());
    let after = answer(&lambda, json!({ "do": "process" })).await;
    assert_ne!(after, before);
    held.write_all(b"!").await.unwrap();
    assert_eq!(running.await.unwrap(), json!("met"));
    assert_eq!(answer(&lambda, json!({ "do": "process" })).await, after);
}

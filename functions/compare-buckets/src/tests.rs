//! The handler with the real client against a stand-in for S3.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use function_kit::testing::{self, Reply, Request, Stub, unreachable_sdk_config};
use function_kit::{Environment, Failure};
use serde_json::{Value, json};

use crate::{CompareBuckets, handle};

const SETTINGS: [(&str, &str); 3] =
    [("SOURCE_BUCKET", "source"), ("TARGET_BUCKET", "target"), ("REPORT_BUCKET", "report")];

/// `ETag`s by key.
type Objects = BTreeMap<&'static str, &'static str>;

/// S3 with these objects, two on a page.
async fn s3(source: Objects, target: Objects) -> Stub {
    let (source, target) = (Arc::new(source), Arc::new(target));
    Stub::replying(move |request| match (request.method.as_str(), request.path.as_str()) {
        ("PUT", _) => Reply::status(200),
        ("GET", "/source/") => page(&source, request),
        ("GET", "/target/") => page(&target, request),
        other => panic!("{other:?}"),
    })
    .await
}

fn parameter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let pairs = request.query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(found, _)| *found == name).map(|(_, value)| value).next()
}

fn page(objects: &Objects, request: &Request) -> Reply {
    assert_eq!(parameter(request, "encoding-type"), Some("url"));
    let after = parameter(request, "continuation-token").or(parameter(request, "start-after")).unwrap_or_default();
    let rest: Vec<_> = objects.iter().filter(|(key, _)| **key > after).collect();
    let mut xml = "<ListBucketResult><EncodingType>url</EncodingType>".to_owned();
    for (key, e_tag) in rest.iter().take(2) {
        let _ = write!(xml, "<Contents><Key>{key}</Key><ETag>\"{e_tag}\"</ETag><Size>{}</Size></Contents>", key.len());
    }
    let last = rest.iter().take(2).next_back().map_or("", |(key, _)| **key);
    let _ = write!(xml, "<IsTruncated>{}</IsTruncated>", rest.len() > 2);
    let _ = write!(xml, "<NextContinuationToken>{last}</NextContinuationToken></ListBucketResult>");
    Reply::body(200, xml).header("content-type", "application/xml")
}

fn event(changes: &Value) -> Value {
    let mut event: Value =
        serde_json::from_str(include_str!("../../../events/compare-buckets/first-part.json")).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

fn function(stub: &Stub) -> CompareBuckets {
    CompareBuckets::new(&Environment::of(SETTINGS), &stub.sdk_config()).unwrap()
}

async fn invoke(stub: &Stub, payload: Value) -> Result<Value, Failure> {
    testing::invoke(&function(stub), handle, payload).await
}

/// What was written: keys and lines.
fn written(stub: &Stub) -> Vec<(String, Vec<Value>)> {
    let puts = stub.requests().into_iter().filter(|request| request.method == "PUT");
    let lines = |request: &Request| {
        // The client sends the body in chunks: the lines are those that are JSON.
        request.text().lines().filter_map(|line| serde_json::from_str(line).ok()).filter(Value::is_object).collect()
    };
    puts.map(|request| (request.path.clone(), lines(&request))).collect()
}

fn line(action: &str, key: &str, e_tag: &str) -> Value {
    json!({"action": action, "key": key, "size": key.len(), "eTag": format!("\"{e_tag}\"")})
}

#[tokio::test]
async fn differences_are_found_and_written() {
    let source = Objects::from([("a", "1"), ("b", "1"), ("c", "2"), ("e", "1"), ("f+g", "1")]);
    let target = Objects::from([("a", "1"), ("c", "1"), ("d", "1"), ("e", "1"), ("z", "1")]);
    let copies = [line("copy", "b", "1"), line("copy", "c", "2"), {
        let mut blank = line("copy", "f g", "1");
        blank["size"] = 3.into();
        blank
    }];

    let stub = s3(source.clone(), target.clone()).await;
    let output = invoke(&stub, event(&json!({}))).await.unwrap();
    assert_eq!(output, json!({"copy": 3, "copyBytes": 5, "delete": 0, "keep": 2, "same": 2, "next": null}));
    let kept = vec![line("keep", "d", "1"), line("keep", "z", "1")];
    assert_eq!(
        written(&stub),
        [
            ("/report/nightly-sync/sample/changes/000000.jsonl".to_owned(), copies.to_vec()),
            ("/report/nightly-sync/sample/kept/000000.jsonl".to_owned(), kept),
        ]
    );

    let stub = s3(source, target).await;
    let output = invoke(&stub, event(&json!({"delete": true, "part": 12}))).await.unwrap();
    assert_eq!(output, json!({"copy": 3, "copyBytes": 5, "delete": 2, "keep": 0, "same": 2, "next": null}));
    let [b, c, f] = copies;
    let changes = vec![b, c, line("delete", "d", "1"), f, line("delete", "z", "1")];
    assert_eq!(written(&stub), [("/report/nightly-sync/sample/changes/000012.jsonl".to_owned(), changes)]);
}

#[tokio::test]
async fn buckets_that_are_alike_leave_nothing_to_write() {
    let objects = Objects::from([("a", "1"), ("b", "2"), ("c", "3")]);
    let stub = s3(objects.clone(), objects).await;
    let output = invoke(&stub, event(&json!({"delete": true}))).await.unwrap();
    assert_eq!(output, json!({"copy": 0, "copyBytes": 0, "delete": 0, "keep": 0, "same": 3, "next": null}));
    assert_eq!(written(&stub), []);
}

#[tokio::test]
async fn an_object_of_another_size_is_another_one() {
    let list = |size: u32| {
        let xml = format!(
            "<ListBucketResult><Contents><Key>a</Key><ETag>\"1\"</ETag><Size>{size}</Size></Contents></ListBucketResult>"
        );
        Reply::body(200, xml)
    };
    let stub = Stub::scripted([list(1), list(2), Reply::status(200)]).await;
    assert_eq!(invoke(&stub, event(&json!({}))).await.unwrap()["copy"], 1);
}

#[tokio::test]
async fn a_part_ends_when_the_time_does_and_the_next_goes_on_there() {
    let source = Objects::from([("a", "1"), ("c", "1"), ("e", "1")]);
    let target = Objects::from([("a", "1"), ("b", "1"), ("d", "1")]);
    let stub = s3(source, target).await;
    let function = function(&stub);
    let (mut after, mut keys) = (Value::Null, Vec::new());
    for part in 0.. {
        // Less than what is kept for writing.
        let time = Duration::from_secs(10);
        let event = event(&json!({"after": after, "part": part}));
        after = testing::invoke_within(time, &function, handle, event).await.unwrap()["next"].clone();
        match after.as_str() {
            Some(key) => keys.push(key.to_owned()),
            None => break,
        }
    }
    assert_eq!(keys, ["a", "b", "c", "d", "e"]);
    let found: Vec<String> =
        written(&stub).into_iter().flat_map(|(_, lines)| lines).map(|line| line["key"].to_string()).collect();
    assert_eq!(found, ["\"b\"", "\"c\"", "\"d\"", "\"e\""]);
}

#[tokio::test]
async fn an_empty_source_does_not_empty_the_target() {
    let target = Objects::from([("a", "1")]);
    let stub = s3(Objects::new(), target.clone()).await;
    assert_eq!(invoke(&stub, event(&json!({"delete": true}))).await.unwrap_err().name, "SourceEmpty");
    assert_eq!(written(&stub), []);
    let stub = s3(Objects::new(), target).await;
    assert_eq!(invoke(&stub, event(&json!({"delete": false}))).await.unwrap()["keep"], 1);
    let stub = s3(Objects::new(), Objects::new()).await;
    assert_eq!(invoke(&stub, event(&json!({"delete": true}))).await.unwrap()["same"], 0);
}

#[tokio::test]
async fn what_s3_answers_has_a_name() {
    let one = "<ListBucketResult><Contents><Key>a</Key><ETag>\"1\"</ETag><Size>1</Size></Contents></ListBucketResult>";
    let empty = "<ListBucketResult></ListBucketResult>";
    for before in [vec![], vec![Reply::body(200, one)], vec![Reply::body(200, one), Reply::body(200, empty)]] {
        for (reply, name) in [
            (Reply::s3_error(404, "NoSuchBucket"), "BucketNotFound"),
            (Reply::s3_error(403, "AccessDenied"), "AccessDenied"),
            (Reply::s3_error(503, "SlowDown"), "Throttled"),
            (Reply::s3_error(500, "InternalError"), "ServiceUnavailable"),
            (Reply::never(), "ServiceUnavailable"),
            (Reply::s3_error(400, "InvalidArgument"), "ServiceRejected"),
        ] {
            let stub = Stub::scripted(before.iter().cloned().chain([reply.clone()])).await;
            let failure = invoke(&stub, event(&json!({}))).await.unwrap_err();
            assert_eq!(failure.name, name, "{} {reply:?}", before.len());
            assert!(failure.message.starts_with(["s3://source", "s3://target", "s3://report"][before.len()]));
        }
    }
}

#[tokio::test]
async fn input_that_is_not_what_it_should_be_is_refused() {
    for (field, value) in [("delete", json!("yes")), ("part", json!(-1)), ("after", json!(7)), ("report", json!(null))]
    {
        let stub = Stub::scripted([]).await;
        let failure = invoke(&stub, event(&json!({field: value}))).await.unwrap_err();
        assert_eq!(failure.name, "InvalidInput");
        assert!(failure.message.starts_with(field), "{failure:?}");
        assert!(stub.requests().is_empty());
    }
}

#[test]
fn a_missing_bucket_is_an_error_at_the_start() {
    for (name, _) in SETTINGS {
        let others = SETTINGS.into_iter().filter(|(other, _)| *other != name);
        let new = CompareBuckets::new(&Environment::of(others), &unreachable_sdk_config());
        assert!(new.err().unwrap().to_string().contains(name), "{name}");
    }
}

//! The handler with the real client against a stand-in for S3.

use function_kit::testing::{self, Reply, Request, Stub, unreachable_sdk_config};
use function_kit::{Environment, Failure};
use serde_json::{Value, json};

use crate::{SyncObjects, handle};

const SETTINGS: [(&str, &str); 2] = [("SOURCE_BUCKET", "source"), ("TARGET_BUCKET", "target")];

async fn invoke(stub: &Stub, payload: Value) -> Result<Value, Failure> {
    let function = SyncObjects::new(&Environment::of(SETTINGS), &stub.sdk_config()).unwrap();
    testing::invoke(&function, handle, payload).await
}

/// The sample's items of these numbers.
fn event(items: &[usize]) -> Value {
    let mut event: Value = serde_json::from_str(include_str!("../../../events/sync-objects/batch.json")).unwrap();
    let chosen = items.iter().map(|item| event["Items"][*item].clone()).collect();
    event["Items"] = Value::Array(chosen);
    event
}

/// What a request asks S3 for.
fn operation(request: &Request) -> &'static str {
    let has = |name: &str| request.query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let copies = !request.header("x-amz-copy-source").is_empty();
    match (request.method.as_str(), copies) {
        ("HEAD", _) => "HeadObject",
        ("GET", _) if has("tagging") => "GetObjectTagging",
        ("POST", _) if has("uploads") => "CreateMultipartUpload",
        ("POST", _) => "CompleteMultipartUpload",
        ("PUT", true) if has("partNumber") => "UploadPartCopy",
        ("PUT", true) => "CopyObject",
        ("DELETE", _) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", _) => "DeleteObject",
        other => panic!("{other:?}"),
    }
}

fn operations(stub: &Stub) -> Vec<&'static str> {
    stub.requests().iter().map(operation).collect()
}

/// S3, which does what it is asked to. An object in parts has these, in bytes.
fn willing(request: &Request, parts: &[u64]) -> Reply {
    let xml = |body: &str| Reply::body(200, body.to_owned()).header("content-type", "application/xml");
    match operation(request) {
        "HeadObject" => {
            let number: usize = request.query.split("partNumber=").nth(1).unwrap().parse().unwrap();
            let head = Reply::status(200).header("content-length", &parts[number - 1].to_string());
            head.header("content-type", "text/csv").header("x-amz-meta-run", "7")
        }
        "GetObjectTagging" => xml(
            "<Tagging><TagSet><Tag><Key>of</Key><Value>R+D 1</Value></Tag><Tag><Key>b</Key><Value></Value></Tag></TagSet></Tagging>",
        ),
        "CopyObject" => xml("<CopyObjectResult><ETag>\"1\"</ETag></CopyObjectResult>"),
        "CreateMultipartUpload" => {
            xml("<InitiateMultipartUploadResult><UploadId>u-1</UploadId></InitiateMultipartUploadResult>")
        }
        "UploadPartCopy" => xml("<CopyPartResult><ETag>\"p\"</ETag></CopyPartResult>"),
        "CompleteMultipartUpload" => {
            xml("<CompleteMultipartUploadResult><ETag>\"1-3\"</ETag></CompleteMultipartUploadResult>")
        }
        _ => Reply::status(204),
    }
}

const EVEN: [u64; 3] = [6_291_456, 6_291_456, 1];

async fn s3(parts: &'static [u64]) -> Stub {
    Stub::replying(move |request| willing(request, parts)).await
}

/// S3, which answers this operation so.
async fn s3_but(operation_to_fail: &'static str, reply: Reply) -> Stub {
    Stub::replying(
        move |request| {
            if operation(request) == operation_to_fail { reply.clone() } else { willing(request, &EVEN) }
        },
    )
    .await
}

#[tokio::test]
async fn an_object_is_copied_as_it_was_compared() {
    let stub = s3(&EVEN).await;
    let output = invoke(&stub, event(&[0])).await.unwrap();
    assert_eq!(output, json!({"copied": 1, "deleted": 0, "changed": []}));
    let request = &stub.requests()[0];
    assert_eq!(request.path, "/target/a%20b.csv");
    assert_eq!(request.header("x-amz-copy-source"), "source/a%20b.csv");
    assert_eq!(request.header("x-amz-copy-source-if-match"), "\"0123456789abcdef0123456789abcdef\"");
}

#[tokio::test]
async fn an_object_is_deleted_as_it_was_compared() {
    let stub = s3(&EVEN).await;
    let output = invoke(&stub, event(&[2])).await.unwrap();
    assert_eq!(output, json!({"copied": 0, "deleted": 1, "changed": []}));
    let request = &stub.requests()[0];
    assert_eq!(
        (request.path.as_str(), request.header("if-match")),
        ("/target/c.csv", "\"fedcba9876543210fedcba9876543210\"")
    );
}

#[tokio::test]
async fn an_object_in_parts_is_copied_in_the_same_parts() {
    // The second was uploaded in uneven parts: each is asked for.
    for (parts, heads) in [(&EVEN, 2), (&[5_242_880, 7_340_032, 1], 3)] {
        let stub = s3(parts).await;
        let output = invoke(&stub, event(&[1])).await.unwrap();
        assert_eq!(output, json!({"copied": 1, "deleted": 0, "changed": []}));
        let requests = stub.requests();
        let of = |name: &str| requests.iter().filter(|request| operation(request) == name).collect::<Vec<_>>();
        assert_eq!(of("HeadObject").len(), heads);
        assert!(of("HeadObject").iter().all(|head| !head.header("if-match").is_empty()));
        let created = of("CreateMultipartUpload");
        assert_eq!((created[0].header("content-type"), created[0].header("x-amz-meta-run")), ("text/csv", "7"));
        assert_eq!(created[0].header("x-amz-tagging"), "of=R%2BD%201&b=");
        let mut ranges: Vec<_> =
            of("UploadPartCopy").iter().map(|part| part.header("x-amz-copy-source-range")).collect();
        ranges.sort_unstable();
        let middle = parts[0];
        assert_eq!(
            ranges,
            [
                format!("bytes=0-{}", middle - 1),
                "bytes=12582912-12582912".to_owned(),
                format!("bytes={middle}-12582911")
            ]
        );
        assert!(of("UploadPartCopy").iter().all(|part| !part.header("x-amz-copy-source-if-match").is_empty()));
        let completed = of("CompleteMultipartUpload")[0].text().to_owned();
        assert_eq!(completed.matches("<PartNumber>").count(), 3, "{completed}");
        assert!(of("AbortMultipartUpload").is_empty());
    }
}

#[tokio::test]
async fn an_object_without_tags_is_copied_without_any() {
    let none = "<Tagging><TagSet></TagSet></Tagging>".to_owned();
    let stub = s3_but("GetObjectTagging", Reply::body(200, none).header("content-type", "application/xml")).await;
    invoke(&stub, event(&[1])).await.unwrap();
    let requests = stub.requests();
    let created = requests.iter().find(|request| operation(request) == "CreateMultipartUpload").unwrap();
    assert_eq!(created.header("x-amz-tagging"), "");
}

#[tokio::test]
async fn an_object_that_has_changed_is_left_for_the_next_time() {
    for (item, operation, reply) in [
        (0, "CopyObject", Reply::s3_error(412, "PreconditionFailed")),
        (0, "CopyObject", Reply::s3_error(404, "NoSuchKey")),
        (1, "HeadObject", Reply::status(412)),
        (1, "HeadObject", Reply::status(404)),
        (1, "GetObjectTagging", Reply::s3_error(404, "NoSuchKey")),
        (1, "UploadPartCopy", Reply::s3_error(412, "PreconditionFailed")),
        (2, "DeleteObject", Reply::s3_error(412, "PreconditionFailed")),
    ] {
        let stub = s3_but(operation, reply).await;
        let event = event(&[item]);
        let output = invoke(&stub, event.clone()).await.unwrap();
        assert_eq!(output, json!({"copied": 0, "deleted": 0, "changed": [event["Items"][0]["key"]]}), "{operation}");
        let aborted = operations(&stub).contains(&"AbortMultipartUpload");
        assert_eq!(aborted, operation == "UploadPartCopy", "{operation}");
    }
}

#[tokio::test]
async fn all_are_tried_before_an_error_is_told() {
    let stub = s3_but("CopyObject", Reply::s3_error(403, "AccessDenied")).await;
    let failure = invoke(&stub, event(&[0, 1, 2, 0])).await.unwrap_err();
    assert_eq!(failure.name, "AccessDenied");
    let message = "a b.csv: CopyObject answered AccessDenied: said by the stub; 2 of 4 objects failed";
    assert_eq!(failure.message, message);
    let operations = operations(&stub);
    assert!(operations.contains(&"DeleteObject") && operations.contains(&"CompleteMultipartUpload"), "{operations:?}");
}

#[tokio::test]
async fn what_s3_answers_has_a_name() {
    for (item, operation) in [
        (0, "CopyObject"),
        (1, "GetObjectTagging"),
        (1, "CreateMultipartUpload"),
        (1, "UploadPartCopy"),
        (1, "CompleteMultipartUpload"),
        (2, "DeleteObject"),
    ] {
        for (reply, name) in [
            (Reply::s3_error(404, "NoSuchBucket"), "BucketNotFound"),
            (Reply::s3_error(403, "AccessDenied"), "AccessDenied"),
            (Reply::s3_error(503, "SlowDown"), "Throttled"),
            (Reply::s3_error(500, "InternalError"), "ServiceUnavailable"),
            (Reply::s3_error(400, "InvalidRequest"), "ServiceRejected"),
        ] {
            let stub = s3_but(operation, reply.clone()).await;
            assert_eq!(invoke(&stub, event(&[item])).await.unwrap_err().name, name, "{operation} {reply:?}");
            let begun = ["UploadPartCopy", "CompleteMultipartUpload"].contains(&operation);
            assert_eq!(operations(&stub).contains(&"AbortMultipartUpload"), begun, "{operation}");
        }
    }
    let stub = Stub::scripted([Reply::never()]).await;
    assert_eq!(invoke(&stub, event(&[0])).await.unwrap_err().name, "ServiceUnavailable");
    let stub = s3_but("HeadObject", Reply::status(403)).await;
    assert_eq!(invoke(&stub, event(&[1])).await.unwrap_err().name, "AccessDenied");
}

#[tokio::test]
async fn input_that_is_not_what_it_should_be_is_refused() {
    for (field, value) in [("action", json!("move")), ("key", json!(1)), ("size", json!(-1)), ("eTag", json!(null))] {
        let stub = Stub::scripted([]).await;
        let mut payload = event(&[0, 1]);
        payload["Items"][1][field] = value;
        let failure = invoke(&stub, payload).await.unwrap_err();
        assert_eq!(failure.name, "InvalidInput");
        assert!(failure.message.starts_with(&format!("Items[1].{field}")), "{failure:?}");
        assert!(stub.requests().is_empty());
    }
}

#[test]
fn a_missing_bucket_is_an_error_at_the_start() {
    for (name, _) in SETTINGS {
        let others = SETTINGS.into_iter().filter(|(other, _)| *other != name);
        let new = SyncObjects::new(&Environment::of(others), &unreachable_sdk_config());
        assert!(new.err().unwrap().to_string().contains(name), "{name}");
    }
}

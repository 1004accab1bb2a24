//! The handler with the real client against a stand-in for S3.

use std::time::Duration;

use function_kit::testing::{self, Reply, Stub, unreachable_sdk_config};
use function_kit::{Environment, Failure};
use serde_json::{Value, json};

use crate::{CheckSize, handle};

const NO_SETTINGS: [(&str, &str); 0] = [];

async fn invoke(function: &CheckSize, payload: Value) -> Result<Value, Failure> {
    testing::invoke(function, handle, payload).await
}

async fn invoke_on(stub: &Stub, payload: Value) -> Result<Value, Failure> {
    let function = CheckSize::new(&Environment::of(NO_SETTINGS), &stub.sdk_config()).unwrap();
    invoke(&function, payload).await
}

fn object() -> Value {
    json!({"bucket": "data", "key": "incoming/large file.csv"})
}

#[tokio::test]
async fn the_head_of_the_object_is_told() {
    let head = Reply::status(200)
        .header("content-length", "3145728")
        .header("content-type", "text/csv")
        .header("etag", "\"0123\"")
        .header("x-amz-version-id", "v1");
    let stub = Stub::scripted([head]).await;

    let output = invoke_on(&stub, object()).await.unwrap();

    assert_eq!(
        output,
        json!({
            "bucket": "data", "key": "incoming/large file.csv", "size": 3_145_728,
            "contentType": "text/csv", "eTag": "\"0123\"", "versionId": "v1",
        })
    );
    let requests = stub.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].method, "HEAD");
    assert_eq!(requests[0].path, "/data/incoming/large%20file.csv");
}

#[tokio::test]
async fn what_s3_does_not_tell_is_left_out() {
    let stub = Stub::scripted([Reply::status(200).header("content-length", "0")]).await;
    let output = invoke_on(&stub, object()).await.unwrap();
    assert_eq!(output, json!({"bucket": "data", "key": "incoming/large file.csv", "size": 0}));
}

#[tokio::test]
async fn the_version_of_the_input_is_asked_for() {
    let stub = Stub::scripted([Reply::status(200).header("content-length", "1")]).await;
    invoke_on(&stub, json!({"bucket": "data", "key": "a", "versionId": "v7"})).await.unwrap();
    assert_eq!(stub.requests()[0].query, "versionId=v7");
}

#[tokio::test]
async fn the_settings_stand_in_for_the_input() {
    let settings = Environment::of([("BUCKET", "set-bucket"), ("KEY", "set-key")]);
    for (payload, path) in [
        (json!({}), "/set-bucket/set-key"),
        (json!({"key": "a"}), "/set-bucket/a"),
        (json!({"bucket": "data", "key": null}), "/data/set-key"),
    ] {
        let stub = Stub::scripted([Reply::status(200)]).await;
        let function = CheckSize::new(&settings, &stub.sdk_config()).unwrap();
        invoke(&function, payload).await.unwrap();
        assert_eq!(stub.requests()[0].path, path);
    }
}

#[tokio::test]
async fn input_that_names_no_object_is_invalid() {
    for (payload, message) in [
        (json!({"key": "a"}), "the input has no bucket, and the setting BUCKET is not there to stand in"),
        (json!({"bucket": "a"}), "the input has no key, and the setting KEY is not there to stand in"),
        (json!({"bucket": "", "key": "a"}), "bucket is empty"),
        (json!({"bucket": "a", "key": ""}), "key is empty"),
    ] {
        let stub = Stub::scripted([]).await;
        let failure = invoke_on(&stub, payload).await.unwrap_err();
        assert_eq!(failure, Failure { name: "InvalidInput", message: message.to_owned() });
        assert!(stub.requests().is_empty());
    }
}

#[tokio::test]
async fn what_s3_answers_has_a_name() {
    for (replies, name) in [
        (vec![Reply::status(404), Reply::status(200)], "ObjectNotFound"),
        (vec![Reply::status(404), Reply::status(403)], "ObjectNotFound"),
        (vec![Reply::status(404), Reply::status(404)], "BucketNotFound"),
        (vec![Reply::status(404), Reply::status(503)], "Throttled"),
        (vec![Reply::status(403)], "AccessDenied"),
        (vec![Reply::status(429)], "Throttled"),
        (vec![Reply::status(503)], "Throttled"),
        (vec![Reply::status(500)], "ServiceUnavailable"),
        (vec![Reply::never()], "ServiceUnavailable"),
        (vec![Reply::status(400)], "ServiceRejected"),
    ] {
        let expected_requests = replies.len();
        let stub = Stub::scripted(replies.clone()).await;
        let error = invoke_on(&stub, object()).await.unwrap_err();
        assert_eq!(error.name, name, "{replies:?}: {error:?}");
        assert!(error.message.contains("data"), "the bucket is named: {error:?}");
        assert!(!error.message.contains("unhandled"), "people can read it: {error:?}");
        assert_eq!(stub.requests().len(), expected_requests);
    }
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_unavailable() {
    let function = CheckSize::new(&Environment::of(NO_SETTINGS), &unreachable_sdk_config()).unwrap();
    let error = invoke(&function, object()).await.unwrap_err();
    assert_eq!(error.name, "ServiceUnavailable");
}

#[tokio::test]
async fn an_answer_without_a_body_is_told_by_its_status() {
    let stub = Stub::scripted([Reply::status(403).header("x-amz-request-id", "4442587FB7D0A2F9")]).await;
    let error = invoke_on(&stub, object()).await.unwrap_err();
    assert_eq!(
        error.message,
        "s3://data/incoming/large file.csv: HeadObject failed: HTTP status 403 (request id 4442587FB7D0A2F9)"
    );
}

#[tokio::test]
async fn input_that_is_no_object_is_invalid() {
    let stub = Stub::scripted([]).await;
    let error = invoke_on(&stub, json!("a")).await.unwrap_err();
    let message = "invalid type: string \"a\", expected a JSON object".to_owned();
    assert_eq!(error, Failure { name: "InvalidInput", message });
}

#[tokio::test]
async fn a_service_that_never_answers_is_unavailable_before_lambda_ends_the_function() {
    let stub = Stub::replying(|_| Reply::never()).await;
    let function = CheckSize::new(&Environment::of(NO_SETTINGS), &stub.sdk_config()).unwrap();
    // Half a second is kept to answer.
    let error = testing::invoke_within(Duration::from_millis(600), &function, handle, object()).await.unwrap_err();
    assert_eq!(error.name, "ServiceUnavailable");
}

//! The handler with the real client against a stand-in for CloudWatch.

use function_kit::testing::{self, Reply, Stub, unreachable_sdk_config};
use function_kit::{Environment, Failure};
use serde_json::{Value, json};

use crate::{LogMetric, handle};

const NO_SETTINGS: [(&str, &str); 0] = [];

fn event() -> Value {
    let mut event: Value = serde_json::from_str(include_str!("../../../events/log-metric/level.json")).unwrap();
    // More than a 32-bit number holds.
    event["time_played"] = 9_885_983_982_u64.into();
    event
}

async fn invoke_on<const N: usize>(stub: &Stub, settings: [(&str, &str); N], payload: Value) -> Result<Value, Failure> {
    let function = LogMetric::new(&Environment::of(settings), &stub.sdk_config()).unwrap();
    testing::invoke(&function, handle, payload).await
}

fn accepted() -> Reply {
    Reply::body(200, vec![0xa0]).header("content-type", "application/cbor").header("smithy-protocol", "rpc-v2-cbor")
}

/// Whether the bytes are somewhere in the body.
fn has(body: &[u8], bytes: &[u8]) -> bool {
    body.windows(bytes.len()).any(|window| window == bytes)
}

#[tokio::test]
async fn the_metric_of_the_original_is_put() {
    let stub = Stub::scripted([accepted()]).await;
    let output = invoke_on(&stub, NO_SETTINGS, event()).await.unwrap();

    assert_eq!(
        output,
        json!({
            "namespace": "FLOW", "metric": "CompleteLevel", "value": 9_885_983_982_u64,
            "unit": "Seconds",
        })
    );
    let requests = stub.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].path.ends_with("/operation/PutMetricData"), "{}", requests[0].path);
    let number = 9_885_983_982_f64.to_be_bytes();
    for part in [b"FLOW".as_slice(), b"CompleteLevel", b"Seconds", &number] {
        assert!(has(&requests[0].body, part), "{part:?}");
    }
}

#[tokio::test]
async fn the_settings_choose_the_metric() {
    let stub = Stub::scripted([accepted()]).await;
    let settings = [
        ("METRIC_NAMESPACE", "Games"),
        ("METRIC_NAME", "LevelTime"),
        ("METRIC_DIMENSIONS", "Stage=dev,Application=stairwell"),
    ];
    let mut event = event();
    event["time_played"] = json!(1.5);
    let output = invoke_on(&stub, settings, event).await.unwrap();
    assert_eq!(
        output,
        json!({
            "namespace": "Games", "metric": "LevelTime", "value": 1.5, "unit": "Seconds",
            "dimensions": {"Application": "stairwell", "Stage": "dev"},
        })
    );
    let requests = stub.requests();
    for part in ["Games", "LevelTime", "Stage", "dev", "Application", "stairwell"] {
        assert!(has(&requests[0].body, part.as_bytes()), "{part}");
    }
}

#[tokio::test]
async fn wrong_dimensions_are_an_error_at_the_start() {
    let settings = Environment::of([("METRIC_DIMENSIONS", "Stage")]);
    let error = LogMetric::new(&settings, &unreachable_sdk_config()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the environment variable METRIC_DIMENSIONS should be dimensions such as \
         Stage=dev,Application=stairwell: \"Stage\" is not of the form Name=value"
    );
}

#[tokio::test]
async fn a_time_that_is_none_is_invalid() {
    for (time, message) in [
        (json!(-1), "time_played: -1 is below zero"),
        (json!("long"), "time_played: invalid type: string \"long\", expected a JSON number"),
    ] {
        let stub = Stub::scripted([]).await;
        let mut event = event();
        event["time_played"] = time;
        let error = invoke_on(&stub, NO_SETTINGS, event).await.unwrap_err();
        assert_eq!(error, Failure { name: "InvalidInput", message: message.to_owned() });
        assert!(stub.requests().is_empty());
    }
}

#[tokio::test]
async fn what_cloudwatch_answers_has_a_name() {
    for (reply, name) in [
        (Reply::cbor_error(403, "AccessDenied"), "AccessDenied"),
        (Reply::cbor_error(400, "Throttling"), "Throttled"),
        (Reply::cbor_error(500, "InternalServiceError"), "ServiceUnavailable"),
        (Reply::never(), "ServiceUnavailable"),
        (Reply::cbor_error(400, "InvalidParameterValue"), "ServiceRejected"),
    ] {
        let stub = Stub::scripted([reply.clone()]).await;
        let error = invoke_on(&stub, NO_SETTINGS, event()).await.unwrap_err();
        assert_eq!(error.name, name, "{reply:?}: {error:?}");
    }
}

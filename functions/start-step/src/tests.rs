//! The handler with the real client against a stand-in for Step Functions.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use function_kit::testing::{self, Reply, Request, Stub, unreachable_sdk_config};
use function_kit::{Environment, Failure};
use serde_json::{Value, json};

use crate::{StartStep, handle};

const MACHINE: &str = "arn:aws:states:eu-central-1:111122223333:stateMachine:Files";
const EXECUTION: &str = "arn:aws:states:eu-central-1:111122223333:execution:Files:";

/// One of the sample events.
macro_rules! sample {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../../events/start-step/", $name, ".json"))).unwrap()
    };
}

/// Step Functions, which starts what it is asked to.
async fn starting() -> Stub {
    Stub::replying(started).await
}

fn started(request: &Request) -> Reply {
    let name = request.json()["name"].as_str().unwrap().to_owned();
    let arn = format!("{EXECUTION}{name}");
    Reply::json(200, json!({"executionArn": arn, "startDate": 1_795_262_400.0}))
}

/// Step Functions, which refuses everything in this way.
async fn refusing(status: u16, code: &'static str) -> Stub {
    Stub::replying(move |_| Reply::json_error(status, code)).await
}

fn function(stub: &Stub) -> StartStep {
    let settings = Environment::of([("STATE_MACHINE_ARN", MACHINE)]);
    StartStep::new(&settings, &stub.sdk_config()).unwrap()
}

async fn invoke(stub: &Stub, payload: Value) -> Result<Value, Failure> {
    testing::invoke(&function(stub), handle, payload).await
}

/// What was asked to be started: names and inputs.
fn asked(stub: &Stub) -> Vec<(String, Value)> {
    let asked = |request: Request| {
        assert_eq!(request.operation(), "StartExecution");
        let request = request.json();
        assert_eq!(request["stateMachineArn"], MACHINE);
        let input = serde_json::from_str(request["input"].as_str().unwrap()).unwrap();
        (request["name"].as_str().unwrap().to_owned(), input)
    };
    stub.requests().into_iter().map(asked).collect()
}

/// The one name and input that the event asks for.
async fn asked_by(payload: Value) -> (String, Value) {
    let stub = starting().await;
    invoke(&stub, payload).await.unwrap();
    let mut asked = asked(&stub);
    assert_eq!(asked.len(), 1);
    asked.remove(0)
}

fn http(body: &str) -> Value {
    let mut request = sample!("http-api");
    request["body"] = body.into();
    request
}

fn body(response: &Value) -> Value {
    serde_json::from_str(response["body"].as_str().unwrap()).unwrap()
}

// HTTP

#[tokio::test]
async fn an_http_request_is_accepted_with_the_execution() {
    let stub = starting().await;
    let response = invoke(&stub, sample!("http-api")).await.unwrap();

    let (name, input) = asked(&stub).remove(0);
    assert_eq!(input, json!({"key": "incoming/large.csv"}));
    assert_eq!(response["statusCode"], 202);
    assert_eq!(response["headers"]["content-type"], "application/json");
    assert_eq!(response["isBase64Encoded"], false);
    assert_eq!(body(&response), json!({"executionArn": format!("{EXECUTION}{name}")}));
}

#[tokio::test]
async fn the_body_is_passed_on_as_it_was_sent() {
    let stub = starting().await;
    let sent = "{\"big\": 123456789012345678901234567890, \"float\": 1.0e2}";
    invoke(&stub, http(sent)).await.unwrap();
    assert_eq!(stub.requests()[0].json()["input"], sent);
}

#[tokio::test]
async fn a_base64_body_is_decoded() {
    let mut request = http(&BASE64_STANDARD.encode("{\"key\": \"größe\"}"));
    request["isBase64Encoded"] = true.into();
    assert_eq!(asked_by(request).await.1, json!({"key": "größe"}));
}

#[tokio::test]
async fn the_idempotency_key_names_the_execution() {
    let first = asked_by(http("{\"attempt\": 1}")).await.0;
    let mut later = http("{\"attempt\": 2}");
    later["requestContext"]["requestId"] = "another".into();
    assert_eq!(asked_by(later.clone()).await.0, first);

    later["headers"]["idempotency-key"] = "another".into();
    assert_ne!(asked_by(later).await.0, first);
}

#[tokio::test]
async fn without_a_key_the_request_names_the_execution() {
    let mut request = http("{}");
    request["headers"].as_object_mut().unwrap().remove("idempotency-key");
    let first = asked_by(request.clone()).await.0;
    assert!(first.starts_with("request-JKJaXmPLvHcESHA"), "{first}");
    assert_eq!(asked_by(request.clone()).await.0, first);

    request["requestContext"]["requestId"] = "another".into();
    assert_ne!(asked_by(request).await.0, first);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_a_bad_request() {
    let not_base64 = {
        let mut request = http("{}");
        request["isBase64Encoded"] = true.into();
        request
    };
    let not_utf8 = {
        let mut request = http(&BASE64_STANDARD.encode(b"\"\xff\""));
        request["isBase64Encoded"] = true.into();
        request
    };
    let no_body = {
        let mut request = http("");
        request.as_object_mut().unwrap().remove("body");
        request
    };
    for request in [http("key=a"), http("{\"key\": }"), http(""), not_base64, not_utf8, no_body] {
        let stub = starting().await;
        let response = invoke(&stub, request.clone()).await.unwrap();
        assert_eq!(response["statusCode"], 400, "{request}");
        assert_eq!(body(&response)["error"], "InvalidInput");
        let message = body(&response)["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("the body is no JSON document: "), "{message}");
        assert!(stub.requests().is_empty());
    }
}

/// JSON documents that are no objects.
fn not_objects() -> [Value; 6] {
    [json!("text"), json!(7), json!(true), json!(null), json!([]), json!([{"key": "a"}])]
}

#[tokio::test]
async fn a_body_that_is_no_object_is_a_bad_request() {
    for document in not_objects() {
        let stub = starting().await;
        let response = invoke(&stub, http(&format!(" {document}"))).await.unwrap();
        assert_eq!(response["statusCode"], 400, "{document}");
        assert_eq!(body(&response), json!({"error": "InvalidInput", "message": "the body is no JSON object"}));
        assert!(stub.requests().is_empty());
    }
    assert_eq!(asked_by(http(" \r\n\t{}")).await.1, json!({}));
}

#[tokio::test]
async fn a_body_above_the_limit_is_too_large() {
    let of_size = |bytes: usize| format!("{{\"x\":\"{}\"}}", "x".repeat(bytes - 8));
    let largest = of_size(262_144);
    assert_eq!(asked_by(http(&largest)).await.1["x"].as_str().map(str::len), Some(262_136));

    let above = of_size(262_145);
    let mut encoded = http(&BASE64_STANDARD.encode(&above));
    encoded["isBase64Encoded"] = true.into();
    for request in [http(&above), encoded] {
        let stub = starting().await;
        let response = invoke(&stub, request).await.unwrap();
        assert_eq!(response["statusCode"], 413);
        assert_eq!(body(&response)["error"], "InputTooLarge");
        assert!(stub.requests().is_empty());
    }
}

#[tokio::test]
async fn a_caller_is_told_whether_to_try_again() {
    for (status, code, answer, name) in [
        (400, "ThrottlingException", 503, "Throttled"),
        (400, "ExecutionLimitExceeded", 503, "Throttled"),
        (500, "InternalServerError", 503, "ServiceUnavailable"),
        (400, "AccessDeniedException", 500, "AccessDenied"),
        (400, "StateMachineDoesNotExist", 500, "StateMachineNotFound"),
        (400, "InvalidArn", 500, "ServiceRejected"),
    ] {
        let stub = refusing(status, code).await;
        let response = invoke(&stub, http("{}")).await.unwrap();
        assert_eq!(response["statusCode"], answer, "{code}");
        assert_eq!(response["headers"]["retry-after"].is_string(), answer == 503);
        assert_eq!(body(&response)["error"], name);
        let message = body(&response)["message"].to_string();
        assert!(!message.contains("said by the stub"), "{message}");
    }
}

#[tokio::test]
async fn an_execution_that_was_started_before_is_accepted() {
    // Its input is the same JSON, or nobody may ask for it.
    let described = |input: &str| Reply::json(200, json!({"executionArn": EXECUTION, "input": input}));
    for reply in [described("{ }"), described("{}"), Reply::json_error(400, "AccessDeniedException")] {
        let stub = Stub::scripted([Reply::json_error(400, "ExecutionAlreadyExists"), reply]).await;
        let response = invoke(&stub, http("{}")).await.unwrap();
        let [start, describe] = stub.requests().try_into().unwrap();
        let execution = format!("{EXECUTION}{}", start.json()["name"].as_str().unwrap());
        assert_eq!((describe.operation(), &describe.json()["executionArn"]), ("DescribeExecution", &json!(execution)));
        assert_eq!(response["statusCode"], 202);
        assert_eq!(body(&response), json!({"executionArn": execution}));
    }
}

#[tokio::test]
async fn a_key_that_was_used_with_another_body_is_refused() {
    let described = json!({"executionArn": EXECUTION, "input": r#"{"key":"a.csv"}"#});
    let stub = Stub::scripted([Reply::json_error(400, "ExecutionAlreadyExists"), Reply::json(200, described)]).await;
    let response = invoke(&stub, http(r#"{"key":"b.csv"}"#)).await.unwrap();
    assert_eq!(response["statusCode"], 422);
    assert_eq!(body(&response)["error"], "IdempotencyKeyReused");
}

// Files

#[tokio::test]
async fn an_s3_notification_starts_an_execution_for_each_record() {
    let mut notification = sample!("s3-notification");
    let mut second = notification["Records"][0].clone();
    second["s3"]["object"] = json!({"key": "a%2Bb/gr%C3%B6%C3%9Fe.csv", "sequencer": "0B"});
    notification["Records"].as_array_mut().unwrap().push(second);

    let stub = starting().await;
    let output = invoke(&stub, notification).await.unwrap();

    let asked = asked(&stub);
    let bucket = "stairwell-databucket-000000000000";
    assert_eq!(
        asked[0].1,
        json!({
            "bucket": bucket, "key": "incoming/large file.csv", "size": 3_145_728,
            "versionId": "3HL4kqtJvjVBH40Nrjfkd",
        })
    );
    assert_eq!(asked[1].1, json!({"bucket": bucket, "key": "a+b/größe.csv"}));
    let arns: Vec<String> = asked.iter().map(|(name, _)| format!("{EXECUTION}{name}")).collect();
    assert_eq!(output, json!({"executionArns": arns}));
}

#[tokio::test]
async fn object_created_is_named_as_the_notification_of_the_same_upload() {
    let notification = sample!("s3-notification");
    let object = &notification["Records"][0]["s3"]["object"];
    let mut created = sample!("s3-object-created");
    created["detail"]["object"]["key"] = "incoming/large file.csv".into();
    created["detail"]["object"]["sequencer"] = object["sequencer"].clone();
    let upload = asked_by(created.clone()).await;
    assert_eq!(asked_by(notification).await, upload);

    // A second upload of the same file is other work.
    created["detail"]["object"]["sequencer"] = "0C".into();
    assert_ne!(asked_by(created).await.0, upload.0);
}

#[tokio::test]
async fn the_key_of_object_created_is_taken_as_it_is() {
    let mut created = sample!("s3-object-created");
    created["detail"]["object"]["key"] = "a+b%20c.csv".into();
    assert_eq!(asked_by(created).await.1["key"], "a+b%20c.csv");
}

#[tokio::test]
async fn the_test_event_of_s3_starts_nothing() {
    let stub = starting().await;
    let event = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "data"});
    assert_eq!(invoke(&stub, event).await.unwrap(), json!({"executionArns": []}));
    assert!(stub.requests().is_empty());
}

#[tokio::test]
async fn one_bad_record_does_not_hold_up_the_others() {
    let mut notification = sample!("s3-notification");
    let good = notification["Records"][0].clone();
    notification["Records"][0]["s3"]["object"]["key"] = "%FF".into();
    notification["Records"].as_array_mut().unwrap().push(good);
    let stub = starting().await;
    let failure = invoke(&stub, notification).await.unwrap_err();
    assert_eq!(
        failure,
        Failure {
            name: "InvalidInput",
            message: "the key \"%FF\" of the S3 notification is not URL-encoded UTF-8".to_owned(),
        }
    );
    assert_eq!(asked(&stub).len(), 1);
}

// Other events and documents

#[tokio::test]
async fn a_scheduled_event_is_named_by_its_id() {
    let event = sample!("schedule");
    let (name, input) = asked_by(event.clone()).await;
    assert_eq!(input, event);
    assert!(name.starts_with("event-53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa-"), "{name}");
}

#[tokio::test]
async fn a_document_is_the_input() {
    let document = sample!("document");
    let (name, input) = asked_by(document.clone()).await;
    assert_eq!(input, document);
    // The request id stays when Lambda retries the event.
    assert_eq!(asked_by(document).await.0, name);
    assert!(name.starts_with("document-8476a536-"), "{name}");
}

#[tokio::test]
async fn the_key_of_a_document_names_the_execution() {
    let first = asked_by(json!({"idempotencyKey": "order-7", "n": 1})).await.0;
    assert!(first.starts_with("key-order-7-"), "{first}");
    assert_eq!(asked_by(json!({"idempotencyKey": "order-7", "n": 2})).await.0, first);
    assert_ne!(asked_by(json!({"idempotencyKey": "order-8", "n": 1})).await.0, first);
}

#[tokio::test]
async fn a_document_that_is_no_object_is_invalid() {
    for document in not_objects() {
        let stub = starting().await;
        let failure = invoke(&stub, document.clone()).await.unwrap_err();
        let message = "the document is no JSON object".to_owned();
        assert_eq!(failure, Failure { name: "InvalidInput", message }, "{document}");
        assert!(stub.requests().is_empty());
    }
}

#[tokio::test]
async fn an_event_without_records_is_invalid() {
    let stub = starting().await;
    let failure = invoke(&stub, json!({"Records": []})).await.unwrap_err();
    assert_eq!(failure, Failure { name: "InvalidInput", message: "the event has no records".to_owned() });
    assert!(stub.requests().is_empty());
}

// SQS

#[tokio::test]
async fn each_message_of_a_batch_starts_an_execution() {
    let stub = starting().await;
    let output = invoke(&stub, sample!("sqs-batch")).await.unwrap();
    assert_eq!(output, json!({"batchItemFailures": []}));
    let asked = asked(&stub);
    assert!(asked[0].0.starts_with("message-059f36b4-"), "{}", asked[0].0);
    assert_eq!(asked[0].1, json!({"key": "incoming/large.csv"}));
    assert_eq!(asked[1].1, json!({"key": "incoming/small.csv"}));
}

#[tokio::test]
async fn a_message_may_hold_another_event() {
    for event in [sample!("s3-notification"), sample!("s3-object-created"), sample!("schedule")] {
        let mut batch = sample!("sqs-batch");
        batch["Records"].as_array_mut().unwrap().truncate(1);
        batch["Records"][0]["body"] = event.to_string().into();
        assert_eq!(asked_by(batch).await, asked_by(event).await);
    }
}

#[tokio::test]
async fn a_batch_reports_its_failed_messages_alone() {
    let large = format!("{{\"key\": \"{}\"}}", "x".repeat(262_144));
    let batch = sample!("sqs-batch").to_string();
    let bodies = ["no JSON", &batch, &large, "[]", "{\"Records\": []}", "{\"good\": 1}"];
    let message = |(number, body): (usize, &&str)| json!({"messageId": number.to_string(), "body": body, "eventSource": "aws:sqs"});
    let records: Vec<Value> = bodies.iter().enumerate().map(message).collect();
    let stub = starting().await;
    let output = invoke(&stub, json!({"Records": records})).await.unwrap();
    assert_eq!(
        output,
        json!({"batchItemFailures": [
            {"itemIdentifier": "0"}, {"itemIdentifier": "1"}, {"itemIdentifier": "2"},
            {"itemIdentifier": "3"}, {"itemIdentifier": "4"},
        ]})
    );
    assert_eq!(asked(&stub).len(), 1);
}

#[tokio::test]
async fn a_message_whose_execution_does_not_start_is_reported() {
    let mut first = true;
    let throttled_once = Stub::replying(move |request| {
        if std::mem::take(&mut first) { Reply::json_error(400, "ThrottlingException") } else { started(request) }
    });
    let output = invoke(&throttled_once.await, sample!("sqs-batch")).await.unwrap();
    let failed = "059f36b4-87a3-44ab-83d2-661975830a7d";
    assert_eq!(output, json!({"batchItemFailures": [{"itemIdentifier": failed}]}));
}

#[tokio::test]
async fn messages_for_which_there_is_no_time_are_reported() {
    let silent = Stub::replying(|_| Reply::never()).await;
    let message = |id| json!({"messageId": id, "body": "{}", "eventSource": "aws:sqs"});
    let batch = json!({"Records": [message("1"), message("2")]});
    // A second is kept to report and to answer.
    let time = Duration::from_millis(1050);
    let output = testing::invoke_within(time, &function(&silent), handle, batch).await.unwrap();
    assert_eq!(output, json!({"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}));
}

// Errors

#[tokio::test]
async fn an_execution_that_was_started_before_is_a_success() {
    let stub = refusing(400, "ExecutionAlreadyExists").await;
    let output = invoke(&stub, sample!("s3-object-created")).await.unwrap();
    let name = asked(&stub).remove(0).0;
    assert_eq!(output, json!({"executionArns": [format!("{EXECUTION}{name}")]}));
}

#[tokio::test]
async fn what_step_functions_answers_has_a_name() {
    for (reply, name) in [
        (Reply::json_error(400, "StateMachineDoesNotExist"), "StateMachineNotFound"),
        (Reply::json_error(400, "StateMachineDeleting"), "StateMachineNotFound"),
        (Reply::json_error(400, "AccessDeniedException"), "AccessDenied"),
        (Reply::json_error(400, "KmsAccessDeniedException"), "AccessDenied"),
        (Reply::json_error(400, "ThrottlingException"), "Throttled"),
        (Reply::json_error(400, "KmsThrottlingException"), "Throttled"),
        (Reply::json_error(400, "ExecutionLimitExceeded"), "Throttled"),
        (Reply::json_error(500, "InternalServerError"), "ServiceUnavailable"),
        (Reply::never(), "ServiceUnavailable"),
        (Reply::json_error(400, "ValidationException"), "ServiceRejected"),
    ] {
        let stub = Stub::scripted([reply.clone()]).await;
        let failure = invoke(&stub, sample!("document")).await.unwrap_err();
        assert_eq!(failure.name, name, "{reply:?}: {failure:?}");
    }
}

#[tokio::test]
async fn an_event_that_misses_a_field_is_invalid() {
    for (mut event, pointer, field) in [
        (sample!("http-api"), "/requestContext", "requestId"),
        (sample!("s3-notification"), "/Records/0/s3/object", "sequencer"),
        (sample!("s3-notification"), "/Records/0", "s3"),
        (sample!("s3-object-created"), "/detail/object", "key"),
        (sample!("sqs-batch"), "/Records/1", "messageId"),
    ] {
        event.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(field);
        let stub = starting().await;
        let failure = invoke(&stub, event).await.unwrap_err();
        assert_eq!(failure.name, "InvalidInput");
        let expected = format!("missing field `{field}`");
        assert!(failure.message.contains(&expected), "{failure:?}");
        assert!(stub.requests().is_empty());
    }
}

#[tokio::test]
async fn an_event_of_another_service_is_unsupported() {
    let rest_request = json!({"httpMethod": "POST", "requestContext": {"requestId": "1"}});
    for event in [
        json!({"Records": [{"EventSource": "aws:sns", "Sns": {}}]}),
        json!({"Records": [{"eventSource": "aws:dynamodb"}]}),
        rest_request,
    ] {
        let failure = invoke(&starting().await, event.clone()).await.unwrap_err();
        assert_eq!(failure.name, "UnsupportedEvent", "{event}");
    }
}

#[tokio::test]
async fn a_document_above_the_limit_is_too_large() {
    let stub = starting().await;
    let failure = invoke(&stub, json!({"x": "x".repeat(262_144)})).await.unwrap_err();
    assert_eq!(failure.name, "InputTooLarge");
    assert!(stub.requests().is_empty());
}

#[test]
fn a_missing_or_wrong_state_machine_is_an_error_at_the_start() {
    for (settings, message) in [
        (vec![], "the environment variable STATE_MACHINE_ARN is not set; it should be the ARN of a state machine"),
        (
            vec![("STATE_MACHINE_ARN", "Files")],
            "the environment variable STATE_MACHINE_ARN should be the ARN of a state machine: it is \"Files\"",
        ),
    ] {
        let new = StartStep::new(&Environment::of(settings), &unreachable_sdk_config());
        assert_eq!(new.err().unwrap().to_string(), message);
    }
}

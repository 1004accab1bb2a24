//! `TestState` by the API, with an outside in the test's hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::sync::Arc;

use asl::{Fault, Value};
use axum::body::Body;
use cloud::{
    service::Service,
    states::{FrontEnd, Parts, States},
};
use engine::{
    Identity,
    core::Call,
    journal::Journal,
    run::{Answer, Outside, Reports},
};
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Map, Value as Json, json};

const ROLE: &str = "arn:aws:iam::123456789012:role/test";

/// Answers with what it was asked; `{"fail": error}` fails, `"wait"` is never answered.
struct Echo;

impl Outside for Echo {
    fn call(&self, _: &Arc<Identity>, call: Call, _: Reports) -> Answer {
        Box::pin(async move {
            match (call.input.get("fail").and_then(Value::as_str), call.input.as_str()) {
                (Some(error), _) => Err(Fault::new(error, "as it was asked").into()),
                (None, Some("wait")) => std::future::pending().await,
                (None, _) => Ok(call.input),
            }
        })
    }
}

/// The answer, with JSON texts in it as what they are texts of; the code and the message of an error as a text.
async fn test_state(request: &Json) -> Json {
    let parts = Parts::new("us-east-1", "123456789012", Journal::in_memory().unwrap(), Arc::new(Echo));
    let front_end = FrontEnd::new(States::empty(parts));
    let request = Request::post("/")
        .header("x-amz-target", "AWSStepFunctions.TestState")
        .body(Body::from(as_sent(request).to_string()))
        .unwrap();
    let response = front_end.call(request).await;
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let answer: Json = serde_json::from_slice(&body).unwrap();
    match answer.get("__type").and_then(Json::as_str) {
        Some(code) => json!(format!("{code}: {}", answer["message"].as_str().unwrap())),
        None => as_read(answer),
    }
}

/// A request whose payloads are texts.
fn as_sent(request: &Json) -> Json {
    let mut sent = request.clone();
    for field in
        ["/definition", "/input", "/variables", "/context", "/mock/result", "/stateConfiguration/mapItemReaderData"]
    {
        if let Some(value) = sent.pointer_mut(field).filter(|value| !value.is_string()) {
            *value = json!(value.to_string());
        }
    }
    sent
}

fn as_read(value: Json) -> Json {
    match value {
        Json::Object(fields) => fields.into_iter().map(|(key, value)| (key, as_read(value))).collect(),
        Json::String(text) => match serde_json::from_str(&text) {
            Ok(read @ (Json::Object(_) | Json::Array(_))) => read,
            _ => Json::String(text),
        },
        other => other,
    }
}

fn with(state: Json, more: Json) -> Json {
    [state, more].into_iter().flat_map(|fields| serde_json::from_value::<Map<String, Json>>(fields).unwrap()).collect()
}

fn task(more: Json) -> Json {
    let state = json!({"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "Next": "N"});
    with(state, more)
}

#[tokio::test]
async fn a_state_with_mocked_work_is_told_with_its_data() {
    let mocked = json!({"result": {"b": 2}});
    for (request, answer) in [
        (
            json!({"definition": task(json!({"InputPath": "$.in", "Parameters": {"p.$": "$.a"},
                                             "ResultSelector": {"s.$": "$.b"}, "ResultPath": "$.out",
                                             "OutputPath": "$.out"})),
                   "input": {"in": {"a": 1}}, "mock": mocked, "inspectionLevel": "DEBUG"}),
            json!({"status": "SUCCEEDED", "output": {"s": 2}, "nextState": "N", "inspectionData": {
                "input": {"in": {"a": 1}}, "afterInputPath": {"a": 1}, "afterParameters": {"p": 1},
                "result": {"b": 2}, "afterResultSelector": {"s": 2},
                "afterResultPath": {"in": {"a": 1}, "out": {"s": 2}}}}),
        ),
        (
            json!({"definition": task(json!({"QueryLanguage": "JSONata", "Arguments": {"p": "{% $v + 1 %}"},
                                             "Assign": {"w": "{% $states.result.b %}"},
                                             "Output": "{% $states.context.Execution.Name %}"})),
                   "variables": {"v": 1}, "context": {"Execution": {"Name": "mine"}}, "mock": mocked,
                   "inspectionLevel": "TRACE"}),
            json!({"status": "SUCCEEDED", "output": "\"mine\"", "nextState": "N", "inspectionData": {
                "input": {}, "afterArguments": {"p": 2}, "result": {"b": 2}, "variables": {"v": 1, "w": 2}}}),
        ),
        (
            json!({"definition": {"Type": "Parallel", "End": true, "ResultPath": "$.r", "Branches": [
                       {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}]},
                   "input": {"a": 1}, "mock": {"result": [1]}, "inspectionLevel": "DEBUG"}),
            json!({"status": "SUCCEEDED", "output": {"a": 1, "r": [1]}, "inspectionData": {
                "input": {"a": 1}, "afterResultSelector": [1], "afterResultPath": {"a": 1, "r": [1]}}}),
        ),
    ] {
        assert_eq!(test_state(&request).await, answer, "{request}");
    }
}

#[tokio::test]
async fn an_error_meets_the_states_retriers_and_catchers() {
    let handlers = json!({"Retry": [{"ErrorEquals": ["Other"]},
                                    {"ErrorEquals": ["Busy"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxAttempts": 2}],
                          "Catch": [{"ErrorEquals": ["Other"], "Next": "O"},
                                    {"ErrorEquals": ["States.TaskFailed"], "Next": "C", "ResultPath": "$.error"}]});
    let output = |error: &str| json!({"error": {"Error": error, "Cause": "why"}});
    for (error, retries, status, details, next) in [
        ("Busy", 0, "RETRIABLE", json!({"retryIndex": 1, "retryBackoffIntervalSeconds": 3}), None),
        ("Busy", 1, "RETRIABLE", json!({"retryIndex": 1, "retryBackoffIntervalSeconds": 6}), None),
        ("Busy", 2, "CAUGHT_ERROR", json!({"retryIndex": 1, "catchIndex": 1}), Some("C")),
        ("Unknown", 1, "CAUGHT_ERROR", json!({"catchIndex": 1}), Some("C")),
        ("States.Timeout", 0, "FAILED", Json::Null, None),
    ] {
        let request = json!({"definition": task(handlers.clone()), "inspectionLevel": "DEBUG",
                             "mock": {"errorOutput": {"error": error, "cause": "why"}},
                             "stateConfiguration": {"retrierRetryCount": retries}});
        let answer = test_state(&request).await;
        assert_eq!(
            (&answer["status"], &answer["error"], &answer["cause"]),
            (&json!(status), &json!(error), &json!("why"))
        );
        assert_eq!(answer["inspectionData"]["errorDetails"], details, "{error} {retries}");
        assert_eq!(answer["nextState"].as_str(), next, "{error} {retries}");
        assert_eq!(answer["output"], next.map_or(Json::Null, |_| output(error)), "{error} {retries}");
    }
}

/// A Map state over `$.items`, inline or distributed.
fn map(mode: &str, more: Json) -> Json {
    let mut processor = json!({"StartAt": "In", "States": {"In": {"Type": "Pass", "End": true}}});
    if mode == "DISTRIBUTED" {
        processor["ProcessorConfig"] = json!({"Mode": mode, "ExecutionType": "STANDARD"});
    }
    let state = json!({"Type": "Map", "End": true, "ItemProcessor": processor});
    with(state, more)
}

#[tokio::test]
async fn what_goes_into_a_map_states_iterations_is_told() {
    for mode in ["INLINE", "DISTRIBUTED"] {
        let selected = map(
            mode,
            json!({"ItemsPath": "$.items", "MaxConcurrency": 3, "ResultPath": null,
                                        "ItemSelector": {"i.$": "$$.Map.Item.Index", "n.$": "$.n"}}),
        );
        let request = json!({"definition": selected, "input": {"items": ["a", "b"], "n": 1},
                             "mock": {"result": [1, 2]}, "inspectionLevel": "DEBUG"});
        let input = json!({"items": ["a", "b"], "n": 1});
        let answer = json!({"status": "SUCCEEDED", "output": input, "inspectionData": {
            "input": input, "afterInputPath": input, "afterItemsPath": ["a", "b"], "maxConcurrency": 3,
            "afterItemSelector": [{"i": 0, "n": 1}, {"i": 1, "n": 1}],
            "afterResultSelector": [1, 2], "afterResultPath": input}});
        assert_eq!(test_state(&request).await, answer, "{mode}");
    }
    let reading = |config: Json| {
        map(
            "DISTRIBUTED",
            json!({"QueryLanguage": "JSONata", "ItemBatcher": {"MaxItemsPerBatch": 2},
                                  "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": config,
                                                 "Arguments": {"Bucket": "b", "Key": "{% $states.input.key %}"}}}),
        )
    };
    for (config, data, items, batches) in [
        (
            json!({"InputType": "JSON", "ItemsPointer": "/all"}),
            r#"{"all":[1,2,3]}"#,
            json!([1, 2, 3]),
            json!([{"Items": [1, 2]}, {"Items": [3]}]),
        ),
        (
            json!({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}),
            "a\n1\n",
            Json::Null,
            json!([{"Items": [{"a": "1"}]}]),
        ),
    ] {
        let request = json!({"definition": reading(config), "input": {"key": "k"}, "mock": {"result": "[]"},
                             "stateConfiguration": {"mapItemReaderData": data}, "inspectionLevel": "DEBUG"});
        let told = &test_state(&request).await["inspectionData"];
        assert_eq!((&told["afterItemsPointer"], &told["afterItemBatcher"]), (&items, &batches), "{data}");
    }
}

#[tokio::test]
async fn no_more_iterations_may_fail_than_are_tolerated() {
    let exceeded = "States.ExceedToleratedFailureThreshold";
    let handlers = json!({"ItemsPath": "$.items", "ToleratedFailureCount": 1,
                          "Retry": [{"ErrorEquals": [exceeded], "MaxAttempts": 2}],
                          "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}]});
    for (failed, retries, status) in
        [(0, 0, "SUCCEEDED"), (1, 0, "SUCCEEDED"), (2, 1, "RETRIABLE"), (2, 2, "CAUGHT_ERROR")]
    {
        let request = json!({"definition": map("DISTRIBUTED", handlers.clone()), "input": {"items": [1, 2, 3]},
                             "mock": {"result": [1, 2, 3]}, "inspectionLevel": "DEBUG",
                             "stateConfiguration": {"mapIterationFailureCount": failed, "retrierRetryCount": retries}});
        let answer = test_state(&request).await;
        assert_eq!(answer["status"], json!(status), "{failed} {retries}");
        assert_eq!(answer["inspectionData"]["toleratedFailureCount"], json!(1));
        assert_eq!(answer["error"].as_str(), (failed > 1).then_some(exceeded));
    }
}

#[tokio::test(start_paused = true)]
async fn work_that_is_not_mocked_is_done() {
    for (definition, input, answer) in [
        (task(json!({})), json!({"a": 1}), json!({"status": "SUCCEEDED", "output": {"a": 1}, "nextState": "N"})),
        (
            task(json!({})),
            json!({"fail": "Broken"}),
            json!({"status": "FAILED", "error": "Broken", "cause": "as it was asked"}),
        ),
        (
            task(json!({"TimeoutSeconds": 2, "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "C"}]})),
            json!("wait"),
            json!({"status": "CAUGHT_ERROR", "error": "States.Timeout", "nextState": "C",
                   "output": {"Error": "States.Timeout", "Cause": ""}}),
        ),
        (task(json!({})), json!("wait"), json!({"status": "FAILED", "error": "States.Timeout"})),
        (
            json!({"Type": "Wait", "Seconds": 200, "End": true}),
            json!({"a": 1}),
            json!({"status": "SUCCEEDED", "output": {"a": 1}}),
        ),
        (
            json!({"Type": "Wait", "Seconds": 400, "End": true}),
            json!({"a": 1}),
            json!({"status": "FAILED", "error": "States.Timeout"}),
        ),
        (
            json!({"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEquals": 1, "Next": "One"}],
                   "Default": "Other"}),
            json!({"a": 1}),
            json!({"status": "SUCCEEDED", "output": {"a": 1}, "nextState": "One"}),
        ),
    ] {
        let request = json!({"definition": definition, "roleArn": ROLE, "input": input.to_string()});
        assert_eq!(test_state(&request).await, answer, "{request}");
    }
}

#[tokio::test]
async fn a_state_is_tested_where_it_is_in_its_machine() {
    let definition = json!({"QueryLanguage": "JSONata", "StartAt": "P", "States": {
        "P": {"Type": "Parallel", "Next": "E", "Branches": [{"StartAt": "In", "States": {
            "In": {"Type": "Pass", "Output": "{% $states.input.a + 1 %}", "Next": "Last"}, "Last": {"Type": "Succeed"}}}]},
        "E": {"Type": "Succeed"}}});
    let test = |name: &str| json!({"definition": definition, "stateName": name, "input": {"a": 1}});
    assert_eq!(test_state(&test("In")).await, json!({"status": "SUCCEEDED", "output": "2", "nextState": "Last"}));
    assert_eq!(test_state(&test("E")).await, json!({"status": "SUCCEEDED", "output": {"a": 1}}));
}

#[tokio::test]
async fn what_can_not_be_tested_is_refused() {
    let mocked = json!({"result": {}});
    let lambda = "arn:aws:states:::lambda:invoke";
    for (request, refusal) in [
        (
            json!({"definition": task(json!({})), "mock": mocked, "revealSecrets": true}),
            "TestState does not support RevealSecrets when a mock is specified.",
        ),
        (
            json!({"definition": task(json!({})), "roleArn": ROLE, "context": {}}),
            "TestState does not support Context when a mock is not specified.",
        ),
        (
            json!({"definition": task(json!({})), "mock": {"result": "1", "errorOutput": {"error": "E"}}}),
            "A test mock should have only one of the following fields: [result, errorOutput].",
        ),
        (json!({"definition": task(json!({})), "mock": {"errorOutput": {}}}), "Mocked errorOutput must have an error"),
        (
            json!({"definition": {"Type": "Wait", "Seconds": 1, "End": true}, "mock": mocked}),
            "State type 'Wait' is not supported when a mock is specified",
        ),
        (
            json!({"definition": task(json!({"Resource": format!("{lambda}.waitForTaskToken")})), "roleArn": ROLE}),
            "TestState does not support the '.waitForTaskToken' service integration pattern when a mock is not specified.",
        ),
        (json!({"definition": {"Type": "Succeed"}, "variables": "[]"}), "Variables must be a JSON object"),
        (
            json!({"definition": task(json!({})), "mock": mocked, "context": "[]"}),
            "Invalid Context object provided: Context object must be a JSON object",
        ),
        (
            json!({"definition": task(json!({})), "mock": mocked, "stateConfiguration": {"errorCausedByState": "X"}}),
            "State not found in definition",
        ),
        (json!({"definition": map("INLINE", json!({})), "mock": mocked}), "Mocked result must be an array."),
        (
            json!({"definition": map("INLINE", json!({})), "input": [1], "mock": {"result": [1]},
                   "stateConfiguration": {"mapIterationFailureCount": 2}}),
            "Map iteration failure count must be less than or equal to the number of Map iterations",
        ),
        (
            json!({"definition": map("DISTRIBUTED", json!({})), "input": [1], "mock": {"result": [1]},
                   "stateConfiguration": {"mapItemReaderData": "[1]"}}),
            "The state has no ItemReader that could read the MapItemReaderData",
        ),
    ] {
        assert_eq!(test_state(&request).await, json!(format!("ValidationException: {refusal}")), "{request}");
    }
    let token = json!({"Task": {"Token": "t"}});
    let resource = format!("{lambda}.waitForTaskToken");
    let waiting = json!({"definition": task(json!({"Resource": resource, "Parameters": {"t.$": "$$.Task.Token"}})),
                         "mock": mocked, "context": token, "inspectionLevel": "DEBUG"});
    assert_eq!(test_state(&waiting).await["inspectionData"]["afterParameters"], json!({"t": "t"}));
}

//! Functions by the SDK, and behind an HTTP API.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sam::{Api, ApiKind, Application, Integration, PayloadFormat, Route};
use serde_json::{Value, json};

use crate::{
    lambda_support::{file, function},
    stage::Stage,
};

/// A function `Deeds`, and APIs that lead to it.
async fn with_function() -> Stage {
    let function = function();
    let api = |logical_id: &str, kind, stage: &str, payload| {
        let integration = Integration::Function { name: function.name.clone(), payload };
        let route = Route { method: "POST".into(), path: "/things/{id}".into(), integration };
        Api { logical_id: logical_id.into(), kind, stage: stage.into(), routes: vec![route] }
    };
    let apis = vec![
        api("Shop", ApiKind::Http, "$default", PayloadFormat::V2),
        api("Named", ApiKind::Http, "live", PayloadFormat::V2),
        api("Old", ApiKind::Rest, "prod", PayloadFormat::V1),
    ];
    Stage::of(Application { functions: vec![function.clone()], apis, ..Application::default() }, None).await
}

#[tokio::test]
async fn a_function_is_invoked_by_the_sdk() {
    let stage = with_function().await;
    let invoke = json!({ "FunctionName": "Deeds", "Payload": { "do": "echo", "a": [1] } });
    let answer = stage.result("aws-sdk:lambda:invoke", invoke).await;
    // The payload is text, and nothing is told of the call.
    let expected = json!({ "ExecutedVersion": "$LATEST", "Payload": r#"{"do":"echo","a":[1]}"#, "StatusCode": 200 });
    assert_eq!(answer, expected);
    // An error of the function's own is a part of the answer.
    let invoke = json!({ "FunctionName": "Deeds", "Payload": { "do": "error" } });
    let answer = stage.result("aws-sdk:lambda:invoke", invoke).await;
    assert_eq!(answer["FunctionError"], "Unhandled");
    let error: Value = serde_json::from_str(answer["Payload"].as_str().unwrap()).unwrap();
    assert_eq!(error["errorType"], "OutOfStock");
    let invoke = json!({ "FunctionName": "Deeds", "InvocationType": "Event", "Payload": { "do": "echo" } });
    assert_eq!(stage.result("aws-sdk:lambda:invoke", invoke).await["StatusCode"], 202);
    let described = stage.result("aws-sdk:lambda:getFunction", json!({ "FunctionName": "Deeds" })).await;
    assert_eq!(described["Configuration"]["FunctionName"], "Deeds");
}

#[tokio::test]
async fn a_function_is_invoked_in_each_way() {
    let stage = with_function().await;
    let invoke = |field: &str, value: &str| {
        let mut parameters = json!({ "FunctionName": "Deeds", "Payload": { "do": "log", "text": 7 } });
        parameters[field] = json!(value);
        parameters
    };
    for (kind, status) in [("Event", 202), ("DryRun", 204)] {
        let result = stage.result("lambda:invoke", invoke("InvocationType", kind)).await;
        assert_eq!((&result["StatusCode"], &result["Payload"]), (&json!(status), &json!("")));
        assert_eq!(result["SdkHttpMetadata"]["HttpStatusCode"], json!(status));
    }
    let result = stage.result("lambda:invoke", invoke("LogType", "Tail")).await;
    let log = BASE64_STANDARD.decode(result["LogResult"].as_str().unwrap()).unwrap();
    let log = String::from_utf8(log).unwrap();
    assert!(log.contains("out 7\nerr 7\n") && log.contains("\nREPORT RequestId: "), "{log}");
    let result = stage.result("lambda:invoke", invoke("Qualifier", "live")).await;
    assert_eq!((&result["ExecutedVersion"], result.get("LogResult")), (&json!("$LATEST"), None));
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_an_error_of_the_task() {
    let mut function = function();
    function.code = sam::Code::Bootstrap { path: file("garbage_bootstrap") };
    let stage = Stage::of(Application { functions: vec![function], ..Application::default() }, None).await;
    let (error, cause) = stage.fault("lambda:invoke", json!({ "FunctionName": "Deeds" })).await;
    assert_eq!(error, "Lambda.Unknown");
    assert!(cause.starts_with("The function's answer is not JSON: "), "{cause}");
}

#[tokio::test]
async fn an_http_api_of_the_application_is_called() {
    let stage = with_function().await;
    let parameters = json!({
        "ApiEndpoint": "Shop.execute-api.us-east-1.amazonaws.com",
        "Method": "POST",
        "Path": "/things/7",
        "Headers": { "x-kind": ["red"] },
        "QueryParameters": { "q": ["a b"] },
        "RequestBody": { "count": 2 },
        "AuthType": "IAM_ROLE",
    });
    let result = stage.result("apigateway:invoke", parameters).await;
    assert_eq!(
        (&result["StatusCode"], &result["Headers"]["content-type"]),
        (&json!(200), &json!(["application/json"]))
    );
    // The function answers the event that it gets.
    let event = &result["ResponseBody"];
    assert_eq!((&event["routeKey"], &event["rawPath"]), (&json!("POST /things/{id}"), &json!("/things/7")));
    assert_eq!((&event["body"], &event["headers"]["x-kind"]), (&json!(r#"{"count":2}"#), &json!("red")));
    assert_eq!((&event["queryStringParameters"]["q"], &event["pathParameters"]["id"]), (&json!("a b"), &json!("7")));
}

#[tokio::test]
async fn a_stage_is_a_part_of_the_path() {
    let stage = with_function().await;
    for (api, of_stage, status) in [
        ("Shop", json!("$default"), None),
        ("Named", json!("live"), None),
        ("Named", Value::Null, None),
        ("Old", json!("prod"), None),
        ("Old", json!("test"), Some("ApiGateway.404")),
        ("Named", json!("test"), Some("ApiGateway.404")),
    ] {
        let parameters = json!({
            "ApiEndpoint": format!("{api}.execute-api.us-east-1.amazonaws.com"),
            "Method": "POST",
            "Stage": of_stage,
            "Path": "things/7",
        });
        match (stage.call("apigateway:invoke", parameters).await, status) {
            // Payloads of the first format need an answer with a status.
            (Ok(_), None) => {}
            (Err(fault), None) => assert!(fault.is("ApiGateway.502"), "{api} {of_stage}: {fault:?}"),
            (result, Some(error)) => assert!(result.unwrap_err().is(error), "{api} {of_stage}"),
        }
    }
}

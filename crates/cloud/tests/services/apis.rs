//! APIs of API Gateway, and the URLs of functions.

use std::collections::BTreeMap;

use cloud::local::LocalCloud;
use http::StatusCode;
use sam::{
    Api, ApiKind, Application, Integration, PayloadFormat, Route, StateMachine, StateMachineAction, StateMachineKind,
};
use serde_json::{Value, json};

use crate::{
    lambda_support::function,
    support::{Answer, arn, cloud, send},
};

fn api(id: &str, kind: ApiKind, stage: &str, routes: &[(&str, &str, Integration)]) -> Api {
    let route = |(method, path, integration): &(&str, &str, Integration)| Route {
        method: (*method).to_owned(),
        path: (*path).to_owned(),
        integration: integration.clone(),
    };
    Api { logical_id: id.to_owned(), kind, stage: stage.to_owned(), routes: routes.iter().map(route).collect() }
}

fn to_function(payload: PayloadFormat) -> Integration {
    Integration::Function { name: "Deeds".to_owned(), payload }
}

fn to_machine(action: StateMachineAction, parameters: &[(&str, &str)]) -> Integration {
    let mut parameters: BTreeMap<String, String> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    parameters.insert("StateMachineArn".to_owned(), arn("states", "stateMachine:Double"));
    Integration::StateMachine { action, parameters }
}

fn application() -> Application {
    let definition = json!({
        "QueryLanguage": "JSONata",
        "StartAt": "Double",
        "States": { "Double": { "Type": "Pass", "Output": "{% $states.input.n * 2 %}", "End": true } },
    });
    let machine = StateMachine {
        logical_id: "Double".into(),
        name: "Double".into(),
        arn: arn("states", "stateMachine:Double"),
        kind: StateMachineKind::Express,
        definition,
        definition_file: "template.yaml".into(),
        logging: None,
        role_arn: "arn:aws:iam::000000000000:role/any".into(),
    };
    Application {
        functions: vec![function()],
        state_machines: vec![machine],
        apis: vec![
            api("Rest", ApiKind::Rest, "Prod", &[("POST", "/orders/{id}", to_function(PayloadFormat::V1))]),
            api("DeedsUrl", ApiKind::FunctionUrl, "$default", &[("ANY", "$default", to_function(PayloadFormat::V2))]),
            api(
                "Http",
                ApiKind::Http,
                "$default",
                &[
                    ("POST", "/start", to_machine(StateMachineAction::Start, &[("Input", "$request.body")])),
                    (
                        "POST",
                        "/sync/{who}",
                        to_machine(
                            StateMachineAction::StartSync,
                            &[("Input", "$request.body.order"), ("Name", "$request.path.who")],
                        ),
                    ),
                ],
            ),
        ],
        ..Application::default()
    }
}

async fn post(cloud: &LocalCloud, path: &str, body: &Value) -> Answer {
    send(cloud, http::Request::post(path).header("x-sent", "yes").body(body.to_string().into()).unwrap()).await
}

#[tokio::test]
async fn a_rest_api_gives_a_function_its_own_event_and_needs_its_answer() {
    let cloud = cloud(&application()).await;
    let request = http::Request::post("/_api/Rest/Prod/orders/a%20b?x=1&x=2").header("x-sent", "yes");
    let request = request.body(json!({ "do": "respond" }).to_string().into()).unwrap();
    let response = cloud.send(request).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let many: Vec<_> = response.headers().get_all("x-many").iter().collect();
    assert_eq!((many.len(), &response.headers()["x-one"]), (2, &http::HeaderValue::from_static("a")));
    let answer = post(&cloud, "/_api/Rest/Prod/orders/a%20b?x=1&x=2", &json!({ "do": "respond" })).await;
    let event: Value = serde_json::from_str(&answer.body).unwrap();
    for (pointer, expected) in [
        ("/resource", json!("/orders/{id}")),
        ("/path", json!("/orders/a%20b")),
        ("/httpMethod", json!("POST")),
        ("/headers/x-sent", json!("yes")),
        ("/multiValueHeaders/x-sent", json!(["yes"])),
        ("/queryStringParameters", json!({ "x": "2" })),
        ("/multiValueQueryStringParameters", json!({ "x": ["1", "2"] })),
        ("/pathParameters", json!({ "id": "a b" })),
        ("/requestContext/path", json!("/Prod/orders/a%20b")),
        ("/requestContext/stage", json!("Prod")),
        ("/body", json!(r#"{"do":"respond"}"#)),
        ("/isBase64Encoded", json!(false)),
    ] {
        assert_eq!(event.pointer(pointer), Some(&expected), "{pointer}");
    }
    for (path, deed, status, message) in [
        // What the function answers has no status, or it fails.
        ("/_api/Rest/Prod/orders/1", "echo", StatusCode::BAD_GATEWAY, "Internal server error"),
        ("/_api/Rest/Prod/orders/1", "error", StatusCode::BAD_GATEWAY, "Internal server error"),
        ("/_api/Rest/Prod/none", "echo", StatusCode::FORBIDDEN, "Missing Authentication Token"),
        (
            "/_api/Rest/orders/1",
            "echo",
            StatusCode::NOT_FOUND,
            "The API \"Rest\" answers at /_api/Rest/Prod/, with its stage.",
        ),
    ] {
        let answer = post(&cloud, path, &json!({ "do": deed })).await;
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, &body["message"]), (status, &json!(message)), "{path} {deed}");
    }
    cloud.shutdown().await;
}

#[tokio::test]
async fn a_route_starts_an_execution_by_itself() {
    let cloud = cloud(&application()).await;
    let started = post(&cloud, "/_api/Http/start", &json!({ "n": 4 })).await;
    let started: Value = serde_json::from_str(&started.body).unwrap();
    assert!(started["executionArn"].as_str().unwrap().contains(":Double:"), "{started}");
    let ended = post(&cloud, "/_api/Http/sync/me", &json!({ "order": { "n": 4 } })).await;
    let ended: Value = serde_json::from_str(&ended.body).unwrap();
    assert_eq!((&ended["status"], &ended["output"], &ended["name"]), (&json!("SUCCEEDED"), &json!("8"), &json!("me")));
    let refused = post(&cloud, "/_api/Http/sync/me", &json!({ "order": "no JSON" })).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    cloud.shutdown().await;
}

#[tokio::test]
async fn the_url_of_a_function_takes_any_path() {
    let cloud = cloud(&application()).await;
    let answer = post(&cloud, "/_api/DeedsUrl/any/path", &json!({ "do": "respond" })).await;
    let event: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&event["version"], &event["rawPath"]), (&json!("2.0"), &json!("/any/path")));
    cloud.shutdown().await;
}

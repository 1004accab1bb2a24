//! HTTP endpoints: what `http:invoke` and `apigateway:invoke` send, and what they make of the answer.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::Request};
use serde_json::{Value, json};

use crate::stage::Stage;

/// An endpoint that answers with what it was asked, and its address.
async fn echo() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(0));
    let router = Router::new().fallback(answer).with_state(seen);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address.to_string()
}

async fn answer(State(seen): State<Arc<Mutex<u32>>>, request: Request<axum::body::Body>) -> http::Response<String> {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    *seen.lock().unwrap() += 1;
    let headers: Value = parts
        .headers
        .iter()
        .filter(|(name, _)| !["host", "content-length"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let said = json!({
        "method": parts.method.as_str(),
        "address": parts.uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    });
    let status = parts.uri.path().strip_prefix("/status/").map_or(200, |status| status.parse().unwrap());
    let text = if parts.uri.path() == "/text" { "plain".to_owned() } else { said.to_string() };
    http::Response::builder().status(status).header("x-seen", "one").header("x-seen", "two").body(text).unwrap()
}

const CONNECTION: &str = "arn:aws:events:us-east-1:000000000000:connection/any/00000000-0000-0000-0000-000000000000";

#[tokio::test]
async fn an_http_task_sends_what_it_says() {
    let (stage, address) = (Stage::open().await, echo().await);
    let parameters = json!({
        "ApiEndpoint": format!("http://{address}/things?a=1"),
        "Method": "POST",
        "Authentication": { "ConnectionArn": CONNECTION },
        "Headers": { "x-kind": "red", "accept": ["a", "b"] },
        "QueryParameters": { "q": "ü &", "many": ["x", "y"] },
        "RequestBody": { "name": "n", "list": [1, 2] },
    });
    let result = stage.result("http:invoke", parameters.clone()).await;
    assert_eq!((&result["StatusCode"], &result["StatusText"]), (&json!(200), &json!("OK")));
    assert_eq!(result["Headers"]["x-seen"], json!(["one", "two"]));
    let said = &result["ResponseBody"];
    assert_eq!(said["method"], "POST");
    assert_eq!(said["address"], "/things?a=1&q=%C3%BC%20%26&many=x&many=y");
    assert_eq!(said["body"], r#"{"name":"n","list":[1,2]}"#);
    let sent = &said["headers"];
    assert_eq!((&sent["x-kind"], &sent["content-type"]), (&json!("red"), &json!("application/json")));
    assert_eq!(sent["user-agent"], "Amazon|StepFunctions|HttpInvoke|us-east-1");

    let mut form = parameters;
    form["Transform"] =
        json!({ "RequestBodyEncoding": "URL_ENCODED", "RequestEncodingOptions": { "ArrayFormat": "REPEAT" } });
    let said = stage.result("http:invoke", form).await["ResponseBody"].clone();
    assert_eq!(
        (&said["body"], &said["headers"]["content-type"]),
        (&json!("name=n&list=1&list=2"), &json!("application/x-www-form-urlencoded"),)
    );
    let text = json!({ "ApiEndpoint": format!("http://{address}/text"), "Method": "GET" });
    assert_eq!(stage.result("http:invoke", text).await["ResponseBody"], "plain");
}

#[tokio::test]
async fn a_status_is_an_error_by_its_number() {
    let (stage, address) = (Stage::open().await, echo().await);
    for status in [301, 404, 503] {
        let http = json!({ "ApiEndpoint": format!("http://{address}/status/{status}"), "Method": "GET" });
        let (error, cause) = stage.fault("http:invoke", http).await;
        assert_eq!(error, format!("States.Http.StatusCode.{status}"));
        assert!(cause.contains("\"method\":\"GET\""), "{cause}");
    }
    let api = json!({ "ApiEndpoint": address, "Method": "GET", "Path": "status/403" });
    assert_eq!(stage.fault("apigateway:invoke", api).await.0, "ApiGateway.403");
    // Nobody listens there.
    let (error, cause) =
        stage.fault("http:invoke", json!({ "ApiEndpoint": "http://127.0.0.1:1/", "Method": "GET" })).await;
    assert_eq!(error, "States.Http.Socket");
    assert!(cause.contains("http://127.0.0.1:1/"), "{cause}");
}

#[tokio::test]
async fn a_rest_api_is_called_with_its_stage() {
    let (stage, address) = (Stage::open().await, echo().await);
    let parameters = json!({
        "ApiEndpoint": address,
        "Method": "PUT",
        "Stage": "prod",
        "Path": "/a/b",
        "Headers": { "x-kind": ["red", "blue"] },
        "QueryParameters": { "q": ["1", "2"] },
        "RequestBody": { "a": null, "b": [{ "c": null }] },
        "AuthType": "NO_AUTH",
    });
    let result = stage.result("apigateway:invoke", parameters.clone()).await;
    let said = &result["ResponseBody"];
    assert_eq!((&said["address"], &said["body"]), (&json!("/prod/a/b?q=1%2C2"), &json!(r#"{"b":[{}]}"#)));
    let mut with_nulls = parameters;
    with_nulls["AllowNullValues"] = json!(true);
    let said = stage.result("apigateway:invoke", with_nulls).await["ResponseBody"].clone();
    assert_eq!(said["body"], r#"{"a":null,"b":[{"c":null}]}"#);
}

#[tokio::test]
async fn the_applications_own_apis_answer_by_their_hosts() {
    let stage = Stage::open().await;
    let parameters =
        json!({ "ApiEndpoint": "None.execute-api.us-east-1.amazonaws.com", "Method": "GET", "Path": "/x" });
    let (error, cause) = stage.fault("apigateway:invoke", parameters).await;
    assert_eq!(error, "ApiGateway.404");
    assert!(serde_json::from_str::<Value>(&cause).unwrap()["message"].is_string(), "{cause}");
}

#[tokio::test]
async fn what_is_beyond_this_machine_is_called_where_that_is_allowed() {
    let address = echo().await;
    let (_, port) = address.split_once(':').unwrap();
    // It leads to this machine, and is no address of its own.
    let far = format!("http://0.0.0.0:{port}/far");
    let parameters = json!({
        "ApiEndpoint": far,
        "Method": "GET",
        "Authentication": { "ConnectionArn": CONNECTION },
    });
    let result = Stage::with_network().await.result("http:invoke", parameters.clone()).await;
    assert_eq!(result["ResponseBody"]["address"], "/far");
    let (error, cause) = Stage::open().await.fault("http:invoke", parameters).await;
    assert_eq!(error, "States.Runtime");
    assert!(cause.contains("is not on this machine") && cause.contains("--allow-network"), "{cause}");
}

#[tokio::test]
async fn what_can_not_be_called_is_named() {
    let stage = Stage::open().await;
    for (resource, parameters, said) in [
        (
            "http:invoke",
            json!({ "ApiEndpoint": "https://example.com/a", "Method": "GET" }),
            "'https://example.com/a' is not on this machine",
        ),
        (
            "http:invoke",
            json!({ "ApiEndpoint": "http://127.0.0.1:1", "Method": "GET", "Headers": { "Host": "a" } }),
            "The header 'host' is not allowed",
        ),
        (
            "http:invoke",
            json!({ "ApiEndpoint": "http://127.0.0.1:1", "Method": "GET", "Transform": { "RequestBodyEncoding": "XML" } }),
            "The value of the field 'Transform' has an invalid format",
        ),
        (
            "apigateway:invoke",
            json!({ "ApiEndpoint": "example.com", "Method": "GET" }),
            "'example.com' is neither an HTTP API",
        ),
    ] {
        let (error, cause) = stage.fault(resource, parameters).await;
        assert_eq!(error, "States.Runtime", "{cause}");
        assert!(cause.contains(said), "{cause}");
    }
}

//! Lambda's HTTP API, as its clients see it.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic, its helpers too")]

mod lambda_support;

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use base64::{Engine, prelude::BASE64_STANDARD};
use cloud::{
    lambda::{ApiConfig, FrontEnd, Lambda},
    service::{Response, Service},
};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use lambda_support::{config, function, lambda, record};
use serde_json::{Value, json};

const INVOKE: &str = "/2015-03-31/functions/Deeds/invocations";

/// Method, path, a header, payload; status, exception, a part of its message.
type Case<'a> = (Method, &'a str, Option<(&'a str, &'a str)>, &'a str, u16, &'a str, &'a str);

fn front_end(lambda: &Arc<Lambda>) -> FrontEnd {
    FrontEnd::open(Arc::clone(lambda), ApiConfig::default()).unwrap()
}

async fn call(front_end: &FrontEnd, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    front_end.call(request.body(Body::from(body.to_owned())).unwrap()).await
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

async fn body(response: Response) -> Value {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn invoke_answers_with_the_functions_payload() {
    let front_end = front_end(&lambda());
    let response = call(&front_end, Method::POST, INVOKE, &[], r#"{"a":1}"#).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(header(&response, "x-amz-function-error"), None);
    assert_eq!(header(&response, "x-amz-log-result"), None);
    assert_eq!(header(&response, "x-amzn-requestid").map(str::len), Some(36));
    assert_eq!(body(response).await, json!({ "a": 1 }));
}

#[tokio::test]
async fn invoke_by_arn_with_context_and_log() {
    let front_end = front_end(&lambda());
    let path = format!("/2015-03-31/functions/{}/invocations?Qualifier=live", function().arn.replace(':', "%3A"));
    let context = BASE64_STANDARD.encode("{\n \"custom\": {\"a\": \"b\"}}");
    let headers = [
        ("X-Amz-Log-Type", "Tail"),
        ("X-Amz-Client-Context", context.as_str()),
        ("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793"),
    ];
    let response = call(&front_end, Method::POST, &path, &headers, r#"{"do":"context"}"#).await;
    let log = BASE64_STANDARD.decode(header(&response, "x-amz-log-result").unwrap()).unwrap();
    assert!(String::from_utf8(log).unwrap().contains("END RequestId: "));
    let seen = body(response).await;
    assert_eq!(seen["arn"], json!(format!("{}:live", function().arn)));
    assert_eq!(seen["clientContext"]["custom"], json!({ "a": "b" }));
    assert_eq!(seen["traceId"], json!("Root=1-5759e988-bd862e3fe1be46a994272793"));
}

#[tokio::test]
async fn a_failed_function_is_answered_with_200_and_a_header() {
    let front_end = front_end(&lambda());
    let response = call(&front_end, Method::POST, INVOKE, &[], r#"{"do":"error"}"#).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "x-amz-function-error"), Some("Unhandled"));
    assert_eq!(body(response).await["errorType"], json!("OutOfStock"));
}

#[tokio::test]
async fn a_dry_run_runs_nothing() {
    let mut config = config(vec![function()]);
    let (lines, _) = record(&mut config);
    let front_end = front_end(&Lambda::new(config).unwrap());
    let response = call(&front_end, Method::POST, INVOKE, &[("X-Amz-Invocation-Type", "DryRun")], "").await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert!(lines.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_event_is_accepted_and_tried_three_times() {
    let mut config = config(vec![function()]);
    config.retry_delays = vec![Duration::ZERO; 2];
    let (recorded, mut lines) = record(&mut config);
    let lambda = Lambda::new(config).unwrap();
    let front_end = front_end(&lambda);
    let headers = [("X-Amz-Invocation-Type", "Event")];
    let response = call(&front_end, Method::POST, INVOKE, &headers, r#"{"do":"error"}"#).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let id = header(&response, "x-amzn-requestid").unwrap().to_owned();
    let mut reports = 0;
    while reports < 3 {
        reports += usize::from(lines.recv().await.unwrap().line.starts_with(&format!("REPORT RequestId: {id}")));
    }
    lambda.shutdown().await;
    let starts = recorded.lock().unwrap().iter().filter(|line| line.line.starts_with("START")).count();
    assert_eq!(starts, 3);
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_its_name() {
    let front_end = front_end(&lambda());
    let large = format!("\"{}\"", "x".repeat(6 * 1024 * 1024));
    let large_event = format!("\"{}\"", "x".repeat(1024 * 1024));
    let event = ("X-Amz-Invocation-Type", "Event");
    let cases: [Case<'_>; 13] = [
        (
            Method::POST,
            "/2015-03-31/functions/None/invocations",
            None,
            "{}",
            404,
            "ResourceNotFoundException",
            "Function not found: arn:aws:lambda:",
        ),
        (
            Method::POST,
            "/2015-03-31/functions/Deeds/invocations?Qualifier=7",
            None,
            "{}",
            404,
            "ResourceNotFoundException",
            "function:Deeds:7",
        ),
        (
            Method::POST,
            "/2015-03-31/functions/Deeds:1/invocations?Qualifier=7",
            None,
            "{}",
            400,
            "InvalidParameterValueException",
            "qualifier",
        ),
        (
            Method::POST,
            INVOKE,
            None,
            "{nonsense",
            400,
            "InvalidRequestContentException",
            "Could not parse request body into json: ",
        ),
        (Method::POST, INVOKE, None, &large, 413, "RequestTooLargeException", "6291456"),
        (Method::POST, INVOKE, Some(event), &large_event, 413, "RequestTooLargeException", "1048576"),
        (
            Method::POST,
            INVOKE,
            Some(("X-Amz-Invocation-Type", "Later")),
            "{}",
            400,
            "InvalidParameterValueException",
            "'Later'",
        ),
        (Method::POST, INVOKE, Some(("X-Amz-Log-Type", "All")), "{}", 400, "InvalidParameterValueException", "'All'"),
        (
            Method::POST,
            INVOKE,
            Some(("X-Amz-Client-Context", "?")),
            "{}",
            400,
            "InvalidRequestContentException",
            "Base64",
        ),
        (Method::GET, "/2015-03-31/functions/None", None, "", 404, "ResourceNotFoundException", "function:None"),
        (Method::GET, "/2015-03-31/functions?MaxItems=0", None, "", 400, "InvalidParameterValueException", "MaxItems"),
        (Method::GET, "/2018-10-31/layers", None, "", 501, "NotImplementedException", "ListLayers"),
        (
            Method::POST,
            "/2021-11-15/functions/Deeds/response-streaming-invocations",
            None,
            "{}",
            501,
            "NotImplementedException",
            "InvokeWithResponseStream",
        ),
    ];
    for (method, path, extra, payload, status, code, message) in cases {
        let response = call(&front_end, method, path, extra.as_slice(), payload).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        assert_eq!(header(&response, "x-amzn-errortype"), Some(code), "{path}");
        let error = body(response).await;
        assert!(error["Message"].as_str().unwrap().contains(message), "{path}: {error}");
    }
}

#[tokio::test]
async fn functions_are_listed_and_described() {
    let mut other = function();
    other.name = "Another".to_owned();
    let front_end = front_end(&Lambda::new(config(vec![function(), other])).unwrap());
    let list = async |query: &str| {
        let path = format!("/2015-03-31/functions/{query}");
        body(call(&front_end, Method::GET, &path, &[], "").await).await
    };
    let names = |list: &Value| -> Vec<Value> {
        list["Functions"].as_array().unwrap().iter().map(|function| function["FunctionName"].clone()).collect()
    };
    let all = list("").await;
    assert_eq!(names(&all), [json!("Another"), json!("Deeds")]);
    assert_eq!(all.get("NextMarker"), None);
    let first = list("?MaxItems=1").await;
    assert_eq!((names(&first), &first["NextMarker"]), (vec![json!("Another")], &json!("Another")));
    assert_eq!(names(&list("?Marker=Another&MaxItems=1").await), [json!("Deeds")]);

    let path = "/2015-03-31/functions/Deeds";
    let described = body(call(&front_end, Method::GET, path, &[], "").await).await;
    let alone = body(call(&front_end, Method::GET, &format!("{path}/configuration"), &[], "").await).await;
    assert_eq!(described["Configuration"], alone);
    assert_eq!(alone["FunctionArn"], json!(function().arn));
    assert_eq!(alone["Timeout"], json!(10));
    assert!(alone["CodeSize"].as_u64().unwrap() > 0);
}

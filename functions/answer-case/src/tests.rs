//! The handler with the real clients against a stand-in for DynamoDB and Step Functions.

use function_kit::testing::{self, Reply, Stub, unreachable_sdk_config};
use function_kit::{Environment, Failure};
use serde_json::{Value, json};

use crate::{AnswerCase, handle};

/// One of the sample events.
macro_rules! sample {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../../events/answer-case/", $name, ".json"))).unwrap()
    };
}

async fn invoke(stub: &Stub, payload: Value) -> Result<Value, Failure> {
    let function = AnswerCase::new(&Environment::of([("CASES_TABLE", "cases")]), &stub.sdk_config()).unwrap();
    testing::invoke(&function, handle, payload).await
}

fn body(response: &Value) -> Value {
    serde_json::from_str(response["body"].as_str().unwrap()).unwrap()
}

/// The answer to `GetItem`: a case that an execution waits for.
fn in_work() -> Reply {
    Reply::json(200, json!({"Item": {"case_id": {"S": "001"}, "task_token": {"S": "token-1"}}}))
}

fn done() -> Reply {
    Reply::json(200, json!({}))
}

#[tokio::test]
async fn a_resolution_ends_the_task() {
    for (event, status) in [(sample!("resolved"), 1), (sample!("unresolved"), 0)] {
        let stub = Stub::scripted([in_work(), done()]).await;
        let response = invoke(&stub, event).await.unwrap();
        assert_eq!(response["statusCode"], 200);
        assert_eq!(body(&response), json!({"Case": "001", "Status": status}));

        let requests = stub.requests();
        assert_eq!(requests[0].operation(), "GetItem");
        assert_eq!(requests[0].json()["Key"], json!({"case_id": {"S": "001"}}));
        assert_eq!(requests[0].json()["ConsistentRead"], true);
        assert_eq!(requests[1].operation(), "SendTaskSuccess");
        let output = json!({"Status": status}).to_string();
        assert_eq!(requests[1].json(), json!({"taskToken": "token-1", "output": output}));
        assert_eq!(requests.len(), 2);
    }
}

#[tokio::test]
async fn a_heartbeat_is_one_of_the_task() {
    let stub = Stub::scripted([in_work(), done()]).await;
    let response = invoke(&stub, sample!("heartbeat")).await.unwrap();
    assert_eq!((&response["statusCode"], body(&response)), (&json!(200), json!({"Case": "001"})));
    let requests = stub.requests();
    assert_eq!(requests[1].operation(), "SendTaskHeartbeat");
    assert_eq!(requests[1].json(), json!({"taskToken": "token-1"}));
}

#[tokio::test]
async fn a_case_that_is_not_there_is_not_found() {
    for event in [sample!("resolved"), sample!("heartbeat")] {
        let stub = Stub::scripted([done()]).await;
        let response = invoke(&stub, event).await.unwrap();
        assert_eq!(response["statusCode"], 404);
        assert_eq!(body(&response), json!({"error": "CaseNotFound", "message": "there is no case 001"}));
        assert_eq!(stub.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_case_that_nobody_waits_for_is_not_in_work() {
    for event in [sample!("resolved"), sample!("heartbeat")] {
        let no_token = Reply::json(200, json!({"Item": {"case_id": {"S": "001"}}}));
        let mut scripts = vec![vec![no_token]];
        for code in ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"] {
            scripts.push(vec![in_work(), Reply::json_error(400, code)]);
        }
        for script in scripts {
            let stub = Stub::scripted(script.clone()).await;
            let response = invoke(&stub, event.clone()).await.unwrap();
            assert_eq!(
                (&response["statusCode"], &body(&response)["error"]),
                (&json!(409), &json!("CaseNotInWork")),
                "{script:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_that_says_neither_is_a_bad_request() {
    for sent in ["", "yes", "{}", "[true]", r#"{"resolved": 1}"#, r#"{"resolved": true, "by": "ada"}"#] {
        let stub = Stub::scripted([]).await;
        let mut event = sample!("resolved");
        event["body"] = sent.into();
        let response = invoke(&stub, event).await.unwrap();
        assert_eq!(
            (&response["statusCode"], &body(&response)["error"]),
            (&json!(400), &json!("InvalidInput")),
            "{sent}"
        );
        assert!(stub.requests().is_empty());
    }
    // `{"resolved": true}`
    let mut event = sample!("resolved");
    event["body"] = "eyJyZXNvbHZlZCI6IHRydWV9".into();
    event["isBase64Encoded"] = true.into();
    let stub = Stub::scripted([in_work(), done()]).await;
    assert_eq!(body(&invoke(&stub, event).await.unwrap())["Status"], 1);
    let mut event = sample!("resolved");
    event["isBase64Encoded"] = true.into();
    assert_eq!(invoke(&Stub::scripted([]).await, event).await.unwrap()["statusCode"], 400);
}

#[tokio::test]
async fn an_id_that_is_no_name_is_a_bad_request() {
    for id in ["", "a/b", "<b>"] {
        let stub = Stub::scripted([]).await;
        let mut event = sample!("heartbeat");
        event["pathParameters"]["id"] = id.into();
        let response = invoke(&stub, event).await.unwrap();
        assert_eq!((&response["statusCode"], &body(&response)["error"]), (&json!(400), &json!("InvalidInput")), "{id}");
        assert!(stub.requests().is_empty());
    }
}

#[tokio::test]
async fn another_route_is_not_known() {
    let mut event = sample!("heartbeat");
    event["requestContext"]["routeKey"] = "DELETE /cases/{id}".into();
    let response = invoke(&Stub::scripted([]).await, event).await.unwrap();
    assert_eq!((&response["statusCode"], &body(&response)["error"]), (&json!(404), &json!("UnknownRoute")));
}

#[tokio::test]
async fn a_caller_is_told_whether_to_try_again() {
    for (status, code, answer, name) in [
        (400, "ThrottlingException", 503, "Throttled"),
        (500, "InternalServerError", 503, "ServiceUnavailable"),
        (400, "AccessDeniedException", 500, "AccessDenied"),
        (400, "ValidationException", 500, "ServiceRejected"),
    ] {
        for event in [sample!("resolved"), sample!("heartbeat")] {
            for before in [vec![], vec![in_work()]] {
                let replies = before.into_iter().chain([Reply::json_error(status, code)]);
                let response = invoke(&Stub::scripted(replies).await, event.clone()).await.unwrap();
                assert_eq!(
                    (&response["statusCode"], &body(&response)["error"]),
                    (&json!(answer), &json!(name)),
                    "{code}"
                );
                let message = body(&response)["message"].to_string();
                assert!(!message.contains("said by the stub") && !message.contains("token-1"), "{message}");
            }
        }
    }
    let stub = Stub::scripted([Reply::json_error(400, "ResourceNotFoundException")]).await;
    let response = invoke(&stub, sample!("resolved")).await.unwrap();
    assert_eq!((&response["statusCode"], &body(&response)["error"]), (&json!(500), &json!("TableNotFound")));
    let response = invoke(&Stub::scripted([Reply::never()]).await, sample!("resolved")).await.unwrap();
    assert_eq!((&response["statusCode"], &body(&response)["error"]), (&json!(503), &json!("ServiceUnavailable")));
}

#[tokio::test]
async fn an_event_that_is_no_request_is_invalid() {
    for event in [json!({}), json!([]), json!({"requestContext": {}})] {
        let failure = invoke(&Stub::scripted([]).await, event).await.unwrap_err();
        assert_eq!(failure.name, "InvalidInput");
    }
}

#[test]
fn a_missing_table_is_an_error_at_the_start() {
    let none: [(&str, &str); 0] = [];
    let new = AnswerCase::new(&Environment::of(none), &unreachable_sdk_config());
    assert!(new.err().unwrap().to_string().contains("CASES_TABLE"));
}

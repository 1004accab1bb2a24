//! What starts the file workflow: events of every kind, and the HTTP API.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;

use end_to_end::{Answer, Runner, project};
use serde_json::{Value, json};

async fn executions(runner: &Runner) -> Vec<String> {
    let machine = runner.state_machine("FileProcessing");
    let listed = runner.sfn().list_executions().state_machine_arn(machine).send().await.unwrap();
    listed.executions.into_iter().map(|execution| execution.execution_arn).collect()
}

/// The input of every execution, oldest first.
async fn inputs(runner: &Runner) -> Vec<Value> {
    let mut inputs = Vec::new();
    for arn in executions(runner).await.into_iter().rev() {
        let input = runner.sfn().describe_execution().execution_arn(arn).send().await.unwrap().input.unwrap();
        inputs.push(serde_json::from_str(&input).unwrap());
    }
    inputs
}

#[tokio::test]
async fn the_same_event_starts_its_work_once() {
    let bucket = "stairwell-databucket-000000000000";
    let version = "3HL4kqtJvjVBH40Nrjfkd";
    let file = |key: &str| json!({ "bucket": bucket, "key": key, "size": 3_145_728, "versionId": version });
    let schedule: Value = serde_json::from_str(&read("schedule")).unwrap();
    for (event, expected) in [
        ("s3-object-created", vec![file("incoming/large.csv")]),
        ("s3-notification", vec![file("incoming/large file.csv")]),
        ("sqs-batch", vec![json!({ "key": "incoming/large.csv" }), json!({ "key": "incoming/small.csv" })]),
        ("http-api", vec![json!({ "key": "incoming/large.csv" })]),
        ("schedule", vec![schedule]),
    ] {
        let runner = Runner::up(["--ephemeral"]).await;
        let mut answers = Vec::new();
        for _ in 0..2 {
            let answer = runner.invoke("StartStepFunction", read(event).as_bytes()).await;
            assert_eq!(answer.status, 200, "{event}: {answer:?}");
            assert!(!answer.headers.contains("x-amz-function-error"), "{event}: {answer:?}");
            answers.push(answer.json());
        }
        assert_eq!(answers[0], answers[1], "{event}");
        assert_eq!(inputs(&runner).await, expected, "{event}");
    }
}

fn read(event: &str) -> String {
    fs::read_to_string(project().join(format!("events/start-step/{event}.json"))).unwrap()
}

#[tokio::test]
async fn a_document_without_an_identity_is_new_work_each_time() {
    let runner = Runner::up(["--ephemeral"]).await;
    for (document, count) in [
        (json!({ "key": "a" }), 1),
        (json!({ "key": "a" }), 2),
        (json!({ "key": "a", "idempotencyKey": "k" }), 3),
        (json!({ "key": "a", "idempotencyKey": "k" }), 3),
    ] {
        runner.invoke("StartStepFunction", document.to_string().as_bytes()).await;
        assert_eq!(executions(&runner).await.len(), count, "{document}");
    }
}

#[tokio::test]
async fn an_event_that_asks_for_nothing_is_refused() {
    let runner = Runner::up(["--ephemeral"]).await;
    for event in [json!({ "Records": [] }), json!([]), json!("text"), json!(null)] {
        let answer = runner.invoke("StartStepFunction", event.to_string().as_bytes()).await;
        assert_eq!(answer.json()["errorType"], "InvalidInput", "{event}: {answer:?}");
    }
    assert_eq!(executions(&runner).await, [""; 0]);
}

#[tokio::test]
async fn a_batch_reports_its_failed_messages_alone() {
    let runner = Runner::up(["--ephemeral"]).await;
    let mut batch: Value = serde_json::from_str(&read("sqs-batch")).unwrap();
    batch["Records"][0]["body"] = json!("no JSON");
    let answer = runner.invoke("StartStepFunction", batch.to_string().as_bytes()).await;
    let failed = &batch["Records"][0]["messageId"];
    assert_eq!(answer.json(), json!({ "batchItemFailures": [{ "itemIdentifier": failed }] }));
    assert_eq!(inputs(&runner).await, [json!({ "key": "incoming/small.csv" })]);
}

async fn post(runner: &Runner, headers: &[&str], body: &[u8]) -> Answer {
    runner.request("POST", "/_api/Api/executions", headers, body).await
}

#[tokio::test]
async fn a_request_is_accepted_with_the_arn() {
    let runner = Runner::up(["--ephemeral"]).await;
    let body = json!({ "key": "incoming/asked-for.csv" });
    let answer = post(&runner, &["content-type: application/json"], body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert!(answer.headers.contains("content-type: application/json"), "{answer:?}");
    let arn = answer.json()["executionArn"].as_str().unwrap().to_owned();
    assert_eq!(runner.ended(&arn).await.error, "ObjectNotFound");
    assert_eq!(inputs(&runner).await, [body]);
}

#[tokio::test]
async fn the_idempotency_key_makes_two_requests_one() {
    let runner = Runner::up(["--ephemeral"]).await;
    let mut arns = Vec::new();
    for key in ["idempotency-key: one", "Idempotency-Key: one", "idempotency-key: two"] {
        let answer = post(&runner, &[key], b"{}").await;
        assert_eq!(answer.status, 202, "{answer:?}");
        arns.push(answer.json()["executionArn"].clone());
    }
    assert!(arns[0] == arns[1] && arns[1] != arns[2], "{arns:?}");
    let with_another_body = post(&runner, &["idempotency-key: one"], b"{\"n\":1}").await;
    assert_eq!(with_another_body.status, 422, "{with_another_body:?}");
    assert_eq!(executions(&runner).await.len(), 2);
}

#[tokio::test]
async fn a_request_that_cannot_be_used_is_refused_with_the_reason() {
    let runner = Runner::up(["--ephemeral"]).await;
    let document = |bytes: usize| format!("{{\"a\":\"{}\"}}", "a".repeat(bytes - 8)).into_bytes();
    for (what, body, status, reason) in [
        ("no JSON", b"{\"key\": ".to_vec(), 400, "EOF while parsing"),
        ("nothing", Vec::new(), 400, "EOF while parsing"),
        ("no object", b"[{\"key\": \"a\"}]".to_vec(), 400, "no JSON object"),
        ("no text", b"\xff\xfe".to_vec(), 400, "utf-8"),
        ("too large", document(262_145), 413, "262144"),
        ("much too large", vec![0xff; 1 << 20], 413, "262144"),
    ] {
        let answer = post(&runner, &[], &body).await;
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert!(answer.json()["message"].as_str().unwrap().contains(reason), "{what}: {answer:?}");
    }
    assert_eq!(executions(&runner).await, [""; 0]);
    assert_eq!(post(&runner, &[], &document(262_144)).await.status, 202, "the largest document");
}

#[tokio::test]
async fn there_are_only_the_routes_of_the_template() {
    let runner = Runner::shared().await;
    for (method, path) in [
        ("GET", "/_api/Api/executions"),
        ("POST", "/_api/Api/"),
        ("POST", "/_api/Api/executions/more"),
        ("POST", "/_api/NoApi/executions"),
    ] {
        let answer = runner.request(method, path, &[], b"{}").await;
        assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
        assert!(answer.json()["message"].is_string(), "{method} {path}: {answer:?}");
    }
}

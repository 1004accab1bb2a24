//! Tasks whose end comes later: nested executions, callbacks, activities.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use aws_sdk_sfn::{error::ProvideErrorMetadata, types::HistoryEventType};
use end_to_end::{Runner, fixture};
use serde_json::{Value, json};

async fn tasks() -> Runner {
    let template = fixture("tasks/template.yaml");
    Runner::up(["--ephemeral".as_ref(), "-t".as_ref(), template.as_os_str()]).await
}

async fn types(runner: &Runner, arn: &str) -> Vec<HistoryEventType> {
    let history = runner.sfn().get_execution_history().execution_arn(arn).send().await.unwrap();
    history.events.into_iter().map(|event| event.r#type).collect()
}

/// The input of the one execution of a machine, once it is there.
async fn input_of_the_only_execution(runner: &Runner, machine: &str) -> Value {
    let sfn = runner.sfn();
    loop {
        let listed = sfn.list_executions().state_machine_arn(runner.state_machine(machine)).send().await.unwrap();
        if let [execution] = listed.executions.as_slice() {
            let described = sfn.describe_execution().execution_arn(&execution.execution_arn).send().await.unwrap();
            return serde_json::from_str(described.input.as_deref().unwrap()).unwrap();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_execution_waits_for_one_that_it_starts() {
    let runner = tasks().await;
    let ended = runner.execute("Sync", &json!({ "a": 1 })).await;
    assert_eq!(ended.output, json!({ "status": "SUCCEEDED", "output": { "a": 1 } }), "{ended:?}");
    assert_eq!(
        types(&runner, &ended.arn).await[2..6],
        [
            HistoryEventType::TaskScheduled,
            HistoryEventType::TaskStarted,
            HistoryEventType::TaskSubmitted,
            HistoryEventType::TaskSucceeded
        ]
    );
    let ended = runner.execute("Sync", &json!({ "fails": true })).await;
    assert_eq!([ended.status.as_str(), ended.error.as_str()], ["FAILED", "States.TaskFailed"]);
    let cause: Value = serde_json::from_str(&ended.cause).unwrap();
    assert_eq!([&cause["Status"], &cause["Error"]], [&json!("FAILED"), &json!("Broken")]);
}

#[tokio::test]
async fn whoever_has_the_token_ends_the_task() {
    let runner = tasks().await;
    let sfn = runner.sfn();
    let arn = runner.start("Callback", &json!({})).await;
    let input = input_of_the_only_execution(&runner, "Child").await;
    let token = input["token"].as_str().unwrap();
    sfn.send_task_heartbeat().task_token(token).send().await.unwrap();
    sfn.send_task_success().task_token(token).output(r#"{"approved":true}"#).send().await.unwrap();
    let ended = runner.ended(&arn).await;
    assert_eq!(ended.output, json!({ "answer": { "approved": true } }), "{ended:?}");
    let late = sfn.send_task_success().task_token(token).output("{}").send().await.unwrap_err();
    assert_eq!(late.code(), Some("TaskTimedOut"));
}

#[tokio::test]
async fn a_worker_of_an_activity_does_the_work_or_refuses_it() {
    let runner = tasks().await;
    let sfn = runner.sfn();
    // Until somebody creates the activity there is none.
    let ended = runner.execute("Work", &json!({ "n": 0 })).await;
    assert_eq!([ended.status.as_str(), ended.error.as_str()], ["FAILED", "States.Runtime"], "{ended:?}");
    assert!(ended.cause.ends_with("does not exist."), "{}", ended.cause);

    let activity = sfn.create_activity().name("work").send().await.unwrap().activity_arn;
    for (n, end) in [(1, "done"), (2, "refused")] {
        let arn = runner.start("Work", &json!({ "n": n })).await;
        let task = sfn.get_activity_task().activity_arn(&activity).worker_name("me").send().await.unwrap();
        let (token, input) = (task.task_token.unwrap(), task.input.unwrap());
        assert_eq!(serde_json::from_str::<Value>(&input).unwrap(), json!({ "n": n }));
        if end == "done" {
            sfn.send_task_success().task_token(token).output(r#""done""#).send().await.unwrap();
            assert_eq!(runner.ended(&arn).await.output, json!("done"));
            let history = sfn.get_execution_history().execution_arn(&arn).send().await.unwrap();
            let started = history.events.iter().find_map(|event| event.activity_started_event_details.as_ref());
            assert_eq!(started.unwrap().worker_name.as_deref(), Some("me"));
        } else {
            sfn.send_task_failure().task_token(token).error("Refused").cause("no time").send().await.unwrap();
            let output = runner.ended(&arn).await.output;
            assert_eq!(output, json!({ "n": 2, "error": { "Error": "Refused", "Cause": "no time" } }));
        }
    }
}

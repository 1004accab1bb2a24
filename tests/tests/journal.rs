//! What is left of executions when the runner is killed: everything.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::path::Path;

use end_to_end::{Command, Runner, fixture};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::{io::AsyncWriteExt, net::TcpListener};

async fn up(data: &Path) -> Runner {
    up_with("journal/template.yaml", data).await
}

async fn up_with(template: &str, data: &Path) -> Runner {
    let template = fixture(template);
    Runner::up(["-t".as_ref(), template.as_os_str(), "--data".as_ref(), data.as_os_str()]).await
}

/// The types of an execution's events, and the number of the first one.
async fn types(runner: &Runner, execution: &str) -> Vec<String> {
    let history = runner.sfn().get_execution_history().execution_arn(execution).send().await.unwrap();
    let numbers: Vec<_> = history.events.iter().map(|event| event.id).collect();
    assert_eq!(numbers, (1..=i64::try_from(numbers.len()).unwrap()).collect::<Vec<_>>());
    history.events.iter().map(|event| event.r#type.as_str().to_owned()).collect()
}

#[tokio::test]
async fn a_wait_goes_on_after_the_runner_was_killed() {
    let data = tempfile::tempdir().unwrap();
    let runner = up(data.path()).await;
    let until = OffsetDateTime::now_utc() + Duration::seconds(2);
    let input = json!({ "until": until.format(&Rfc3339).unwrap() });
    let execution = runner.start("Waiting", &input).await;
    let started = runner.sfn().describe_execution().execution_arn(&execution).send().await.unwrap().start_date;
    runner.kill();

    let runner = up(data.path()).await;
    let ended = runner.ended(&execution).await;
    assert_eq!((ended.status.as_str(), ended.output), ("SUCCEEDED", input));
    let described = runner.sfn().describe_execution().execution_arn(&execution).send().await.unwrap();
    assert_eq!(described.start_date, started);
    assert!(described.stop_date.unwrap().secs() >= until.unix_timestamp());
    let expected = ["ExecutionStarted", "WaitStateEntered", "WaitStateExited", "ExecutionSucceeded"];
    assert_eq!(types(&runner, &execution).await, expected);
}

#[tokio::test]
async fn who_leaves_executions_of_an_earlier_run_as_they_are_says_so() {
    let data = tempfile::tempdir().unwrap();
    let runner = up(data.path()).await;
    let until = OffsetDateTime::now_utc() + Duration::days(1);
    let input = json!({ "until": until.format(&Rfc3339).unwrap() });
    let execution = runner.start("Waiting", &input).await;
    runner.kill();
    let run = |input: &Value| {
        let run = Command::new(["run", "Waiting", "--input", &input.to_string(), "-t"]);
        run.arg(fixture("journal/template.yaml")).arg("--data").arg(data.path())
    };
    let name = execution.rsplit(':').next().unwrap();
    let again = run(&input).arg("--name").arg(name).run().expect(2);
    assert!(again.stderr.contains(&format!("an earlier run has left the execution '{name}'")), "{}", again.stderr);
    let run = run(&json!({ "until": "2000-01-01T00:00:00Z" })).run().expect(0);
    let told =
        format!("1 execution of an earlier run waits in {}; `stairwell up` lets it go on", data.path().display());
    assert!(run.stderr.contains(&told), "{}", run.stderr);
}

#[tokio::test]
async fn an_execution_keeps_its_definition_whatever_becomes_of_its_state_machine() {
    let data = tempfile::tempdir().unwrap();
    let runner = up(data.path()).await;
    let until = (OffsetDateTime::now_utc() + Duration::seconds(2)).format(&Rfc3339).unwrap();
    let waits = runner.start("Waiting", &json!({ "until": until })).await;
    let asks = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let asking = runner.start("Asking", &json!(asks.local_addr().unwrap().port())).await;
    asks.accept().await.unwrap();
    runner.kill();

    // Here Waiting waits for a day, and there is no Asking and no function.
    let runner = up_with("waiting/template.yaml", data.path()).await;
    assert_eq!(runner.ended(&waits).await.status, "SUCCEEDED");
    let sfn = runner.sfn();
    let machine = sfn.describe_state_machine_for_execution().execution_arn(&asking).send().await.unwrap();
    assert_eq!(machine.name, asking.rsplit(':').nth(1).unwrap());
    let definition: Value = serde_json::from_str(&machine.definition).unwrap();
    assert_eq!(definition["StartAt"], "First");
    assert_eq!(types(&runner, &asking).await[..3], ["ExecutionStarted", "PassStateEntered", "PassStateExited"]);
}

#[tokio::test]
async fn a_function_that_was_killed_with_the_runner_is_asked_again() {
    let data = tempfile::tempdir().unwrap();
    let runner = up(data.path()).await;
    let asks = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let execution = runner.start("Asking", &json!(asks.local_addr().unwrap().port())).await;
    let (lost, _) = asks.accept().await.unwrap();
    runner.kill();
    drop(lost);

    let runner = up(data.path()).await;
    let (mut asked, _) = asks.accept().await.unwrap();
    asked.write_all(b"{\"answer\":42}\n").await.unwrap();
    let ended = runner.ended(&execution).await;
    assert_eq!((ended.status.as_str(), ended.output), ("SUCCEEDED", json!({ "answer": 42 })));
    let expected = [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ];
    assert_eq!(types(&runner, &execution).await, expected);
}

#[tokio::test]
async fn a_function_that_runs_while_the_runner_stops_is_asked_again() {
    let data = tempfile::tempdir().unwrap();
    let runner = up(data.path()).await;
    let asks = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let execution = runner.start("Asking", &json!(asks.local_addr().unwrap().port())).await;
    let _lost = asks.accept().await.unwrap();
    assert_eq!(runner.stop(), Some(0));

    let runner = up(data.path()).await;
    let (mut asked, _) = asks.accept().await.unwrap();
    asked.write_all(b"\"answer\"\n").await.unwrap();
    assert_eq!(runner.ended(&execution).await.status, "SUCCEEDED");
}

#[tokio::test]
async fn executions_that_have_ended_are_there_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let runner = up(data.path()).await;
    let machine = runner.state_machine("Waiting").to_owned();
    let start = |runner: &Runner, name: &str| {
        let input = json!({ "until": "2020-01-01T00:00:00Z" }).to_string();
        runner.sfn().start_execution().state_machine_arn(&machine).name(name).input(input).send()
    };
    let mut arns = Vec::new();
    for name in ["one", "two", "three"] {
        let arn = start(&runner, name).await.unwrap().execution_arn;
        runner.ended(&arn).await;
        arns.push(arn);
    }
    let before = runner.sfn().get_execution_history().execution_arn(&arns[0]).send().await.unwrap().events;
    runner.kill();

    let runner = up(data.path()).await;
    let listed = runner.sfn().list_executions().state_machine_arn(&machine).send().await.unwrap().executions;
    let listed: Vec<_> = listed.iter().map(|execution| (execution.name.as_str(), execution.status.as_str())).collect();
    assert_eq!(listed, [("three", "SUCCEEDED"), ("two", "SUCCEEDED"), ("one", "SUCCEEDED")]);
    let after = runner.sfn().get_execution_history().execution_arn(&arns[0]).send().await.unwrap().events;
    assert_eq!(after, before);
    let described = runner.sfn().describe_execution().execution_arn(&arns[0]).send().await.unwrap();
    let output: Value = serde_json::from_str(described.output.as_deref().unwrap()).unwrap();
    assert_eq!(output, json!({ "until": "2020-01-01T00:00:00Z" }));
    let error = start(&runner, "one").await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_execution_already_exists());
}

#[tokio::test]
async fn a_worker_ends_its_task_after_a_restart_and_what_was_confirmed_is_not_lost() {
    let data = tempfile::tempdir().unwrap();
    let runner = up(data.path()).await;
    let activity = runner.sfn().create_activity().name("work").send().await.unwrap().activity_arn;
    let execution = runner.start("Working", &json!({ "a": 1 })).await;
    let task = runner.sfn().get_activity_task().activity_arn(activity).send().await.unwrap();
    assert_eq!(task.input.as_deref(), Some(r#"{"a":1}"#));
    runner.line(|line| (line["event"]["type"] == "ActivityStarted").then_some(())).await.unwrap();
    runner.kill();

    let runner = up(data.path()).await;
    let token = task.task_token.unwrap();
    runner.sfn().send_task_success().task_token(&token).output("[2]").send().await.unwrap();
    runner.kill();

    let runner = up(data.path()).await;
    let described = runner.sfn().describe_execution().execution_arn(&execution).send().await.unwrap();
    assert_eq!((described.status.as_str(), described.output.as_deref()), ("SUCCEEDED", Some("[2]")));
    let error = runner.sfn().send_task_success().task_token(&token).output("[3]").send().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_task_timed_out());
    let expected = [
        "ExecutionStarted",
        "TaskStateEntered",
        "ActivityScheduled",
        "ActivityStarted",
        "ActivitySucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ];
    assert_eq!(types(&runner, &execution).await, expected);
}

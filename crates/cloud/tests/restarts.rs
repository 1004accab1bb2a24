//! Calls and callbacks of executions whose runner was stopped in between.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{collections::BTreeMap, path::Path};

use cloud::{
    local::{LocalCloud, Options},
    states::Start,
};
use engine::{EventKind, Outcome, journal::Wanted, run::Running};
use http::StatusCode;
use rusqlite::Connection;
use sam::{Application, StateMachine, StateMachineKind};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

fn arn(name: &str) -> String {
    format!("arn:aws:states:us-east-1:000000000000:stateMachine:{name}")
}

fn application(action: &str, name: Option<&str>) -> Application {
    let machine = |name: &str, definition: Value| StateMachine {
        logical_id: name.into(),
        name: name.into(),
        arn: arn(name),
        kind: StateMachineKind::Standard,
        definition,
        definition_file: "template.yaml".into(),
        logging: None,
        role_arn: "arn:aws:iam::000000000000:role/any".into(),
    };
    let mut parameters = json!({ "StateMachineArn": arn("Child"), "Input": { "of": "the parent" } });
    if action.ends_with("waitForTaskToken") {
        parameters["Input"] = json!({ "token.$": "$$.Task.Token" });
    }
    if let Some(name) = name {
        parameters["Name"] = json!(name);
    }
    let start = json!({
        "Type": "Task",
        "Resource": format!("arn:aws:states:::states:{action}"),
        "Parameters": parameters,
        "End": true,
    });
    Application {
        template: "template.yaml".into(),
        stack_name: "nested".into(),
        state_machines: vec![
            machine("Parent", json!({ "StartAt": "Start", "States": { "Start": start } })),
            machine("Child", json!({ "StartAt": "Pass", "States": { "Pass": { "Type": "Pass", "End": true } } })),
        ],
        ..Application::default()
    }
}

/// Does something, and ends without any care all that it has begun.
fn run<T>(act: impl Future<Output = T>) -> T {
    Runtime::new().unwrap().block_on(act)
}

async fn start(folder: &Path, application: &Application) -> LocalCloud {
    let options = Options { folder: Some(folder.to_owned()), ..Options::default() };
    LocalCloud::start(application, &BTreeMap::new(), options).await.unwrap()
}

/// Makes the journal what it was when the execution had asked for its call and nothing had been answered.
fn forget_answers(folder: &Path, execution: &str) {
    let tables = Connection::open(folder.join("executions/journal.sqlite")).unwrap();
    let sql = "UPDATE executions SET status = 'RUNNING', stopped_at = NULL WHERE arn = ?";
    assert_eq!(tables.execute(sql, [execution]).unwrap(), 1);
    let sql = "DELETE FROM turns WHERE number > 1 AND execution = (SELECT number FROM executions WHERE arn = ?)";
    assert!(tables.execute(sql, [execution]).unwrap() > 0);
}

#[test]
fn a_call_that_is_made_again_finds_the_execution_that_it_has_started() {
    for (action, name) in [
        ("startExecution", None),
        ("startExecution.sync", None),
        ("startExecution.sync:2", None),
        ("startExecution.sync:2", Some("named")),
    ] {
        let application = application(action, name);
        let folder = tempfile::tempdir().unwrap();
        let parent = run(async {
            let cloud = start(folder.path(), &application).await;
            let parent = cloud.states().start(&arn("Parent"), Start::default()).unwrap();
            assert!(matches!(parent.ended().await, Outcome::Succeeded(_)));
            parent.identity().arn.clone()
        });
        forget_answers(folder.path(), &parent);

        run(async {
            let cloud = start(folder.path(), &application).await;
            let resumed = cloud.states().resume().unwrap();
            assert!(matches!(resumed.running[0].ended().await, Outcome::Succeeded(_)), "{action}");
            let child = arn("Child");
            let children = Wanted { machine_arn: &child, ..Wanted::default() };
            assert_eq!(cloud.states().executions_of(children, 10).unwrap().len(), 1, "{action}");
            // The name of one that is there before the first call is still taken.
            if name.is_some() {
                let second = cloud.states().start(&arn("Parent"), Start::default()).unwrap();
                assert!(matches!(second.ended().await, Outcome::Failed(_)));
            }
        });
    }
}

/// The token of the one task that an execution has scheduled, once its work was handed in.
async fn token(running: &Running) -> String {
    let mut events = running.subscribe();
    loop {
        let (mut token, mut is_handed_in) = (None, false);
        for event in running.events_from(0) {
            match event.kind {
                EventKind::TaskScheduled { parameters, .. } => {
                    let input = parameters.get("Input").and_then(|input| input.get("token")?.as_str());
                    token = input.map(str::to_owned);
                }
                EventKind::TaskSubmitted { .. } => is_handed_in = true,
                _ => {}
            }
        }
        if let (Some(token), true) = (token, is_handed_in) {
            return token;
        }
        events.changed().await.unwrap();
    }
}

/// What the port answers to `SendTaskSuccess`.
async fn send_task_success(cloud: &LocalCloud, token: &str) -> StatusCode {
    let body = json!({ "taskToken": token, "output": "true" }).to_string();
    let request = http::Request::post("/").header("x-amz-target", "AWSStepFunctions.SendTaskSuccess");
    let request = request.header("content-type", "application/x-amz-json-1.0").body(body.into()).unwrap();
    cloud.send(request).await.status()
}

#[test]
fn a_callback_is_neither_taken_nor_refused_before_the_executions_are_taken_up() {
    let application = application("startExecution.waitForTaskToken", None);
    let folder = tempfile::tempdir().unwrap();
    let token = run(async {
        let cloud = start(folder.path(), &application).await;
        let parent = cloud.states().start(&arn("Parent"), Start::default()).unwrap();
        token(&parent).await
    });

    run(async {
        let cloud = start(folder.path(), &application).await;
        assert_eq!(send_task_success(&cloud, &token).await, StatusCode::INTERNAL_SERVER_ERROR);
        let resumed = cloud.states().resume().unwrap();
        assert_eq!(send_task_success(&cloud, &token).await, StatusCode::OK);
        assert_eq!(resumed.running[0].ended().await, Outcome::Succeeded(asl::Value::from(true)));
        assert_eq!(send_task_success(&cloud, &token).await, StatusCode::BAD_REQUEST);
    });
}

/// What the port answers to an operation of Step Functions.
async fn call(cloud: &LocalCloud, operation: &str, request: Value) -> Value {
    let request = http::Request::post("/")
        .header("x-amz-target", format!("AWSStepFunctions.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .body(request.to_string().into())
        .unwrap();
    let response = cloud.send(request).await;
    let status = response.status();
    let body = axum::body::to_bytes(axum::body::Body::new(response.into_body()), usize::MAX).await.unwrap();
    let answer = serde_json::from_slice(&body).unwrap();
    assert_eq!(status, StatusCode::OK, "{operation}: {answer}");
    answer
}

#[test]
fn a_task_of_an_activity_that_nobody_has_taken_is_there_after_a_restart() {
    let application = application("startExecution", None);
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let cloud = start(folder.path(), &application).await;
        let activity = call(&cloud, "CreateActivity", json!({ "name": "work" })).await["activityArn"].clone();
        let states = json!({ "Work": { "Type": "Task", "Resource": activity, "End": true } });
        let machine = json!({
            "name": "Asking",
            "definition": json!({ "StartAt": "Work", "States": states }).to_string(),
            "roleArn": "arn:aws:iam::000000000000:role/any",
        });
        call(&cloud, "CreateStateMachine", machine).await;
        let started = json!({ "stateMachineArn": arn("Asking"), "input": "[1]" });
        call(&cloud, "StartExecution", started).await;
    });

    run(async {
        let cloud = start(folder.path(), &application).await;
        let resumed = cloud.states().resume().unwrap();
        let activity = call(&cloud, "ListActivities", json!({})).await["activities"][0]["activityArn"].clone();
        let task = call(&cloud, "GetActivityTask", json!({ "activityArn": activity })).await;
        assert_eq!(task["input"], "[1]");
        assert_eq!(send_task_success(&cloud, task["taskToken"].as_str().unwrap()).await, StatusCode::OK);
        assert_eq!(resumed.running[0].ended().await, Outcome::Succeeded(asl::Value::from(true)));
    });
}

#[test]
fn a_task_whose_activity_is_deleted_waits_on_also_after_a_restart() {
    let application = application("startExecution", None);
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let cloud = start(folder.path(), &application).await;
        let activity = call(&cloud, "CreateActivity", json!({ "name": "work" })).await["activityArn"].clone();
        let states = json!({ "Work": { "Type": "Task", "Resource": activity, "TimeoutSeconds": 1, "End": true } });
        let machine = json!({
            "name": "Asking",
            "definition": json!({ "StartAt": "Work", "States": states }).to_string(),
            "roleArn": "arn:aws:iam::000000000000:role/any",
        });
        call(&cloud, "CreateStateMachine", machine).await;
        let running = cloud.states().start(&arn("Asking"), Start::default()).unwrap();
        let mut events = running.subscribe();
        let is_scheduled = |running: &Running| {
            running.events_from(0).iter().any(|event| matches!(event.kind, EventKind::ActivityScheduled { .. }))
        };
        while !is_scheduled(&running) {
            events.changed().await.unwrap();
        }
        call(&cloud, "DeleteActivity", json!({ "activityArn": activity })).await;
    });

    run(async {
        let cloud = start(folder.path(), &application).await;
        let resumed = cloud.states().resume().unwrap();
        let expected = Outcome::Failed(asl::Fault::named("States.Timeout"));
        assert_eq!(resumed.running[0].ended().await, expected);
    });
}

//! `RedriveExecution`, and what is told of executions that were redriven.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, its helpers too")]

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use asl::Fault;
use axum::body::Body;
use cloud::{
    logs::Logs,
    service::Service,
    states::{FrontEnd, Parts, States, StatusChange},
};
use engine::{
    Identity,
    core::Call,
    journal::Journal,
    run::{Answer, Outside, Reports},
};
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;

const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:work";
const GROUP: &str = "arn:aws:logs:us-east-1:123456789012:log-group:group:*";

/// Fails until it is mended.
#[derive(Default)]
struct Work {
    is_mended: AtomicBool,
}

impl Outside for Work {
    fn call(&self, _: &Arc<Identity>, call: Call, _: Reports) -> Answer {
        let is_mended = self.is_mended.load(Ordering::SeqCst);
        Box::pin(async move { if is_mended { Ok(call.input) } else { Err(Fault::new("Broken", "still").into()) } })
    }
}

struct Stage {
    front: FrontEnd,
    states: Arc<States>,
    work: Arc<Work>,
    logs: Arc<Logs>,
    changes: mpsc::UnboundedReceiver<StatusChange>,
}

impl Stage {
    fn new() -> Self {
        let (sender, changes) = mpsc::unbounded_channel();
        let work = Arc::new(Work::default());
        let parts = Parts::new("us-east-1", "123456789012", Journal::in_memory().unwrap(), work.clone());
        let logs = parts.logs.clone();
        logs.create_group("group").unwrap();
        let states = States::empty(Parts { status_changes: Some(sender), ..parts });
        Self { front: FrontEnd::new(states.clone()), states, work, logs, changes }
    }

    async fn send(&self, operation: &str, request: Value) -> (u16, Value) {
        let target = format!("AWSStepFunctions.{operation}");
        let request = Request::post("/").header("x-amz-target", target).body(Body::from(request.to_string())).unwrap();
        let response = self.front.call(request).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn call(&self, operation: &str, request: Value) -> Value {
        let (status, answer) = self.send(operation, request).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    async fn redrive(&self, arn: &str, token: &str) -> Value {
        self.send("RedriveExecution", json!({ "executionArn": arn, "clientToken": token })).await.1
    }

    async fn create(&self, name: &str, definition: Value, kind: &str) -> String {
        let destination = json!({ "cloudWatchLogsLogGroup": { "logGroupArn": GROUP } });
        let logging = json!({ "level": "ALL", "includeExecutionData": false, "destinations": [destination] });
        let request = json!({
            "name": name, "definition": definition.to_string(), "roleArn": ROLE, "type": kind,
            "loggingConfiguration": logging,
        });
        self.call("CreateStateMachine", request).await["stateMachineArn"].as_str().unwrap().to_owned()
    }

    async fn start(&self, machine: &str) -> String {
        let started = self.call("StartExecution", json!({ "stateMachineArn": machine, "input": "{}" })).await;
        started["executionArn"].as_str().unwrap().to_owned()
    }

    async fn describe(&self, arn: &str) -> Value {
        self.call("DescribeExecution", json!({ "executionArn": arn })).await
    }

    async fn ended(&self, arn: &str) -> Value {
        self.states.execution(arn).unwrap().ended().await;
        self.describe(arn).await
    }

    async fn change(&mut self) -> Value {
        self.changes.recv().await.unwrap().event().detail
    }
}

fn machine(name: &str) -> Value {
    let work = json!({
        "Type": "Task", "Resource": FUNCTION, "Parameters": { "by": name, "count.$": "$$.Execution.RedriveCount" },
        "End": true,
    });
    json!({ "StartAt": "Work", "States": { "Work": work } })
}

fn without<const N: usize>(mut description: Value, names: [&str; N]) -> Value {
    let fields = description.as_object_mut().unwrap();
    fields.retain(|name, _| !names.contains(&&**name));
    description
}

#[tokio::test]
async fn a_failed_execution_goes_on_with_its_own_definition_and_says_so_everywhere() {
    let mut stage = Stage::new();
    let arn = stage.create("M", machine("first"), "STANDARD").await;
    let execution = stage.start(&arn).await;
    let failed = stage.ended(&execution).await;
    assert_eq!(
        (&failed["status"], &failed["redriveStatus"], &failed["redriveCount"]),
        (&json!("FAILED"), &json!("REDRIVABLE"), &json!(0))
    );
    let update = json!({ "stateMachineArn": arn, "definition": machine("second").to_string() });
    stage.call("UpdateStateMachine", update).await;

    stage.work.is_mended.store(true, Ordering::SeqCst);
    let at = stage.redrive(&execution, "token").await["redriveDate"].clone();
    assert!(at.is_f64(), "{at}");
    let done = stage.ended(&execution).await;
    let varying = ["executionArn", "stateMachineArn", "name", "startDate", "stopDate", "input", "inputDetails"];
    let expected = json!({
        "status": "SUCCEEDED",
        "output": r#"{"by":"first","count":1}"#,
        "outputDetails": { "included": true },
        "redriveCount": 1,
        "redriveDate": at,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
    });
    assert_eq!(without(done.clone(), varying), expected);
    assert_eq!((&done["startDate"], &done["input"]), (&failed["startDate"], &failed["input"]));
    let listed = stage.call("ListExecutions", json!({ "stateMachineArn": arn })).await["executions"][0].take();
    assert_eq!((&listed["redriveCount"], &listed["redriveDate"]), (&json!(1), &at));
    // The same request again is no other one, whatever became of the execution.
    assert_eq!(stage.redrive(&execution, "token").await["redriveDate"], at);

    let history = stage.call("GetExecutionHistory", json!({ "executionArn": execution })).await;
    let redriven = history["events"].as_array().unwrap().iter().find(|event| event["type"] == "ExecutionRedriven");
    let redriven = redriven.unwrap();
    assert_eq!(redriven["executionRedrivenEventDetails"], json!({ "redriveCount": 1 }));
    assert_eq!((&redriven["id"], &redriven["previousEventId"]), (&json!(7), &json!(6)));

    let at = at.as_f64();
    for (status, count, redrivable, redriven_at) in [
        ("RUNNING", 0, "NOT_REDRIVABLE", None),
        ("FAILED", 0, "REDRIVABLE", None),
        ("RUNNING", 1, "NOT_REDRIVABLE", at),
        ("SUCCEEDED", 1, "NOT_REDRIVABLE", at),
    ] {
        let change = stage.change().await;
        let found = ["status", "redriveCount", "redriveStatus"].map(|name| change[name].clone());
        assert_eq!(found, [json!(status), json!(count), json!(redrivable)]);
        assert_eq!(change["redriveDate"].as_f64().map(|milliseconds| milliseconds / 1000.0), redriven_at);
    }

    let logged = loop {
        let logged = stage.logs.events("group").unwrap();
        if logged.len() == 12 {
            break logged;
        }
        tokio::task::yield_now().await;
    };
    let counts = logged.iter().map(|event| {
        let logged: Value = serde_json::from_str(&event.message).unwrap();
        format!("{} {}", logged["id"].as_str().unwrap(), logged["redrive_count"].as_str().unwrap())
    });
    let expected = (1..=12).map(|id| format!("{id} {}", u8::from(id >= 7)));
    assert_eq!(counts.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn what_can_not_be_redriven_is_refused_in_the_service_s_words() {
    let stage = Stage::new();
    let wait = json!({ "StartAt": "W", "States": { "W": { "Type": "Wait", "Seconds": 600, "End": true } } });
    let arn = stage.create("M", wait, "STANDARD").await;
    let running = stage.start(&arn).await;
    let pass = json!({ "StartAt": "P", "States": { "P": { "Type": "Pass", "End": true } } });
    let succeeded = stage.start(&stage.create("P", pass, "STANDARD").await).await;
    let executions = arn.replace(":stateMachine:", ":execution:");
    let express = arn.replace(":stateMachine:", ":express:");
    for (execution, code, message) in [
        (
            running.clone(),
            "ExecutionNotRedrivable",
            format!("Execution {running} invalid for redrive as: Execution is RUNNING and cannot be redriven"),
        ),
        (
            succeeded.clone(),
            "ExecutionNotRedrivable",
            format!("Execution {succeeded} invalid for redrive as: Execution is SUCCEEDED and cannot be redriven"),
        ),
        (
            format!("{executions}:none"),
            "ExecutionDoesNotExist",
            format!("Execution Does Not Exist: '{executions}:none'"),
        ),
        (
            format!("{express}:one:two"),
            "InvalidArn",
            "Invalid Arn: 'Resource type not valid in this context: express'".to_owned(),
        ),
        (
            format!("{executions}/label:one"),
            "ValidationException",
            "Labeled Execution ARNs are not supported for this API".to_owned(),
        ),
    ] {
        let refused = stage.redrive(&execution, "token").await;
        assert_eq!((&refused["__type"], &refused["message"]), (&json!(code), &json!(message)), "{execution}");
    }
    for token in ["", "two words", "\u{e9}"] {
        assert_eq!(stage.redrive(&running, token).await["__type"], "ValidationException", "{token}");
    }
    let filtered = json!({ "stateMachineArn": arn, "redriveFilter": "REDRIVEN" });
    let (_, refused) = stage.send("ListExecutions", filtered).await;
    assert_eq!(refused["message"], "RedriveFilter cannot be applied to ListExecutions call with StateMachine ARN");
    // A refused request does not use its token up.
    stage.call("StopExecution", json!({ "executionArn": running })).await;
    assert!(stage.redrive(&running, "token").await["redriveDate"].is_f64());
    let described = stage.describe(&running).await;
    assert_eq!((&described["status"], &described["stopDate"]), (&json!("RUNNING"), &Value::Null));
}

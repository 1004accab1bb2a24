//! Map Runs: distributed Map states that live.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, its helpers too")]

use std::sync::{Arc, Mutex};

use asl::{Fault, Value};
use axum::body::Body;
use cloud::{
    service::Service,
    states::{FrontEnd, Parts, Start, States, items::objects::Memory},
};
use engine::{
    Identity, Outcome,
    core::Call,
    journal::Journal,
    run::{Answer, Outside, Reports, Running},
};
use http::Request;
use http_body_util::BodyExt;
use serde_json::json;
use time::OffsetDateTime;
use tokio::sync::watch;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:work";

/// What becomes of a call, by its input.
type Behaviour = fn(&Value) -> Does;

enum Does {
    /// The input is the answer.
    Answers,
    Fails,
    /// There never is an answer.
    Waits,
}

/// Does the work, and keeps the inputs.
struct Work {
    does: Behaviour,
    inputs: Mutex<Vec<String>>,
    calls: watch::Sender<usize>,
}

impl Work {
    fn new(does: Behaviour) -> Arc<Self> {
        Arc::new(Self { does, inputs: Mutex::default(), calls: watch::Sender::new(0) })
    }

    /// Waits until there have been so many calls.
    async fn called(&self, count: usize) {
        self.calls.subscribe().wait_for(|calls| *calls >= count).await.unwrap();
    }

    /// The inputs of all calls, in order of their texts.
    fn inputs(&self) -> Vec<String> {
        let mut inputs = self.inputs.lock().unwrap().clone();
        inputs.sort();
        inputs
    }
}

impl Outside for Work {
    fn call(&self, _: &Arc<Identity>, call: Call, _: Reports) -> Answer {
        self.inputs.lock().unwrap().push(call.input.to_string());
        self.calls.send_modify(|calls| *calls += 1);
        match (self.does)(&call.input) {
            Does::Answers => Box::pin(async move { Ok(call.input) }),
            Does::Fails => Box::pin(async { Err(Fault::named("Broken").into()) }),
            Does::Waits => Box::pin(std::future::pending()),
        }
    }
}

/// Step Functions with one machine, whose only state is this distributed Map state.
struct Stage {
    states: Arc<States>,
    objects: Arc<Memory>,
    machine: String,
}

impl Stage {
    async fn new(journal: Journal, work: Arc<Work>, kind: &str, map: serde_json::Value) -> Self {
        let objects = Memory::new(OffsetDateTime::UNIX_EPOCH);
        let objects = Arc::new(objects.with_object("data", "in.json", "[1,2,3,4,5]"));
        let parts = Parts::new("us-east-1", "123456789012", journal, work);
        let states = States::empty(Parts { objects: objects.clone(), ..parts });
        let mut stage = Self { states, objects, machine: String::new() };
        let mut state = json!({
            "Type": "Map",
            "Label": "each",
            "ItemProcessor": {
                "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": kind },
                "StartAt": "Work",
                "States": { "Work": { "Type": "Task", "Resource": FUNCTION, "End": true } },
            },
            "End": true,
        });
        for (name, value) in map.as_object().unwrap() {
            state[name] = value.clone();
        }
        let definition = json!({ "StartAt": "Each", "States": { "Each": state } });
        let create = json!({
            "name": "machine",
            "definition": definition.to_string(),
            "roleArn": "arn:aws:iam::123456789012:role/any",
        });
        let created = stage.call("CreateStateMachine", create).await;
        created["stateMachineArn"].as_str().unwrap().clone_into(&mut stage.machine);
        stage
    }

    async fn call(&self, operation: &str, request: serde_json::Value) -> serde_json::Value {
        let request = Request::post("/")
            .header("x-amz-target", format!("AWSStepFunctions.{operation}"))
            .body(Body::from(request.to_string()))
            .unwrap();
        let response = FrontEnd::new(self.states.clone()).call(request).await;
        let is_ok = response.status().is_success();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let answer = serde_json::from_slice(&body).unwrap();
        assert!(is_ok, "{operation}: {answer}");
        answer
    }

    fn start(&self, input: &str) -> Arc<Running> {
        self.states.start(&self.machine, Start { input: Some(input), ..Start::default() }).unwrap()
    }

    /// What is known of an execution's Map Run.
    async fn map_run(&self, running: &Running) -> serde_json::Value {
        let runs = self.call("ListMapRuns", json!({ "executionArn": &*running.identity().arn })).await;
        let [run] = &runs["mapRuns"].as_array().unwrap()[..] else { panic!("{runs}") };
        self.call("DescribeMapRun", json!({ "mapRunArn": run["mapRunArn"] })).await
    }

    /// Waits until the Map Run's child executions have come so far.
    async fn until(&self, running: &Running, fate: &str, count: u64) -> serde_json::Value {
        loop {
            let run = self.map_run(running).await;
            if run["executionCounts"][fate] == count {
                return run;
            }
            tokio::task::yield_now().await;
        }
    }
}

fn in_memory() -> Journal {
    Journal::in_memory().unwrap()
}

/// The counts that are not 0, in order of their names.
fn counts(run: &serde_json::Value, of: &str) -> String {
    let counts = run[of].as_object().unwrap().iter().filter(|(_, count)| **count != 0);
    let mut counts: Vec<_> = counts.map(|(name, count)| format!("{name}={count}")).collect();
    counts.sort();
    counts.join(" ")
}

fn output(outcome: Outcome) -> String {
    match outcome {
        Outcome::Succeeded(output) => output.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn items_of_an_object_go_in_batches_and_results_to_files() {
    for kind in ["STANDARD", "EXPRESS"] {
        let map = json!({
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": { "InputType": "JSON" },
                "Parameters": { "Bucket": "data", "Key.$": "$.key" },
            },
            "ItemSelector": { "at.$": "$$.Map.Item.Index", "is.$": "$$.Map.Item.Value", "for.$": "$.who" },
            "ItemBatcher": { "MaxItemsPerBatch": 2, "BatchInput": { "who.$": "$.who" } },
            "ResultWriter": {
                "Resource": "arn:aws:states:::s3:putObject",
                "Parameters": { "Bucket": "data", "Prefix": "out" },
                "WriterConfig": { "Transformation": "COMPACT", "OutputType": "JSON" },
            },
        });
        let stage = Stage::new(in_memory(), Work::new(|_| Does::Answers), kind, map).await;
        let running = stage.start(r#"{"key":"in.json","who":"me"}"#);
        let output: serde_json::Value = serde_json::from_str(&output(running.ended().await)).unwrap();

        let run = stage.map_run(&running).await;
        assert_eq!(run["status"], "SUCCEEDED");
        assert_eq!(counts(&run, "executionCounts"), "resultsWritten=3 succeeded=3 total=3");
        assert_eq!(counts(&run, "itemCounts"), "resultsWritten=5 succeeded=5 total=5");
        assert_eq!(output["MapRunArn"], run["mapRunArn"]);
        let manifest = output["ResultWriterDetails"]["Key"].as_str().unwrap().to_owned();
        let results = stage.objects.get("data", &manifest.replace("manifest", "SUCCEEDED_0")).unwrap();
        let results: serde_json::Value = serde_json::from_slice(&results).unwrap();
        assert_eq!(
            results[2],
            json!({ "BatchInput": { "who": "me" }, "Items": [{ "at": 4, "is": 5, "for": "me" }] }),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn standard_child_executions_can_be_found() {
    let stage = Stage::new(in_memory(), Work::new(|_| Does::Answers), "STANDARD", json!({})).await;
    let running = stage.start(r#"["a","b"]"#);
    assert_eq!(output(running.ended().await), r#"["a","b"]"#);

    let run = stage.map_run(&running).await;
    let arn = run["mapRunArn"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:states:us-east-1:123456789012:mapRun:machine/each:"), "{arn}");
    let children = stage.call("ListExecutions", json!({ "mapRunArn": arn, "statusFilter": "SUCCEEDED" })).await;
    let [newest, _] = &children["executions"].as_array().unwrap()[..] else { panic!("{children}") };
    assert_eq!(newest["stateMachineArn"], format!("{}/each", stage.machine));
    let child = stage.call("DescribeExecution", json!({ "executionArn": newest["executionArn"] })).await;
    assert_eq!((&child["input"], &child["mapRunArn"]), (&json!(r#""b""#), &json!(arn)));
    let history = stage.call("GetExecutionHistory", json!({ "executionArn": newest["executionArn"] })).await;
    assert_eq!(history["events"][1]["type"], "TaskStateEntered");
    let all = stage.call("ListExecutions", json!({ "stateMachineArn": stage.machine })).await;
    assert_eq!(all["executions"].as_array().unwrap().len(), 1, "{all}");
}

#[tokio::test]
async fn after_a_restart_what_has_ended_counts_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let map = || json!({ "MaxConcurrency": 3 });
    let before = Work::new(|input| if input.to_string() == "0" { Does::Answers } else { Does::Waits });
    let stage = Stage::new(Journal::open(folder.path()).unwrap(), before.clone(), "STANDARD", map()).await;
    let running = stage.start("[0,1,2,3,4]");
    before.called(4).await;
    stage.until(&running, "succeeded", 1).await;
    let arn = running.identity().arn.clone();
    stage.states.close();
    drop((stage, running));

    let after = Work::new(|_| Does::Answers);
    let stage = Stage::new(Journal::open(folder.path()).unwrap(), after.clone(), "STANDARD", map()).await;
    stage.states.resume().unwrap();
    let running = stage.states.execution(&arn).unwrap();
    assert_eq!(output(running.ended().await), "[0,1,2,3,4]");
    assert_eq!(after.inputs(), ["1", "2", "3", "4"]);
    assert_eq!(counts(&stage.map_run(&running).await, "executionCounts"), "resultsWritten=5 succeeded=5 total=5");
}

#[tokio::test]
async fn more_failures_than_are_tolerated_end_it() {
    let work = Work::new(|input| match &*input.to_string() {
        "1" | "2" => Does::Fails,
        _ => Does::Waits,
    });
    let map = json!({ "MaxConcurrency": 2, "ToleratedFailureCount": 1 });
    let stage = Stage::new(in_memory(), work.clone(), "STANDARD", map).await;
    let running = stage.start("[0,1,2,3]");
    let Outcome::Failed(fault) = running.ended().await else { panic!("it has not failed") };
    assert!(fault.is("States.ExceedToleratedFailureThreshold"), "{fault:?}");
    assert_eq!(work.inputs(), ["0", "1", "2"]);
    let run = stage.map_run(&running).await;
    assert_eq!(run["status"], "FAILED");
    assert_eq!(counts(&run, "executionCounts"), "aborted=1 failed=2 pending=1 resultsWritten=3 total=4");
}

#[tokio::test]
async fn its_limits_can_be_changed_while_it_runs() {
    let work = Work::new(|_| Does::Waits);
    let stage = Stage::new(in_memory(), work.clone(), "STANDARD", json!({ "MaxConcurrency": 1 })).await;
    let running = stage.start("[0,1,2]");
    work.called(1).await;
    let run = stage.until(&running, "running", 1).await;
    let update = json!({ "mapRunArn": run["mapRunArn"], "maxConcurrency": 3, "toleratedFailurePercentage": 12.5 });
    stage.call("UpdateMapRun", update).await;
    work.called(3).await;
    let run = stage.until(&running, "running", 3).await;
    assert_eq!((&run["maxConcurrency"], &run["toleratedFailurePercentage"]), (&json!(3), &json!(12.5)));
}

#[tokio::test]
async fn an_execution_that_is_stopped_stops_its_child_executions() {
    for kind in ["STANDARD", "EXPRESS"] {
        let work = Work::new(|_| Does::Waits);
        let stage = Stage::new(in_memory(), work.clone(), kind, json!({})).await;
        let running = stage.start("[0,1]");
        let run = stage.until(&running, "running", 2).await;
        running.stop(Fault::default()).unwrap();
        while stage.map_run(&running).await["status"] != "ABORTED" {
            tokio::task::yield_now().await;
        }
        if kind == "STANDARD" {
            let wanted = json!({ "mapRunArn": run["mapRunArn"], "statusFilter": "ABORTED" });
            let children = stage.call("ListExecutions", wanted).await;
            assert_eq!(children["executions"].as_array().unwrap().len(), 2);
        }
        assert_eq!(counts(&stage.map_run(&running).await, "executionCounts"), "aborted=2 total=2", "{kind}");
    }
}

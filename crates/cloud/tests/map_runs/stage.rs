//! Step Functions with one distributed Map state, and work for it.

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
pub(crate) type Behaviour = fn(&Value) -> Does;

pub(crate) enum Does {
    /// The input is the answer.
    Answers,
    Fails,
    /// There never is an answer.
    Waits,
}

/// Does the work, and keeps the inputs.
pub(crate) struct Work {
    does: Mutex<Behaviour>,
    inputs: Mutex<Vec<String>>,
    calls: watch::Sender<usize>,
}

impl Work {
    pub(crate) fn new(does: Behaviour) -> Arc<Self> {
        Arc::new(Self { does: Mutex::new(does), inputs: Mutex::default(), calls: watch::Sender::new(0) })
    }

    /// From now on it does this.
    pub(crate) fn becomes(&self, does: Behaviour) {
        *self.does.lock().unwrap() = does;
    }

    /// Waits until there have been so many calls.
    pub(crate) async fn called(&self, count: usize) {
        self.calls.subscribe().wait_for(|calls| *calls >= count).await.unwrap();
    }

    /// The inputs of all calls, in order of their texts.
    pub(crate) fn inputs(&self) -> Vec<String> {
        let mut inputs = self.inputs.lock().unwrap().clone();
        inputs.sort();
        inputs
    }
}

impl Outside for Work {
    fn call(&self, _: &Arc<Identity>, call: Call, _: Reports) -> Answer {
        self.inputs.lock().unwrap().push(call.input.to_string());
        self.calls.send_modify(|calls| *calls += 1);
        let does = *self.does.lock().unwrap();
        match does(&call.input) {
            Does::Answers => Box::pin(async move { Ok(call.input) }),
            Does::Fails => Box::pin(async { Err(Fault::named("Broken").into()) }),
            Does::Waits => Box::pin(std::future::pending()),
        }
    }
}

/// Step Functions with one machine, whose only state is this distributed Map state.
pub(crate) struct Stage {
    pub(crate) states: Arc<States>,
    pub(crate) objects: Arc<Memory>,
    pub(crate) machine: String,
}

impl Stage {
    pub(crate) async fn new(journal: Journal, work: Arc<Work>, kind: &str, map: serde_json::Value) -> Self {
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

    pub(crate) async fn call(&self, operation: &str, request: serde_json::Value) -> serde_json::Value {
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

    pub(crate) fn start(&self, input: &str) -> Arc<Running> {
        self.states.start(&self.machine, Start { input: Some(input), ..Start::default() }).unwrap()
    }

    /// What is known of an execution's Map Run.
    pub(crate) async fn map_run(&self, running: &Running) -> serde_json::Value {
        let runs = self.call("ListMapRuns", json!({ "executionArn": &*running.identity().arn })).await;
        let [run] = &runs["mapRuns"].as_array().unwrap()[..] else { panic!("{runs}") };
        self.call("DescribeMapRun", json!({ "mapRunArn": run["mapRunArn"] })).await
    }

    /// Waits until the Map Run's child executions have come so far.
    pub(crate) async fn until(&self, running: &Running, fate: &str, count: u64) -> serde_json::Value {
        loop {
            let run = self.map_run(running).await;
            if run["executionCounts"][fate] == count {
                return run;
            }
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) fn in_memory() -> Journal {
    Journal::in_memory().unwrap()
}

/// The counts that are not 0, in order of their names.
pub(crate) fn counts(run: &serde_json::Value, of: &str) -> String {
    let counts = run[of].as_object().unwrap().iter().filter(|(_, count)| **count != 0);
    let mut counts: Vec<_> = counts.map(|(name, count)| format!("{name}={count}")).collect();
    counts.sort();
    counts.join(" ")
}

pub(crate) fn output(outcome: Outcome) -> String {
    match outcome {
        Outcome::Succeeded(output) => output.to_string(),
        other => panic!("{other:?}"),
    }
}

//! Map Runs: distributed Map states that live.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, its helpers too")]

mod redrives;
mod stage;

use asl::Fault;
use engine::{Outcome, journal::Journal};
use serde_json::json;

use stage::{Does, Stage, Work, counts, in_memory, output};

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

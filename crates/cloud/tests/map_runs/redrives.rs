//! Map Runs that are redriven, and what is known of them after a restart.

use std::sync::Arc;

use asl::Fault;
use engine::{Outcome, journal::Journal, run::Running};
use serde_json::{Value, json};

use crate::stage::{Does, Stage, Work, counts, in_memory, output};

impl Stage {
    async fn redrive(&self, running: &Running) -> Arc<Running> {
        let arn = &*running.identity().arn;
        self.call("RedriveExecution", json!({ "executionArn": arn })).await;
        self.states.execution(arn).unwrap()
    }

    /// The child executions of a Map Run, the newest first, with what is said of each.
    async fn children(&self, run: &Value, filter: &Value) -> Vec<Value> {
        let mut request = json!({ "mapRunArn": run["mapRunArn"] });
        request.as_object_mut().unwrap().extend(filter.as_object().unwrap().clone());
        self.call("ListExecutions", request).await["executions"].as_array().unwrap().clone()
    }
}

fn fails_for_1(input: &asl::Value) -> Does {
    if input.to_string() == "1" { Does::Fails } else { Does::Answers }
}

#[tokio::test]
async fn what_did_not_succeed_goes_on_and_the_rest_begins() {
    for kind in ["STANDARD", "EXPRESS"] {
        let work = Work::new(|input| if input.to_string() == "0" { Does::Answers } else { Does::Waits });
        let stage = Stage::new(in_memory(), work.clone(), kind, json!({ "MaxConcurrency": 2 })).await;
        let running = stage.start("[0,1,2,3,4]");
        work.called(3).await;
        stage.until(&running, "succeeded", 1).await;
        running.stop(Fault::default()).unwrap();
        let first = stage.until(&running, "aborted", 2).await;
        assert_eq!(counts(&first, "executionCounts"), "aborted=2 pending=2 succeeded=1 total=5", "{kind}");

        work.becomes(|_| Does::Answers);
        let redriven = stage.redrive(&running).await;
        assert_eq!(output(redriven.ended().await), "[0,1,2,3,4]", "{kind}");
        assert_eq!(work.inputs(), ["0", "1", "1", "2", "2", "3", "4"], "{kind}");
        let run = stage.map_run(&redriven).await;
        assert_eq!((&run["mapRunArn"], &run["startDate"]), (&first["mapRunArn"], &first["startDate"]));
        assert_eq!((&run["status"], &run["redriveCount"]), (&json!("SUCCEEDED"), &json!(1)));
        assert!(run["redriveDate"].is_f64(), "{run}");
        assert_eq!(counts(&run, "executionCounts"), "resultsWritten=5 succeeded=5 total=5");
    }
}

#[tokio::test]
async fn a_child_execution_that_is_to_be_redriven_says_so_until_it_is_its_turn() {
    let work = Work::new(|_| Does::Waits);
    let stage = Stage::new(in_memory(), work.clone(), "STANDARD", json!({ "MaxConcurrency": 2 })).await;
    let running = stage.start("[0,1]");
    let run = stage.until(&running, "running", 2).await;
    running.stop(Fault::default()).unwrap();
    stage.until(&running, "aborted", 2).await;
    let of_status = async |status| {
        let children = stage.children(&run, &json!({ "statusFilter": status })).await;
        let told = children.into_iter().map(|child| {
            assert_eq!((&child["status"], &child["itemCount"]), (&json!(status), &json!(1)));
            child["executionArn"].clone()
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(of_status("ABORTED").await.len(), 2);

    stage.call("UpdateMapRun", json!({ "mapRunArn": run["mapRunArn"], "maxConcurrency": 1 })).await;
    let redriven = stage.redrive(&running).await;
    stage.until(&redriven, "running", 1).await;
    let pending = of_status("PENDING_REDRIVE").await;
    assert_eq!((pending.len(), of_status("RUNNING").await.len(), of_status("ABORTED").await.len()), (1, 1, 0));
    let described = stage.call("DescribeExecution", json!({ "executionArn": pending[0] })).await;
    assert_eq!((&described["status"], &described["itemCount"]), (&json!("PENDING_REDRIVE"), &Value::Null));

    redriven.stop(Fault::default()).unwrap();
    stage.until(&redriven, "aborted", 2).await;
    assert_eq!((of_status("PENDING_REDRIVE").await.len(), of_status("ABORTED").await.len()), (0, 2));
}

#[tokio::test]
async fn a_child_execution_that_failed_is_redriven_under_its_own_name() {
    let work = Work::new(fails_for_1);
    let stage = Stage::new(in_memory(), work.clone(), "STANDARD", json!({ "MaxConcurrency": 1 })).await;
    let running = stage.start("[0,1,3]");
    let Outcome::Failed(fault) = running.ended().await else { panic!("it has not failed") };
    assert!(fault.is("States.ExceedToleratedFailureThreshold"), "{fault:?}");
    let run = stage.map_run(&running).await;
    let [failed, _] = &stage.children(&run, &json!({})).await[..] else { panic!("not two have begun") };
    let describe = |arn: Value| stage.call("DescribeExecution", json!({ "executionArn": arn }));
    let before = describe(failed["executionArn"].clone()).await;
    assert_eq!((&before["status"], &before["redriveStatus"]), (&json!("FAILED"), &json!("REDRIVABLE_BY_MAP_RUN")));

    work.becomes(|_| Does::Answers);
    let redriven = stage.redrive(&running).await;
    assert_eq!(output(redriven.ended().await), "[0,1,3]");
    assert_eq!(work.inputs(), ["0", "1", "1", "3"]);
    let after = describe(failed["executionArn"].clone()).await;
    assert_eq!((&after["status"], &after["redriveCount"]), (&json!("SUCCEEDED"), &json!(1)));
    let redriven_ones = stage.children(&run, &json!({ "redriveFilter": "REDRIVEN" })).await;
    assert_eq!(redriven_ones.len(), 1);
    assert_eq!(redriven_ones[0]["redriveDate"], after["redriveDate"]);
    assert_eq!(stage.children(&run, &json!({ "redriveFilter": "NOT_REDRIVEN" })).await.len(), 2);
    let history = stage.call("GetExecutionHistory", json!({ "executionArn": failed["executionArn"] })).await;
    let types = history["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap());
    let expected = [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionFailed",
        "ExecutionFailed",
        "ExecutionRedriven",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ];
    assert_eq!(types.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn what_express_child_executions_gave_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Journal::open(folder.path()).unwrap();
    let map = || json!({ "MaxConcurrency": 1, "ToleratedFailureCount": 5 });
    let work = Work::new(|input| if input.to_string() == "1" { Does::Waits } else { Does::Answers });
    let stage = Stage::new(open(), work, "EXPRESS", map()).await;
    let running = stage.start("[0,1,3]");
    stage.until(&running, "succeeded", 1).await;
    running.stop(Fault::default()).unwrap();
    stage.until(&running, "aborted", 1).await;
    stage.states.close();
    drop(stage);

    let work = Work::new(|_| Does::Answers);
    let stage = Stage::new(open(), work.clone(), "EXPRESS", map()).await;
    stage.states.resume().unwrap();
    let redriven = stage.redrive(&running).await;
    assert_eq!(output(redriven.ended().await), "[0,1,3]");
    assert_eq!(work.inputs(), ["1", "3"]);
}

#[tokio::test]
async fn one_that_is_given_up_tells_so_to_its_child_executions() {
    let work = Work::new(|_| Does::Waits);
    let stage = Stage::new(in_memory(), work.clone(), "STANDARD", json!({})).await;
    let running = stage.start("[0]");
    let run = stage.until(&running, "running", 1).await;
    running.stop(Fault::default()).unwrap();
    // It is redriven while what it was is still being given up, and waits for that.
    work.becomes(|_| Does::Answers);
    let redriven = stage.redrive(&running).await;
    assert_eq!(output(redriven.ended().await), "[0]");
    let [child] = &stage.children(&run, &json!({})).await[..] else { panic!("not one child") };
    let history = stage.call("GetExecutionHistory", json!({ "executionArn": child["executionArn"] })).await;
    let aborted = history["events"].as_array().unwrap().iter().find(|event| event["type"] == "ExecutionAborted");
    let arn = run["mapRunArn"].as_str().unwrap();
    assert_eq!(
        aborted.unwrap()["executionAbortedEventDetails"],
        json!({ "cause": format!("The map run execution [{arn}] which was managing this resource was aborted") })
    );
}

#[tokio::test]
async fn what_is_known_of_it_is_there_after_a_restart_and_it_can_be_redriven_then() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Journal::open(folder.path()).unwrap();
    let map = || json!({ "MaxConcurrency": 1, "ToleratedFailurePercentage": 20 });
    let stage = Stage::new(open(), Work::new(fails_for_1), "STANDARD", map()).await;
    let running = stage.start("[0,1,3]");
    assert!(matches!(running.ended().await, Outcome::Failed(_)));
    let before = stage.map_run(&running).await;
    assert_eq!(counts(&before, "executionCounts"), "failed=1 pending=1 resultsWritten=2 succeeded=1 total=3");
    let children = stage.children(&before, &json!({})).await;
    stage.states.close();
    drop(stage);

    let work = Work::new(|_| Does::Waits);
    let stage = Stage::new(open(), work.clone(), "STANDARD", map()).await;
    stage.states.resume().unwrap();
    assert_eq!(stage.map_run(&running).await, before);
    assert_eq!(stage.children(&before, &json!({})).await, children);
    let update = json!({ "mapRunArn": before["mapRunArn"], "maxConcurrency": 2 });
    stage.call("UpdateMapRun", update).await;
    let redriven = stage.redrive(&running).await;
    work.called(2).await;
    let now = stage.until(&redriven, "running", 2).await;
    assert_eq!(
        (&now["status"], &now["maxConcurrency"], &now["redriveCount"]),
        (&json!("RUNNING"), &json!(2), &json!(1))
    );
    assert_eq!(counts(&now, "executionCounts"), "running=2 succeeded=1 total=3");
    stage.states.close();
    drop((stage, redriven));

    // A redrive that was interrupted goes on, and is no further one.
    let work = Work::new(fails_for_1);
    let stage = Stage::new(open(), work.clone(), "STANDARD", map()).await;
    let resumed = stage.states.resume().unwrap().running;
    let parent = resumed.iter().find(|one| one.identity().map_run_arn.is_none()).unwrap();
    assert!(matches!(parent.ended().await, Outcome::Failed(_)));
    // The other item's child may have come to its end by then, or not.
    assert_eq!(work.inputs().iter().filter(|input| *input == "1").count(), 1);
    let now = stage.map_run(parent).await;
    assert_eq!(
        (&now["status"], &now["maxConcurrency"], &now["redriveCount"]),
        (&json!("FAILED"), &json!(2), &json!(1))
    );
    assert_eq!([&now["executionCounts"]["failed"], &now["executionCounts"]["total"]], [1, 3]);
    let redriven = stage.children(&now, &json!({ "redriveFilter": "REDRIVEN" })).await;
    assert_eq!((redriven.len(), &redriven[0]["redriveCount"]), (1, &json!(1)));
}

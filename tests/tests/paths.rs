//! The ways through the workflows that only a failing service opens: each error that a state catches, to the state that it
//! ends in.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{fs, path::Path};

use end_to_end::{Runner, project};
use serde_json::{Value, json};

/// What a state is answered with, however often it asks.
enum Answer {
    Payload(Value),
    Error(&'static str),
}

use Answer::{Error, Payload};

/// A way through a workflow: what its states are answered with, the status and the state that it ends in.
type Way = (&'static str, Vec<(&'static str, Answer)>, &'static str, &'static str);

/// Goes these ways, each a test case of its own, with the input of an event.
async fn go(machine: &str, event: &str, ways: Vec<Way>) {
    let folder = tempfile::tempdir().unwrap();
    let (mut cases, mut answers) = (json!({}), json!({}));
    for (way, states, _, _) in &ways {
        for (state, answer) in states {
            let name = format!("{way} {state}").replace(' ', "");
            cases[way][state] = name.clone().into();
            answers[name] = match answer {
                Payload(payload) => json!({ "0-2100": { "Return": { "StatusCode": 200, "Payload": payload } } }),
                Error(error) => json!({ "0-2100": { "Throw": { "Error": error, "Cause": "said by the test" } } }),
            };
        }
    }
    let mut mocks = json!({ "StateMachines": {}, "MockedResponses": answers });
    mocks["StateMachines"][machine] = json!({ "TestCases": cases });
    let file = folder.path().join("mocks.json");
    fs::write(&file, mocks.to_string()).unwrap();
    let runner = Runner::up([Path::new("--ephemeral"), Path::new("--mocks"), &file]).await;
    let input = fs::read_to_string(project().join(event)).unwrap();
    for (way, _, status, last) in ways {
        let case = format!("{}#{way}", runner.state_machine(machine));
        let request = runner.sfn().start_execution().state_machine_arn(case).input(&input);
        let arn = request.send().await.unwrap().execution_arn;
        let ended = runner.ended(&arn).await;
        let entered = |line: &Value| line["event"]["stateEnteredEventDetails"]["name"].as_str().map(str::to_owned);
        let states: Vec<String> = runner.lines_of(&arn).iter().filter_map(entered).collect();
        assert_eq!((ended.status.as_str(), states.last().unwrap().as_str()), (status, last), "{way}: {ended:?}");
    }
}

/// A state that fails: the name of the way, the state, its error, and the state that the execution fails in.
type Failure = (&'static str, &'static str, &'static str, &'static str);

/// A way for each failure, where all the other states are answered well.
fn failing(well: &[(&'static str, Value)], failures: &[Failure]) -> Vec<Way> {
    let way = |&(way, fails, error, last): &Failure| {
        let answer = |(state, payload): &(&'static str, Value)| {
            (*state, if *state == fails { Error(error) } else { Payload(payload.clone()) })
        };
        (way, well.iter().map(answer).collect(), "FAILED", last)
    };
    failures.iter().map(way).collect()
}

#[tokio::test]
async fn of_file_processing() {
    let large = json!({ "bucket": "data", "key": "incoming/large.csv", "size": 3_000_000 });
    let failures = [
        ("CheckNotFound", "CheckFileSize", "ObjectNotFound", "FileNotFound"),
        ("CheckNoBucket", "CheckFileSize", "BucketNotFound", "FileNotFound"),
        ("CheckDenied", "CheckFileSize", "AccessDenied", "FileAccessDenied"),
        ("CheckInvalid", "CheckFileSize", "InvalidInput", "InvalidInput"),
        ("CheckRejected", "CheckFileSize", "ServiceRejected", "CheckFailed"),
        ("ProcessNotFound", "ProcessFile", "ObjectNotFound", "FileNotFound"),
        ("ProcessDenied", "ProcessFile", "AccessDenied", "FileAccessDenied"),
        ("ProcessChanged", "ProcessFile", "ObjectChanged", "FileChanged"),
        ("ProcessCorrupt", "ProcessFile", "CorruptFile", "FileNotUsable"),
        ("ProcessRejected", "ProcessFile", "ServiceRejected", "ProcessingFailed"),
    ];
    let ways = failing(&[("CheckFileSize", large), ("ProcessFile", json!({}))], &failures);
    go("FileProcessing", "events/file-processing/large.json", ways).await;
}

#[tokio::test]
async fn of_game_completion() {
    let failures = [
        ("ReportInvalid", "Gen Report", "InvalidInput", "Payload Refused"),
        ("ReportNoBucket", "Gen Report", "BucketNotFound", "Not Set Up"),
        ("ReportRejected", "Gen Report", "ServiceRejected", "Level Not Recorded"),
        ("RecordInvalid", "Simple Level", "InvalidInput", "Payload Refused"),
        ("RecordNoTable", "Simple Level", "TableNotFound", "Not Set Up"),
        ("RecordDenied", "Simple Level", "AccessDenied", "Not Set Up"),
        ("RecordRejected", "Simple Level", "ServiceRejected", "Level Not Recorded"),
        ("MetricInvalid", "CWMetric", "InvalidInput", "Payload Refused"),
        ("MetricDenied", "CWMetric", "AccessDenied", "Not Set Up"),
        ("MetricRejected", "CWMetric", "ServiceRejected", "Metric Not Logged"),
    ];
    let well = ["Gen Report", "Simple Level", "CWMetric"].map(|state| (state, json!({})));
    go("GameCompletion", "events/game-completion/level.json", failing(&well, &failures)).await;
}

#[tokio::test]
async fn of_nightly_sync() {
    let stretch =
        |next: Value| Payload(json!({ "next": next, "copy": 0, "copyBytes": 0, "delete": 0, "keep": 0, "same": 1000 }));
    let ways = vec![
        ("Endless", vec![("Compare", stretch(json!("z")))], "FAILED", "Too Many Differences"),
        ("Empty", vec![("Compare", Error("SourceEmpty"))], "FAILED", "Source Empty"),
        ("Alike", vec![("Compare", stretch(Value::Null))], "SUCCEEDED", "Write Summary"),
    ];
    go("NightlySync", "events/nightly-sync/delete.json", ways).await;
}

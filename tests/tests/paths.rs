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

#[tokio::test]
async fn of_file_processing() {
    let large = || Payload(json!({ "bucket": "data", "key": "incoming/large.csv", "size": 3_000_000 }));
    let check = |way, error, last| (way, vec![("CheckFileSize", Error(error))], "FAILED", last);
    let process =
        |way, error, last| (way, vec![("CheckFileSize", large()), ("ProcessFile", Error(error))], "FAILED", last);
    let ways = vec![
        check("CheckNotFound", "ObjectNotFound", "FileNotFound"),
        check("CheckNoBucket", "BucketNotFound", "FileNotFound"),
        check("CheckDenied", "AccessDenied", "FileAccessDenied"),
        check("CheckInvalid", "InvalidInput", "InvalidInput"),
        check("CheckRejected", "ServiceRejected", "CheckFailed"),
        process("ProcessNotFound", "ObjectNotFound", "FileNotFound"),
        process("ProcessDenied", "AccessDenied", "FileAccessDenied"),
        process("ProcessChanged", "ObjectChanged", "FileChanged"),
        process("ProcessCorrupt", "CorruptFile", "FileNotUsable"),
        process("ProcessRejected", "ServiceRejected", "ProcessingFailed"),
    ];
    go("FileProcessing", "events/file-processing/large.json", ways).await;
}

#[tokio::test]
async fn of_game_completion() {
    let done = || Payload(json!({}));
    let report = |way, error, last| (way, vec![("Gen Report", Error(error)), ("Simple Level", done())], "FAILED", last);
    let record = |way, error, last| (way, vec![("Gen Report", done()), ("Simple Level", Error(error))], "FAILED", last);
    let metric = |way, error, last| {
        let states = vec![("Gen Report", done()), ("Simple Level", done()), ("CWMetric", Error(error))];
        (way, states, "FAILED", last)
    };
    let ways = vec![
        report("ReportInvalid", "InvalidInput", "Payload Refused"),
        report("ReportNoBucket", "BucketNotFound", "Not Set Up"),
        report("ReportRejected", "ServiceRejected", "Level Not Recorded"),
        record("RecordInvalid", "InvalidInput", "Payload Refused"),
        record("RecordNoTable", "TableNotFound", "Not Set Up"),
        record("RecordDenied", "AccessDenied", "Not Set Up"),
        record("RecordRejected", "ServiceRejected", "Level Not Recorded"),
        metric("MetricInvalid", "InvalidInput", "Payload Refused"),
        metric("MetricDenied", "AccessDenied", "Not Set Up"),
        metric("MetricRejected", "ServiceRejected", "Metric Not Logged"),
    ];
    go("GameCompletion", "events/game-completion/level.json", ways).await;
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

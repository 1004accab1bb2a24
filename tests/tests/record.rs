//! Recorded cases of executions of a running `stairwell up`.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use end_to_end::{Command, Runner, fixture};
use serde_json::{Value, json};
use tempfile::TempDir;

const REPLAYS: &str = "✓ it replays as it was recorded\n";

async fn runner(fixture_template: &str) -> Runner {
    let template = fixture(fixture_template);
    Runner::up(["--ephemeral".as_ref(), "-t".as_ref(), template.as_os_str()]).await
}

fn record(runner: &Runner, arn: &str) -> Command {
    Command::new(["record", arn, "--port", &runner.address().port().to_string()])
}

#[tokio::test]
async fn a_recorded_execution_replays() {
    let runner = runner("tasks/template.yaml").await;
    let folder = TempDir::new().unwrap();
    for (name, input) in [("succeeds", json!({ "a": 1 })), ("fails", json!({ "fails": true }))] {
        let ended = runner.execute("Sync", &input).await;
        let file = folder.path().join(format!("{name}.json"));
        let finished = record(&runner, &ended.arn).arg("--name").arg(name).arg("-o").arg(&file).run().expect(0);
        assert_eq!([finished.stdout.as_str(), finished.stderr.as_str()], ["", REPLAYS]);
        let case: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!([&case["name"], &case["final"]["status"]], [&json!(name), &json!(ended.status)]);
        assert_eq!(case["task_results"][0]["state"], "Run");
    }
    let replayed = Command::new(["replay".as_ref(), folder.path().as_os_str()]).run().expect(0);
    assert_eq!(replayed.stdout, "history: 2 passed, 0 failed, 0 skipped\n2 passed, 0 failed, 0 skipped\n");

    // What the definition does otherwise is a difference.
    let file = folder.path().join("succeeds.json");
    let mut case: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    case["definition"]["States"]["Run"]["ResultSelector"]["status.$"] = "$.Name".into();
    std::fs::write(&file, case.to_string()).unwrap();
    let replayed = Command::new(["replay".as_ref(), file.as_os_str()]).run().expect(1);
    assert!(replayed.stdout.starts_with("FAILED succeeds: event 7 (TaskStateExited)"), "{}", replayed.stdout);
}

#[tokio::test]
async fn a_task_token_is_not_recorded() {
    let runner = runner("tasks/template.yaml").await;
    let sfn = runner.sfn();
    let arn = runner.start("Callback", &json!({})).await;
    let child = runner.started(|input| input["token"].is_string()).await;
    let described = sfn.describe_execution().execution_arn(&child).send().await.unwrap();
    let input: Value = serde_json::from_str(described.input.as_deref().unwrap()).unwrap();
    let token = input["token"].as_str().unwrap();
    let refused = record(&runner, &arn).run().expect(2);
    assert!(refused.stderr.contains("still running"), "{}", refused.stderr);

    sfn.send_task_success().task_token(token).output(r#"{"approved":true}"#).send().await.unwrap();
    runner.ended(&arn).await;
    let finished = record(&runner, &arn).run().expect(0);
    assert_eq!(finished.stderr, REPLAYS);
    assert!(!finished.stdout.contains(token));
    assert_eq!(finished.json()["task_results"][0]["request"]["Input"]["token"], "<task_token:1>");
}

#[tokio::test]
async fn a_stopped_execution_replays() {
    let runner = runner("waiting/template.yaml").await;
    let arn = runner.start("Waiting", &json!({})).await;
    runner.sfn().stop_execution().execution_arn(&arn).error("Enough").cause("it is late").send().await.unwrap();
    assert_eq!(runner.ended(&arn).await.status, "ABORTED");
    let finished = record(&runner, &arn).run().expect(0);
    assert_eq!(finished.stderr, REPLAYS);
    assert_eq!(finished.json()["final"]["error"], "Enough");

    let unknown = record(&runner, &format!("{arn}x")).run().expect(2);
    assert!(unknown.stderr.contains("ExecutionDoesNotExist"), "{}", unknown.stderr);
}

//! `stairwell demo`.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{fs, path::Path};

use end_to_end::{Command, project};
use serde_json::{Value, json};

#[test]
fn the_demo_tells_what_was_produced() {
    let folder = tempfile::tempdir().unwrap();
    let demo = || Command::new(["demo", "--data"]).arg(folder.path()).run().expect(0);
    let told = demo().stderr;
    for line in [
        "How it went",
        "FileProcessing succeeded after",
        "FileProcessing failed after",
        "ObjectNotFound",
        "GameCompletion succeeded after",
        "InvalidPayload",
        "/processed/incoming/large.csv.parquet",
        "/processed/incoming/large.csv.profile.json",
        "_report_latest.html",
        "table GamesTable now has 1 item",
        "metric FLOW/CompleteLevel",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert!(!told.contains("not as expected"), "{told}");
    // The files that it names are there.
    let data = folder.path().display().to_string();
    let files: Vec<&str> = told.lines().map(str::trim).filter(|line| line.starts_with(&data)).collect();
    assert_eq!(files.len(), told.matches("  s3://").count(), "{told}");
    assert!(files.iter().all(|file| Path::new(file).is_file()), "{files:?}");
    // A second time, on the data of the first.
    demo();
}

#[test]
fn the_demo_of_one_workflow_as_json() {
    let finished = Command::new(["demo", "game-completion", "--ephemeral", "--json"]).run().expect(0);
    let script: Value = serde_json::from_str(&fs::read_to_string(project().join("demo.json")).unwrap()).unwrap();
    let steps = script["game-completion"]["steps"].as_array().unwrap();
    let expected: Vec<&Value> = steps.iter().map(|step| &step["expect"]["status"]).collect();
    let lines = finished.json_lines();
    let ends: Vec<&Value> = lines.iter().map(|line| &line["status"]).filter(|status| status.is_string()).collect();
    assert_eq!(ends, expected);
}

#[test]
fn a_demo_that_ends_otherwise_fails() {
    let folder = tempfile::tempdir().unwrap();
    let script = |step: Value, machine: &str, status: &str| {
        let expect = json!({ "stateMachine": machine, "status": status });
        let script = json!({ "one": { "title": "One", "steps": [{ "title": "Step", "do": step, "expect": expect }] } });
        let file = folder.path().join("demo.json");
        fs::write(&file, script.to_string()).unwrap();
        Command::new(["demo", "--ephemeral", "--script"]).arg(file).run()
    };
    let start = |file: &str| json!({ "start": { "input": project().join("events/game-completion").join(file) } });
    script(start("level.json"), "GameCompletion", "SUCCEEDED").expect(0);
    let other = script(start("level.json"), "GameCompletion", "FAILED").expect(1);
    assert!(other.stderr.contains("✗ Step SUCCEEDED, not as expected"), "{}", other.stderr);
    for (step, machine, named) in [
        (start("nothing.json"), "GameCompletion", "nothing.json"),
        (start("level.json"), "Nobody", "Nobody"),
        (json!({ "put": { "bucket": "Nothing", "key": "a", "file": "a" } }), "FileProcessing", "Nothing"),
        (json!({ "jump": {} }), "FileProcessing", "jump"),
    ] {
        let refused = script(step, machine, "SUCCEEDED").expect(2);
        assert!(refused.stderr.contains(named), "{named}: {}", refused.stderr);
    }
}

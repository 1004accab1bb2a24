//! `stairwell demo`.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
};

use end_to_end::{Command, project};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

#[test]
fn the_demo_tells_what_was_produced() {
    let folder = tempfile::tempdir().unwrap();
    let demo = || Command::new(["demo", "--data"]).arg(folder.path()).run().expect(0);
    let told = demo().stderr;
    for line in [
        "How it went",
        "HelloWorld succeeded after",
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
    assert!(!told.contains("as expected with the data of earlier runs"), "{told}");
    // A second time, on the data of the first: the dragons are there already.
    let again = demo().stderr;
    let otherwise = "SUCCEEDED, in 'AlertDragonValidationFailure', as expected with the data of earlier runs";
    assert!(again.contains(&format!("wants to be told {otherwise}")), "{again}");
    assert!(!again.contains("not as expected"), "{again}");
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
    let script = |step: Value, expect: Value| {
        let script = json!({ "one": { "title": "One", "steps": [{ "title": "Step", "do": step, "expect": expect }] } });
        let file = folder.path().join("demo.json");
        fs::write(&file, script.to_string()).unwrap();
        Command::new(["demo", "--ephemeral", "--script"]).arg(file).run()
    };
    let start = || json!({ "start": { "input": project().join("events/game-completion/level.json") } });
    let game =
        |status: &str, state: &str| json!({ "stateMachine": "GameCompletion", "status": status, "state": state });
    script(start(), game("SUCCEEDED", "Show Result")).expect(0);
    for other in [game("FAILED", "Show Result"), game("SUCCEEDED", "CWMetric")] {
        let other = script(start(), other).expect(1);
        assert!(other.stderr.contains("✗ Step SUCCEEDED, not as expected"), "{}", other.stderr);
    }
    // Data of an earlier run explain what the script says of them, and nothing else.
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let with_data = |expect: Value| {
        let script =
            json!({ "one": { "title": "One", "steps": [{ "title": "Step", "do": start(), "expect": expect }] } });
        let file = folder.path().join("demo.json");
        fs::write(&file, script.to_string()).unwrap();
        Command::new(["demo", "--script"]).arg(file).arg("--data").arg(&data).run()
    };
    let mut again = game("SUCCEEDED", "CWMetric");
    with_data(again.clone()).expect(1);
    again["again"] = json!("Show Result");
    assert!(with_data(again).expect(0).stderr.contains("as expected with the data of earlier runs"));
    let refused = script(json!({ "jump": {} }), game("SUCCEEDED", "Show Result")).expect(2);
    assert!(refused.stderr.contains("jump"), "{}", refused.stderr);
}

#[test]
fn a_demo_can_be_shown_again_after_it_was_stopped_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    // A script that waits for an answer that nobody gives: the case that it has opened stays open.
    let mut script: Value = serde_json::from_str(&fs::read_to_string(project().join("demo.json")).unwrap()).unwrap();
    let step = &mut script["call-center"]["steps"][0];
    step.as_object_mut().unwrap().remove("ask");
    step["expect"]["status"] = json!("SUCCEEDED");
    let file = folder.path().join("demo.json");
    fs::write(&file, json!({ "one": { "title": "One", "steps": [step] } }).to_string()).unwrap();
    let demo = || Command::new(["demo", "--data"]).arg(folder.path().join("data"));
    let mut stopped = demo().arg("--script").arg(&file).spawn();
    let mut told = BufReader::new(stopped.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(told.any(|line| line.contains("… Work on Case")));
    kill_process(Pid::from_child(&stopped), Signal::INT).unwrap();
    assert!(told.any(|line| line.contains("is ABORTED")));
    assert_eq!(stopped.wait().unwrap().code(), Some(130));

    let again = demo().arg("call-center").run().expect(0);
    assert!(!again.stderr.contains("CaseAlreadyOpen"), "{}", again.stderr);
}

#[test]
fn what_was_produced_is_told_in_short_or_in_full() {
    let demo =
        |arguments: &[&str]| Command::new(["demo", "file-processing", "--ephemeral"].iter().chain(arguments)).run();
    let named = |told: &str| -> Vec<String> {
        let lines = told.lines().filter_map(|line| line.trim().strip_prefix("s3://stairwell-databucket-000000000000/"));
        lines.filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect()
    };
    let short = demo(&[]).expect(0).stderr;
    let processed = ["processed/incoming/large.csv.parquet", "processed/incoming/large.csv.profile.json"];
    assert_eq!(named(&short), processed);
    assert!(short.contains("and 2 more objects (`--verbose` names all)"), "{short}");
    let full = demo(&["--verbose"]).expect(0).stderr;
    assert_eq!(named(&full), [&["incoming/large.csv", "incoming/small.csv"][..], &processed].concat());
    assert!(!full.contains("more object"), "{full}");
}

/// A workflow of a script, of steps that have a title, a deed and an expectation each.
fn workflow(steps: &[(&str, Value, Value)]) -> Value {
    let steps = steps.iter().map(|(title, step, expect)| json!({ "title": title, "do": step, "expect": expect }));
    json!({ "one": { "title": "One", "steps": steps.collect::<Vec<_>>() } })
}

#[test]
fn what_a_script_names_is_looked_for_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("no.json"), "{").unwrap();
    fs::write(folder.path().join("input.json"), "{}").unwrap();
    let succeeds = |machine: &str| json!({ "stateMachine": machine, "status": "SUCCEEDED" });
    let missing = |api: &str, method: &str| json!({ "request": { "api": api, "method": method, "path": "/", "body": "no.json" } });
    let script = workflow(&[
        ("a", json!({ "start": { "input": "nothing.json" } }), succeeds("GameCompletion")),
        ("b", json!({ "start": { "input": "no.json" } }), succeeds("GameCompletoin")),
        ("c", json!({ "put": { "bucket": "DataBuckt", "key": "a", "file": "a.csv" } }), succeeds("FileProcessing")),
        ("d", missing("Apy", "POST"), json!({ "stateMachine": "FileProcessing", "status": "DONE" })),
        ("e", missing("Api", "GE T"), succeeds("FileProcessing")),
        (
            "f",
            json!({ "start": { "input": "input.json" } }),
            json!({ "stateMachine": "FileProcessing", "status": "SUCCEEDED", "state": "NotifyOK" }),
        ),
    ]);
    let file = folder.path().join("demo.json");
    fs::write(&file, script.to_string()).unwrap();
    let refused = Command::new(["demo", "--ephemeral", "--script"]).arg(&file).run().expect(2);
    for named in [
        format!("there is no file {}", folder.path().join("nothing.json").display()),
        format!("there is no file {}", folder.path().join("a.csv").display()),
        "no.json cannot be the input of an execution".to_owned(),
        "no state machine 'GameCompletoin' (did you mean 'GameCompletion'?)".to_owned(),
        "no bucket 'DataBuckt' (did you mean 'DataBucket'?)".to_owned(),
        "no API 'Apy' (did you mean 'Api'?)".to_owned(),
        "'DONE' is not a status that an execution ends with".to_owned(),
        "'GE T' is not an HTTP method".to_owned(),
        "no state of FileProcessing 'NotifyOK' (did you mean 'NotifyOk'?)".to_owned(),
        format!("9 problems in the script {}", file.display()),
    ] {
        assert!(refused.stderr.contains(&named), "{named}: {}", refused.stderr);
    }
    assert!(!refused.stderr.contains("The local cloud answers"), "{}", refused.stderr);
}

#[test]
fn what_was_shown_before_an_error_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let level = project().join("events/game-completion/level.json");
    let script = workflow(&[
        (
            "Otherwise",
            json!({ "start": { "input": level } }),
            json!({ "stateMachine": "GameCompletion", "status": "FAILED" }),
        ),
        (
            "Refused",
            json!({ "request": { "api": "Api", "method": "GET", "path": "/no/such/route", "body": level } }),
            json!({ "stateMachine": "FileProcessing", "status": "SUCCEEDED" }),
        ),
    ]);
    let file = folder.path().join("demo.json");
    fs::write(&file, script.to_string()).unwrap();
    let told = Command::new(["demo", "--ephemeral", "--script"]).arg(&file).run().expect(2).stderr;
    for line in [
        "✗ Otherwise SUCCEEDED, not as expected",
        "✗ Refused not carried out",
        "table LevelsTable now has 2 items",
        "GET /_api/Api/no/such/route was answered 404",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

//! The runner itself: its data, what it tells, how much it does at once.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use end_to_end::{Command, Runner, data::level, fixture, project};
use futures::future::join_all;
use rustix::process::{Pid, Signal, kill_process};

async fn up_in(folder: &Path) -> Runner {
    Runner::up([OsStr::new("--data"), folder.as_os_str()]).await
}

#[tokio::test]
async fn many_executions_go_on_at_once() {
    let runner = Runner::shared().await;
    let users: Vec<String> = (0..20).map(|number| format!("one-of-many-{number}")).collect();
    let arns = join_all(users.iter().map(async |user| runner.start("GameCompletion", &level(user, "1")).await)).await;
    for (user, ended) in users.iter().zip(join_all(arns.iter().map(|arn| runner.ended(arn))).await) {
        assert_eq!(ended.status, "SUCCEEDED", "{ended:?}");
        assert_eq!(ended.output["user_id"], *user);
        let item = runner.item("LevelsTable", [("user_id", user), ("level", "1")]).await;
        assert_eq!(item["execution"], ended.arn);
        // However many began in the same moment, the first line of each is told.
        let lines = runner.lines_of(&ended.arn);
        for state in ["Simple Level", "Gen Report", "CWMetric"] {
            assert!(lines.iter().any(|line| line["state"] == state && line["log"].is_string()), "{state}: {lines:#?}");
        }
    }
}

#[tokio::test]
async fn a_data_folder_has_one_runner() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let runner = up_in(&data).await;
    let finished = Command::new(["up", "--port", "0", "--data"]).arg(&data).run().expect(2);
    let place = format!("keeps its data in {}", data.display());
    let holder = format!("(process {}, port {})", runner.process().as_raw_nonzero(), runner.address().port());
    for named in ["another runner", &holder, &place, "--data", "--ephemeral"] {
        assert!(finished.stderr.contains(named), "{named}: {}", finished.stderr);
    }
    assert!(!finished.stderr.contains("functions"), "nothing is built first: {}", finished.stderr);
    assert_eq!(runner.stop(), Some(0));
    up_in(&data).await;
}

type End = fn(Runner);

#[tokio::test]
async fn data_outlive_the_runner() {
    let folder = tempfile::tempdir().unwrap();
    let key = "kept/größe 1+2.bin";
    let ends: [(&str, End); 3] =
        [("killed", Runner::kill), ("stopped", |runner| assert_eq!(runner.stop(), Some(0))), ("dropped", drop)];
    for (times, (user, end)) in ends.into_iter().enumerate() {
        let runner = up_in(folder.path()).await;
        // What was there before the last end.
        let listed = runner.s3().list_object_versions().bucket(runner.bucket("DataBucket")).send().await.unwrap();
        assert_eq!(listed.versions().len(), times, "{user}");
        for (before, _) in &ends[..times] {
            assert_eq!(runner.get("DataBucket", key).await.as_deref(), Some(b"content".as_slice()), "{user}");
            let item = runner.item("LevelsTable", [("user_id", before), ("level", "1")]).await;
            assert_eq!(item["score"], "10", "{user}");
            assert!(runner.get("ReportBucket", &format!("{before}_report_1.txt")).await.is_some(), "{user}");
        }
        // What is there just before the next end.
        assert_eq!(runner.execute("GameCompletion", &level(user, "1")).await.status, "SUCCEEDED");
        runner.put("DataBucket", key, b"content".to_vec()).await;
        end(runner);
    }
}

#[test]
fn data_are_kept_beside_the_user_unless_they_are_ephemeral() {
    for (argument, kept) in [(Some("--ephemeral"), vec![]), (None, vec![".stairwell"])] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(["run", "GameCompletion", "--input"])
            .arg(level("kept", "1").to_string())
            .arg("--template")
            .arg(project().join("template.yaml"))
            .folder(folder.path());
        if let Some(argument) = argument {
            command = command.arg(argument);
        }
        command.run().expect(0);
        let found: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(found, kept);
    }
}

#[test]
fn nothing_is_left_in_the_folder_of_temporary_files() {
    let event = level("tidy", "1").to_string();
    let mut timed = level("tidy", "1");
    timed["completedAt"] = "2026-01-01T00:00:00Z".into();
    let timed = timed.to_string();
    for (arguments, status) in [
        (vec!["run", "GameCompletion", "--ephemeral", "--input", &event], 0),
        (vec!["run", "GameCompletion", "--ephemeral"], 1),
        (vec!["run", "Nobody", "--ephemeral"], 2),
        (vec!["invoke", "LogMetricFunction", "--ephemeral", "-e", &timed], 0),
        (vec!["demo", "game-completion", "--ephemeral"], 0),
    ] {
        let folder = tempfile::tempdir().unwrap();
        Command::new(&arguments).env("TMPDIR", folder.path().to_str().unwrap()).run().expect(status);
        let left: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [""; 0], "{arguments:?}");
    }
}

#[test]
fn a_command_that_is_stopped_leaves_nothing_and_says_so_by_its_status() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let folder = tempfile::tempdir().unwrap();
        let demo = Command::hearing_hangups(["demo", "--ephemeral"]).env("TMPDIR", folder.path().to_str().unwrap());
        let mut demo = demo.spawn();
        let mut lines = BufReader::new(demo.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("The local cloud answers at")));
        kill_process(Pid::from_child(&demo), signal).unwrap();
        lines.for_each(drop);
        assert_eq!(demo.wait().unwrap().code(), Some(130));
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}

#[test]
fn an_execution_that_is_stopped_is_told() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let arguments = ["run", "Waiting", "--ephemeral", "--name", "long", "--json", "-t"];
        let mut run = Command::hearing_hangups(arguments).arg(fixture("waiting/template.yaml")).spawn();
        let mut lines = BufReader::new(run.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("WaitStateEntered")));
        kill_process(Pid::from_child(&run), signal).unwrap();
        assert!(lines.last().unwrap().contains("\"status\":\"ABORTED\""));
        let mut told = String::new();
        run.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert!(told.contains("execution:Waiting:long is ABORTED"), "{told}");
        assert_eq!(run.wait().unwrap().code(), Some(130));
    }
}

#[test]
fn the_log_tells_what_happens_without_payloads_and_secrets() {
    let demo = |level: &str| {
        let demo = Command::new(["demo", "file-processing", "--ephemeral"]).env("STAIRWELL_LOG", level);
        demo.run().expect(0).stderr
    };
    let log = demo("debug");
    for parts in [
        ["a request was answered", "\"Step Functions\"", "\"StartExecution\" status=200"],
        ["a request was answered", "\"S3\"", "/incoming/missing.csv\" status=404"],
        ["a request was answered", "\"API Gateway\"", "\"POST /_api/Api/executions\" status=202"],
        ["a rule has matched", "StartStepFunctionObjectCreated", "StartStepFunction"],
        ["an invocation has run", "\"ProcessFileFunction\"", "failed=false"],
        ["an invocation has run", "\"CheckSizeFunction\"", "failed=true"],
        ["an execution has started", ":execution:FileProcessing:", ""],
        ["an execution has ended", ":execution:FileProcessing:", "FAILED"],
    ] {
        assert!(log.lines().any(|line| parts.iter().all(|part| line.contains(part))), "{parts:?}: {log}");
    }
    let told = |line: &&str| line.contains("DEBUG");
    for secret in ["made-up-by-stairwell", "Signature", "Idempotency-Key", "versionId", "x-amz-"] {
        assert!(!log.lines().filter(told).any(|line| line.contains(secret)), "{secret}: {log}");
    }
    // What the libraries tell is asked for by name.
    assert!(!log.contains("s3s::"), "{log}");
    assert!(demo("s3s=debug").contains("s3s::"));
}

#[test]
fn a_person_is_told_where_everything_is() {
    let temporary = tempfile::tempdir().unwrap();
    let up = Command::new(["up", "--ephemeral", "--port", "0"]).env("TMPDIR", temporary.path().to_str().unwrap());
    let mut up = up.spawn();
    let mut lines = BufReader::new(up.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut told = Vec::new();
    for line in lines.by_ref() {
        told.push(line);
        if told.last().is_some_and(|line| line.ends_with("Stop with Ctrl-C")) {
            break;
        }
    }
    let told = told.join("\n");
    for named in [
        "Ready at http://127.0.0.1:",
        "FileProcessing, GameCompletion",
        "CheckSizeFunction",
        "stairwell-databucket-000000000000",
        "/_api/Api/executions",
        "not emulated",
    ] {
        assert!(told.contains(named), "{named}: {told}");
    }
    kill_process(Pid::from_child(&up), Signal::INT).unwrap();
    assert_eq!(lines.last().as_deref(), Some("Stopping"));
    assert_eq!(up.wait().unwrap().code(), Some(0));
    assert_eq!(temporary.path().read_dir().unwrap().count(), 0);
}

//! The runner itself: its processes, its port, its data.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{ffi::OsStr, net::TcpListener, path::Path, process};

use end_to_end::{Command, Runner, data::level, process::children};
use futures::future::join_all;
use rustix::process::{Signal, kill_process};
use serde_json::json;

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
    }
}

#[tokio::test]
async fn a_function_whose_process_died_is_started_again() {
    let runner = Runner::up(["--ephemeral"]).await;
    for _ in 0..3 {
        assert_eq!(runner.execute("FileProcessing", &json!({ "key": "a" })).await.error, "ObjectNotFound");
        let idle: Vec<_> = children(runner.process()).into_iter().filter(|child| child.name == "check-size").collect();
        assert!(!idle.is_empty());
        for process in idle {
            kill_process(process.id, Signal::KILL).unwrap();
        }
    }
    assert_eq!(runner.execute("FileProcessing", &json!({ "key": "a" })).await.error, "ObjectNotFound");
}

#[tokio::test]
async fn functions_go_with_the_runner() {
    for stop in [|runner: Runner| assert_eq!(runner.stop(), Some(0)), Runner::kill] {
        let runner = Runner::up(["--ephemeral"]).await;
        runner.execute("GameCompletion", &level("goes", "1")).await;
        let functions = children(runner.process());
        assert!(functions.len() >= 3, "{}", functions.len());
        stop(runner);
        for function in functions {
            function.ended().await;
        }
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_with_its_holder() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let finished = Command::new(["up", "--ephemeral", "--port", &port]).run().expect(2);
    for named in [&format!("port {port} of 127.0.0.1 is taken"), "choose another one with --port"] {
        assert!(finished.stderr.contains(named), "{}", finished.stderr);
    }
    if cfg!(target_os = "linux") {
        let holder = format!("(process {})", process::id());
        assert!(finished.stderr.contains(&holder), "{holder}: {}", finished.stderr);
    }
}

#[tokio::test]
async fn a_data_folder_has_one_runner() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let runner = up_in(&data).await;
    let finished = Command::new(["up", "--port", "0", "--data"]).arg(&data).run().expect(2);
    let refusal = format!("another runner keeps its data in {}", data.display());
    assert!(finished.stderr.contains(&refusal), "{}", finished.stderr);
    assert_eq!(runner.stop(), Some(0));
    up_in(&data).await;
}

#[tokio::test]
async fn data_outlive_the_runner() {
    let folder = tempfile::tempdir().unwrap();
    let key = "kept/größe 1+2.bin";
    let mut versions = 0;
    for (end, user) in [
        (Runner::kill as fn(Runner), "killed"),
        (|runner| assert_eq!(runner.stop(), Some(0)), "stopped"),
        (drop, "last"),
    ] {
        let runner = up_in(folder.path()).await;
        // What was there before the last end.
        let listed = runner.s3().list_object_versions().bucket(runner.bucket("DataBucket")).send().await.unwrap();
        assert_eq!(listed.versions().len(), versions, "{user}");
        if versions > 0 {
            assert_eq!(runner.get("DataBucket", key).await.as_deref(), Some(b"content".as_slice()), "{user}");
            let item = runner.item("LevelsTable", [("user_id", "killed"), ("level", "1")]).await;
            assert_eq!(item["score"], "10", "{user}");
            assert!(runner.get("ReportBucket", "killed_report_1.txt").await.is_some(), "{user}");
        }
        // What is there just before the next end.
        assert_eq!(runner.execute("GameCompletion", &level(user, "1")).await.status, "SUCCEEDED");
        runner.put("DataBucket", key, b"content".to_vec()).await;
        versions += 1;
        end(runner);
    }
}

#[tokio::test]
async fn ephemeral_data_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let template = end_to_end::project().join("template.yaml");
    let finished = Command::new(["run", "GameCompletion", "--ephemeral", "--input"])
        .arg(level("forgotten", "1").to_string())
        .arg("-t")
        .arg(&template)
        .folder(folder.path())
        .run();
    finished.expect(0);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

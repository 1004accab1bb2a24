//! The processes of the runner, by what Linux tells of processes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{net::TcpListener, process};

use end_to_end::{Command, Runner, data::level, process::children};
use rustix::process::{Signal, kill_process};
use serde_json::json;

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

#[test]
fn a_port_that_is_taken_is_told_with_its_holder() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let holder = format!("(process {})", process::id());
    for command in [
        Command::new(["up", "--ephemeral", "--port", &port]),
        Command::new(["up", "--ephemeral"]).env("STAIRWELL_PORT", &port),
    ] {
        let finished = command.run().expect(2);
        for named in [&format!("port {port} of 127.0.0.1 is taken"), "choose another one with --port", &holder] {
            assert!(finished.stderr.contains(named), "{named}: {}", finished.stderr);
        }
    }
}

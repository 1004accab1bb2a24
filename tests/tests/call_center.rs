//! The call centre workflow, with an agent who answers over HTTP.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use end_to_end::{Answer, Runner};
use serde_json::{Value, json};

async fn post(runner: &Runner, path: &str, body: &Value) -> Answer {
    runner.request("POST", &format!("/_api/Api{path}"), &[], body.to_string().as_bytes()).await
}

/// Opens a case over HTTP.
async fn open(runner: &Runner, case: &str) -> String {
    let answer = post(runner, "/cases", &json!({ "inputCaseID": case })).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.json()["executionArn"].as_str().unwrap().to_owned()
}

/// Opens a case and waits until its agent is at work. Gives the execution.
async fn in_work(runner: &Runner, case: &str) -> String {
    let execution = open(runner, case).await;
    let submitted =
        |line: &Value| (line["executionArn"] == execution && line["event"]["type"] == "TaskSubmitted").then_some(());
    runner.line(submitted).await.unwrap();
    execution
}

async fn resolve(runner: &Runner, case: &str, resolved: bool) -> Answer {
    post(runner, &format!("/cases/{case}/resolution"), &json!({ "resolved": resolved })).await
}

async fn record(runner: &Runner, case: &str) -> Value {
    runner.item("CasesTable", [("case_id", case)]).await
}

async fn open_cases(runner: &Runner, agent: &str) -> Value {
    runner.item("AgentsTable", [("agent_id", agent)]).await["open_cases"].clone()
}

#[tokio::test]
async fn a_case_that_is_resolved_is_closed() {
    let runner = Runner::up(["--ephemeral"]).await;
    let execution = in_work(&runner, "001").await;
    let working = record(&runner, "001").await;
    assert_eq!((&working["case_status"], &working["agent_id"]), (&json!("in work"), &json!("ada")), "{working}");
    assert_eq!(open_cases(&runner, "ada").await, "1");
    assert_eq!(post(&runner, "/cases/001/heartbeat", &json!({})).await.status, 200);

    let answer = resolve(&runner, "001", true).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"Case": "001", "Status": 1})));
    let ended = runner.ended(&execution).await;
    let message = "Case 001: opened...assigned...resolved...closed.";
    assert_eq!(ended.output, json!({"Case": "001", "Status": 1, "Message": message}), "{ended:?}");

    let closed = record(&runner, "001").await;
    assert_eq!((&closed["case_status"], &closed["message"]), (&json!("closed"), &json!(message)), "{closed}");
    assert_eq!(closed["task_token"], Value::Null);
    assert_eq!(open_cases(&runner, "ada").await, "0");
}

#[tokio::test]
async fn a_case_that_is_not_resolved_is_escalated() {
    let runner = Runner::up(["--ephemeral"]).await;
    let execution = in_work(&runner, "002").await;
    assert_eq!(resolve(&runner, "002", false).await.status, 200);
    let ended = runner.ended(&execution).await;
    assert_eq!(
        (ended.status.as_str(), ended.error.as_str(), ended.cause.as_str()),
        ("FAILED", "", "Engage Tier 2 Support."),
        "{ended:?}"
    );
    let escalated = record(&runner, "002").await;
    assert_eq!(escalated["case_status"], "escalated");
    assert_eq!(escalated["message"], "Case 002: opened...assigned...unresolved...escalating.");
    assert_eq!((&escalated["task_token"], open_cases(&runner, "ada").await), (&Value::Null, json!("0")));
}

#[tokio::test]
async fn a_silent_agent_s_case_is_escalated() {
    let parameters = "CaseHeartbeatSeconds=1";
    let runner = Runner::up(["--ephemeral", "--parameter-overrides", parameters]).await;
    let execution = open(&runner, "003").await;
    let ended = runner.ended(&execution).await;
    assert_eq!(ended.cause, "Engage Tier 2 Support.", "{ended:?}");
    let lines = runner.lines_of(&execution);
    assert!(lines.iter().any(|line| line["event"]["type"] == "TaskTimedOut"), "{lines:#?}");
    let escalated = record(&runner, "003").await;
    assert_eq!(escalated["message"], "Case 003: opened...assigned...unresolved...escalating.");
    assert_eq!(open_cases(&runner, "ada").await, "0");
    // The answer comes too late.
    let answer = resolve(&runner, "003", true).await;
    assert_eq!((answer.status, &answer.json()["error"]), (409, &json!("CaseNotInWork")));
}

#[tokio::test]
async fn an_answer_that_is_neither_is_no_resolution() {
    let runner = Runner::up(["--ephemeral"]).await;
    for (case, output) in [("other", r#"{"Status": 2}"#), ("none", "{}")] {
        let execution = in_work(&runner, case).await;
        let token = record(&runner, case).await["task_token"].as_str().unwrap().to_owned();
        runner.sfn().send_task_success().task_token(token).output(output).send().await.unwrap();
        assert_eq!(runner.ended(&execution).await.cause, "Engage Tier 2 Support.", "{output}");
        assert_eq!(record(&runner, case).await["case_status"], "escalated");
    }
    let execution = in_work(&runner, "failed").await;
    let token = record(&runner, "failed").await["task_token"].as_str().unwrap().to_owned();
    runner.sfn().send_task_failure().task_token(token).error("States.Permissions").send().await.unwrap();
    assert_eq!(runner.ended(&execution).await.cause, "Engage Tier 2 Support.");
    assert_eq!(open_cases(&runner, "ada").await, "0");
}

#[tokio::test]
async fn cases_go_to_the_agent_with_the_fewest() {
    let runner = Runner::up(["--ephemeral"]).await;
    let agent = async |case: &str| record(&runner, case).await["agent_id"].as_str().unwrap().to_owned();
    let mut executions = Vec::new();
    for (case, expected) in [("1", "ada"), ("2", "grace"), ("3", "linus"), ("4", "ada")] {
        executions.push(in_work(&runner, case).await);
        assert_eq!(agent(case).await, expected, "{case}");
    }
    // Who has closed a case is the least busy.
    resolve(&runner, "3", true).await;
    runner.ended(&executions[2]).await;
    in_work(&runner, "5").await;
    assert_eq!(agent("5").await, "linus");
}

#[tokio::test]
async fn cases_at_the_same_moment_are_shared_out() {
    let runner = Runner::up(["--ephemeral"]).await;
    let cases: Vec<String> = (0..9).map(|number| format!("many-{number}")).collect();
    futures::future::join_all(cases.iter().map(|case| in_work(&runner, case))).await;
    for agent in ["ada", "grace", "linus"] {
        assert_eq!(open_cases(&runner, agent).await, "3", "{agent}");
    }
}

#[tokio::test]
async fn a_case_is_opened_anew_only_after_its_end() {
    let runner = Runner::up(["--ephemeral"]).await;
    let first = in_work(&runner, "again").await;
    let second = runner.execute("CallCenter", &json!({ "inputCaseID": "again" })).await;
    assert_eq!((second.status.as_str(), second.error.as_str()), ("FAILED", "CaseAlreadyOpen"), "{second:?}");
    assert_eq!(record(&runner, "again").await["execution"], first);

    for resolved in [true, false] {
        resolve(&runner, "again", resolved).await;
        let before = record(&runner, "again").await["execution"].as_str().unwrap().to_owned();
        runner.ended(&before).await;
        let next = in_work(&runner, "again").await;
        assert_eq!(record(&runner, "again").await["execution"], next);
    }
}

#[tokio::test]
async fn an_input_that_names_no_case_is_invalid() {
    let runner = Runner::shared().await;
    for input in [
        json!({}),
        json!([]),
        json!({ "inputCaseID": 1 }),
        json!({ "inputCaseID": "" }),
        json!({ "inputCaseID": "a/b" }),
        json!({ "inputCaseID": "a".repeat(65) }),
    ] {
        let ended = runner.execute("CallCenter", &input).await;
        assert_eq!((ended.status.as_str(), ended.error.as_str()), ("FAILED", "InvalidCase"), "{input}: {ended:?}");
    }
}

#[tokio::test]
async fn a_word_that_cannot_be_handed_over_is_refused() {
    let runner = Runner::shared().await;
    in_work(&runner, "refused").await;
    for (path, body, status, error) in [
        ("/cases/refused/resolution", json!({}), 400, "InvalidInput"),
        ("/cases/refused/resolution", json!({ "resolved": "yes" }), 400, "InvalidInput"),
        ("/cases/no-such-case/resolution", json!({ "resolved": true }), 404, "CaseNotFound"),
        ("/cases/no-such-case/heartbeat", json!({}), 404, "CaseNotFound"),
        ("/cases/%3Cb%3E/heartbeat", json!({}), 400, "InvalidInput"),
    ] {
        let answer = post(&runner, path, &body).await;
        assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{path} {body}");
    }
    assert_eq!(resolve(&runner, "refused", true).await.status, 200);
    assert_eq!(resolve(&runner, "refused", true).await.status, 409);
}

//! The API of Step Functions, as its own client uses it.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use aws_sdk_sfn::{
    error::ProvideErrorMetadata,
    types::{ExecutionStatus, HistoryEvent, StateMachineStatus, StateMachineType},
};
use end_to_end::{Runner, fixture};
use serde_json::{Value, json};

/// State machines without functions: `Waiting` runs until it is stopped, `Echo` ends with its input.
async fn waiting() -> Runner {
    let template = fixture("waiting/template.yaml");
    Runner::up(["--ephemeral".as_ref(), "-t".as_ref(), template.as_os_str()]).await
}

#[tokio::test]
async fn an_execution_is_described() {
    let runner = waiting().await;
    let sfn = runner.sfn();
    let machine = runner.state_machine("Echo");
    let started =
        sfn.start_execution().state_machine_arn(machine).name("one").input(r#"{ "a": 1 }"#).send().await.unwrap();
    assert_eq!(started.execution_arn, format!("{}:one", machine.replace(":stateMachine:", ":execution:")));
    runner.ended(&started.execution_arn).await;

    let described = sfn.describe_execution().execution_arn(&started.execution_arn).send().await.unwrap();
    assert_eq!(described.name.as_deref(), Some("one"));
    assert_eq!(described.state_machine_arn, machine);
    assert_eq!(described.status, ExecutionStatus::Succeeded);
    assert_eq!(described.start_date, started.start_date);
    assert!(described.stop_date.unwrap() >= started.start_date);
    let parse = |text: Option<String>| serde_json::from_str::<Value>(&text.unwrap()).unwrap();
    assert_eq!(parse(described.input), json!({ "a": 1 }));
    assert_eq!(parse(described.output), json!({ "a": 1 }));
}

#[tokio::test]
async fn an_execution_is_stopped() {
    let runner = waiting().await;
    let sfn = runner.sfn();
    let arn = runner.start("Waiting", &json!({})).await;
    let described = sfn.describe_execution().execution_arn(&arn).send().await.unwrap();
    assert_eq!((described.status, described.stop_date), (ExecutionStatus::Running, None));

    let stopped = sfn.stop_execution().execution_arn(&arn).error("Enough").cause("no more").send().await.unwrap();
    let ended = runner.ended(&arn).await;
    assert_eq!([ended.status, ended.error, ended.cause], ["ABORTED", "Enough", "no more"]);
    let described = sfn.describe_execution().execution_arn(&arn).send().await.unwrap();
    assert_eq!(described.status, ExecutionStatus::Aborted);
    assert_eq!(described.stop_date, Some(stopped.stop_date));
    assert_eq!((described.error.as_deref(), described.cause.as_deref()), (Some("Enough"), Some("no more")));
}

#[tokio::test]
async fn a_name_stands_for_one_execution() {
    let runner = waiting().await;
    let sfn = runner.sfn();
    let start = |machine: &str, input: &str| {
        sfn.start_execution().state_machine_arn(runner.state_machine(machine)).name("same").input(input).send()
    };
    // The same name and input as one that runs: it is that one.
    let first = start("Waiting", r#"{"a":1}"#).await.unwrap();
    let second = start("Waiting", r#"{ "a": 1 }"#).await.unwrap();
    assert_eq!((&first.execution_arn, first.start_date), (&second.execution_arn, second.start_date));
    // Another input, or an execution that has ended: refused.
    let error = start("Waiting", r#"{"a":2}"#).await.unwrap_err();
    assert_eq!(error.code(), Some("ExecutionAlreadyExists"));
    sfn.stop_execution().execution_arn(&first.execution_arn).send().await.unwrap();
    let error = start("Waiting", r#"{"a":1}"#).await.unwrap_err();
    assert_eq!(error.code(), Some("ExecutionAlreadyExists"));
    // Another state machine has names of its own.
    assert_ne!(start("Echo", "{}").await.unwrap().execution_arn, first.execution_arn);
}

#[tokio::test]
async fn a_history_comes_in_pages_from_either_end() {
    let runner = waiting().await;
    let sfn = runner.sfn();
    let arn = runner.execute("Echo", &json!({ "a": 1 })).await.arn;
    let kinds = [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ];
    for (size, pages) in [(1, 6), (4, 2), (5, 2), (6, 1), (1000, 1)] {
        for reverse in [false, true] {
            let request = sfn.get_execution_history().execution_arn(&arn).max_results(size).reverse_order(reverse);
            let mut stream = request.into_paginator().send();
            let mut events: Vec<HistoryEvent> = Vec::new();
            let mut count = 0;
            while let Some(page) = stream.next().await {
                events.extend(page.unwrap().events);
                count += 1;
            }
            if reverse {
                events.reverse();
            }
            assert_eq!(count, pages, "pages of {size}, reverse: {reverse}");
            assert_eq!(events.iter().map(|event| event.r#type.as_str()).collect::<Vec<_>>(), kinds);
            assert_eq!(events.iter().map(|event| event.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
            assert_eq!(events.iter().map(|event| event.previous_event_id).collect::<Vec<_>>(), [0, 0, 2, 3, 4, 5]);
        }
    }
    let input = |events: &[HistoryEvent]| {
        events[0].execution_started_event_details.as_ref().unwrap().input.clone().unwrap_or_default()
    };
    let with = sfn.get_execution_history().execution_arn(&arn).send().await.unwrap();
    assert_eq!(input(&with.events), r#"{"a":1}"#);
    let without = sfn.get_execution_history().execution_arn(&arn).include_execution_data(false).send().await.unwrap();
    assert_eq!(input(&without.events), "");
}

#[tokio::test]
async fn executions_are_listed_newest_first() {
    let runner = waiting().await;
    let sfn = runner.sfn();
    let mut started = vec![runner.execute("Echo", &json!(1)).await.arn, runner.execute("Echo", &json!(2)).await.arn];
    started.push(runner.execute("Echo", &json!(3)).await.arn);
    let waits = runner.start("Waiting", &json!({})).await;
    started.reverse();

    let request = sfn.list_executions().state_machine_arn(runner.state_machine("Echo")).max_results(2);
    let mut items = request.into_paginator().items().send();
    let mut listed = Vec::new();
    while let Some(execution) = items.next().await {
        listed.push(execution.unwrap().execution_arn);
    }
    assert_eq!(listed, started);

    for (machine, status, expected) in [
        ("Echo", ExecutionStatus::Succeeded, started.as_slice()),
        ("Echo", ExecutionStatus::Running, &[]),
        ("Waiting", ExecutionStatus::Running, &[waits]),
        ("Waiting", ExecutionStatus::Failed, &[]),
    ] {
        let request = sfn.list_executions().state_machine_arn(runner.state_machine(machine));
        let answer = request.status_filter(status.clone()).send().await.unwrap();
        let listed: Vec<String> = answer.executions.into_iter().map(|execution| execution.execution_arn).collect();
        assert_eq!(listed, expected, "{machine}, {status}");
    }
}

#[tokio::test]
async fn state_machines_are_listed_and_described() {
    let runner = waiting().await;
    let sfn = runner.sfn();
    let mut items = sfn.list_state_machines().max_results(1).into_paginator().items().send();
    let mut listed = Vec::new();
    while let Some(machine) = items.next().await {
        listed.push(machine.unwrap().state_machine_arn);
    }
    listed.sort();
    assert_eq!(listed, [runner.state_machine("Echo"), runner.state_machine("Waiting")]);

    let described = sfn.describe_state_machine().state_machine_arn(&listed[1]).send().await.unwrap();
    assert_eq!(described.status, Some(StateMachineStatus::Active));
    assert_eq!(described.r#type, StateMachineType::Standard);
    let definition: Value = serde_json::from_str(&described.definition).unwrap();
    assert_eq!(definition["States"]["Wait"]["Seconds"], 86_400);
    assert!(described.role_arn.starts_with("arn:aws:iam::"), "{}", described.role_arn);

    let arn = runner.start("Waiting", &json!({})).await;
    let of_execution = sfn.describe_state_machine_for_execution().execution_arn(arn).send().await.unwrap();
    assert_eq!(of_execution.state_machine_arn, listed[1]);
}

#[tokio::test]
async fn refusals_have_the_names_of_the_service() {
    let runner = waiting().await;
    let sfn = runner.sfn();
    let echo = runner.state_machine("Echo");
    let nobody = echo.replace("Echo", "Nobody");
    let gone = format!("{}:gone", echo.replace(":stateMachine:", ":execution:"));
    let start = || sfn.start_execution().state_machine_arn(echo);
    let large = format!("\"{}\"", "a".repeat(262_143));
    for (what, code, expected) in [
        (
            "a machine that is not there",
            code(sfn.start_execution().state_machine_arn(&nobody).send().await),
            "StateMachineDoesNotExist",
        ),
        (
            "its description",
            code(sfn.describe_state_machine().state_machine_arn(&nobody).send().await),
            "StateMachineDoesNotExist",
        ),
        (
            "its executions",
            code(sfn.list_executions().state_machine_arn(&nobody).send().await),
            "StateMachineDoesNotExist",
        ),
        (
            "an execution that is not there",
            code(sfn.describe_execution().execution_arn(&gone).send().await),
            "ExecutionDoesNotExist",
        ),
        ("its history", code(sfn.get_execution_history().execution_arn(&gone).send().await), "ExecutionDoesNotExist"),
        ("its end", code(sfn.stop_execution().execution_arn(&gone).send().await), "ExecutionDoesNotExist"),
        ("no ARN", code(sfn.describe_execution().execution_arn("gone").send().await), "InvalidArn"),
        ("the ARN of a machine", code(sfn.describe_execution().execution_arn(echo).send().await), "InvalidArn"),
        ("no JSON", code(start().input("{").send().await), "InvalidExecutionInput"),
        ("a large input", code(start().input(large).send().await), "ValidationException"),
        ("a name with a blank", code(start().name("a b").send().await), "InvalidName"),
        ("a token of nobody", code(sfn.list_state_machines().next_token("%").send().await), "InvalidToken"),
        ("its redrive", code(sfn.redrive_execution().execution_arn(&gone).send().await), "ExecutionDoesNotExist"),
    ] {
        assert_eq!(code, expected, "{what}");
    }
}

fn code<T: std::fmt::Debug, E: ProvideErrorMetadata>(result: Result<T, E>) -> String {
    result.err().and_then(|error| error.code().map(str::to_owned)).unwrap_or_default()
}

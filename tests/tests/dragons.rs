//! The dragons workflow: reports over HTTP and by the queue, and what the reporter is told.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::fs;

use end_to_end::{Ended, Runner, project};
use futures::future::join_all;
use serde_json::{Value, json};

const ADDED: &str = "The dragon you reported has been added!";
const NOT_ADDED: &str = "The dragon you reported failed validation and was not added.";

/// A sample report, of a dragon that no other test knows.
fn report(file: &str, dragon: &str) -> Value {
    let text = fs::read_to_string(project().join(format!("events/dragons/{file}.json"))).unwrap();
    let mut report: Value = serde_json::from_str(&text).unwrap();
    let field = if report["dragonName"].is_string() { "dragonName" } else { "dragon_name_str" };
    report[field] = dragon.into();
    report
}

async fn dragon(runner: &Runner, name: &str) -> Value {
    runner.item("DragonsTable", [("dragon_name_str", name)]).await
}

/// What SNS was asked to tell whom.
fn told(runner: &Runner, execution: &str) -> Option<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    runner.lines_of(execution).iter().find_map(|line| {
        let details = &line["event"]["taskScheduledEventDetails"];
        let asked: Value = serde_json::from_str(details["parameters"].as_str()?).unwrap();
        (details["resourceType"] == "sns").then(|| (text(&asked["Message"]), text(&asked["PhoneNumber"])))
    })
}

/// The names of the states that were entered.
fn states(runner: &Runner, execution: &str) -> Vec<String> {
    let entered = |line: &Value| line["event"]["stateEnteredEventDetails"]["name"].as_str().map(str::to_owned);
    runner.lines_of(execution).iter().filter_map(entered).collect()
}

async fn post(runner: &Runner, report: &Value) -> Ended {
    let answer = runner.request("POST", "/_api/Api/dragons", &[], report.to_string().as_bytes()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    runner.ended(answer.json()["executionArn"].as_str().unwrap()).await
}

#[tokio::test]
async fn a_reported_dragon_is_added_and_its_reporter_told() {
    let runner = Runner::shared().await;
    for (file, name, family, phone) in
        [("george", "George the First", "green", "+12065550100"), ("atlas", "Atlas the First", "red", "+19075550102")]
    {
        let ended = post(&runner, &report(file, name)).await;
        assert_eq!(ended.status, "SUCCEEDED", "{ended:?}");
        assert_eq!((&ended.output["dragon_name_str"], &ended.output["added"]), (&json!(name), &json!(true)));
        assert!(ended.output["MessageId"].is_string(), "{ended:?}");
        assert_eq!(told(&runner, &ended.arn), Some((ADDED.to_owned(), phone.to_owned())));

        let item = dragon(&runner, name).await;
        assert_eq!((&item["family_str"], &item["execution"]), (&json!(family), &json!(ended.arn)));
        assert!(!item.to_string().contains(phone), "{item}");
    }
}

#[tokio::test]
async fn who_wants_no_confirmation_gets_none() {
    let runner = Runner::shared().await;
    let ended = post(&runner, &report("shadow", "Shadow the Quiet")).await;
    assert_eq!(ended.output, json!({"dragon_name_str": "Shadow the Quiet", "added": true}), "{ended:?}");
    assert_eq!(told(&runner, &ended.arn), None);
    assert_eq!(states(&runner, &ended.arn).last().unwrap(), "NoAlertAddDragonSuccess");
}

#[tokio::test]
async fn a_dragon_that_is_there_is_not_added_again() {
    let runner = Runner::shared().await;
    let first = post(&runner, &report("shadow", "Twice")).await;
    let before = dragon(&runner, "Twice").await;
    let second = post(&runner, &report("george", "Twice")).await;
    assert_eq!((second.status.as_str(), &second.output["added"]), ("SUCCEEDED", &json!(false)), "{second:?}");
    assert_eq!(told(&runner, &second.arn), Some((NOT_ADDED.to_owned(), "+12065550100".to_owned())));
    assert_eq!(states(&runner, &second.arn), ["ReadReport", "ValidateDragon", "AlertDragonValidationFailure"]);
    let failed = runner.lines_of(&second.arn).into_iter().find(|line| line["event"]["type"] == "TaskFailed").unwrap();
    assert_eq!(failed["event"]["taskFailedEventDetails"]["error"], "DragonValidationException");
    assert_eq!(dragon(&runner, "Twice").await, before);
    assert_eq!(before["execution"], first.arn);
}

#[tokio::test]
async fn of_reports_at_the_same_moment_one_adds_the_dragon() {
    let runner = Runner::shared().await;
    let report = report("george", "Everywhere");
    let ends = join_all((0..8).map(|_| post(&runner, &report))).await;
    let winners: Vec<_> = ends.iter().filter(|ended| ended.output["added"] == true).collect();
    assert_eq!(winners.len(), 1, "{ends:#?}");
    assert!(ends.iter().all(|ended| ended.status == "SUCCEEDED"), "{ends:#?}");
    for ended in &ends {
        let message = if ended.arn == winners[0].arn { ADDED } else { NOT_ADDED };
        assert_eq!(told(&runner, &ended.arn).unwrap().0, message);
    }
    assert_eq!(dragon(&runner, "Everywhere").await["execution"], winners[0].arn);
}

#[tokio::test]
async fn a_repeated_write_is_no_second_report() {
    let runner = Runner::shared().await;
    let sample = fs::read_to_string(project().join("events/add-dragon/new.json")).unwrap();
    let mut event: Value = serde_json::from_str(&sample).unwrap();
    event["dragon_name_str"] = "Repeated".into();
    for (execution, answered) in [
        ("arn:first", json!("Dragon added")),
        ("arn:first", json!("Dragon added")),
        ("arn:second", json!({"errorType": "DuplicateDragon", "errorMessage": "another report has added the dragon"})),
    ] {
        event["execution"] = execution.into();
        let answer = runner.invoke("AddDragonFunction", event.to_string().as_bytes()).await.json();
        match answered {
            Value::Object(error) => assert!(error.iter().all(|(name, value)| answer[name] == *value), "{answer}"),
            text => assert_eq!(answer, text, "{execution}"),
        }
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_read_fails_by_the_name_of_its_field() {
    let runner = Runner::shared().await;
    let with = |field: &str, value: Value| {
        let mut report = report("george", "Unreadable");
        report[field] = value;
        report
    };
    let mut unnamed = report("george", "Unreadable");
    unnamed.as_object_mut().unwrap().remove("dragonName");
    for (input, field) in [
        (unnamed, "dragon_name_str"),
        (with("city", json!("")), "location_city_str"),
        (with("reportingPhoneNumber", json!("555-0100")), "reportingPhoneNumber"),
        (with("confirmationRequired", json!("yes")), "confirmationRequired"),
        (json!({}), "dragon_name_str"),
        (json!([]), "dragon_name_str"),
        (json!("George"), "dragon_name_str"),
    ] {
        let ended = runner.execute("Dragons", &input).await;
        assert_eq!((ended.status.as_str(), ended.error.as_str()), ("FAILED", "InvalidInput"), "{input}: {ended:?}");
        assert!(ended.cause.contains(field), "{input}: {ended:?}");
        assert_eq!(told(&runner, &ended.arn), None);
    }
    assert_eq!(dragon(&runner, "Unreadable").await, Value::Null);
}

#[tokio::test]
async fn anything_else_is_something_unknown() {
    let runner = Runner::up(["--ephemeral"]).await;
    runner.dynamodb().delete_table().table_name(runner.table("DragonsTable")).send().await.unwrap();
    let ended = post(&runner, &report("george", "Homeless")).await;
    assert_eq!((ended.status.as_str(), ended.cause.as_str()), ("FAILED", "Something unknown went wrong."), "{ended:?}");
    assert_eq!(states(&runner, &ended.arn), ["ReadReport", "ValidateDragon", "CatchAllFailure"]);
}

#[tokio::test]
async fn reports_are_taken_from_the_queue() {
    let runner = Runner::up(["--ephemeral"]).await;
    let entry = |(id, body): (usize, String)| json!({ "Id": id.to_string(), "MessageBody": body });
    let bodies =
        [report("george", "From the queue").to_string(), "no JSON".to_owned(), report("shadow", "Also").to_string()];
    let entries: Vec<Value> = bodies.into_iter().enumerate().map(entry).collect();
    let sent = runner.sqs("SendMessageBatch", "DragonReports", &json!({ "Entries": entries })).await;
    assert_eq!(sent["Successful"].as_array().map(Vec::len), Some(3), "{sent}");
    for name in ["From the queue", "Also"] {
        let arn = runner.started(|input| input["dragonName"] == name).await;
        let ended = runner.ended(&arn).await;
        assert_eq!((ended.status.as_str(), &ended.output["added"]), ("SUCCEEDED", &json!(true)), "{ended:?}");
        assert_eq!(dragon(&runner, name).await["execution"], arn);
    }
}

#[tokio::test]
async fn a_message_that_starts_nothing_ends_in_the_dead_letter_queue() {
    let runner = Runner::up(["--ephemeral"]).await;
    // It comes again at once, and not after a minute.
    runner.sqs("SetQueueAttributes", "DragonReports", &json!({"Attributes": {"VisibilityTimeout": "0"}})).await;
    runner.sqs("SendMessage", "DragonReports", &json!({"MessageBody": "no JSON"})).await;

    let patient = json!({"WaitTimeSeconds": 20});
    let mut received = runner.sqs("ReceiveMessage", "DragonReportFailures", &patient).await;
    for _ in 0..2 {
        if received["Messages"].is_null() {
            received = runner.sqs("ReceiveMessage", "DragonReportFailures", &patient).await;
        }
    }
    let message = &received["Messages"][0];
    assert_eq!(message["Body"], "no JSON", "{received}");

    // What the alarm counts is what `ReceiveMessage` finds: it shows the message to nobody else meanwhile.
    let receipt = message["ReceiptHandle"].clone();
    let shown = json!({"ReceiptHandle": receipt, "VisibilityTimeout": 0});
    runner.sqs("ChangeMessageVisibility", "DragonReportFailures", &shown).await;
    for (queue, visible) in [("DragonReportFailures", "1"), ("DragonReports", "0")] {
        let attributes = runner.sqs("GetQueueAttributes", queue, &json!({"AttributeNames": ["All"]})).await;
        assert_eq!(attributes["Attributes"]["ApproximateNumberOfMessages"], visible, "{queue}: {attributes}");
    }
    let machine = runner.state_machine("Dragons");
    let executions = runner.sfn().list_executions().state_machine_arn(machine).send().await.unwrap().executions;
    assert!(executions.is_empty(), "{executions:?}");
}

#[tokio::test]
async fn every_event_of_the_folder_ends_as_its_name_says() {
    let runner = Runner::up(["--ephemeral"]).await;
    for (file, end) in [
        ("george", "AlertAddDragonSuccess"),
        ("george", "AlertDragonValidationFailure"),
        ("shadow", "NoAlertAddDragonSuccess"),
        ("atlas", "AlertAddDragonSuccess"),
        ("without-name", "InvalidReport"),
    ] {
        let text = fs::read_to_string(project().join(format!("events/dragons/{file}.json"))).unwrap();
        let ended = runner.execute("Dragons", &serde_json::from_str(&text).unwrap()).await;
        assert_eq!(states(&runner, &ended.arn).last().unwrap(), end, "{file}: {ended:?}");
    }
}

//! Results, as the state's result and as files.

use asl::{
    Fault, Value,
    distributed::{OutputType, Transformation},
};
use cloud::states::items::{
    objects::Memory,
    writer::{Child, ChildRun, Destination, export, state_result},
};
use engine::Outcome;
use time::macros::datetime;

use crate::json;

const MAP_RUN: &str = "arn:aws:states:us-east-1:123456789012:mapRun:csvProcess/Map:0f8a2b3c-run";

fn child(name: &str, outcome: Option<Outcome>) -> Child {
    let run = outcome.map(|outcome| ChildRun {
        arn: format!("arn:aws:states:us-east-1:123456789012:execution:csvProcess/Map:{name}").into(),
        name: name.into(),
        state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:csvProcess/Map".into(),
        is_express: name == "express",
        started_at: datetime!(2025-02-04 01:49:50.099 UTC),
        stopped_at: datetime!(2025-02-04 01:49:50.163 UTC),
        outcome,
        redrives: 0,
    });
    Child { input: json(&format!(r#"{{"for":"{name}"}}"#)), items: 1, run }
}

fn children() -> Vec<Child> {
    vec![
        child("one", Some(Outcome::Succeeded(json(r#"{"a":1}"#)))),
        child("two", Some(Outcome::Failed(Fault::new("Broken", "why")))),
        child("three", Some(Outcome::Succeeded(json("[[3],4]")))),
        child("express", Some(Outcome::TimedOut(Fault::named("States.Timeout")))),
        child("five", None),
    ]
}

const ONE: &str = r#"{"ExecutionArn":"arn:aws:states:us-east-1:123456789012:execution:csvProcess/Map:one","Input":"{\"for\":\"one\"}","InputDetails":{"Included":true},"Name":"one","Output":"{\"a\":1}","OutputDetails":{"Included":true},"RedriveCount":0,"RedriveStatus":"NOT_REDRIVABLE","RedriveStatusReason":"Execution is SUCCEEDED and cannot be redriven","StartDate":"2025-02-04T01:49:50.099Z","StateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:csvProcess/Map","Status":"SUCCEEDED","StopDate":"2025-02-04T01:49:50.163Z"}"#;
const TWO: &str = r#"{"ExecutionArn":"arn:aws:states:us-east-1:123456789012:execution:csvProcess/Map:two","Cause":"why","Error":"Broken","Input":"{\"for\":\"two\"}","InputDetails":{"Included":true},"Name":"two","OutputDetails":{"Included":true},"RedriveCount":0,"RedriveStatus":"REDRIVABLE","StartDate":"2025-02-04T01:49:50.099Z","StateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:csvProcess/Map","Status":"FAILED","StopDate":"2025-02-04T01:49:50.163Z"}"#;
const EXPRESS: &str = r#"{"ExecutionArn":"arn:aws:states:us-east-1:123456789012:execution:csvProcess/Map:express","Error":"States.Timeout","Input":"{\"for\":\"express\"}","InputDetails":{"Included":true},"Name":"express","OutputDetails":{"Included":true},"RedriveCount":0,"RedriveStatus":"REDRIVABLE_BY_MAP_RUN","StartDate":"2025-02-04T01:49:50.099Z","StateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:csvProcess/Map","Status":"TIMED_OUT","StopDate":"2025-02-04T01:49:50.163Z"}"#;

#[test]
fn the_states_result() {
    let children = children();
    let compact = format!(r#"[{{"a":1}},{TWO},[[3],4],{EXPRESS}]"#);
    assert_eq!(state_result(Transformation::Compact, &children).to_string(), compact);
    let flat = format!(r#"[{{"a":1}},{TWO},[3],4,{EXPRESS}]"#);
    assert_eq!(state_result(Transformation::Flatten, &children).to_string(), flat);
    assert_eq!(state_result(Transformation::None, &children[..1]).to_string(), format!("[{ONE}]"));
}

fn text(objects: &Memory, key: &str) -> String {
    let data = objects.get("results", key).unwrap_or_else(|| panic!("there is no {key}"));
    String::from_utf8(data.to_vec()).unwrap()
}

fn write(prefix: &str, how: (Transformation, OutputType), children: &[Child]) -> (Memory, String) {
    let objects = Memory::new(datetime!(2025-02-04 02:00 UTC)).with_bucket("results");
    let destination = Destination { bucket: "results".into(), prefix: prefix.into() };
    let result = export(&objects, &destination, how, MAP_RUN, children).unwrap();
    (objects, result.to_string())
}

#[test]
fn an_export_has_a_file_for_each_way_to_end() {
    let (objects, result) = write("csvProcessJobs", (Transformation::None, OutputType::Json), &children());
    let folder = "csvProcessJobs/0f8a2b3c-run";
    assert_eq!(
        result,
        format!(
            r#"{{"MapRunArn":"{MAP_RUN}","ResultWriterDetails":{{"Bucket":"results","Key":"{folder}/manifest.json"}}}}"#
        )
    );
    let failed = text(&objects, &format!("{folder}/FAILED_0.json"));
    assert_eq!(failed, format!("[{TWO},{EXPRESS}]"));
    let pending = text(&objects, &format!("{folder}/PENDING_0.json"));
    assert_eq!(pending, r#"[{"Input":"{\"for\":\"five\"}","InputDetails":{"Included":true},"Status":"PENDING"}]"#);
    let succeeded = text(&objects, &format!("{folder}/SUCCEEDED_0.json"));
    assert!(succeeded.starts_with(&format!("[{ONE},{{")), "{succeeded}");
    assert_eq!(
        text(&objects, &format!("{folder}/manifest.json")),
        format!(
            r#"{{"DestinationBucket":"results","MapRunArn":"{MAP_RUN}","ResultFiles":{{"FAILED":[{{"Key":"{folder}/FAILED_0.json","Size":{}}}],"PENDING":[{{"Key":"{folder}/PENDING_0.json","Size":{}}}],"SUCCEEDED":[{{"Key":"{folder}/SUCCEEDED_0.json","Size":{}}}]}}}}"#,
            failed.len(),
            pending.len(),
            succeeded.len()
        )
    );
}

#[test]
fn what_did_not_happen_has_no_file() {
    let (objects, _) = write("", (Transformation::Compact, OutputType::Json), &children()[..1]);
    assert_eq!(text(&objects, "0f8a2b3c-run/SUCCEEDED_0.json"), r#"[{"a":1}]"#);
    assert!(text(&objects, "0f8a2b3c-run/manifest.json").contains(r#""FAILED":[],"PENDING":[],"SUCCEEDED":[{"#));
    assert!(objects.get("results", "0f8a2b3c-run/FAILED_0.json").is_none());
}

#[test]
fn lines_of_json() {
    let (objects, _) = write("p/", (Transformation::Flatten, OutputType::Jsonl), &children());
    assert_eq!(text(&objects, "p/0f8a2b3c-run/SUCCEEDED_0.jsonl"), "{\"a\":1}\n[3]\n4\n");
    assert_eq!(text(&objects, "p/0f8a2b3c-run/FAILED_0.jsonl"), format!("{TWO}\n{EXPRESS}\n"));
}

#[test]
fn a_bucket_that_is_not_there() {
    let objects = Memory::new(datetime!(2025-02-04 02:00 UTC));
    let destination = Destination { bucket: "none".into(), prefix: String::new() };
    let how = (Transformation::None, OutputType::Json);
    let fault = export(&objects, &destination, how, MAP_RUN, &children()).unwrap_err();
    assert!(fault.is("States.ResultWriterFailed"));
    let cause = fault.cause.unwrap();
    assert!(cause.starts_with("The specified bucket does not exist (Service: S3, Status Code: 404, "), "{cause}");
}

#[test]
fn where_it_may_write() {
    let read = |parameters: &str| Destination::read(&json(parameters));
    let both = Destination { bucket: "b".into(), prefix: "p".into() };
    assert_eq!(read(r#"{"Bucket":"b","Prefix":"p"}"#), Ok(both));
    for (parameters, reason) in [
        ("1", "they are no object"),
        (r#"{"Prefix":"p"}"#, "'Bucket' is missing"),
        (r#"{"Bucket":null}"#, "'Bucket' is no string"),
        (r#"{"Bucket":"b","ACL":"private"}"#, "'ACL' is not supported"),
    ] {
        let expected = format!("The parameters of the ResultWriter could not be used: {reason}");
        assert_eq!(read(parameters), Err(Fault::new("States.ResultWriterFailed", expected)));
    }
}

#[test]
fn no_child_execution_has_no_result() {
    assert_eq!(state_result(Transformation::Compact, &[]), Value::from(Vec::new()));
}

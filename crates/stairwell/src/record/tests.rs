//! Cases made of answers as Step Functions writes them.

use asl::Value;
use serde_json::{Value as Json, json};

use super::{History, Told, case, source, tasks};
use crate::replay::{Verdict, replay_case};

const UUID: &str = "8c7a8b1e-5d0f-4a60-9b6e-0a1c2d3e4f50";

fn value(json: &Json) -> Value {
    Value::from(json)
}

/// Events in a row, each led to by the one before it: the type, and what is in its details.
fn events(events: &[(&str, Json)]) -> Vec<Value> {
    let event = |(id, (event_type, details)): (u64, &(&str, Json))| {
        let stem = match *event_type {
            entered if entered.ends_with("StateEntered") => "stateEntered",
            exited if exited.ends_with("StateExited") => "stateExited",
            other => &(other[..1].to_lowercase() + &other[1..]),
        };
        let mut event = json!({
            "timestamp": 1_767_225_600.5, "type": event_type, "id": id,
            "previousEventId": if id == 2 { 0 } else { id - 1 },
        });
        event[format!("{stem}EventDetails")] = details.clone();
        value(&event)
    };
    (1..).zip(events).map(event).collect()
}

fn payload(name: &str, text: &str) -> Json {
    json!({ name: text, format!("{name}Details"): { "truncated": false } })
}

fn entered(state: &str, input: &str) -> Json {
    let mut details = payload("input", input);
    details["name"] = state.into();
    details
}

fn exited(state: &str, output: &str) -> Json {
    let mut details = payload("output", output);
    details["name"] = state.into();
    details
}

fn told(definition: &Json, input: &str, end: &Json, events: Vec<Value>) -> Told {
    let mut execution = json!({
        "executionArn": format!("arn:aws:states:eu-west-1:111122223333:execution:Machine:{UUID}"),
        "input": input, "startDate": 1_767_225_600.123,
    });
    for (key, value) in end.as_object().unwrap() {
        execution[key] = value.clone();
    }
    let machine = json!({
        "stateMachineArn": "arn:aws:states:eu-west-1:111122223333:stateMachine:Machine",
        "roleArn": "arn:aws:iam::111122223333:role/role",
        "definition": definition.to_string(),
    });
    source::Told { execution: value(&execution), machine: value(&machine), events }
}

#[track_caller]
fn recorded(told: &Told) -> Json {
    serde_json::to_value(case(told, "a case").unwrap()).unwrap()
}

#[track_caller]
fn replays(case: &Json) {
    let verdict = replay_case(&serde_json::from_value(case.clone()).unwrap());
    assert!(matches!(verdict, Verdict::Passed), "{verdict:?}");
}

fn started(input: &str) -> Json {
    let mut details = payload("input", input);
    details["roleArn"] = "arn:aws:iam::111122223333:role/role".into();
    details
}

#[test]
fn an_answer_has_what_its_events_tell() {
    let scheduled =
        || json!({ "resourceType": "lambda", "resource": "invoke", "region": "eu-west-1", "parameters": r#"{"n":1}"# });
    let resource = || json!({ "resourceType": "lambda", "resource": "invoke" });
    let with = |mut details: Json, more: Json| {
        details.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        details
    };
    let plain = || json!({ "resource": "arn", "input": "[1]" });
    let cases = [
        (
            vec![
                ("TaskScheduled", scheduled()),
                ("TaskStarted", resource()),
                ("TaskSucceeded", with(resource(), payload("output", "[1.0]"))),
            ],
            json!({ "request": { "n": 1 }, "started": true, "outcome": "succeeded", "output": [1.0] }),
        ),
        (
            vec![
                ("TaskScheduled", scheduled()),
                ("TaskStarted", resource()),
                ("TaskSubmitted", with(resource(), payload("output", r#"{"Id":"7"}"#))),
                ("TaskFailed", with(resource(), json!({ "error": "No", "cause": "so it is" }))),
            ],
            json!({
                "request": { "n": 1 }, "started": true, "outcome": "failed", "submitted_output": { "Id": "7" },
                "error": "No", "cause": "so it is",
            }),
        ),
        (
            vec![("TaskScheduled", scheduled()), ("TaskStartFailed", with(resource(), json!({ "error": "No" })))],
            json!({ "request": { "n": 1 }, "started": false, "outcome": "start_failed", "error": "No" }),
        ),
        (
            vec![
                ("LambdaFunctionScheduled", plain()),
                ("LambdaFunctionStarted", json!({})),
                ("LambdaFunctionFailed", json!({ "error": "No", "cause": r#"{"errorType":"No"}"# })),
            ],
            json!({
                "request": [1], "started": true, "outcome": "failed", "error": "No",
                "cause": { "errorType": "No" }, "cause_text": r#"{"errorType":"No"}"#,
            }),
        ),
        (
            vec![("LambdaFunctionScheduleFailed", json!({ "error": "No" }))],
            json!({ "started": false, "outcome": "schedule_failed", "error": "No" }),
        ),
        (
            vec![
                ("ActivityScheduled", plain()),
                ("ActivityStarted", json!({ "workerName": "me" })),
                ("ActivityTimedOut", json!({ "error": "States.Timeout" })),
            ],
            json!({
                "request": [1], "started": true, "workerName": "me", "outcome": "timed_out", "error": "States.Timeout",
            }),
        ),
        // Whoever has an answer that never came waits for it again.
        (vec![("ActivityScheduled", plain())], json!({ "request": [1], "started": false, "outcome": "timed_out" })),
    ];
    for (told, mut expected) in cases {
        let before = [("ExecutionStarted", started("{}")), ("TaskStateEntered", entered("Call", "{}"))];
        let events = events(&before.into_iter().chain(told).collect::<Vec<_>>());
        expected["state"] = "Call".into();
        let results = tasks::results(&History::new(&events));
        assert_eq!(serde_json::to_value(&results).unwrap(), json!([expected]));
    }
}

#[test]
fn a_retry_is_an_answer_of_the_same_state() {
    let lambda = || json!({ "resource": "arn", "input": "1" });
    let events = events(&[
        ("ExecutionStarted", started("1")),
        ("TaskStateEntered", entered("Call", "1")),
        ("LambdaFunctionScheduled", lambda()),
        ("LambdaFunctionStarted", json!({})),
        ("LambdaFunctionFailed", json!({ "error": "Busy" })),
        ("LambdaFunctionScheduled", lambda()),
        ("LambdaFunctionStarted", json!({})),
        ("LambdaFunctionSucceeded", payload("output", "2")),
        ("TaskStateExited", exited("Call", "2")),
        ("TaskStateEntered", entered("Other", "2")),
        ("LambdaFunctionScheduled", lambda()),
    ]);
    let results = serde_json::to_value(tasks::results(&History::new(&events))).unwrap();
    let told: Vec<_> =
        results.as_array().unwrap().iter().map(|result| [&result["state"], &result["outcome"]]).collect();
    assert_eq!(told, [["Call", "failed"], ["Call", "succeeded"], ["Other", "timed_out"]]);
}

#[test]
fn the_same_uuid_is_the_same_placeholder_everywhere_but_in_the_definition() {
    let fixed = "11111111-2222-3333-4444-555555555555";
    let definition = json!({ "StartAt": "Pass", "States": { "Pass": {
        "Type": "Pass", "Parameters": { "id.$": "$.id", "fixed": fixed, "drawn.$": "States.UUID()" }, "End": true,
    } } });
    let input = json!({ "id": format!("order-{UUID}") }).to_string();
    let drawn = "99999999-8888-4777-8666-555555555555";
    let output = json!({ "id": format!("order-{UUID}"), "fixed": fixed, "drawn": drawn }).to_string();
    let told = told(
        &definition,
        &input,
        &json!({ "status": "SUCCEEDED", "output": output }),
        events(&[
            ("ExecutionStarted", started(&input)),
            ("PassStateEntered", entered("Pass", &input)),
            ("PassStateExited", exited("Pass", &output)),
            ("ExecutionSucceeded", payload("output", &output)),
        ]),
    );
    let case = recorded(&told);
    assert_eq!(case["execution"]["arn"], "arn:aws:states:eu-west-1:111122223333:execution:Machine:<uuid:1>");
    assert_eq!(case["execution"]["startTime"], "2026-01-01T00:00:00.123Z");
    assert_eq!(case["input"], json!({ "id": "order-<uuid:1>" }));
    assert_eq!(case["definition"], definition);
    let output = json!({ "id": "order-<uuid:1>", "fixed": fixed, "drawn": "<uuid:2>" });
    assert_eq!(
        [&case["final"]["output"], &case["events"][3]["executionSucceededEventDetails"]["output"]],
        [&output; 2]
    );
    assert!(case["events"][0].get("timestamp").is_none());
    assert_eq!(case["notes"], json!({ "nondeterminism": [] }));
    replays(&case);
}

#[test]
fn a_task_token_is_a_placeholder() {
    let token = "AQCEAAAAKgAAAAMAAAAAAAAAAb/x".repeat(4) + "Zm9v==";
    let definition = json!({ "StartAt": "Ask", "States": { "Ask": {
        "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": { "QueueUrl": "url", "MessageBody": { "token.$": "$$.Task.Token" } }, "End": true,
    } } });
    let parameters = json!({ "MessageBody": { "token": token }, "QueueUrl": "url" }).to_string();
    let resource = json!({ "resourceType": "sqs", "resource": "sendMessage.waitForTaskToken" });
    let with = |more: Json| {
        let mut details = resource.clone();
        details.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        details
    };
    let output = json!({ "token": token }).to_string();
    let told = told(
        &definition,
        "{}",
        &json!({ "status": "SUCCEEDED", "output": output }),
        events(&[
            ("ExecutionStarted", started("{}")),
            ("TaskStateEntered", entered("Ask", "{}")),
            ("TaskScheduled", with(json!({ "region": "eu-west-1", "parameters": parameters }))),
            ("TaskStarted", resource.clone()),
            ("TaskSubmitted", with(payload("output", r#"{"MessageId":"1"}"#))),
            ("TaskSucceeded", with(payload("output", &output))),
            ("TaskStateExited", exited("Ask", &output)),
            ("ExecutionSucceeded", payload("output", &output)),
        ]),
    );
    let case = recorded(&told);
    let request = json!({ "MessageBody": { "token": "<task_token:1>" }, "QueueUrl": "url" });
    assert_eq!(case["task_results"][0]["request"], request);
    assert_eq!(case["final"]["output"], json!({ "token": "<task_token:1>" }));
    assert!(!case.to_string().contains(&token));
    replays(&case);
}

#[test]
fn a_stop_comes_when_the_execution_has_got_as_far() {
    let wait = |next: Json| {
        let mut wait = json!({ "Type": "Wait", "Seconds": 5 });
        wait.as_object_mut().unwrap().extend(next.as_object().unwrap().clone());
        wait
    };
    let states = json!({ "First": wait(json!({ "Next": "Second" })), "Second": wait(json!({ "End": true })) });
    let definition = json!({ "StartAt": "First", "States": states });
    let told = told(
        &definition,
        "{}",
        &json!({ "status": "ABORTED", "error": "Enough" }),
        events(&[
            ("ExecutionStarted", started("{}")),
            ("WaitStateEntered", entered("First", "{}")),
            ("WaitStateExited", exited("First", "{}")),
            ("WaitStateEntered", entered("Second", "{}")),
            ("ExecutionAborted", json!({ "error": "Enough" })),
        ]),
    );
    let case = recorded(&told);
    assert_eq!(
        case["external_calls"],
        json!([{ "op": "stop_execution", "request": { "error": "Enough" }, "after_event": 4 }])
    );
    let mut case = case;
    // The service leads from a state that was given up to nothing.
    case["events"][4]["previousEventId"] = 0.into();
    replays(&case);
}

#[test]
fn what_differs_in_each_execution_is_noted() {
    let pass = |parameters: &str| json!({ "Type": "Pass", "Parameters": { "n.$": parameters }, "End": true });
    let branch = json!({ "StartAt": "B", "States": { "B": { "Type": "Pass", "End": true } } });
    let parallel = |count: usize| json!({ "Type": "Parallel", "Branches": vec![branch.clone(); count], "End": true });
    let map = |most: u64| json!({ "Type": "Map", "MaxConcurrency": most, "ItemProcessor": branch, "End": true });
    let none: &[&str] = &[];
    let cases = [
        (pass("States.MathRandom(1, 9)"), "PassStateExited", json!({}), &["random-or-clock-values"][..]),
        (
            json!({ "Type": "Pass", "Output": "{% $millis() %}", "End": true }),
            "PassStateExited",
            json!({}),
            &["random-or-clock-values"],
        ),
        (
            json!({ "Type": "Pass", "Output": ["{% [$random()] %}"], "End": true }),
            "PassStateExited",
            json!({}),
            &["random-or-clock-values"],
        ),
        (json!({ "Type": "Pass", "Comment": "no $now() here", "End": true }), "PassStateExited", json!({}), none),
        (parallel(2), "ParallelStateStarted", json!({}), &["interleaving"]),
        (parallel(1), "ParallelStateStarted", json!({}), none),
        (map(0), "MapStateStarted", json!({ "length": 2 }), &["interleaving"]),
        (map(0), "MapStateStarted", json!({ "length": 1 }), none),
        (map(1), "MapStateStarted", json!({ "length": 2 }), none),
    ];
    for (state, event_type, details, expected) in cases {
        let definition = json!({ "StartAt": "State", "States": { "State": state } });
        let told = told(
            &definition,
            "{}",
            &json!({ "status": "SUCCEEDED" }),
            events(&[
                ("ExecutionStarted", started("{}")),
                ("PassStateEntered", entered("State", "{}")),
                (event_type, details),
            ]),
        );
        assert_eq!(recorded(&told)["notes"], json!({ "nondeterminism": expected }), "{definition}");
    }
}

#[test]
fn an_execution_whose_children_answers_are_elsewhere_is_refused_by_the_state() {
    let task = json!({ "Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:111122223333:function:f", "End": true });
    let processor = |state: Json| json!({ "StartAt": "S", "States": { "S": state } });
    let nested = json!({ "Type": "Parallel", "Branches": [processor(task.clone())], "End": true });
    let pass = json!({ "Type": "Pass", "End": true });
    let cases = [
        (json!({ "ItemProcessor": processor(task) }), Some("call tasks")),
        (json!({ "ItemProcessor": processor(nested) }), Some("call tasks")),
        (json!({ "ItemProcessor": processor(pass.clone()), "ItemReader": {} }), Some("come from S3")),
        (json!({ "ItemProcessor": processor(pass) }), None),
    ];
    for (mut state, refused) in cases {
        state["Type"] = "Map".into();
        let definition = json!({ "StartAt": "Many", "States": { "Many": state } });
        let told = told(
            &definition,
            "[1]",
            &json!({ "status": "SUCCEEDED" }),
            events(&[
                ("ExecutionStarted", started("[1]")),
                ("MapStateEntered", entered("Many", "[1]")),
                ("MapStateStarted", json!({ "length": 1 })),
                ("MapRunStarted", json!({ "mapRunArn": "arn" })),
            ]),
        );
        let message = case(&told, "a case").err().map(|error| error.to_string());
        assert_eq!(message.is_some(), refused.is_some(), "{message:?}");
        if let (Some(message), Some(refused)) = (message, refused) {
            assert!(message.contains("'Many'") && message.contains(refused), "{message}");
        }
    }
}

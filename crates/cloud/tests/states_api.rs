//! The Step Functions API: what is made by it is there after a restart, and executions are logged.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, its helpers too")]

use std::{path::Path, sync::Arc};

use axum::body::Body;
use cloud::{
    logs::Logs,
    service::Service,
    states::{Activities, FrontEnd, Parts, SavedMachines, States, Store, StoreError},
};
use engine::{
    Identity,
    core::Call,
    journal::Journal,
    run::{Answer, Outside, Reports},
};
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";
const ROLE: &str = "arn:aws:iam::123456789012:role/r";

/// Nothing is called.
struct Nothing;

impl Outside for Nothing {
    fn call(&self, _: &Arc<Identity>, _: Call, _: Reports) -> Answer {
        Box::pin(std::future::pending())
    }
}

/// Step Functions over a folder.
struct Stage {
    front: FrontEnd,
    states: Arc<States>,
    logs: Arc<Logs>,
}

impl Stage {
    fn open(folder: &Path) -> Self {
        let store = |name| Store::at(folder.join(name));
        let activities = Activities::open(REGION, ACCOUNT, store("activities.json"), &[]).unwrap();
        let saved = SavedMachines::open(store("machines.json")).unwrap();
        let parts = Parts::new(REGION, ACCOUNT, Journal::open(folder).unwrap(), Arc::new(Nothing));
        let logs = parts.logs.clone();
        let states = States::empty(Parts { activities: Arc::new(activities), saved, ..parts });
        Self { front: FrontEnd::new(states.clone()), states, logs }
    }

    async fn send(&self, operation: &str, request: Value) -> (u16, Value) {
        let target = format!("AWSStepFunctions.{operation}");
        let request = Request::post("/").header("x-amz-target", target).body(Body::from(request.to_string())).unwrap();
        let response = self.front.call(request).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn call(&self, operation: &str, request: Value) -> Value {
        let (status, answer) = self.send(operation, request).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    /// The name of the exception that the call is refused with.
    async fn refusal(&self, operation: &str, request: Value) -> String {
        let (status, answer) = self.send(operation, request).await;
        assert_ne!(status, 200, "{operation}: {answer}");
        answer["__type"].as_str().unwrap().to_owned()
    }

    async fn create(&self, name: &str, definition: &Value, more: Value) -> String {
        let mut request = json!({ "name": name, "definition": definition.to_string(), "roleArn": ROLE });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call("CreateStateMachine", request).await["stateMachineArn"].as_str().unwrap().to_owned()
    }

    /// Starts an execution, and gives the description of its end.
    async fn execute(&self, arn: &str) -> Value {
        let started = self.call("StartExecution", json!({ "stateMachineArn": arn })).await;
        let execution = started["executionArn"].as_str().unwrap();
        self.states.execution(execution).unwrap().ended().await;
        self.call("DescribeExecution", json!({ "executionArn": execution })).await
    }
}

fn pass(result: &str) -> Value {
    json!({ "StartAt": "Pass", "States": { "Pass": { "Type": "Pass", "Result": result, "End": true } } })
}

#[tokio::test]
async fn what_was_made_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (machine, activity);
    {
        let stage = Stage::open(folder.path());
        machine =
            stage.create("M", &pass("first"), json!({ "publish": true, "tags": [{ "key": "k", "value": "v" }] })).await;
        let change = json!({ "stateMachineArn": machine, "definition": pass("second").to_string() });
        stage.call("UpdateStateMachine", change).await;
        let routes = json!([{ "stateMachineVersionArn": format!("{machine}:1"), "weight": 100 }]);
        stage.call("CreateStateMachineAlias", json!({ "name": "LIVE", "routingConfiguration": routes })).await;
        let made = stage.call("CreateActivity", json!({ "name": "work" })).await;
        activity = made["activityArn"].as_str().unwrap().to_owned();
        stage.call("TagResource", json!({ "resourceArn": activity, "tags": [{ "key": "a" }] })).await;
        stage.create("Gone", &pass(""), json!({})).await;
        stage.call("DeleteStateMachine", json!({ "stateMachineArn": machine.replace(":M", ":Gone") })).await;
    }
    let stage = Stage::open(folder.path());
    let listed = stage.call("ListStateMachines", json!({})).await;
    assert_eq!(listed["stateMachines"].as_array().unwrap().len(), 1, "{listed}");
    for (arn, output, version) in [
        (machine.clone(), "\"second\"", Value::Null),
        (format!("{machine}:LIVE"), "\"first\"", json!(format!("{machine}:1"))),
    ] {
        let execution = stage.execute(&arn).await;
        assert_eq!((&execution["output"], &execution["stateMachineVersionArn"]), (&json!(output), &version));
    }
    let tags = stage.call("ListTagsForResource", json!({ "resourceArn": machine })).await;
    assert_eq!(tags["tags"], json!([{ "key": "k", "value": "v" }]));
    let tags = stage.call("ListTagsForResource", json!({ "resourceArn": activity })).await;
    assert_eq!(tags["tags"], json!([{ "key": "a", "value": "" }]));
    // The number of a version is not given again.
    stage.call("DeleteStateMachineAlias", json!({ "stateMachineAliasArn": format!("{machine}:LIVE") })).await;
    stage.call("DeleteStateMachineVersion", json!({ "stateMachineVersionArn": format!("{machine}:1") })).await;
    let published = stage.call("PublishStateMachineVersion", json!({ "stateMachineArn": machine })).await;
    assert_eq!(published["stateMachineVersionArn"], format!("{machine}:2"));
}

#[tokio::test]
async fn what_can_not_be_kept_has_not_happened() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::open(folder.path());
    let machine = stage.create("M", &pass(""), json!({})).await;
    // A folder in the place of the file.
    std::fs::remove_file(folder.path().join("machines.json")).unwrap();
    std::fs::create_dir(folder.path().join("machines.json")).unwrap();
    let delete = json!({ "stateMachineArn": machine });
    assert_eq!(stage.refusal("DeleteStateMachine", delete.clone()).await, "InternalServerException");
    stage.call("DescribeStateMachine", delete).await;
}

#[tokio::test]
async fn a_broken_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("machines.json");
    let stage = Stage::open(folder.path());
    stage.create("M", &pass(""), json!({})).await;
    let text = std::fs::read_to_string(&file).unwrap();
    for (text, is_expected) in [
        (text.replace("Pass", "Nothing"), (|error| matches!(error, StoreError::Definition { .. })) as fn(&_) -> bool),
        ("{".to_owned(), |error| matches!(error, StoreError::Json { .. })),
    ] {
        std::fs::write(&file, &text).unwrap();
        let error = SavedMachines::open(Store::at(file.clone())).err().unwrap();
        assert!(is_expected(&error), "{error}");
        assert!(error.to_string().contains("machines.json"), "{error}");
    }
}

#[tokio::test]
async fn executions_are_logged_as_their_machine_asks() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::open(folder.path());
    let arn = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:group:*");
    let logging = json!({
        "level": "ALL",
        "includeExecutionData": true,
        "destinations": [{ "cloudWatchLogsLogGroup": { "logGroupArn": arn } }],
    });
    let request =
        json!({ "name": "M", "definition": pass("r").to_string(), "roleArn": ROLE, "loggingConfiguration": logging });
    assert_eq!(stage.refusal("CreateStateMachine", request).await, "InvalidLoggingConfiguration");

    stage.logs.create_group("group").unwrap();
    for kind in ["STANDARD", "EXPRESS"] {
        let more = json!({ "type": kind, "loggingConfiguration": logging });
        let machine = stage.create(kind, &pass("r"), more).await;
        stage.call("StartExecution", json!({ "stateMachineArn": machine, "name": "e" })).await;
        let events = loop {
            let events = stage.logs.events("group").unwrap();
            let of_machine = events.iter().map(|event| serde_json::from_str::<Value>(&event.message).unwrap());
            let of_machine: Vec<_> =
                of_machine.filter(|event| event["execution_arn"].as_str().unwrap().contains(kind)).collect();
            if of_machine.len() == 4 {
                break of_machine;
            }
            tokio::task::yield_now().await;
        };
        let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]);
        assert_eq!(events[3]["details"]["output"], "\"r\"");
    }
}

#[tokio::test]
async fn a_revision_is_what_its_executions_run() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::open(folder.path());
    let wait = json!({ "StartAt": "W", "States": { "W": { "Type": "Wait", "Seconds": 1000, "End": true } } });
    let machine = stage.create("M", &wait, json!({})).await;
    let started = stage.call("StartExecution", json!({ "stateMachineArn": machine })).await;
    let change = json!({ "stateMachineArn": machine, "definition": pass("").to_string(), "publish": true });
    let changed = stage.call("UpdateStateMachine", change.clone()).await;
    // The same again makes no revision and no version.
    assert_eq!(stage.call("UpdateStateMachine", change).await, changed);
    let of_execution =
        stage.call("DescribeStateMachineForExecution", json!({ "executionArn": started["executionArn"] })).await;
    assert_eq!((&of_execution["definition"], &of_execution["revisionId"]), (&json!(wait.to_string()), &Value::Null));
    let wrong = json!({ "stateMachineArn": machine, "revisionId": "INITIAL" });
    assert_eq!(stage.refusal("PublishStateMachineVersion", wrong).await, "ConflictException");
    let right = json!({ "stateMachineArn": machine, "revisionId": changed["revisionId"] });
    let published = stage.call("PublishStateMachineVersion", right).await;
    assert_eq!(published["stateMachineVersionArn"], changed["stateMachineVersionArn"]);
}

#[tokio::test]
async fn a_worker_does_what_an_activity_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::open(folder.path());
    let activity = stage.call("CreateActivity", json!({ "name": "work" })).await["activityArn"].clone();
    for (operation, request, refusal) in [
        ("CreateActivity", json!({ "name": "a b" }), "InvalidName"),
        ("CreateActivity", json!({ "name": "a".repeat(81) }), "ValidationException"),
        ("DescribeActivity", json!({ "activityArn": "a" }), "InvalidArn"),
        (
            "DescribeActivity",
            json!({ "activityArn": format!("{}s", activity.as_str().unwrap()) }),
            "ActivityDoesNotExist",
        ),
        ("SendTaskSuccess", json!({ "taskToken": "t", "output": "{}" }), "InvalidToken"),
        ("SendTaskFailure", json!({ "taskToken": "t" }), "InvalidToken"),
        ("SendTaskHeartbeat", json!({ "taskToken": engine::task_token::make([1; 16]) }), "TaskTimedOut"),
    ] {
        assert_eq!(stage.refusal(operation, request).await, refusal, "{operation}");
    }
    let listed = stage.call("ListActivities", json!({})).await;
    assert_eq!(listed["activities"][0]["activityArn"], activity);
    stage.call("DeleteActivity", json!({ "activityArn": activity })).await;
    assert_eq!(stage.call("ListActivities", json!({})).await["activities"], json!([]));
}

/// A definition's text, and what is found in it as `severity code location`.
async fn validated(stage: &Stage, definition: &str, more: Value) -> (String, Vec<String>, bool) {
    let mut request = json!({ "definition": definition });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = stage.call("ValidateStateMachineDefinition", request).await;
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let found = answer["diagnostics"].as_array().unwrap().iter();
    let found = found.map(|one| ["severity", "code", "location"].map(|field| text(&one[field])).join(" "));
    (text(&answer["result"]), found.collect(), answer["truncated"] == true)
}

#[tokio::test]
async fn a_definition_is_checked_as_it_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::open(folder.path());
    // It reads a variable that nothing assigns, which is this runner's own warning; and what seems to lack a `.$`.
    let warned = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"a":"$.b","c.$":"$v"},"End":true}}}"#;
    let (result, found, _) = validated(&stage, warned, json!({})).await;
    assert_eq!((&*result, found.len()), ("OK", 0));
    let (result, found, _) = validated(&stage, warned, json!({ "severity": "WARNING" })).await;
    assert_eq!((&*result, &*found), ("OK", ["WARNING NO_DOLLAR /States/A/Parameters/a".to_owned()].as_slice()));

    let loops = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"A"}}}"#;
    let twice = r#"{"StartAt":"A","States":{"A":{"Type":"Succeed"},"A":{"Type":"Succeed"}}}"#;
    let activity = r#"{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:a","End":true}}}"#;
    for (definition, kind, expected) in [
        (loops, "STANDARD", "ERROR MISSING_END_STATE -"),
        (twice, "STANDARD", "ERROR DUPLICATE_STATE_NAME /States/A"),
        (activity, "EXPRESS", "ERROR SCHEMA_VALIDATION_FAILED /States/A/Resource"),
        ("{}", "STANDARD", "ERROR SCHEMA_VALIDATION_FAILED /"),
        ("{", "STANDARD", "ERROR INVALID_JSON_DESCRIPTION -"),
    ] {
        let (result, found, _) = validated(&stage, definition, json!({ "type": kind })).await;
        assert_eq!((&*result, &*found), ("FAIL", [expected.to_owned()].as_slice()), "{definition}");
        let create = json!({ "name": "m", "definition": definition, "roleArn": ROLE, "type": kind });
        assert_eq!(stage.refusal("CreateStateMachine", create).await, "InvalidDefinition", "{definition}");
    }

    let two = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"C"},"D":{"Type":"Succeed"}}}"#;
    let (_, found, truncated) = validated(&stage, two, json!({ "maxResults": 1 })).await;
    assert_eq!((found, truncated), (vec!["ERROR MISSING_TRANSITION_TARGET /States/B/Next".to_owned()], true));
}

#[tokio::test]
async fn what_ends_or_goes_between_two_pages_hides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::open(folder.path());
    let wait = json!({ "StartAt": "Wait", "States": { "Wait": { "Type": "Wait", "Seconds": 1000, "End": true } } });
    let machine = stage.create("Waits", &wait, json!({})).await;
    for number in 0..5 {
        stage.call("StartExecution", json!({ "stateMachineArn": machine })).await;
        stage.call("CreateActivity", json!({ "name": format!("activity-{number}") })).await;
    }
    // Each page is done away with before the next one is asked for.
    let running = json!({ "stateMachineArn": machine, "statusFilter": "RUNNING", "maxResults": 2 });
    for (list, mut request, elements, arn, end) in [
        ("ListExecutions", running, "executions", "executionArn", "StopExecution"),
        ("ListActivities", json!({ "maxResults": 2 }), "activities", "activityArn", "DeleteActivity"),
    ] {
        loop {
            let page = stage.call(list, request.clone()).await;
            for element in page[elements].as_array().unwrap() {
                stage.call(end, json!({ arn: element[arn] })).await;
            }
            match page.get("nextToken") {
                Some(token) => request["nextToken"] = token.clone(),
                None => break,
            }
        }
        request.as_object_mut().unwrap().remove("nextToken");
        assert_eq!(stage.call(list, request).await[elements], json!([]), "{list}");
    }
    let strange = json!({ "stateMachineArn": machine, "nextToken": "MQ" });
    assert!(stage.refusal("ListExecutions", strange).await.ends_with("InvalidToken"));
}

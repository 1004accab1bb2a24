//! Executions that are started with a test case of a mock configuration.

use asl::Fault;
use cloud::states::Start;
use engine::{EventKind, history, mock::MockConfig};
use serde_json::{Value, json};

use crate::stage::Stage;

async fn with_mocks(test_cases: Value, responses: Value) -> Stage {
    let config = json!({ "StateMachines": { "Machine": { "TestCases": test_cases } }, "MockedResponses": responses });
    Stage::with_mocks(Some(MockConfig::parse(&asl::Value::from(&config)).unwrap())).await
}

fn task(resource: &str, next: Option<&str>) -> Value {
    let mut task = json!({ "Type": "Task", "Resource": format!("arn:aws:states:::{resource}"), "Parameters": {} });
    match next {
        Some(next) => task["Next"] = next.into(),
        None => task["End"] = true.into(),
    }
    task
}

#[tokio::test]
async fn a_test_case_answers_for_its_states_alone() {
    let cases = json!({ "Good": { "Ask": "answer" }, "Bad": { "Ask": "failure" } });
    let responses = json!({
        "answer": { "0": { "Return": { "Text": "mocked" } } },
        "failure": { "0-2": { "Throw": { "Error": "Glue.Busy", "Cause": "later" } }, "3": { "Return": { "Text": "at last" } } },
    });
    let stage = with_mocks(cases, responses).await;
    let mut ask = task("glue:getJob", Some("Put"));
    ask["Retry"] = json!([{ "ErrorEquals": ["Glue.Busy"], "MaxAttempts": 3 }]);
    ask["Resource"] = json!("arn:aws:states:::aws-sdk:glue:getJob");
    let mut put = task("aws-sdk:s3:createBucket", None);
    put["Parameters"] = json!({ "Bucket.$": "$$.Execution.Name" });
    put["ResultPath"] = Value::Null;
    let definition = json!({ "StartAt": "Ask", "States": { "Ask": ask, "Put": put } });
    let arn = stage.machine_of_name("Machine", &definition).await;

    assert_eq!(stage.end(&format!("{arn}#Good")).await, Ok(json!({ "Text": "mocked" })));
    // Each execution begins anew.
    assert_eq!(stage.end(&format!("{arn}#Good")).await, Ok(json!({ "Text": "mocked" })));
    assert_eq!(stage.end(&format!("{arn}#Bad")).await, Ok(json!({ "Text": "at last" })));
    // What is not mocked was done.
    let buckets = stage.result("aws-sdk:s3:listBuckets", json!({})).await;
    assert_eq!(buckets["Buckets"].as_array().unwrap().len(), 3);
    // Without a test case nothing is mocked.
    assert!(stage.end(&arn).await.unwrap_err().is("States.Runtime"));
    let request = json!({ "stateMachineArn": format!("{arn}#Good"), "name": "by-the-api" });
    assert_eq!(stage.states("StartExecution", request).await.0, 200);
    let execution = format!("{}:by-the-api", arn.replace(":stateMachine:", ":execution:"));
    let (_, described) = stage.states("DescribeExecution", json!({ "executionArn": execution })).await;
    assert_eq!(described["stateMachineArn"], arn);
}

#[tokio::test]
async fn a_mocked_job_is_handed_in_and_ends() {
    let responses = json!({ "done": { "0": { "Return": { "Status": "DONE" } } } });
    for resource in ["glue:startJobRun.sync", "sqs:sendMessage.waitForTaskToken"] {
        let stage = with_mocks(json!({ "Case": { "Job": "done" } }), responses.clone()).await;
        let mut job = task(resource, None);
        job["Parameters"] = json!({ "QueueUrl": "u", "MessageBody.$": "$$.Task.Token" });
        let definition = json!({ "StartAt": "Job", "States": { "Job": job } });
        let arn = stage.machine_of_name("Machine", &definition).await;
        let running = stage.cloud.states().start(&format!("{arn}#Case"), Start::default()).unwrap();
        running.ended().await;
        let events: Vec<String> = running.events_from(0).iter().map(|event| history::event_type(&event.kind)).collect();
        let expected = ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"];
        assert_eq!(events[2..6], expected, "{resource}");
        assert!(matches!(running.events_from(6)[0].kind, EventKind::StateExited { .. }));
    }
}

#[tokio::test]
async fn child_executions_of_a_map_run_count_together() {
    let responses = json!({ "each": { "0": { "Return": "first" }, "1": { "Return": "second" } } });
    let stage = with_mocks(json!({ "Case": { "Ask": "each" } }), responses).await;
    let definition = json!({ "StartAt": "Map", "States": { "Map": {
        "Type": "Map",
        "ItemsPath": "$",
        "MaxConcurrency": 1,
        "ItemProcessor": {
            "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
            "StartAt": "Ask",
            "States": { "Ask": task("glue:startJobRun", None) },
        },
        "End": true,
    }}});
    let arn = stage.machine_of_name("Machine", &definition).await;
    let start = Start { input: Some("[1,2]"), ..Start::default() };
    let running = stage.cloud.states().start(&format!("{arn}#Case"), start).unwrap();
    let output = asl::Value::parse(r#"["first","second"]"#).unwrap();
    assert_eq!(running.ended().await, engine::Outcome::Succeeded(output));
}

#[tokio::test]
async fn a_test_case_that_does_not_fit_is_refused() {
    let cases = json!({ "Wrong": { "Aks": "answer" }, "NoTask": { "Done": "answer" }, "Short": { "Ask": "answer" } });
    let stage = with_mocks(cases, json!({ "answer": { "1": { "Return": 1 } } })).await;
    let states = json!({ "Ask": task("glue:startJobRun", Some("Done")), "Done": { "Type": "Succeed" } });
    let arn = stage.machine_of_name("Machine", &json!({ "StartAt": "Ask", "States": states })).await;
    for (case, said) in [
        ("None", "The mocks have no test case 'None' of the state machine 'Machine'"),
        ("Wrong", "The test case 'Wrong' mocks 'Aks', which is no Task of the state machine"),
        ("NoTask", "The test case 'NoTask' mocks 'Done', which is no Task of the state machine"),
    ] {
        let request = json!({ "stateMachineArn": format!("{arn}#{case}") });
        let (status, answer) = stage.states("StartExecution", request).await;
        assert_eq!((status, &answer["message"]), (400, &json!(said)));
    }
    let fault = stage.end(&format!("{arn}#Short")).await.unwrap_err();
    let said = "No mocked response is left for call 0 of the state 'Ask'.";
    assert_eq!(fault, Fault::runtime(said));
}

#[tokio::test]
async fn without_mocks_an_arn_has_no_test_case() {
    let stage = Stage::open().await;
    let arn = stage.machine(&json!({ "StartAt": "A", "States": { "A": { "Type": "Succeed" } } })).await;
    let (status, _) = stage.states("StartExecution", json!({ "stateMachineArn": format!("{arn}#Case") })).await;
    assert_eq!(status, 400);
}

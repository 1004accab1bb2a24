//! The other services by the SDK, and what is not here.

use serde_json::{Value, json};

use crate::stage::Stage;

#[tokio::test]
async fn metrics_are_put_and_read() {
    let stage = Stage::open().await;
    let data = json!([{ "MetricName": "Done", "Value": 2, "Unit": "Count", "Dimensions": [{ "Name": "of", "Value": "a&b" }] }]);
    let put = json!({ "Namespace": "Tasks", "MetricData": data });
    assert_eq!(stage.result("aws-sdk:cloudwatch:putMetricData", put).await, json!({}));
    let listed = stage.result("aws-sdk:cloudwatch:listMetrics", json!({ "Namespace": "Tasks" })).await;
    let metric =
        json!({ "Dimensions": [{ "Name": "of", "Value": "a&b" }], "MetricName": "Done", "Namespace": "Tasks" });
    assert_eq!(listed["Metrics"], json!([metric]));
    let asked = json!({
        "Namespace": "Tasks", "MetricName": "Done", "Dimensions": [{ "Name": "of", "Value": "a&b" }],
        "StartTime": "2020-01-01T00:00:00Z", "EndTime": "2100-01-01T00:00:00Z", "Period": 86400, "Statistics": ["Sum"],
    });
    let statistics = stage.result("aws-sdk:cloudwatch:getMetricStatistics", asked).await;
    assert_eq!(statistics["Datapoints"][0]["Sum"], 2, "{statistics}");
}

#[tokio::test]
async fn executions_are_started_and_described() {
    let stage = Stage::open().await;
    let child = stage.machine(&json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "End": true } } })).await;
    let start = json!({ "StateMachineArn": child, "Name": "one", "Input": { "a": 1 } });
    let started = stage.result("aws-sdk:sfn:startExecution", start).await;
    let fields: Vec<&String> = started.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["ExecutionArn", "StartDate"]);
    assert!(started["StartDate"].as_str().unwrap().ends_with('Z'), "{started}");
    let described = json!({ "ExecutionArn": started["ExecutionArn"] });
    let described = stage.result("aws-sdk:sfn:describeExecution", described).await;
    assert_eq!((&described["Name"], &described["Input"]), (&json!("one"), &json!(r#"{"a":1}"#)));

    for (action, parameters, error, said) in [
        (
            "sendTaskSuccess",
            json!({ "TaskToken": "none", "Output": "{}" }),
            "Sfn.InvalidTokenException",
            "Invalid Token: 'Invalid token' (Service: Sfn, Status Code: 400, Request ID: <id>) (SDK Attempt Count: 1)",
        ),
        (
            "describeExecution",
            json!({ "ExecutionArn": "arn:aws:states:us-east-1:000000000000:execution:none:none" }),
            "Sfn.ExecutionDoesNotExistException",
            "Execution Does Not Exist: 'arn:aws:states:us-east-1:000000000000:execution:none:none' \
             (Service: Sfn, Status Code: 400, Request ID: <id>) (SDK Attempt Count: 1)",
        ),
    ] {
        let fault = stage.fault(&format!("aws-sdk:sfn:{action}"), parameters).await;
        assert_eq!(fault, (error.to_owned(), said.to_owned()));
    }
}

/// A branch gives its token by one call, the other branch ends it by another.
#[tokio::test]
async fn a_call_waits_for_its_token() {
    let stage = Stage::open().await;
    stage.result("aws-sdk:s3:createBucket", json!({ "Bucket": "tokens" })).await;
    let resource = |action: &str| format!("arn:aws:states:::aws-sdk:{action}");
    let waits = json!({
        "Type": "Task",
        "Resource": resource("s3:putObject.waitForTaskToken"),
        "Parameters": { "Bucket": "tokens", "Key": "token", "Body.$": "$$.Task.Token" },
        "End": true,
    });
    let get = json!({
        "Type": "Task",
        "Resource": resource("s3:getObject"),
        "Parameters": { "Bucket": "tokens", "Key": "token" },
        "Retry": [{ "ErrorEquals": ["S3.NoSuchKeyException"], "IntervalSeconds": 1, "MaxAttempts": 60, "BackoffRate": 1.0 }],
        "ResultSelector": { "token.$": "States.StringToJson($.Body)" },
        "Next": "Send",
    });
    let send = json!({
        "Type": "Task",
        "Resource": resource("sfn:sendTaskSuccess"),
        "Parameters": { "TaskToken.$": "$.token", "Output": "{\"done\":true}" },
        "End": true,
    });
    let branches = json!([
        { "StartAt": "Wait", "States": { "Wait": waits } },
        { "StartAt": "Get", "States": { "Get": get, "Send": send } },
    ]);
    let definition =
        json!({ "StartAt": "Both", "States": { "Both": { "Type": "Parallel", "Branches": branches, "End": true } } });
    assert_eq!(stage.run(&definition).await, Ok(json!([{ "done": true }, {}])));
}

#[tokio::test]
async fn functions_are_asked_for() {
    let stage = Stage::open().await;
    assert_eq!(stage.result("aws-sdk:lambda:listFunctions", json!({})).await["Functions"], json!([]));
    let (error, cause) =
        stage.fault("aws-sdk:lambda:invoke", json!({ "FunctionName": "none", "Payload": { "a": 1 } })).await;
    assert_eq!(error, "Lambda.ResourceNotFoundException");
    assert!(cause.contains("(Service: Lambda, Status Code: 404, Request ID: <id>)"), "{cause}");
}

#[tokio::test]
async fn a_service_that_is_not_here_fails_at_once_and_is_not_caught() {
    let stage = Stage::open().await;
    for resource in ["aws-sdk:ec2:describeInstances", "glue:startJobRun.sync", "aws-sdk:kms:encrypt"] {
        let mut definition = crate::stage::task(resource, &json!({}));
        definition["States"]["Task"]["Catch"] = json!([{ "ErrorEquals": ["States.ALL"], "Next": "Caught" }]);
        definition["States"]["Caught"] = json!({ "Type": "Succeed" });
        let fault = stage.run(&definition).await.unwrap_err();
        assert!(fault.is("States.Runtime"), "{fault:?}");
        assert!(fault.cause.as_deref().unwrap().contains(&format!("arn:aws:states:::{resource}")), "{fault:?}");
    }
}

#[tokio::test]
async fn parameters_are_held_to_the_model_when_the_task_starts() {
    let stage = Stage::open().await;
    let found = |field: &str, path: &str| json!({ "Bucket": "shelf", field: path });
    for (parameters, said) in [
        (json!({ "Bucket.$": "$$.Execution.Name" }), "The field 'Key' is required but was missing"),
        (found("Key.$", "$$.Execution.Name"), ""),
        (
            json!({ "Bucket": "b", "Key": "k", "Kye.$": "$$.Execution.Name" }),
            "The field 'Kye' is not supported by Step Functions",
        ),
        (
            json!({ "Bucket": "b", "Key": "k", "PartNumber.$": "$$.Execution.Name" }),
            "The value of the field 'PartNumber' has an invalid format",
        ),
    ] {
        let definition = crate::stage::task("aws-sdk:s3:getObject", &Value::Null);
        let mut definition = definition;
        // What is wrong with a name is found before: here the whole parameters come from the input.
        definition["States"]["Task"]["Parameters"] = parameters.clone();
        let request = json!({ "name": "x", "definition": definition.to_string(), "roleArn": "arn:aws:iam::000000000000:role/any" });
        let (status, answer) = stage.states("CreateStateMachine", request).await;
        if said.contains("invalid format") {
            assert_eq!(status, 200, "{answer}");
            let fault = stage.run(&definition).await.unwrap_err();
            assert!(fault.is("States.Runtime") && fault.cause.as_deref().unwrap().contains(said), "{fault:?}");
        } else if said.is_empty() {
            assert_eq!(status, 200, "{answer}");
            stage.states("DeleteStateMachine", json!({ "stateMachineArn": answer["stateMachineArn"] })).await;
        } else {
            assert!(answer["message"].as_str().unwrap().contains(said), "{answer}");
        }
    }
}

//! Definitions that call services, when they are loaded.

use serde_json::{Value, json};

use crate::stage::{Stage, task};

/// What `ValidateStateMachineDefinition` finds: severity, code, message, place.
async fn found(stage: &Stage, definition: &Value) -> Vec<String> {
    let request = json!({ "definition": definition.to_string(), "severity": "WARNING" });
    let (_, answer) = stage.states("ValidateStateMachineDefinition", request).await;
    let text = |found: &Value, name: &str| found[name].as_str().unwrap().to_owned();
    let diagnostics = answer["diagnostics"].as_array().unwrap().iter();
    diagnostics
        .map(|found| ["severity", "code", "message", "location"].map(|name| text(found, name)).join("|"))
        .collect()
}

#[tokio::test]
async fn resources_and_parameters_are_checked() {
    let stage = Stage::open().await;
    for (resource, parameters, expected) in [
        ("dynamodb:getItem", json!({ "TableName": "t", "Key.$": "$.key" }), ""),
        ("aws-sdk:s3:listBuckets", json!({}), ""),
        (
            "dynamodb:getItem",
            json!({ "TableName": "t" }),
            "ERROR|SCHEMA_VALIDATION_FAILED|The field 'Key' is required but was missing|/States/Task/Parameters",
        ),
        (
            "aws-sdk:dynamodb:getItem",
            json!({ "TableName": "t", "Key": {}, "Consistent.$": "$.consistent" }),
            "ERROR|SCHEMA_VALIDATION_FAILED|The field 'Consistent' is not supported by Step Functions\
             |/States/Task/Parameters/Consistent.$",
        ),
        (
            "aws-sdk:dynamodb:getItem",
            json!({ "TableName": "t", "Key": { "k": { "BOOL": true } } }),
            "ERROR|SCHEMA_VALIDATION_FAILED|The field 'BOOL' is not supported by Step Functions|/States/Task/Parameters/Key",
        ),
        (
            "dynamodb:query",
            json!({}),
            "ERROR|SCHEMA_VALIDATION_FAILED|The resource provided arn:aws:states:::dynamodb:query is not recognized. \
             The value is not a valid resource ARN, or the resource is not available in this region.\
             |/States/Task/Resource",
        ),
        (
            "aws-sdk:s3:getObjekt",
            json!({}),
            "ERROR|SCHEMA_VALIDATION_FAILED|The resource provided arn:aws:states:::aws-sdk:s3:getObjekt is not recognized. \
             The value is not a valid resource ARN, or the resource is not available in this region.\
             |/States/Task/Resource",
        ),
    ] {
        let expected: Vec<&str> = Some(expected).filter(|expected| !expected.is_empty()).into_iter().collect();
        assert_eq!(found(&stage, &task(resource, &parameters)).await, expected, "{resource}");
    }
}

#[tokio::test]
async fn what_is_sent_may_be_found_as_a_whole() {
    let stage = Stage::open().await;
    for resource in ["lambda:invoke", "sqs:sendMessage", "aws-sdk:s3:getObject"] {
        let state = json!({
            "Type": "Task", "Resource": format!("arn:aws:states:::{resource}"), "Arguments": "{% $states.input %}", "End": true,
        });
        let definition = json!({ "QueryLanguage": "JSONata", "StartAt": "Task", "States": { "Task": state } });
        assert_eq!(found(&stage, &definition).await, [""; 0], "{resource}");
    }
}

#[tokio::test]
async fn a_service_that_is_not_here_is_warned_of() {
    let stage = Stage::open().await;
    for resource in ["aws-sdk:ec2:describeInstances", "ecs:runTask.sync"] {
        let arn = stage.machine(&task(resource, &json!({ "Anything": 1 }))).await;
        let machine = stage.cloud.states().machine(&arn).unwrap();
        let warnings: Vec<String> = machine.warnings.iter().map(ToString::to_string).collect();
        let said = "is not emulated: the state fails, unless its call is mocked at /States/Task/Resource";
        assert_eq!(warnings, [format!("NOT_EMULATED: 'arn:aws:states:::{resource}' {said}")]);
    }
}

#[tokio::test]
async fn an_address_beyond_this_machine_is_warned_of() {
    let stage = Stage::open().await;
    let connection = json!({ "ConnectionArn": "arn:aws:events:us-east-1:000000000000:connection/a/b" });
    for (resource, address, is_far) in [
        ("http:invoke", "https://example.com/a", true),
        ("http:invoke", "http://localhost:8080/a", false),
        ("apigateway:invoke", "api.example.com/a", true),
        ("apigateway:invoke", "Api.execute-api.us-east-1.amazonaws.com", false),
    ] {
        let mut parameters = json!({ "ApiEndpoint": address, "Method": "GET" });
        if resource == "http:invoke" {
            parameters["Authentication"] = connection.clone();
        }
        let arn = stage.machine(&task(resource, &parameters)).await;
        let warnings: Vec<String> =
            stage.cloud.states().machine(&arn).unwrap().warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), usize::from(is_far), "{address}: {warnings:?}");
        assert!(warnings.iter().all(|warning| warning.contains("--allow-network")), "{warnings:?}");
    }
}

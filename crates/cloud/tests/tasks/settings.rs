//! Parameters, secrets, logs and identities by the SDK.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn parameters_and_secrets_are_kept() {
    let stage = Stage::open().await;
    let put = json!({ "Name": "/shop/limit", "Value": "10", "Type": "String" });
    assert_eq!(stage.result("aws-sdk:ssm:putParameter", put).await["Version"], 1);
    let got = stage.result("aws-sdk:ssm:getParameter", json!({ "Name": "/shop/limit" })).await;
    assert_eq!((&got["Parameter"]["Value"], &got["Parameter"]["Version"]), (&json!("10"), &json!(1)));
    assert!(got["Parameter"]["LastModifiedDate"].as_str().unwrap().ends_with('Z'), "{got}");
    let (error, _) = stage.fault("aws-sdk:ssm:getParameter", json!({ "Name": "/none" })).await;
    assert_eq!(error, "Ssm.ParameterNotFoundException");

    // The SDK gives a request that is made without a token one of its own.
    let secret = json!({ "Name": "key", "SecretString": "s" });
    let created = stage.result("aws-sdk:secretsmanager:createSecret", secret).await;
    assert!(created["VersionId"].is_string(), "{created}");
    let got = stage.result("aws-sdk:secretsmanager:getSecretValue", json!({ "SecretId": "key" })).await;
    assert_eq!((&got["SecretString"], &got["Arn"]), (&json!("s"), &created["Arn"]));
    let (error, _) = stage.fault("aws-sdk:secretsmanager:getSecretValue", json!({ "SecretId": "none" })).await;
    assert_eq!(error, "SecretsManager.ResourceNotFoundException");
}

#[tokio::test]
async fn logs_are_written_and_read() {
    let stage = Stage::open().await;
    let group = json!({ "LogGroupName": "tasks" });
    stage.result("aws-sdk:cloudwatchlogs:createLogGroup", group).await;
    let stream = json!({ "LogGroupName": "tasks", "LogStreamName": "one" });
    stage.result("aws-sdk:cloudwatchlogs:createLogStream", stream.clone()).await;
    let mut put = stream.clone();
    let now = time::OffsetDateTime::now_utc().unix_timestamp() * 1000;
    put["LogEvents"] = json!([{ "Message": "said", "Timestamp": now }]);
    stage.result("aws-sdk:cloudwatchlogs:putLogEvents", put).await;
    let got = stage.result("aws-sdk:cloudwatchlogs:getLogEvents", stream).await;
    assert_eq!((&got["Events"][0]["Message"], &got["Events"][0]["Timestamp"]), (&json!("said"), &json!(now)));
}

#[tokio::test]
async fn the_identity_is_the_accounts() {
    let stage = Stage::open().await;
    let identity = stage.result("aws-sdk:sts:getCallerIdentity", json!({})).await;
    assert_eq!(identity["Account"], "000000000000");
}

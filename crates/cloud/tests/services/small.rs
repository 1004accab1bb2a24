//! Logs, parameters, secrets, and who calls.

use cloud::local::LocalCloud;
use sam::{Application, Parameter, Secret};
use serde_json::{Value, json};

use crate::{
    lambda_support::function,
    support::{Client, arn, cloud, cloud_in, query},
};

fn logs(cloud: &LocalCloud) -> Client<'_> {
    Client { cloud, target: "Logs_20140328" }
}

fn ssm(cloud: &LocalCloud) -> Client<'_> {
    Client { cloud, target: "AmazonSSM" }
}

fn secrets(cloud: &LocalCloud) -> Client<'_> {
    Client { cloud, target: "secretsmanager" }
}

fn messages(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_a_function_writes_is_in_its_log_group() {
    let cloud = cloud(&Application { functions: vec![function()], ..Application::default() }).await;
    let payload = json!({ "do": "log", "text": "hello" }).to_string();
    cloud.lambda().invoke("Deeds", payload.into(), cloud::lambda::InvokeOptions::default()).await.unwrap();
    let logs = logs(&cloud);
    let groups = logs.call("DescribeLogGroups", json!({ "logGroupNamePrefix": "/aws/lambda/" })).await;
    assert_eq!(groups["logGroups"][0]["logGroupName"], "/aws/lambda/Deeds");
    assert_eq!(groups["logGroups"][0]["arn"], arn("logs", "log-group:/aws/lambda/Deeds:*"));
    let request = json!({ "logGroupName": "/aws/lambda/Deeds", "filterPattern": "hello -err" });
    let found = logs.call("FilterLogEvents", request).await;
    assert_eq!(messages(&found), ["out \"hello\""]);
    let streams = logs.call("DescribeLogStreams", json!({ "logGroupName": "/aws/lambda/Deeds" })).await;
    let stream = &streams["logStreams"][0]["logStreamName"];
    assert_eq!(&found["events"][0]["logStreamName"], stream);
    let request = json!({ "logGroupName": "/aws/lambda/Deeds", "logStreamName": stream, "startFromHead": true });
    let all = logs.call("GetLogEvents", request).await;
    assert!(messages(&all).iter().any(|message| message.starts_with("REPORT RequestId: ")), "{all}");
    cloud.shutdown().await;
}

#[tokio::test]
async fn who_follows_a_long_stream_of_log_events_misses_none() {
    let cloud = cloud(&Application::default()).await;
    let logs = logs(&cloud);
    let stream = json!({ "logGroupName": "g", "logStreamName": "s" });
    logs.call("CreateLogGroup", json!({ "logGroupName": "g" })).await;
    logs.call("CreateLogStream", stream.clone()).await;
    let with = |name: &str, more: Value| {
        let mut all = stream.clone();
        all[name] = more;
        all
    };
    // As many as a stream keeps, and then more.
    let events = |from: u32, to: u32| -> Value {
        (from..to).map(|n| json!({ "timestamp": n, "message": n.to_string() })).collect()
    };
    logs.call("PutLogEvents", with("logEvents", events(0, 10_000))).await;
    let end = logs.call("GetLogEvents", stream.clone()).await["nextForwardToken"].clone();
    let filter = json!({ "logGroupName": "g", "limit": 9_999 });
    let page = logs.call("FilterLogEvents", filter.clone()).await;
    logs.call("PutLogEvents", with("logEvents", events(10_000, 10_003))).await;
    let more = logs.call("GetLogEvents", with("nextToken", end)).await;
    assert_eq!(messages(&more), ["10000", "10001", "10002"]);
    let mut next = filter;
    next["nextToken"] = page["nextToken"].clone();
    assert_eq!(messages(&logs.call("FilterLogEvents", next).await), ["9999", "10000", "10001", "10002"]);
    // What is broken in one is written of none.
    let broken = json!([{ "timestamp": 1, "message": "x" }, { "timestamp": i64::MAX, "message": "y" }]);
    logs.refusal("PutLogEvents", with("logEvents", broken)).await;
    let last = logs.call("GetLogEvents", with("limit", json!(1))).await;
    assert_eq!(messages(&last), ["10002"]);
    cloud.shutdown().await;
}

#[tokio::test]
async fn log_events_are_put_and_read_page_by_page() {
    let cloud = cloud(&Application::default()).await;
    let logs = logs(&cloud);
    let stream = json!({ "logGroupName": "g", "logStreamName": "s" });
    assert_eq!(logs.refusal("CreateLogStream", stream.clone()).await.0, "ResourceNotFoundException");
    logs.call("CreateLogGroup", json!({ "logGroupName": "g" })).await;
    logs.call("PutRetentionPolicy", json!({ "logGroupName": "g", "retentionInDays": 7 })).await;
    logs.call("CreateLogStream", stream.clone()).await;
    let with = |more: Value| {
        let mut all = stream.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let events: Vec<_> = (1..=5).map(|n| json!({ "timestamp": n, "message": n.to_string() })).collect();
    logs.call("PutLogEvents", with(json!({ "logEvents": events }))).await;
    let first = logs.call("GetLogEvents", with(json!({ "limit": 2, "startFromHead": true }))).await;
    assert_eq!(messages(&first), ["1", "2"]);
    let token = &first["nextForwardToken"];
    let second = logs.call("GetLogEvents", with(json!({ "limit": 2, "nextToken": token }))).await;
    assert_eq!(messages(&second), ["3", "4"]);
    let back = logs.call("GetLogEvents", with(json!({ "limit": 2, "nextToken": second["nextBackwardToken"] }))).await;
    assert_eq!(messages(&back), ["1", "2"]);
    let last = logs.call("GetLogEvents", with(json!({ "limit": 2 }))).await;
    assert_eq!(messages(&last), ["4", "5"]);
    // At the end the token stays as it is.
    let end = logs.call("GetLogEvents", with(json!({ "nextToken": last["nextForwardToken"] }))).await;
    assert_eq!((messages(&end).len(), &end["nextForwardToken"]), (0, &last["nextForwardToken"]));
    let some = json!({ "logGroupName": "g", "startTime": 2, "endTime": 5, "limit": 2 });
    let page = logs.call("FilterLogEvents", some.clone()).await;
    assert_eq!(messages(&page), ["2", "3"]);
    let mut next = some;
    next["nextToken"] = page["nextToken"].clone();
    assert_eq!(messages(&logs.call("FilterLogEvents", next).await), ["4"]);
    for (operation, parameters, code) in [
        ("CreateLogGroup", json!({ "logGroupName": "g" }), "ResourceAlreadyExistsException"),
        ("CreateLogStream", stream.clone(), "ResourceAlreadyExistsException"),
        (
            "FilterLogEvents",
            json!({ "logGroupName": "g", "filterPattern": "{ $.a = 1 }" }),
            "InvalidParameterException",
        ),
        ("StartQuery", json!({}), "UnknownOperationException"),
    ] {
        assert_eq!(logs.refusal(operation, parameters).await.0, code, "{operation}");
    }
    cloud.shutdown().await;
}

#[tokio::test]
async fn parameters_are_those_of_the_template_and_those_that_are_put() {
    let folder = tempfile::tempdir().unwrap();
    let described =
        Parameter { logical_id: "P".into(), name: "/app/url".into(), kind: "String".into(), value: "x".into() };
    let application = Application { parameters: vec![described], ..Application::default() };
    let cloud = cloud_in(folder.path(), &application).await;
    let put = json!({ "Name": "/app/db/password", "Value": "secret", "Type": "SecureString" });
    assert_eq!(ssm(&cloud).call("PutParameter", put.clone()).await["Version"], 1);
    assert_eq!(ssm(&cloud).refusal("PutParameter", put).await.0, "ParameterAlreadyExists");
    let again = json!({ "Name": "/app/db/password", "Value": "new", "Overwrite": true });
    assert_eq!(ssm(&cloud).call("PutParameter", again).await["Version"], 2);
    cloud.shutdown().await;
    let cloud = cloud_in(folder.path(), &application).await;
    let ssm = ssm(&cloud);
    let get = |name: &str, decrypt: bool| json!({ "Name": name, "WithDecryption": decrypt });
    let of_template = ssm.call("GetParameter", get("/app/url", false)).await["Parameter"].clone();
    assert_eq!((&of_template["Value"], &of_template["ARN"]), (&json!("x"), &json!(arn("ssm", "parameter/app/url"))));
    assert_eq!(ssm.call("GetParameter", get("/app/db/password", false)).await["Parameter"]["Value"], "****");
    assert_eq!(ssm.call("GetParameter", get("/app/db/password:2", true)).await["Parameter"]["Value"], "new");
    assert_eq!(ssm.call("GetParameter", get("/app/db/password:1", true)).await["Parameter"]["Value"], "secret");
    assert_eq!(ssm.refusal("GetParameter", get("/app/db/password:3", true)).await.0, "ParameterVersionNotFound");
    let names = |answer: &Value| -> Vec<String> {
        let parameters = answer["Parameters"].as_array().unwrap();
        parameters.iter().map(|parameter| parameter["Name"].as_str().unwrap().to_owned()).collect()
    };
    let many = ssm.call("GetParameters", json!({ "Names": ["/app/url", "none"] })).await;
    assert_eq!((names(&many), &many["InvalidParameters"]), (vec!["/app/url".to_owned()], &json!(["none"])));
    let direct = ssm.call("GetParametersByPath", json!({ "Path": "/app" })).await;
    assert_eq!(names(&direct), ["/app/url"]);
    let deep = ssm.call("GetParametersByPath", json!({ "Path": "/app/", "Recursive": true })).await;
    assert_eq!(names(&deep), ["/app/db/password", "/app/url"]);
    ssm.call("DeleteParameter", json!({ "Name": "/app/db/password" })).await;
    assert_eq!(names(&ssm.call("DescribeParameters", json!({})).await), ["/app/url"]);
    cloud.shutdown().await;
}

#[tokio::test]
async fn secrets_have_a_value_now_and_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let arn_of_template = arn("secretsmanager", "secret:db-0a1b2c");
    let described =
        Secret { logical_id: "S".into(), name: "db".into(), arn: arn_of_template.clone(), value: "{\"a\":1}".into() };
    let application = Application { secrets: vec![described], ..Application::default() };
    let cloud = cloud_in(folder.path(), &application).await;
    let create = json!({ "Name": "made", "SecretString": "one" });
    secrets(&cloud).call("CreateSecret", create.clone()).await;
    assert_eq!(secrets(&cloud).refusal("CreateSecret", create).await.0, "ResourceExistsException");
    secrets(&cloud).call("PutSecretValue", json!({ "SecretId": "made", "SecretString": "two" })).await;
    cloud.shutdown().await;
    let cloud = cloud_in(folder.path(), &application).await;
    let secrets = secrets(&cloud);
    for id in ["db", &arn_of_template, &arn("secretsmanager", "secret:db")] {
        let value = secrets.call("GetSecretValue", json!({ "SecretId": id })).await;
        assert_eq!((&value["SecretString"], &value["VersionStages"]), (&json!("{\"a\":1}"), &json!(["AWSCURRENT"])));
    }
    for (stage, expected) in [("AWSCURRENT", "two"), ("AWSPREVIOUS", "one")] {
        let request = json!({ "SecretId": "made", "VersionStage": stage });
        assert_eq!(secrets.call("GetSecretValue", request).await["SecretString"], expected);
    }
    secrets.call("DeleteSecret", json!({ "SecretId": "made", "ForceDeleteWithoutRecovery": true })).await;
    assert_eq!(secrets.refusal("GetSecretValue", json!({ "SecretId": "made" })).await.0, "ResourceNotFoundException");
    assert_eq!(secrets.call("ListSecrets", json!({})).await["SecretList"][0]["Name"], "db");
    assert_eq!(secrets.refusal("RotateSecret", json!({})).await.0, "UnknownOperationException");
    cloud.shutdown().await;
}

#[tokio::test]
async fn everybody_is_the_local_account() {
    let cloud = cloud(&Application::default()).await;
    let answer = query(&cloud, "sts", "/", "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert!(answer.body.contains("<Account>000000000000</Account>"), "{}", answer.body);
    let refused = query(&cloud, "sts", "/", "Action=AssumeRole&Version=2011-06-15").await;
    assert!(refused.body.contains("does not have the operation AssumeRole of STS"), "{}", refused.body);
    cloud.shutdown().await;
}

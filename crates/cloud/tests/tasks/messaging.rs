//! SNS and `EventBridge`, optimised and by the SDK.

use serde_json::{Value, json};

use crate::stage::Stage;

/// A queue: its URL and its ARN.
async fn queue(stage: &Stage) -> (Value, Value) {
    let created = stage.result("aws-sdk:sqs:createQueue", json!({ "QueueName": "Heard" })).await;
    let asked = json!({ "QueueUrl": created["QueueUrl"], "AttributeNames": ["QueueArn"] });
    let attributes = stage.result("aws-sdk:sqs:getQueueAttributes", asked).await;
    (created["QueueUrl"].clone(), attributes["Attributes"]["QueueArn"].clone())
}

/// What came into a queue, as JSON.
async fn heard(stage: &Stage, url: &Value) -> Value {
    let receive = json!({ "QueueUrl": url, "WaitTimeSeconds": 20 });
    let received = stage.result("aws-sdk:sqs:receiveMessage", receive).await;
    serde_json::from_str(received["Messages"][0]["Body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn messages_are_published() {
    let stage = Stage::open().await;
    let (url, queue_arn) = queue(&stage).await;
    let topic = stage.result("aws-sdk:sns:createTopic", json!({ "Name": "News" })).await["TopicArn"].clone();
    let subscribe = json!({ "TopicArn": topic, "Protocol": "sqs", "Endpoint": queue_arn });
    stage.result("aws-sdk:sns:subscribe", subscribe).await;
    let attribute = json!({ "DataType": "String", "StringValue": "a&b" });
    let publish = json!({ "TopicArn": topic, "Message": { "a": "ü <1>" }, "MessageAttributes": { "kind": attribute } });
    let published = stage.result("sns:publish", publish).await;
    assert_eq!(published["SdkHttpMetadata"]["HttpHeaders"]["Content-Type"], "text/xml");
    let heard = heard(&stage, &url).await;
    assert_eq!((&heard["Message"], &heard["MessageId"]), (&json!(r#"{"a":"ü <1>"}"#), &published["MessageId"]));
    assert_eq!(heard["MessageAttributes"]["kind"]["Value"], "a&b");
    let listed = stage.result("aws-sdk:sns:listTopics", json!({})).await;
    assert_eq!(listed["Topics"], json!([{ "TopicArn": topic }]));

    let none = json!({ "TopicArn": format!("{}None", topic.as_str().unwrap()), "Message": "a" });
    let (error, cause) = stage.fault("sns:publish", none.clone()).await;
    assert_eq!(error, "SNS.NotFoundException");
    let said = "(Service: AmazonSNS; Status Code: 404; Error Code: NotFound; Request ID: <id>; Proxy: null)";
    assert_eq!(cause, format!("Topic does not exist {said}"));
    assert_eq!(stage.fault("aws-sdk:sns:publish", none).await.0, "Sns.NotFoundException");
}

#[tokio::test]
async fn events_are_put_and_reach_their_targets() {
    let stage = Stage::open().await;
    let (url, queue_arn) = queue(&stage).await;
    let rule = json!({ "Name": "Shop", "EventPattern": { "source": ["shop"] } });
    stage.result("aws-sdk:eventbridge:putRule", rule).await;
    let targets = json!({ "Rule": "Shop", "Targets": [{ "Id": "queue", "Arn": queue_arn }] });
    stage.result("aws-sdk:eventbridge:putTargets", targets).await;

    let entry = json!({ "Source": "shop", "DetailType": "Sold", "Detail": { "count": 2 }, "Resources": ["a"] });
    let answer = stage.result("events:putEvents", json!({ "Entries": [entry] })).await;
    let fields: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["Entries", "FailedEntryCount"]);
    let event = heard(&stage, &url).await;
    assert_eq!((&event["detail"], &event["id"]), (&json!({ "count": 2 }), &answer["Entries"][0]["EventId"]));
    // Step Functions adds the state machine and the execution.
    let resources: Vec<&str> = event["resources"].as_array().unwrap().iter().map(|arn| arn.as_str().unwrap()).collect();
    assert_eq!((resources.len(), resources[0]), (3, "a"));
    assert!(resources[1].contains(":stateMachine:") && resources[2].contains(":execution:"), "{resources:?}");

    let entries = json!([entry, { "DetailType": "Sold", "Detail": {} }]);
    let (error, cause) = stage.fault("events:putEvents", json!({ "Entries": entries.clone() })).await;
    assert_eq!(error, "EventBridge.FailedEntry");
    let cause: Value = serde_json::from_str(&cause).unwrap();
    assert_eq!((&cause["FailedEntryCount"], &cause["Entries"][1]["ErrorCode"]), (&json!(1), &json!("InvalidArgument")));
    // By the SDK nothing is added, and nothing fails.
    let answer = stage.result("aws-sdk:eventbridge:putEvents", json!({ "Entries": entries })).await;
    assert_eq!(answer["FailedEntryCount"], 1);
}

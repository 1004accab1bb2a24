//! SQS, optimised and by the SDK.

use serde_json::{Value, json};

use crate::stage::{Stage, task};

async fn with_queue() -> (Stage, String) {
    let stage = Stage::open().await;
    let created = stage.result("aws-sdk:sqs:createQueue", json!({ "QueueName": "Work" })).await;
    let url = created["QueueUrl"].as_str().unwrap().to_owned();
    (stage, url)
}

#[tokio::test]
async fn messages_are_sent_and_received() {
    let (stage, url) = with_queue().await;
    let attribute = json!({ "DataType": "String", "StringValue": "red" });
    let send = json!({ "QueueUrl": url, "MessageBody": { "a": [1] }, "MessageAttributes": { "colour": attribute } });
    let sent = stage.result("sqs:sendMessage", send).await;
    assert!(sent["MessageId"].is_string() && sent["MD5OfMessageAttributes"].is_string(), "{sent}");
    assert_eq!(sent["SdkHttpMetadata"]["HttpStatusCode"], 200);
    let receive = json!({ "QueueUrl": url, "MessageAttributeNames": ["All"] });
    let received = stage.result("aws-sdk:sqs:receiveMessage", receive).await;
    let message = &received["Messages"][0];
    assert_eq!((&message["Body"], &message["MessageId"]), (&json!(r#"{"a":[1]}"#), &sent["MessageId"]));
    assert_eq!(
        (&message["MessageAttributes"]["colour"], &message["Md5OfBody"]),
        (&attribute, &sent["MD5OfMessageBody"])
    );
}

#[tokio::test]
async fn errors_have_the_names_of_their_integration() {
    let (stage, url) = with_queue().await;
    let (error, cause) = stage.fault("sqs:sendMessage", json!({ "QueueUrl": url, "MessageBody": null })).await;
    assert_eq!(error, "SQS.AmazonSQSException");
    let said = "The request must contain the parameter MessageBody. (Service: AmazonSQS; Status Code: 400; \
                Error Code: MissingParameter; Request ID: <id>; Proxy: null)";
    assert_eq!(cause, said);
    let none = json!({ "QueueUrl": url.replace("Work", "None"), "MessageBody": "a" });
    let (error, cause) = stage.fault("sqs:sendMessage", none.clone()).await;
    assert_eq!(error, "SQS.QueueDoesNotExistException", "{cause}");
    let (error, cause) = stage.fault("aws-sdk:sqs:sendMessage", none).await;
    assert_eq!(error, "Sqs.QueueDoesNotExistException", "{cause}");
}

#[tokio::test]
async fn a_message_hands_on_a_token() {
    let (stage, url) = with_queue().await;
    let mut definition = task("sqs:sendMessage.waitForTaskToken", &Value::Null);
    definition["States"]["Task"]["Parameters"] =
        json!({ "QueueUrl": url, "MessageBody": { "token.$": "$$.Task.Token" } });
    let arn = stage.machine(&definition).await;
    let running = stage.cloud.states().start(&arn, cloud::states::Start::default()).unwrap();
    let receive = json!({ "QueueUrl": url, "WaitTimeSeconds": 20 });
    let received = stage.result("aws-sdk:sqs:receiveMessage", receive).await;
    let body: Value = serde_json::from_str(received["Messages"][0]["Body"].as_str().unwrap()).unwrap();
    let end = json!({ "TaskToken": body["token"], "Output": { "done": 1 } });
    stage.result("aws-sdk:sfn:sendTaskSuccess", end).await;
    let outcome = running.ended().await;
    assert_eq!(outcome, engine::Outcome::Succeeded(asl::Value::parse(r#"{"done":1}"#).unwrap()));
}

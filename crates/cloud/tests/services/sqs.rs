//! Queues.

use std::collections::BTreeMap;

use cloud::local::LocalCloud;
use sam::{Application, Queue};
use serde_json::{Value, json};

use crate::support::{Client, cloud, cloud_in, query};

const ACCOUNT: &str = sam::ACCOUNT;

fn client(cloud: &LocalCloud) -> Client<'_> {
    Client { cloud, target: "AmazonSQS" }
}

fn arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
}

/// An application with these queues, each with its attributes.
fn application(queues: &[(&str, Value)]) -> Application {
    let queue = |(name, attributes): &(&str, Value)| Queue {
        logical_id: (*name).to_owned(),
        name: (*name).to_owned(),
        attributes: serde_json::from_value(attributes.clone()).unwrap(),
    };
    Application { queues: queues.iter().map(queue).collect(), ..Application::default() }
}

fn url(cloud: &LocalCloud, name: &str) -> String {
    format!("{}/{ACCOUNT}/{name}", cloud.endpoint_url())
}

/// The bodies of the messages that a queue gives now.
async fn bodies(cloud: &LocalCloud, queue: &str, parameters: Value) -> Vec<String> {
    let mut request = json!({ "QueueUrl": url(cloud, queue), "MaxNumberOfMessages": 10 });
    request.as_object_mut().unwrap().extend(parameters.as_object().unwrap().clone());
    let answer = client(cloud).call("ReceiveMessage", request).await;
    let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
    messages.iter().map(|message| message["Body"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_message_is_received_hidden_and_deleted() {
    let cloud = cloud(&application(&[("work", json!({}))])).await;
    let sqs = client(&cloud);
    let url = url(&cloud, "work");
    let attributes = json!({
        "kind": { "DataType": "String", "StringValue": "order" },
        "amount": { "DataType": "Number.int", "StringValue": "12" },
        "raw": { "DataType": "Binary", "BinaryValue": "AAEC" },
    });
    let sent = sqs
        .call("SendMessage", json!({ "QueueUrl": url, "MessageBody": "one & two", "MessageAttributes": attributes }))
        .await;
    assert_eq!(sent["MD5OfMessageBody"], "51b7a70f69602bf97ad4e0039f872fdb");
    let request = json!({ "QueueUrl": url, "AttributeNames": ["All"], "MessageAttributeNames": ["All"] });
    let answer = sqs.call("ReceiveMessage", request.clone()).await;
    let message = &answer["Messages"][0];
    assert_eq!(message["MessageId"], sent["MessageId"]);
    assert_eq!(message["Body"], "one & two");
    assert_eq!(message["MessageAttributes"], attributes);
    assert_eq!(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"]);
    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(message["Attributes"]["SenderId"], ACCOUNT);
    assert_eq!(sqs.call("ReceiveMessage", request.clone()).await, json!({}));

    let counts = json!({ "QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessagesNotVisible", "QueueArn"] });
    let expected = json!({ "ApproximateNumberOfMessagesNotVisible": "1", "QueueArn": arn("work") });
    assert_eq!(sqs.call("GetQueueAttributes", counts).await["Attributes"], expected);

    let handle = &message["ReceiptHandle"];
    let shown = json!({ "QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": 0 });
    sqs.call("ChangeMessageVisibility", shown.clone()).await;
    assert_eq!(sqs.refusal("ChangeMessageVisibility", shown).await.0, "MessageNotInflight");
    let again = sqs.call("ReceiveMessage", request.clone()).await;
    assert_eq!(again["Messages"][0]["Attributes"]["ApproximateReceiveCount"], "2");
    let deletion = json!({ "QueueUrl": url, "ReceiptHandle": again["Messages"][0]["ReceiptHandle"] });
    sqs.call("DeleteMessage", deletion).await;
    let all = sqs.call("GetQueueAttributes", json!({ "QueueUrl": url, "AttributeNames": ["All"] })).await;
    for count in ["", "NotVisible", "Delayed"] {
        assert_eq!(all["Attributes"][format!("ApproximateNumberOfMessages{count}")], "0");
    }
    assert_eq!(all["Attributes"]["VisibilityTimeout"], "30");
    cloud.shutdown().await;
}

#[tokio::test]
async fn a_waiting_receiver_gets_what_is_sent_meanwhile() {
    let cloud = cloud(&application(&[("work", json!({ "ReceiveMessageWaitTimeSeconds": "20" }))])).await;
    let sqs = client(&cloud);
    let send = json!({ "QueueUrl": url(&cloud, "work"), "MessageBody": "late" });
    let (received, _) = tokio::join!(bodies(&cloud, "work", json!({})), sqs.call("SendMessage", send));
    assert_eq!(received, ["late"]);
    cloud.shutdown().await;
}

#[tokio::test]
async fn what_is_received_too_often_goes_to_the_dead_letter_queue() {
    // Both forms of the count are accepted.
    for count in ["2", "\"2\""] {
        let policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":{count}}}"#, arn("dead"));
        let queues = application(&[("work", json!({ "RedrivePolicy": policy })), ("dead", json!({}))]);
        let cloud = cloud(&queues).await;
        let sqs = client(&cloud);
        sqs.call("SendMessage", json!({ "QueueUrl": url(&cloud, "work"), "MessageBody": "poison" })).await;
        let shown = json!({ "VisibilityTimeout": 0 });
        for expected in [1, 1, 0] {
            assert_eq!(bodies(&cloud, "work", shown.clone()).await.len(), expected);
        }
        let request = json!({ "QueueUrl": url(&cloud, "dead"), "AttributeNames": ["All"] });
        let message = sqs.call("ReceiveMessage", request).await["Messages"][0].clone();
        assert_eq!(message["Body"], "poison");
        assert_eq!(message["Attributes"]["DeadLetterQueueSourceArn"], arn("work"));
        let sources = sqs.call("ListDeadLetterSourceQueues", json!({ "QueueUrl": url(&cloud, "dead") })).await;
        assert_eq!(sources["queueUrls"], json!([url(&cloud, "work")]));
        cloud.shutdown().await;
    }
}

#[tokio::test]
async fn a_fifo_queue_keeps_the_order_of_each_group_and_knows_a_message_once_more() {
    let attributes = json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" });
    let cloud = cloud(&application(&[("work.fifo", attributes)])).await;
    let sqs = client(&cloud);
    let url = url(&cloud, "work.fifo");
    let mut ids = Vec::new();
    for (group, body) in [("a", "1"), ("a", "2"), ("b", "3"), ("a", "1")] {
        let message = json!({ "QueueUrl": url, "MessageBody": body, "MessageGroupId": group });
        ids.push(sqs.call("SendMessage", message).await["MessageId"].clone());
    }
    assert_eq!(ids[0], ids[3]);
    let first = sqs.call("ReceiveMessage", json!({ "QueueUrl": url, "AttributeNames": ["All"] })).await;
    assert_eq!(first["Messages"][0]["Body"], "1");
    assert_eq!(first["Messages"][0]["Attributes"]["MessageGroupId"], "a");
    // The rest of group a waits for the first.
    assert_eq!(bodies(&cloud, "work.fifo", json!({})).await, ["3"]);
    let handle = &first["Messages"][0]["ReceiptHandle"];
    sqs.call("DeleteMessage", json!({ "QueueUrl": url, "ReceiptHandle": handle })).await;
    assert_eq!(bodies(&cloud, "work.fifo", json!({})).await, ["2"]);
    let (code, message) = sqs.refusal("SendMessage", json!({ "QueueUrl": url, "MessageBody": "x" })).await;
    assert_eq!((&*code, &*message), ("MissingParameter", "The request must contain the parameter MessageGroupId."));
    cloud.shutdown().await;
}

#[tokio::test]
async fn queues_and_messages_outlive_the_runner() {
    let folder = tempfile::tempdir().unwrap();
    let application = application(&[("work", json!({}))]);
    let cloud = cloud_in(folder.path(), &application).await;
    client(&cloud).call("CreateQueue", json!({ "QueueName": "made", "tags": { "a": "b" } })).await;
    for queue in ["work", "made"] {
        let message = json!({ "QueueUrl": url(&cloud, queue), "MessageBody": queue });
        client(&cloud).call("SendMessage", message).await;
    }
    cloud.shutdown().await;
    let cloud = cloud_in(folder.path(), &application).await;
    for queue in ["work", "made"] {
        assert_eq!(bodies(&cloud, queue, json!({})).await, [queue]);
    }
    let tags = client(&cloud).call("ListQueueTags", json!({ "QueueUrl": url(&cloud, "made") })).await;
    assert_eq!(tags["Tags"], json!({ "a": "b" }));
    cloud.shutdown().await;
}

#[tokio::test]
async fn a_batch_tells_of_each_entry() {
    let cloud = cloud(&application(&[("work", json!({}))])).await;
    let sqs = client(&cloud);
    let url = url(&cloud, "work");
    let entries = json!([{ "Id": "good", "MessageBody": "1" }, { "Id": "bad", "MessageBody": "" }]);
    let answer = sqs.call("SendMessageBatch", json!({ "QueueUrl": url, "Entries": entries })).await;
    assert_eq!(answer["Successful"][0]["Id"], "good");
    assert_eq!((&answer["Failed"][0]["Id"], &answer["Failed"][0]["Code"]), (&json!("bad"), &json!("MissingParameter")));
    let message = sqs.call("ReceiveMessage", json!({ "QueueUrl": url })).await["Messages"][0].clone();
    let entry = |id: &str, handle: &Value| json!({ "Id": id, "ReceiptHandle": handle });
    let entries = json!([entry("a", &message["ReceiptHandle"]), entry("b", &json!("nothing"))]);
    let answer = sqs.call("DeleteMessageBatch", json!({ "QueueUrl": url, "Entries": entries })).await;
    assert_eq!(answer["Successful"], json!([{ "Id": "a" }]));
    assert_eq!(answer["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
    for (entries, code) in [
        (json!([]), "EmptyBatchRequest"),
        (json!(vec![json!({ "Id": "x", "MessageBody": "1" }); 2]), "BatchEntryIdsNotDistinct"),
        (json!(vec![json!({ "Id": "x", "MessageBody": "1" }); 11]), "TooManyEntriesInBatchRequest"),
    ] {
        let request = json!({ "QueueUrl": url, "Entries": entries });
        assert_eq!(sqs.refusal("SendMessageBatch", request).await.0, code);
    }
    cloud.shutdown().await;
}

#[tokio::test]
async fn older_clients_speak_in_forms() {
    let cloud = cloud(&application(&[("dead", json!({}))])).await;
    let ask = |path: &'static str, form: String| {
        let cloud = &cloud;
        async move { query(cloud, "sqs", path, &form).await }
    };
    let created = ask(
        "/",
        "Action=CreateQueue&Version=2012-11-05&QueueName=old&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=7"
            .into(),
    )
    .await;
    assert_eq!(created.content_type, "text/xml");
    let url = url(&cloud, "old");
    assert!(created.body.contains(&format!("<CreateQueueResult><QueueUrl>{url}</QueueUrl>")), "{}", created.body);
    let sent = format!(
        "Action=SendMessageBatch&Version=2012-11-05&QueueUrl={url}&SendMessageBatchRequestEntry.1.Id=a\
         &SendMessageBatchRequestEntry.1.MessageBody=x%3Cy&SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n\
         &SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType=String\
         &SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue=v"
    );
    let sent = ask("/000000000000/old", sent).await;
    assert!(sent.body.contains("<SendMessageBatchResultEntry>"), "{}", sent.body);
    let received = ask(
        "/000000000000/old",
        format!(
            "Action=ReceiveMessage&Version=2012-11-05&QueueUrl={url}&MaxNumberOfMessages=5&AttributeName.1=All\
             &MessageAttributeName.1=All"
        ),
    )
    .await;
    for part in [
        "<Message><MessageId>",
        "<Body>x&lt;y</Body>",
        "<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>",
        "<MessageAttribute><Name>n</Name><Value><DataType>String</DataType><StringValue>v</StringValue></Value>",
    ] {
        assert!(received.body.contains(part), "{part} is not in {}", received.body);
    }
    let refused = ask("/", "Action=GetQueueUrl&Version=2012-11-05&QueueName=none".into()).await;
    assert!(refused.body.contains("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>"), "{}", refused.body);
    cloud.shutdown().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_words_of_the_service() {
    let cloud = cloud(&application(&[("work", json!({}))])).await;
    let sqs = client(&cloud);
    let url = url(&cloud, "work");
    let attributes =
        |name: &str, value: &str| json!({ "QueueUrl": url, "Attributes": BTreeMap::from([(name, value)]) });
    for (operation, parameters, code) in [
        ("GetQueueUrl", json!({ "QueueName": "none" }), "QueueDoesNotExist"),
        ("SetQueueAttributes", attributes("VisibilityTimeout", "43201"), "InvalidAttributeValue"),
        ("SetQueueAttributes", attributes("RedrivePolicy", "{}"), "InvalidAttributeValue"),
        ("SetQueueAttributes", attributes("Colour", "red"), "InvalidAttributeName"),
        ("CreateQueue", json!({ "QueueName": "a b" }), "InvalidParameterValue"),
        ("CreateQueue", json!({ "QueueName": "work", "Attributes": { "DelaySeconds": "5" } }), "QueueNameExists"),
        ("SendMessage", json!({ "QueueUrl": url, "MessageBody": "\u{0}" }), "InvalidMessageContents"),
        (
            "SendMessage",
            json!({ "QueueUrl": url, "MessageBody": "x".repeat(1024 * 1024 + 1) }),
            "InvalidParameterValue",
        ),
        ("SendMessage", json!({ "QueueUrl": url, "MessageBody": "x", "Colour": "red" }), "ValidationException"),
        ("ReceiveMessage", json!({ "QueueUrl": url, "MaxNumberOfMessages": 11 }), "InvalidParameterValue"),
        ("AddPermission", json!({}), "UnknownOperationException"),
    ] {
        assert_eq!(sqs.refusal(operation, parameters.clone()).await.0, code, "{operation} {parameters}");
    }
    let attribute = |name: &str, kind: &str, value: &str| {
        let attributes = BTreeMap::from([(name, json!({ "DataType": kind, "StringValue": value }))]);
        json!({ "QueueUrl": url, "MessageBody": "x", "MessageAttributes": attributes })
    };
    let long = "x".repeat(257);
    for (name, kind, value) in [
        ("", "String", "v"),
        ("a b", "String", "v"),
        (".a", "String", "v"),
        ("a.", "String", "v"),
        ("a..b", "String", "v"),
        ("AWS.a", "String", "v"),
        ("amazon.a", "String", "v"),
        (&long, "String", "v"),
        ("a", &format!("String.{long}"), "v"),
        ("a", "String", "\u{0}"),
        ("a", "Number", "NaN"),
        ("a", "Number", "inf"),
    ] {
        let refused = sqs.refusal("SendMessage", attribute(name, kind, value)).await.0;
        assert_eq!(refused, "InvalidParameterValue", "{name} {kind} {value}");
    }
    for (name, kind, value) in [("a.b-c_1", "String.kind", "v"), ("awsome", "Number", "-1.5e3")] {
        sqs.call("SendMessage", attribute(name, kind, value)).await;
    }
    cloud.shutdown().await;
}

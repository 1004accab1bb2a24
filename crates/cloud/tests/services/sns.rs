//! Topics.

use std::{collections::BTreeMap, sync::Arc};

use cloud::local::LocalCloud;
use sam::{Application, Subscription, Topic};
use serde_json::{Value, json};

use crate::{
    lambda_support::function,
    support::{Client, arn, cloud, cloud_in, next_body, query, queue, shown},
};

fn client(cloud: &LocalCloud) -> Client<'_> {
    Client { cloud, target: "AmazonSimpleNotificationService" }
}

fn topic(name: &str) -> Topic {
    Topic { logical_id: name.to_owned(), arn: arn("sns", name), attributes: BTreeMap::new() }
}

fn subscription(protocol: &str, endpoint: String, attributes: &[(&str, &str)]) -> Subscription {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (logical_id, topic_arn) = (endpoint.rsplit(':').next().unwrap().to_owned(), arn("sns", "news"));
    Subscription { logical_id, topic_arn, protocol: protocol.to_owned(), endpoint, attributes }
}

#[tokio::test]
async fn every_subscriber_gets_what_its_filter_lets_through() {
    let to = |name: &str, attributes: &[(&str, &str)]| subscription("sqs", arn("sqs", name), attributes);
    let dead = json!({ "deadLetterTargetArn": arn("sqs", "dead") }).to_string();
    let application = Application {
        queues: ["wrapped", "raw", "orders", "large", "dead"].map(|name| queue(name, &[])).to_vec(),
        topics: vec![topic("news")],
        subscriptions: vec![
            to("wrapped", &[]),
            to("raw", &[("RawMessageDelivery", "true")]),
            to("orders", &[("FilterPolicy", r#"{"kind":["order"]}"#), ("RawMessageDelivery", "true")]),
            to(
                "large",
                &[
                    ("FilterPolicy", r#"{"amount":[{"numeric":[">=",100]}]}"#),
                    ("FilterPolicyScope", "MessageBody"),
                    ("RawMessageDelivery", "true"),
                ],
            ),
            to("absent", &[("RedrivePolicy", &dead)]),
        ],
        ..Application::default()
    };
    let cloud = cloud(&application).await;
    let attributes = |kind: &str| json!({ "kind": { "DataType": "String", "StringValue": kind } });
    for (message, kind) in [(r#"{"amount":5}"#, "order"), (r#"{"amount":100}"#, "refund"), ("no JSON", "order")] {
        let request = json!({
            "TopicArn": arn("sns", "news"),
            "Message": message,
            "Subject": "News",
            "MessageAttributes": attributes(kind),
        });
        client(&cloud).call("Publish", request).await;
    }
    let envelope: Value = serde_json::from_str(&next_body(&cloud, "wrapped").await).unwrap();
    assert_eq!(envelope["Type"], "Notification");
    assert_eq!(envelope["TopicArn"], arn("sns", "news"));
    assert_eq!(envelope["Subject"], "News");
    assert_eq!(envelope["Message"], r#"{"amount":5}"#);
    assert_eq!(envelope["MessageAttributes"], json!({ "kind": { "Type": "String", "Value": "order" } }));
    let request = json!({ "QueueUrl": "0/raw", "MessageAttributeNames": ["All"] });
    let raw = Client { cloud: &cloud, target: "AmazonSQS" }.call("ReceiveMessage", request).await;
    assert_eq!(raw["Messages"][0]["Body"], r#"{"amount":5}"#);
    assert_eq!(raw["Messages"][0]["MessageAttributes"], attributes("order"));
    assert_eq!(next_body(&cloud, "orders").await, r#"{"amount":5}"#);
    assert_eq!(next_body(&cloud, "orders").await, "no JSON");
    assert_eq!(next_body(&cloud, "large").await, r#"{"amount":100}"#);
    let lost: Value = serde_json::from_str(&next_body(&cloud, "dead").await).unwrap();
    assert_eq!(lost["Message"], r#"{"amount":5}"#);
    cloud.shutdown().await;
}

#[tokio::test]
async fn a_function_is_called_with_the_message() {
    let application = Application {
        functions: vec![function()],
        topics: vec![topic("news")],
        subscriptions: vec![subscription("lambda", arn("lambda", "function:Deeds"), &[])],
        ..Application::default()
    };
    let cloud = cloud(&application).await;
    let mut lines = cloud.logs().uncalled();
    let for_functions = json!({ "do": "show" }).to_string();
    let message = json!({ "default": "for others", "lambda": for_functions }).to_string();
    let request = json!({ "TopicArn": arn("sns", "news"), "Message": message, "MessageStructure": "json" });
    let published = client(&cloud).call("Publish", request).await;
    let record = shown(&mut lines).await["Records"][0].clone();
    assert_eq!(record["EventSource"], "aws:sns");
    assert_eq!(record["Sns"]["Message"], for_functions);
    assert_eq!(record["Sns"]["MessageId"], published["MessageId"]);
    assert_eq!(record["Sns"]["Subject"], Value::Null);
    cloud.shutdown().await;
}

#[tokio::test]
async fn clients_speak_in_forms() {
    let cloud = cloud(&Application { queues: vec![queue("work", &[])], ..Application::default() }).await;
    let ask = |form: String| {
        let cloud = &cloud;
        async move { query(cloud, "sns", "/", &format!("Version=2010-03-31&{form}")).await.body }
    };
    let (topic, queue) = (arn("sns", "made"), arn("sqs", "work"));
    let created = ask("Action=CreateTopic&Name=made&Tags.member.1.Key=a&Tags.member.1.Value=b".into()).await;
    assert!(created.contains(&format!("<CreateTopicResult><TopicArn>{topic}</TopicArn>")), "{created}");
    let subscribed = ask(format!(
        "Action=Subscribe&TopicArn={topic}&Protocol=sqs&Endpoint={queue}&Attributes.entry.1.key=RawMessageDelivery\
         &Attributes.entry.1.value=true&ReturnSubscriptionArn=true"
    ))
    .await;
    let subscription = subscribed.split(['<', '>']).find(|part| part.starts_with(&topic)).unwrap().to_owned();
    let described = ask(format!("Action=GetSubscriptionAttributes&SubscriptionArn={subscription}")).await;
    assert!(described.contains("<entry><key>RawMessageDelivery</key><value>true</value></entry>"), "{described}");
    let published = ask(format!(
        "Action=PublishBatch&TopicArn={topic}&PublishBatchRequestEntries.member.1.Id=a\
         &PublishBatchRequestEntries.member.1.Message=hello"
    ))
    .await;
    assert!(published.contains("<Successful><member>"), "{published}");
    assert_eq!(next_body(&cloud, "work").await, "hello");
    let listed = ask(format!("Action=ListTagsForResource&ResourceArn={topic}")).await;
    assert!(listed.contains("<Tags><member><Key>a</Key><Value>b</Value></member></Tags>"), "{listed}");
    // Nobody is told, but that is said in the terminal.
    let text_message = ask("Action=Publish&PhoneNumber=%2B12065550100&Message=hello".to_owned()).await;
    assert!(text_message.contains("<MessageId>"), "{text_message}");
    for (form, code) in [
        ("Action=Publish&PhoneNumber=12065550100&Message=hello".to_owned(), "InvalidParameter"),
        ("Action=Publish&PhoneNumber=%2B12065550100&Message=".to_owned(), "InvalidParameter"),
        (format!("Action=Publish&TopicArn={topic}&PhoneNumber=%2B12065550100&Message=a"), "InvalidParameter"),
        (format!("Action=Subscribe&TopicArn={topic}&Protocol=email&Endpoint=a@b"), "InvalidParameter"),
        (format!("Action=Publish&TopicArn={topic}x&Message=a"), "NotFound"),
        (format!("Action=Publish&TopicArn={topic}&Message="), "InvalidParameter"),
        (format!("Action=Publish&TopicArn={topic}&Message=x&MessageStructure=json"), "InvalidParameter"),
        ("Action=CreateTopic&Name=a b".to_owned(), "InvalidParameter"),
        ("Action=CreatePlatformApplication".to_owned(), "InvalidAction"),
    ] {
        let refused = ask(form.clone()).await;
        assert!(refused.contains(&format!("<Code>{code}</Code>")), "{form}: {refused}");
    }
    cloud.shutdown().await;
}

#[tokio::test]
async fn what_the_api_has_made_outlives_the_runner() {
    let folder = tempfile::tempdir().unwrap();
    let application = Application { queues: vec![queue("work", &[])], ..Application::default() };
    let cloud = cloud_in(folder.path(), &application).await;
    let topic = client(&cloud).call("CreateTopic", json!({ "Name": "made" })).await["TopicArn"].clone();
    let request = json!({
        "TopicArn": topic,
        "Protocol": "sqs",
        "Endpoint": arn("sqs", "work"),
        "Attributes": { "RawMessageDelivery": "true" },
    });
    client(&cloud).call("Subscribe", request).await;
    cloud.shutdown().await;
    let cloud = cloud_in(folder.path(), &application).await;
    client(&cloud).call("Publish", json!({ "TopicArn": topic, "Message": "again" })).await;
    assert_eq!(next_body(&cloud, "work").await, "again");
    cloud.shutdown().await;
}

/// A FIFO topic with a queue that gets its messages as they are.
fn fifo(queue_name: &str, attributes: &[(&str, &str)]) -> Application {
    let topic = Topic {
        logical_id: "News".to_owned(),
        arn: arn("sns", "news.fifo"),
        attributes: BTreeMap::from([("FifoTopic".to_owned(), "true".to_owned())]),
    };
    let subscription = Subscription {
        topic_arn: topic.arn.clone(),
        ..subscription("sqs", arn("sqs", queue_name), &[("RawMessageDelivery", "true")])
    };
    let queues = vec![queue(queue_name, attributes)];
    Application { topics: vec![topic], subscriptions: vec![subscription], queues, ..Application::default() }
}

async fn publish_to_fifo(cloud: &LocalCloud, message: &str) -> u128 {
    let request = json!({
        "TopicArn": arn("sns", "news.fifo"),
        "Message": message,
        "MessageGroupId": "g",
        "MessageDeduplicationId": message,
    });
    client(cloud).call("Publish", request).await["SequenceNumber"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fifo_topic_gives_messages_in_the_order_of_their_numbers() {
    const SENDERS: usize = 4;
    const EACH: usize = 25;
    let cloud = Arc::new(cloud(&fifo("work.fifo", &[("FifoQueue", "true")])).await);
    let senders = (0..SENDERS).map(|sender| {
        let cloud = cloud.clone();
        tokio::spawn(async move {
            let mut sent = Vec::new();
            for number in 0..EACH {
                let message = format!("{sender} {number}");
                sent.push((publish_to_fifo(&cloud, &message).await, message));
            }
            sent
        })
    });
    let mut sent: Vec<_> = futures::future::join_all(senders).await.into_iter().flat_map(Result::unwrap).collect();
    sent.sort_unstable();
    let expected: Vec<_> = sent.into_iter().map(|(_, message)| message).collect();
    let queues = Client { cloud: &cloud, target: "AmazonSQS" };
    let mut received = Vec::new();
    while received.len() < SENDERS * EACH {
        let request = json!({ "QueueUrl": "0/work.fifo", "MaxNumberOfMessages": 10 });
        let messages = queues.call("ReceiveMessage", request).await["Messages"].as_array().unwrap().clone();
        for message in messages {
            received.push(message["Body"].as_str().unwrap().to_owned());
            let request = json!({ "QueueUrl": "0/work.fifo", "ReceiptHandle": message["ReceiptHandle"] });
            queues.call("DeleteMessage", request).await;
        }
    }
    assert_eq!(received, expected);
    Arc::into_inner(cloud).unwrap().shutdown().await;
}

#[tokio::test]
async fn a_fifo_topic_knows_a_message_once_more_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    // A queue that does not know it itself.
    let application = fifo("work", &[]);
    let cloud = cloud_in(folder.path(), &application).await;
    let first = publish_to_fifo(&cloud, "once").await;
    assert_eq!(next_body(&cloud, "work").await, "once");
    cloud.shutdown().await;
    let cloud = cloud_in(folder.path(), &application).await;
    assert_eq!(publish_to_fifo(&cloud, "once").await, first);
    assert!(publish_to_fifo(&cloud, "then").await > first);
    assert_eq!(next_body(&cloud, "work").await, "then");
    cloud.shutdown().await;
}

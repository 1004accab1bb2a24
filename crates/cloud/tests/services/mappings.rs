//! What queues give to functions.

use std::time::Duration;

use cloud::{function_logs::UncalledLog, local::LocalCloud};
use sam::{Application, EventSourceMapping, MappingSource, Queue, Table, Target};
use serde_json::{Value, json};

use crate::{
    lambda_support::function,
    support::{Client, arn, cloud, cloud_in, next_body, queue, shown},
};

/// An application whose function `Deeds` reads the first of these queues.
fn application(queues: Vec<Queue>, mapping: impl FnOnce(&mut EventSourceMapping)) -> Application {
    let mut described = EventSourceMapping {
        name: "Mapping".to_owned(),
        function: "Deeds".to_owned(),
        source: MappingSource::Queue { arn: arn("sqs", &queues[0].name), max_concurrency: None },
        batch_size: 10,
        batching_window: Duration::ZERO,
        reports_item_failures: false,
        filters: Vec::new(),
        enabled: true,
    };
    mapping(&mut described);
    Application {
        functions: vec![function()],
        queues,
        event_source_mappings: vec![described],
        ..Application::default()
    }
}

async fn send(cloud: &LocalCloud, queue: &str, bodies: &[Value]) {
    let url = format!("{}/{}/{queue}", cloud.endpoint_url(), sam::ACCOUNT);
    let is_fifo = queue.strip_suffix(".fifo").is_some();
    let entries = bodies.iter().enumerate().map(|(index, body)| {
        let mut entry = json!({ "Id": index.to_string(), "MessageBody": body.to_string() });
        if is_fifo {
            entry["MessageGroupId"] = json!("group");
        }
        entry
    });
    let sqs = Client { cloud, target: "AmazonSQS" };
    let request = json!({ "QueueUrl": url, "Entries": entries.collect::<Vec<_>>() });
    assert!(sqs.call("SendMessageBatch", request).await.get("Failed").is_none());
}

async fn count(cloud: &LocalCloud, queue: &str) -> i64 {
    let url = format!("{}/{}/{queue}", cloud.endpoint_url(), sam::ACCOUNT);
    let sqs = Client { cloud, target: "AmazonSQS" };
    let answer = sqs.call("GetQueueAttributes", json!({ "QueueUrl": url, "AttributeNames": ["All"] })).await;
    let counts = ["", "NotVisible", "Delayed"].map(|kind| {
        answer["Attributes"][format!("ApproximateNumberOfMessages{kind}")].as_str().unwrap().parse::<i64>().unwrap()
    });
    counts.iter().sum()
}

#[tokio::test]
async fn a_function_gets_the_messages_of_its_queue_and_they_are_deleted() {
    let fifo = queue("work.fifo", &[("FifoQueue", "true"), ("ContentBasedDeduplication", "true")]);
    let cloud = cloud(&application(vec![fifo], |mapping| mapping.batch_size = 1)).await;
    let mut lines = cloud.logs().uncalled();
    // The second comes only after the first was deleted.
    send(&cloud, "work.fifo", &[json!({ "do": "show", "n": 1 }), json!({ "do": "show", "n": 2 })]).await;
    for n in [1, 2] {
        let event = shown(&mut lines).await;
        let records = event["Records"].as_array().unwrap();
        assert_eq!(records.len(), 1);
        let record = &records[0];
        assert_eq!(record["body"], json!({ "do": "show", "n": n }).to_string());
        assert_eq!(record["eventSource"], "aws:sqs");
        assert_eq!(record["eventSourceARN"], arn("sqs", "work.fifo"));
        assert_eq!(record["attributes"]["MessageGroupId"], "group");
        assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    }
    cloud.shutdown().await;
}

#[tokio::test]
async fn what_a_function_fails_for_ends_in_the_dead_letter_queue() {
    let policy = json!({ "deadLetterTargetArn": arn("sqs", "dead"), "maxReceiveCount": 1 }).to_string();
    let queues = || vec![queue("work", &[("VisibilityTimeout", "1"), ("RedrivePolicy", &policy)]), queue("dead", &[])];
    // The whole batch, and the one message that the function names.
    for (deed, reports, dead) in [("error", false, vec![1, 2]), ("refuse the last", true, vec![2])] {
        let cloud = cloud(&application(queues(), |mapping| {
            mapping.batching_window = Duration::from_secs(5);
            mapping.batch_size = 2;
            mapping.reports_item_failures = reports;
        }))
        .await;
        send(&cloud, "work", &[json!({ "do": deed, "n": 1 }), json!({ "do": deed, "n": 2 })]).await;
        for n in dead {
            let body: Value = serde_json::from_str(&next_body(&cloud, "dead").await).unwrap();
            assert_eq!(body["n"], n, "{deed}");
        }
        assert_eq!((count(&cloud, "work").await, count(&cloud, "dead").await), (0, 0), "{deed}");
        cloud.shutdown().await;
    }
}

#[tokio::test]
async fn what_no_filter_lets_through_is_gone() {
    let filters = vec![json!({ "body": { "n": [{ "numeric": [">", 1] }] } })];
    let cloud = cloud(&application(vec![queue("work", &[])], |mapping| mapping.filters = filters)).await;
    let mut lines = cloud.logs().uncalled();
    send(&cloud, "work", &[json!({ "n": 1 }), json!({ "do": "show", "n": 2 })]).await;
    let event = shown(&mut lines).await;
    assert_eq!(event["Records"].as_array().unwrap().len(), 1);
    assert_eq!(event["Records"][0]["body"], json!({ "do": "show", "n": 2 }).to_string());
    // The one that was shown may not be deleted yet.
    assert!(count(&cloud, "work").await <= 1);
    cloud.shutdown().await;
}

/// An application whose function `Deeds` reads the changes of a table.
fn with_table(max_retries: Option<u32>, bisects: bool, on_failure: Option<Target>) -> Application {
    let create = json!({
        "TableName": "Orders",
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
    });
    let table = Table { logical_id: "Orders".into(), name: "Orders".into(), create, ttl_attribute: None };
    let source =
        MappingSource::Table { table: "Orders".into(), from_the_beginning: true, max_retries, bisects, on_failure };
    let mut application = application(vec![queue("lost", &[])], |mapping| {
        mapping.source = source;
        mapping.batch_size = 2;
        mapping.batching_window = Duration::from_secs(5);
    });
    application.tables.push(table);
    application
}

async fn put_item(cloud: &LocalCloud, id: &str, deed: &str) {
    let item = json!({ "id": { "S": id }, "do": { "S": deed } });
    let dynamodb = Client { cloud, target: "DynamoDB_20120810" };
    dynamodb.call("PutItem", json!({ "TableName": "Orders", "Item": item })).await;
}

/// The keys of the items in the next event.
async fn keys(lines: &mut UncalledLog) -> Vec<String> {
    let event = shown(lines).await;
    let records = event["Records"].as_array().unwrap();
    let stream = arn("dynamodb", "table/Orders/stream/");
    for record in records {
        assert_eq!((&record["eventName"], &record["eventSource"]), (&json!("INSERT"), &json!("aws:dynamodb")));
        assert!(record["eventSourceARN"].as_str().unwrap().starts_with(&stream), "{event}");
    }
    records.iter().map(|record| record["dynamodb"]["Keys"]["id"]["S"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_function_gets_the_changes_of_a_table_and_after_a_restart_those_that_it_has_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud_in(folder.path(), &with_table(None, false, None)).await;
    let mut lines = cloud.logs().uncalled();
    for batch in [["a", "b"], ["c", "d"]] {
        for id in batch {
            put_item(&cloud, id, "show").await;
        }
        assert_eq!(keys(&mut lines).await, batch);
    }
    cloud.shutdown().await;

    let cloud = cloud_in(folder.path(), &with_table(None, false, None)).await;
    let mut lines = cloud.logs().uncalled();
    put_item(&cloud, "e", "show").await;
    put_item(&cloud, "f", "show").await;
    // The first batch is done, since the second was begun; whether the second was, nobody was told.
    match keys(&mut lines).await {
        again if again == ["c", "d"] => assert_eq!(keys(&mut lines).await, ["e", "f"]),
        new => assert_eq!(new, ["e", "f"]),
    }
    cloud.shutdown().await;
}

#[tokio::test]
async fn a_change_that_a_function_fails_for_is_parted_from_the_others_and_given_up() {
    let on_failure = Some(Target::Queue(arn("sqs", "lost")));
    let cloud = cloud(&with_table(Some(1), true, on_failure)).await;
    let mut lines = cloud.logs().uncalled();
    put_item(&cloud, "bad", "error").await;
    put_item(&cloud, "good", "show").await;
    let told: Value = serde_json::from_str(&next_body(&cloud, "lost").await).unwrap();
    assert_eq!(told["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(told["DDBStreamBatchInfo"]["batchSize"], 1);
    let event = shown(&mut lines).await;
    assert_eq!(event["Records"].as_array().unwrap().len(), 1);
    assert_eq!(event["Records"][0]["dynamodb"]["NewImage"]["id"]["S"], "good");
    cloud.shutdown().await;
}

//! `DynamoDB` through the AWS client.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod common;

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata as _,
    types::{AttributeValue, Put, TimeToLiveSpecification, TransactWriteItem},
};
use cloud::dynamodb::DynamoDb;
use common::Cloud;
use serde_json::json;

fn levels() -> serde_json::Value {
    json!({
        "TableName": "levels",
        "KeySchema": [
            { "AttributeName": "player", "KeyType": "HASH" },
            { "AttributeName": "level", "KeyType": "RANGE" },
        ],
        "AttributeDefinitions": [
            { "AttributeName": "player", "AttributeType": "S" },
            { "AttributeName": "level", "AttributeType": "N" },
        ],
        "BillingMode": "PAY_PER_REQUEST",
    })
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

async fn put(client: &Client, player: &str, level: i64, score: i64) {
    client
        .put_item()
        .table_name("levels")
        .item("player", text(player))
        .item("level", number(level))
        .item("score", number(score))
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_table_is_created_once_and_has_a_local_arn() {
    let cloud = Cloud::start();
    assert!(cloud.dynamodb.create_table_if_absent(&levels()).unwrap());
    assert!(!cloud.dynamodb.create_table_if_absent(&levels()).unwrap());
    let error = cloud.dynamodb.create_table_if_absent(&json!({ "TableName": "x" })).unwrap_err();
    assert!(error.to_string().starts_with("the table x: "), "{error}");

    let client = cloud.dynamodb();
    let table = client.describe_table().table_name("levels").send().await.unwrap().table.unwrap();
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/levels";
    assert_eq!(table.table_arn(), Some(arn));
    let tag = aws_sdk_dynamodb::types::Tag::builder().key("k").value("v").build().unwrap();
    client.tag_resource().resource_arn(arn).tags(tag).send().await.unwrap();
    let tags = client.list_tags_of_resource().resource_arn(arn).send().await.unwrap();
    assert_eq!(tags.tags().first().map(|tag| tag.value()), Some("v"));
    assert_eq!(client.list_tables().send().await.unwrap().table_names(), ["levels"]);
}

#[tokio::test]
async fn items_are_written_read_and_queried() {
    let cloud = Cloud::start();
    cloud.dynamodb.create_table_if_absent(&levels()).unwrap();
    let client = cloud.dynamodb();
    for level in 1..=3 {
        put(&client, "ada", level, level * 10).await;
    }
    let item =
        client.get_item().table_name("levels").key("player", text("ada")).key("level", number(2)).send().await.unwrap();
    assert_eq!(item.item().unwrap().get("score"), Some(&number(20)));
    let found = client
        .query()
        .table_name("levels")
        .key_condition_expression("player = :p and #l >= :l")
        .expression_attribute_names("#l", "level")
        .expression_attribute_values(":p", text("ada"))
        .expression_attribute_values(":l", number(2))
        .send()
        .await
        .unwrap();
    assert_eq!(found.count(), 2);
}

#[tokio::test]
async fn a_condition_that_fails_changes_nothing() {
    let cloud = Cloud::start();
    cloud.dynamodb.create_table_if_absent(&levels()).unwrap();
    let client = cloud.dynamodb();
    put(&client, "ada", 1, 10).await;
    let error = client
        .put_item()
        .table_name("levels")
        .item("player", text("ada"))
        .item("level", number(1))
        .condition_expression("attribute_not_exists(player)")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_conditional_check_failed_exception(), "{error:?}");

    let update = |score: i64| {
        client
            .update_item()
            .table_name("levels")
            .key("player", text("ada"))
            .key("level", number(1))
            .update_expression("SET score = :s")
            .condition_expression("score < :s")
            .expression_attribute_values(":s", number(score))
            .send()
    };
    update(20).await.unwrap();
    let late = update(15).await.unwrap_err().into_service_error();
    assert!(late.is_conditional_check_failed_exception());

    let put = Put::builder()
        .table_name("levels")
        .item("player", text("ada"))
        .item("level", number(1))
        .condition_expression("attribute_not_exists(player)")
        .build()
        .unwrap();
    let both = TransactWriteItem::builder().put(put).build();
    let cancelled = client.transact_write_items().transact_items(both).send().await.unwrap_err().into_service_error();
    assert!(cancelled.is_transaction_canceled_exception(), "{cancelled:?}");
}

#[tokio::test]
async fn errors_have_the_service_names() {
    let cloud = Cloud::start();
    let client = cloud.dynamodb();
    let missing = client.scan().table_name("absent").send().await.unwrap_err().into_service_error();
    assert!(missing.is_resource_not_found_exception(), "{missing:?}");

    let cases = [
        ("PutItem", "{}", "ValidationException"),
        ("PutItem", "not json", "SerializationException"),
        ("PutItem", "{\"TableName\": 7}", "SerializationException"),
        ("CreateBackup", "{}", "UnknownOperationException"),
    ];
    for (operation, body, expected) in cases {
        let head = format!("POST / HTTP/1.1\nx-amz-target: DynamoDB_20120810.{operation}");
        let response = cloud.raw(&head, body).await;
        assert!(response.starts_with("HTTP/1.1 400"), "{response}");
        assert!(response.contains(expected), "{operation} {body}: {response}");
        assert!(!response.contains("VALIDATION"), "{response}");
    }
    cloud.dynamodb.create_table_if_absent(&levels()).unwrap();
    let put = client.put_item().table_name("levels").item("player", text("ada")).item("level", number(1));
    let unclear = put.condition_expression("player = ").send().await.unwrap_err().into_service_error();
    assert_eq!(unclear.code(), Some("ValidationException"), "{unclear:?}");
    assert!(unclear.message().is_some_and(|message| message.contains("Invalid ConditionExpression")), "{unclear:?}");
}

#[tokio::test]
async fn expired_items_go() {
    let cloud = Cloud::start();
    cloud.dynamodb.create_table_if_absent(&levels()).unwrap();
    let client = cloud.dynamodb();
    let ttl = TimeToLiveSpecification::builder().attribute_name("ends").enabled(true).build().unwrap();
    client.update_time_to_live().table_name("levels").time_to_live_specification(ttl).send().await.unwrap();
    for (level, ends) in [(1, 1), (2, 99_999_999_999)] {
        let put = client.put_item().table_name("levels").item("player", text("ada")).item("level", number(level));
        put.item("ends", number(ends)).send().await.unwrap();
    }
    let database = cloud.dynamodb.clone();
    let deleted = tokio::task::spawn_blocking(move || database.delete_expired()).await.unwrap().unwrap();
    let left = client.scan().table_name("levels").send().await.unwrap();
    assert_eq!(left.items().iter().map(|item| item.get("level").unwrap()).collect::<Vec<_>>(), [&number(2)]);
    assert_eq!(deleted, 1);
}

#[tokio::test]
async fn tables_and_items_are_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start_in(folder.path());
    cloud.dynamodb.create_table_if_absent(&levels()).unwrap();
    put(&cloud.dynamodb(), "ada", 1, 10).await;
    cloud.stop().await;

    let cloud = Cloud::start_in(folder.path());
    assert!(!cloud.dynamodb.create_table_if_absent(&levels()).unwrap());
    assert_eq!(cloud.dynamodb().scan().table_name("levels").send().await.unwrap().count(), 1);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = DynamoDb::open(&file.path().join("below")).unwrap_err();
    assert!(error.to_string().contains("below"), "{error}");
}

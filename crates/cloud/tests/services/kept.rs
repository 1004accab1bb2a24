//! What is kept from an earlier start, and what the template says now.

use std::collections::BTreeMap;

use cloud::local::{LocalCloud, Options};
use http::{Method, StatusCode};
use sam::{Application, Bucket, Table};
use serde_json::{Value, json};

use crate::support::{Client, cloud_in, send};

fn bucket(versioned: bool) -> Bucket {
    Bucket {
        logical_id: "Files".into(),
        name: "files".into(),
        versioned,
        event_bridge: false,
        notifications: Vec::new(),
    }
}

/// A table whose key is `id`, with more of what `CreateTable` takes.
fn table(more: &Value, ttl_attribute: Option<&str>) -> Table {
    let mut create = json!({
        "TableName": "Orders",
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    create.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Table {
        logical_id: "Orders".into(),
        name: "Orders".into(),
        create,
        ttl_attribute: ttl_attribute.map(str::to_owned),
    }
}

fn application(bucket: Bucket, table: Table) -> Application {
    Application { buckets: vec![bucket], tables: vec![table], ..Application::default() }
}

/// A stream, and an index by an attribute.
fn with_index(attribute: &str, view: &str) -> Value {
    json!({
        "AttributeDefinitions": [
            { "AttributeName": "id", "AttributeType": "S" },
            { "AttributeName": attribute, "AttributeType": "S" },
        ],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-more",
            "KeySchema": [{ "AttributeName": attribute, "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "ALL" },
        }],
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": view },
    })
}

#[tokio::test]
async fn a_kept_table_and_a_kept_bucket_become_what_the_template_says() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = cloud_in(folder.path(), &application(bucket(false), table(&json!({}), None))).await;
    let dynamodb = Client { cloud: &cloud, target: "DynamoDB_20120810" };
    let item = json!({ "id": { "S": "1" }, "customer": { "S": "ada" }, "state": { "S": "new" } });
    dynamodb.call("PutItem", json!({ "TableName": "Orders", "Item": item })).await;
    cloud.shutdown().await;

    // Each start has another index and another stream in place of the ones before; the last one changes nothing.
    for (attribute, view, ttl) in [
        ("customer", "NEW_IMAGE", "expires"),
        ("state", "NEW_AND_OLD_IMAGES", "gone_at"),
        ("state", "NEW_AND_OLD_IMAGES", "gone_at"),
    ] {
        let changed = table(&with_index(attribute, view), Some(ttl));
        let cloud = cloud_in(folder.path(), &application(bucket(true), changed)).await;
        let dynamodb = Client { cloud: &cloud, target: "DynamoDB_20120810" };
        let is = dynamodb.call("DescribeTable", json!({ "TableName": "Orders" })).await;
        let is = &is["Table"];
        assert_eq!(is["StreamSpecification"]["StreamViewType"], view);
        assert_eq!(is["GlobalSecondaryIndexes"][0]["KeySchema"][0]["AttributeName"], attribute);
        assert_eq!(is["GlobalSecondaryIndexes"].as_array().unwrap().len(), 1);
        let described = dynamodb.call("DescribeTimeToLive", json!({ "TableName": "Orders" })).await;
        let expected = json!({ "TimeToLiveStatus": "ENABLED", "AttributeName": ttl });
        assert_eq!(described["TimeToLiveDescription"], expected);
        // What was there before is in the index.
        let query = json!({
            "TableName": "Orders",
            "IndexName": "by-more",
            "KeyConditionExpression": "#a = :v",
            "ExpressionAttributeNames": { "#a": attribute },
            "ExpressionAttributeValues": { ":v": item[attribute] },
        });
        assert_eq!(dynamodb.call("Query", query).await["Items"], json!([item]));
        let request = http::Request::builder().method(Method::GET).uri("/files?versioning").body(Vec::new().into());
        let answer = send(&cloud, request.unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert!(answer.body.contains("<Status>Enabled</Status>"), "{}", answer.body);
        cloud.shutdown().await;
    }
}

#[tokio::test]
async fn a_kept_table_with_another_key_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    cloud_in(folder.path(), &application(bucket(false), table(&json!({}), None))).await.shutdown().await;
    let number = json!({ "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "N" }] });
    let options = Options { folder: Some(folder.path().to_owned()), ..Options::default() };
    let changed = application(bucket(false), table(&number, None));
    let error = LocalCloud::start(&changed, &BTreeMap::new(), options).await.err().unwrap().to_string();
    for part in ["the table Orders", "KeySchema", "id HASH S", "id HASH N", "stairwell reset"] {
        assert!(error.contains(part), "{error}");
    }
}

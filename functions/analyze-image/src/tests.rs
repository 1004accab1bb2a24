//! The handler with the real clients against a stand-in for S3 and DynamoDB.

use std::sync::{Arc, Mutex};

use function_kit::testing::{self, Reply, Request, dynamodb_failures, unreachable_sdk_config};
use function_kit::{Environment, Failure};
use image_kit::testing::{Bucket, harbour, turned_jpeg};
use serde_json::{Value, json};

use crate::{AnalyzeImage, handle};

const KEY: &str = "images/a.jpg";

fn picture() -> Vec<u8> {
    turned_jpeg(&harbour(400, 300), 90)
}

/// A table in memory: `PutItem` and `Query` by the partition key.
fn table() -> impl FnMut(&Request) -> Option<Reply> + Send + 'static {
    let mut items: Vec<Value> = Vec::new();
    move |request| {
        let asked = || request.json();
        match request.operation() {
            "PutItem" => {
                let item = asked()["Item"].clone();
                items.retain(|other| other["band"] != item["band"] || other["object"] != item["object"]);
                items.push(item);
                Some(Reply::json(200, json!({})))
            }
            "Query" => {
                let asked = asked();
                assert_eq!(asked["KeyConditionExpression"], "band = :band");
                assert_eq!(asked["ConsistentRead"], true);
                let band = &asked["ExpressionAttributeValues"][":band"];
                let found: Vec<&Value> = items.iter().filter(|item| item["band"] == *band).collect();
                Some(Reply::json(200, json!({"Items": found, "Count": found.len()})))
            }
            _ => None,
        }
    }
}

async fn invoke(bucket: &Bucket, key: &str) -> Result<Value, Failure> {
    let settings = Environment::of([("HASHES_TABLE", "hashes")]);
    let function = AnalyzeImage::new(&settings, &bucket.sdk_config()).unwrap();
    testing::invoke(&function, handle, bucket.object(key)).await
}

#[tokio::test]
async fn a_picture_is_analysed() {
    let bucket = Bucket::replying(KEY, picture(), table()).await;
    let output = invoke(&bucket, KEY).await.unwrap();
    assert_eq!(
        json!([output["format"], output["width"], output["height"], output["turned"], output["transparent"]]),
        json!(["jpeg", 400, 300, true, false])
    );
    assert_eq!(output["bytes"], picture().len());
    assert!(output["sharpness"].as_f64().unwrap() > 100.0, "{output}");
    assert_eq!(output["hash"].as_str().unwrap().len(), 16, "{output}");
    assert_eq!(output["nearDuplicates"], json!([]));
    let shares: f64 =
        output["colours"].as_array().unwrap().iter().map(|colour| colour["share"].as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 0.04, "{output}");
    assert_eq!(bucket.keys(), [KEY], "nothing is written into the bucket");
}

#[tokio::test]
async fn pictures_that_look_alike_are_found_while_they_are_there() {
    let bucket = Bucket::replying(KEY, picture(), table()).await;
    bucket.put("images/b.jpg", turned_jpeg(&harbour(300, 225), 60));
    bucket.put("images/c.jpg", turned_jpeg(&image::imageops::flip_horizontal(&harbour(300, 225)), 60));
    for key in [KEY, "images/c.jpg"] {
        assert_eq!(invoke(&bucket, key).await.unwrap()["nearDuplicates"], json!([]), "{key}");
    }
    let near = |output: &Value| {
        let near = output["nearDuplicates"].as_array().unwrap().iter();
        near.map(|near| (near["key"].as_str().unwrap().to_owned(), near["distance"].as_u64().unwrap() <= 5))
            .collect::<Vec<_>>()
    };
    assert_eq!(near(&invoke(&bucket, "images/b.jpg").await.unwrap()), [(KEY.to_owned(), true)]);
    // Once more, the other is told, and not the picture itself.
    assert_eq!(near(&invoke(&bucket, KEY).await.unwrap()), [("images/b.jpg".to_owned(), true)]);
    // What was replaced or is gone is not told.
    bucket.put("images/b.jpg", b"other".to_vec());
    assert_eq!(near(&invoke(&bucket, KEY).await.unwrap()), []);
    bucket.delete("images/b.jpg");
    assert_eq!(near(&invoke(&bucket, KEY).await.unwrap()), []);
}

#[tokio::test]
async fn a_hash_is_written_before_others_are_looked_for() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let (seen, mut table) = (Arc::clone(&order), table());
    let answer = move |request: &Request| {
        seen.lock().unwrap().push(request.operation().to_owned());
        table(request)
    };
    let bucket = Bucket::replying(KEY, picture(), answer).await;
    let output = invoke(&bucket, KEY).await.unwrap();
    let order = order.lock().unwrap().clone();
    assert_eq!(order, [vec![""], vec!["PutItem"; 6], vec!["Query"; 6]].concat());
    let put = bucket.requests().into_iter().find(|request| request.operation() == "PutItem").unwrap().json();
    assert_eq!(put["TableName"], "hashes");
    let object = bucket.object(KEY);
    let mut item = put["Item"].clone();
    item.as_object_mut().unwrap().remove("band");
    assert_eq!(
        item,
        json!({
            "object": {"S": format!("data/{KEY}")},
            "bucket": {"S": "data"},
            "key": {"S": KEY},
            "e_tag": {"S": object["eTag"]},
            "hash": {"S": output["hash"]},
        })
    );
}

#[tokio::test]
async fn an_item_that_is_none_is_passed_over() {
    let answer = |request: &Request| match request.operation() {
        "PutItem" => Some(Reply::json(200, json!({}))),
        "Query" => Some(Reply::json(200, json!({"Items": [{"band": {"S": "0:000"}, "hash": {"N": "7"}}]}))),
        _ => None,
    };
    let bucket = Bucket::replying(KEY, picture(), answer).await;
    assert_eq!(invoke(&bucket, KEY).await.unwrap()["nearDuplicates"], json!([]));
}

#[tokio::test]
async fn what_dynamodb_answers_has_a_name() {
    for operation in ["PutItem", "Query"] {
        for (reply, name) in dynamodb_failures() {
            let failing = reply.clone();
            let mut table = table();
            let answer = move |request: &Request| {
                if request.operation() == operation { Some(failing.clone()) } else { table(request) }
            };
            let bucket = Bucket::replying(KEY, picture(), answer).await;
            assert_eq!(invoke(&bucket, KEY).await.unwrap_err().name, name, "{operation} {reply:?}");
        }
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_and_writes_nothing() {
    let bucket = Bucket::replying("a.png", picture(), table()).await;
    assert_eq!(invoke(&bucket, "a.png").await.unwrap_err().name, "WrongExtension");
    assert!(bucket.requests().iter().all(|request| request.operation().is_empty()));
}

#[test]
fn a_missing_table_is_an_error_at_the_start() {
    let new = AnalyzeImage::new(&Environment::default(), &unreachable_sdk_config());
    assert!(new.err().unwrap().to_string().contains("HASHES_TABLE"));
}

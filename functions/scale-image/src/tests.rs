//! The handler with the real client against a stand-in for S3.

use function_kit::testing::{self, Request, s3_failures, unreachable_sdk_config};
use function_kit::{Environment, Failure};
use image_kit::testing::{Bucket, harbour, turned_jpeg};
use image_kit::{Size, Stored};
use serde_json::{Value, json};

use crate::{ScaleImage, handle};

const KEY: &str = "images/a.jpg";

fn picture() -> Vec<u8> {
    turned_jpeg(&harbour(200, 150), 90)
}

async fn invoke(bucket: &Bucket, resolutions: &str, payload: Value) -> Result<Value, Failure> {
    let settings = Environment::of([("RESOLUTIONS", resolutions)]);
    let function = ScaleImage::new(&settings, &bucket.sdk_config()).unwrap();
    testing::invoke(&function, handle, payload).await
}

#[tokio::test]
async fn a_picture_is_written_in_each_smaller_resolution() {
    for (resolutions, expected) in [
        ("40,100,150", vec![(150, 113), (100, 75), (40, 30)]),
        ("100,200,300", vec![(100, 75)]),
        // Smaller than all of them: its own size, called after the smallest.
        ("", vec![(200, 150)]),
    ] {
        let bucket = Bucket::with(KEY, picture()).await;
        let object = bucket.object(KEY);
        let output = invoke(&bucket, resolutions, object.clone()).await.unwrap();
        assert_eq!(json!([output["format"], output["width"], output["height"]]), json!(["jpeg", 200, 150]));
        let folder = format!("processed/{KEY}/{}", object["eTag"].as_str().unwrap().trim_matches('"'));
        let written = output["pictures"].as_array().unwrap();
        assert_eq!(written.len(), expected.len(), "{output}");
        for (written, (width, height)) in written.iter().zip(expected) {
            let name = if resolutions.is_empty() { 320 } else { width };
            let key = format!("{folder}/{name}.webp");
            assert_eq!((written["key"].as_str(), written["format"].as_str()), (Some(key.as_str()), Some("webp")));
            assert_eq!((&written["width"], &written["height"]), (&json!(width), &json!(height)));
            assert_eq!(Stored::decode(&key, &bucket.get(&key)).unwrap().size(), Size { width, height });
        }
        assert_eq!(invoke(&bucket, resolutions, object).await.unwrap(), output, "the same again");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_and_writes_nothing() {
    let bucket = Bucket::with("a.png", picture()).await;
    assert_eq!(invoke(&bucket, "", bucket.object("a.png")).await.unwrap_err().name, "WrongExtension");
    assert_eq!(bucket.keys(), ["a.png"]);
}

#[tokio::test]
async fn what_s3_answers_has_a_name() {
    for method in ["GET", "PUT"] {
        for (reply, name) in s3_failures() {
            let failing = reply.clone();
            let answer = move |request: &Request| (request.method == method).then(|| failing.clone());
            let bucket = Bucket::replying(KEY, picture(), answer).await;
            let failure = invoke(&bucket, "", bucket.object(KEY)).await.unwrap_err();
            assert_eq!(failure.name, name, "{method} {reply:?}: {failure:?}");
        }
    }
}

#[test]
fn wrong_resolutions_are_an_error_at_the_start() {
    let settings = Environment::of([("RESOLUTIONS", "320,large")]);
    let error = ScaleImage::new(&settings, &unreachable_sdk_config()).err().unwrap().to_string();
    assert!(error.contains("RESOLUTIONS") && error.contains("\"large\""), "{error}");
}

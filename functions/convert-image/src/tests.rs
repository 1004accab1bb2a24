//! The handler with the real client against a stand-in for S3.

use std::time::Duration;

use function_kit::testing::{self, Reply, s3_failures};
use function_kit::{Environment, Failure};
use image_kit::limits::MAX_BYTES;
use image_kit::testing::{Bucket, black_png, harbour, turned_jpeg};
use image_kit::{Size, Stored};
use serde_json::{Value, json};

use crate::{ConvertImage, handle};

const KEY: &str = "images/a.jpg";

fn picture() -> Vec<u8> {
    turned_jpeg(&harbour(64, 48), 90)
}

async fn invoke(bucket: &Bucket, settings: &[(&str, &str)], payload: Value) -> Result<Value, Failure> {
    let settings = Environment::of(settings.iter().copied());
    let function = ConvertImage::new(&settings, &bucket.sdk_config()).unwrap();
    testing::invoke(&function, handle, payload).await
}

#[tokio::test]
async fn a_picture_is_written_in_the_other_formats() {
    let bucket = Bucket::with(KEY, picture()).await;
    let object = bucket.object(KEY);
    let output = invoke(&bucket, &[], object.clone()).await.unwrap();
    assert_eq!(
        json!([output["format"], output["width"], output["height"]]),
        json!(["jpeg", 64, 48]),
        "upright: {output}"
    );
    let folder = format!("processed/{KEY}/{}", object["eTag"].as_str().unwrap().trim_matches('"'));
    let written = output["pictures"].as_array().unwrap();
    for (written, name) in written.iter().zip(["full.png", "full.webp"]) {
        let key = format!("{folder}/{name}");
        let file = bucket.get(&key);
        assert_eq!(Stored::decode(&key, &file).unwrap().size(), Size { width: 64, height: 48 });
        let mut expected = bucket.object(&key);
        expected["format"] = name.trim_start_matches("full.").into();
        expected["width"] = 64.into();
        expected["height"] = 48.into();
        expected["bytes"] = file.len().into();
        assert_eq!(*written, expected);
    }
    assert_eq!((written.len(), bucket.keys().len()), (2, 3));
    let types: Vec<String> = bucket
        .requests()
        .iter()
        .filter(|request| request.method == "PUT")
        .map(|request| request.header("content-type").to_owned())
        .collect();
    assert_eq!(types, ["image/png", "image/webp"]);

    // Once more: the same objects.
    assert_eq!(invoke(&bucket, &[], object).await.unwrap(), output);
    assert_eq!(bucket.keys().len(), 3);
}

#[tokio::test]
async fn the_settings_choose_where_the_results_go() {
    let bucket = Bucket::with("a.png", black_png(3, 2)).await;
    let settings = [("OUTPUT_PREFIX", "made/"), ("OUTPUT_BUCKET", "data")];
    let output = invoke(&bucket, &settings, bucket.object("a.png")).await.unwrap();
    assert!(output["pictures"][0]["key"].as_str().unwrap().starts_with("made/a.png/"), "{output}");
    let failure = invoke(&bucket, &[("OUTPUT_BUCKET", "other")], bucket.object("a.png")).await.unwrap_err();
    assert_eq!(failure.name, "BucketNotFound");
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_and_writes_nothing() {
    let mut cut = picture();
    cut.truncate(cut.len() / 2);
    for (key, file, name) in [
        ("a.jpg", Vec::new(), "EmptyFile"),
        ("a.jpg", b"text".to_vec(), "UnsupportedFormat"),
        ("a.gif", picture(), "WrongExtension"),
        ("a.png", black_png(20_000, 20_000), "PictureTooLarge"),
        ("a.jpg", cut, "TruncatedFile"),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x09\x09\0\0\0\0\0\0\0".to_vec(), "CorruptFile"),
    ] {
        let bucket = Bucket::with(key, file).await;
        let failure = invoke(&bucket, &[], bucket.object(key)).await.unwrap_err();
        assert_eq!(failure.name, name, "{failure:?}");
        assert_eq!(bucket.keys(), [key]);
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_read() {
    let large = Reply::body(200, vec![0; usize::try_from(MAX_BYTES).unwrap() + 1]);
    let answer = move |_: &testing::Request| Some(large.clone());
    let bucket = Bucket::replying(KEY, picture(), answer).await;
    assert_eq!(invoke(&bucket, &[], bucket.object(KEY)).await.unwrap_err().name, "FileTooLarge");
}

#[tokio::test]
async fn an_object_that_was_replaced_is_not_read() {
    let bucket = Bucket::with(KEY, picture()).await;
    let object = bucket.object(KEY);
    bucket.put(KEY, turned_jpeg(&harbour(8, 6), 90));
    assert_eq!(invoke(&bucket, &[], object.clone()).await.unwrap_err().name, "ObjectChanged");
    bucket.delete(KEY);
    assert_eq!(invoke(&bucket, &[], object).await.unwrap_err().name, "ObjectNotFound");
}

#[tokio::test]
async fn the_version_of_the_input_is_read() {
    let bucket = Bucket::with(KEY, picture()).await;
    let mut object = bucket.object(KEY);
    object["versionId"] = "v7".into();
    invoke(&bucket, &[], object).await.unwrap();
    assert!(bucket.requests()[0].query.contains("versionId=v7"));
}

#[tokio::test]
async fn what_s3_answers_has_a_name() {
    for method in ["GET", "PUT"] {
        for (reply, name) in s3_failures() {
            let failing = reply.clone();
            let answer = move |request: &testing::Request| (request.method == method).then(|| failing.clone());
            let bucket = Bucket::replying(KEY, picture(), answer).await;
            let failure = invoke(&bucket, &[], bucket.object(KEY)).await.unwrap_err();
            assert_eq!(failure.name, name, "{method} {reply:?}: {failure:?}");
        }
    }
}

#[tokio::test]
async fn a_picture_for_which_there_is_no_time_is_told() {
    let bucket = Bucket::with(KEY, picture()).await;
    let function = ConvertImage::new(&Environment::default(), &bucket.sdk_config()).unwrap();
    // Less than what is kept to answer.
    let time = Duration::from_millis(1400);
    let failure = testing::invoke_within(time, &function, handle, bucket.object(KEY)).await.unwrap_err();
    assert_eq!(failure.name, "TimedOut");
}

#[tokio::test]
async fn input_that_names_no_object_is_invalid() {
    let bucket = Bucket::with(KEY, picture()).await;
    for (field, value) in [("bucket", json!("")), ("key", json!("")), ("eTag", json!("")), ("key", json!(7))] {
        let mut payload = bucket.object(KEY);
        payload[field] = value;
        let failure = invoke(&bucket, &[], payload).await.unwrap_err();
        assert_eq!(failure.name, "InvalidInput");
        assert!(failure.message.starts_with(field), "{failure:?}");
        let mut payload = bucket.object(KEY);
        payload.as_object_mut().unwrap().remove(field);
        assert_eq!(invoke(&bucket, &[], payload).await.unwrap_err().name, "InvalidInput");
    }
    assert!(bucket.requests().is_empty());
}

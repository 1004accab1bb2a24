//! The handler with the real client against a stand-in for S3.

use function_kit::testing::{self, Request, s3_failures};
use function_kit::{Environment, Failure};
use image_kit::testing::{Bucket, black_png, harbour, turned_jpeg};
use image_kit::{Fingerprint, Picture, Stored, Target};
use serde_json::{Value, json};

use crate::{CheckImages, handle};

const KEY: &str = "images/<a> & b.jpg";
const FULL: &str = "made/full.png";
const SMALL: &str = "made/40.webp";

fn file() -> Vec<u8> {
    turned_jpeg(&harbour(80, 60), 90)
}

fn picture() -> Picture {
    Stored::decode("a.jpg", &file()).unwrap().into_picture()
}

/// A picture, and what was made of it.
async fn bucket() -> Bucket {
    let bucket = Bucket::with(KEY, file()).await;
    bucket.put(FULL, picture().encode(Target::Png).unwrap());
    bucket.put(SMALL, picture().scaled(40).encode(Target::WebP).unwrap());
    bucket
}

fn written(bucket: &Bucket, key: &str, format: &str, width: u32, height: u32) -> Value {
    let mut written = bucket.object(key);
    for (field, value) in [
        ("format", json!(format)),
        ("width", json!(width)),
        ("height", json!(height)),
        ("bytes", json!(bucket.get(key).len())),
    ] {
        written[field] = value;
    }
    written
}

fn event(bucket: &Bucket) -> Value {
    let picture = |pictures: Value| json!({"format": "jpeg", "width": 80, "height": 60, "pictures": pictures});
    let mut event = bucket.object(KEY);
    event["converted"] = picture(json!([written(bucket, FULL, "png", 80, 60)]));
    event["scaled"] = picture(json!([written(bucket, SMALL, "webp", 40, 30)]));
    event["analysis"] = json!({
        "format": "jpeg", "width": 80, "height": 60, "bytes": file().len(), "turned": true, "transparent": false,
        "colours": [{"rgb": "#112233", "share": 0.75}, {"rgb": "#445566", "share": 0.25}],
        "sharpness": 812.4,
        "hash": Fingerprint::of(&self::picture()).to_string(),
        "nearDuplicates": [{"bucket": "data", "key": "images/other.webp", "distance": 3}],
    });
    event
}

async fn invoke(bucket: &Bucket, payload: Value) -> Result<Value, Failure> {
    let function = CheckImages::new(&Environment::default(), &bucket.sdk_config()).unwrap();
    testing::invoke(&function, handle, payload).await
}

#[tokio::test]
async fn results_that_are_as_told_are_on_the_contact_sheet() {
    let bucket = bucket().await;
    let mut event = event(&bucket);
    event["labels"] = json!([{"name": "Harbor <1>", "confidence": 98.2}]);
    let output = invoke(&bucket, event).await.unwrap();
    let sheet = &output["contactSheet"];
    // The stand-in keeps keys as they are in the request.
    let key =
        sheet["key"].as_str().unwrap().replace('<', "%3C").replace('>', "%3E").replace('&', "%26").replace(' ', "%20");
    let page = String::from_utf8(bucket.get(&key)).unwrap();
    assert_eq!((&output["checked"], &sheet["bytes"]), (&json!(2), &json!(page.len())));
    for part in [
        "<title>&lt;a&gt; &amp; b.jpg</title>",
        "<p>s3://data/images/&lt;a&gt; &amp; b.jpg</p>",
        "<dd>JPEG, turned</dd>",
        "<dd>80 × 60</dd>",
        "background: #112233\" title=\"#112233, 75 %\"",
        "<b>40.webp</b> 40 × 30",
        "<b>full.png</b> 80 × 60",
        "<li>Harbor &lt;1&gt; (98 %)</li>",
        "<li>s3://data/images/other.webp, 3 of 64 bits differ</li>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(page.matches("src=\"data:image/webp;base64,UklGR").count(), 2, "{page}");
    for loaded in ["<script", "href=", "url(", "src=\"http"] {
        assert!(!page.contains(loaded), "{loaded}");
    }
}

#[tokio::test]
async fn a_list_without_items_is_left_out() {
    let bucket = bucket().await;
    let mut event = event(&bucket);
    event["analysis"]["nearDuplicates"] = json!([]);
    let output = invoke(&bucket, event).await.unwrap();
    assert!(output["contactSheet"]["bytes"].as_u64().unwrap() > 0);
    let page = bucket.keys().into_iter().find(|key| key.ends_with("contact-sheet.html")).unwrap();
    assert!(!String::from_utf8(bucket.get(&page)).unwrap().contains("<h2>"));
}

#[tokio::test]
async fn a_result_that_is_not_as_told_is_named() {
    let other = Stored::decode("a.png", &black_png(80, 60)).unwrap().into_picture().encode(Target::Png).unwrap();
    let mirrored = turned_jpeg(&image::imageops::flip_horizontal(&harbour(80, 60)), 90);
    let mirrored = Stored::decode("a.jpg", &mirrored).unwrap().into_picture().encode(Target::Png).unwrap();
    let mut cut = picture().encode(Target::Png).unwrap();
    cut.truncate(cut.len() / 2);
    for (content, said) in [
        (other, "it is another picture"),
        (mirrored, "it is another picture"),
        (cut, "ends too early"),
        (file(), "is a JPEG picture by its content"),
        (picture().scaled(79).encode(Target::Png).unwrap(), "it is a PNG picture of 79 × 59 in"),
        (Vec::new(), "the file is empty"),
    ] {
        let bucket = bucket().await;
        bucket.put(FULL, content);
        let failure = invoke(&bucket, event(&bucket)).await.unwrap_err();
        assert_eq!(failure.name, "ResultNotUsable");
        assert!(failure.message.starts_with("s3://data/made/full.png: "), "{failure:?}");
        assert!(failure.message.contains(said), "{said}: {failure:?}");
        assert_eq!(bucket.keys().len(), 3, "no contact sheet is written");
    }
    for (change, said) in [(0, "it was replaced"), (1, "it is not there")] {
        let bucket = bucket().await;
        let event = event(&bucket);
        if change == 0 {
            bucket.put(SMALL, file());
        } else {
            bucket.delete(SMALL);
        }
        let failure = invoke(&bucket, event).await.unwrap_err();
        assert_eq!((failure.name, failure.message), ("ResultNotUsable", format!("s3://data/{SMALL}: {said}")));
    }
    let bucket = bucket().await;
    let mut event = event(&bucket);
    event["converted"]["pictures"][0]["bytes"] = 7.into();
    assert_eq!(invoke(&bucket, event).await.unwrap_err().name, "ResultNotUsable");
}

#[tokio::test]
async fn results_of_different_pictures_are_told() {
    for (result, field, value) in
        [("converted", "width", json!(81)), ("scaled", "height", json!(61)), ("analysis", "format", json!("png"))]
    {
        let bucket = bucket().await;
        let mut event = event(&bucket);
        event[result][field] = value;
        let failure = invoke(&bucket, event).await.unwrap_err();
        assert_eq!(failure.name, "ResultsDiffer", "{failure:?}");
        assert_eq!(bucket.requests().len(), 0);
    }
}

#[tokio::test]
async fn what_s3_answers_has_a_name() {
    for method in ["GET", "PUT"] {
        for (reply, name) in s3_failures() {
            let before = bucket().await;
            let failing = reply.clone();
            let answer = move |request: &Request| (request.method == method).then(|| failing.clone());
            let bucket = Bucket::replying(KEY, file(), answer).await;
            for key in [FULL, SMALL] {
                bucket.put(key, before.get(key));
            }
            let failure = invoke(&bucket, event(&bucket)).await.unwrap_err();
            assert_eq!(failure.name, name, "{method} {reply:?}: {failure:?}");
        }
    }
}

#[tokio::test]
async fn input_that_is_not_what_it_should_be_is_refused() {
    for field in ["bucket", "key", "eTag", "converted", "scaled", "analysis"] {
        let bucket = bucket().await;
        let mut event = event(&bucket);
        event.as_object_mut().unwrap().remove(field);
        let failure = invoke(&bucket, event).await.unwrap_err();
        assert_eq!(failure.name, "InvalidInput");
        assert!(failure.message.contains(field), "{failure:?}");
    }
    let bucket = bucket().await;
    let mut event = event(&bucket);
    event["analysis"]["hash"] = "none".into();
    let failure = invoke(&bucket, event).await.unwrap_err();
    assert!(failure.message.contains("16 hexadecimal digits"), "{failure:?}");
}

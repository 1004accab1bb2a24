//! S3 by the SDK.

use serde_json::{Value, json};

use crate::stage::Stage;

#[tokio::test]
async fn objects_are_put_read_and_listed() {
    let stage = Stage::open().await;
    stage.result("aws-sdk:s3:createBucket", json!({ "Bucket": "shelf" })).await;
    // A body is the JSON text of what is given.
    for (key, body, text) in [
        ("an object", json!({ "a": [1] }), r#"{"a":[1]}"#),
        ("a/b c", json!("text"), r#""text""#),
        ("number", json!(0), "0"),
    ] {
        let parameters = json!({ "Bucket": "shelf", "Key": key, "Body": body, "ContentType": "application/json", "Metadata": { "by": "me" } });
        let put = stage.result("aws-sdk:s3:putObject", parameters).await;
        assert!(put["ETag"].as_str().unwrap().starts_with('"'), "{put}");
        let got = stage.result("aws-sdk:s3:getObject", json!({ "Bucket": "shelf", "Key": key })).await;
        assert_eq!(got["Body"], text);
        assert_eq!((&got["ContentType"], &got["ContentLength"]), (&json!("application/json"), &json!(text.len())));
        assert_eq!((&got["ETag"], &got["Metadata"]), (&put["ETag"], &json!({ "by": "me" })));
        assert!(got["LastModified"].as_str().unwrap().ends_with('Z'), "{got}");
    }

    let listed = stage.result("aws-sdk:s3:listObjectsV2", json!({ "Bucket": "shelf", "MaxKeys": 2 })).await;
    let keys: Vec<_> = listed["Contents"].as_array().unwrap().iter().map(|object| &object["Key"]).collect();
    assert_eq!(keys, ["a/b c", "an object"]);
    assert_eq!((&listed["IsTruncated"], &listed["KeyCount"]), (&json!(true), &json!(2)));
    let prefixes = json!({ "Bucket": "shelf", "Delimiter": "/", "Prefix": "a" });
    let listed = stage.result("aws-sdk:s3:listObjectsV2", prefixes).await;
    assert_eq!(listed["CommonPrefixes"], json!([{ "Prefix": "a/" }]));
    // A list that the service does not send is not there.
    let nothing = stage.result("aws-sdk:s3:listObjectsV2", json!({ "Bucket": "shelf", "Prefix": "z" })).await;
    assert_eq!((nothing.get("Contents"), &nothing["KeyCount"]), (None, &json!(0)));

    let copy = json!({ "Bucket": "shelf", "Key": "copy", "CopySource": "shelf/number" });
    let copied = stage.result("aws-sdk:s3:copyObject", copy).await;
    assert!(copied["CopyObjectResult"]["ETag"].is_string(), "{copied}");
    let head = stage.result("aws-sdk:s3:headObject", json!({ "Bucket": "shelf", "Key": "copy" })).await;
    assert_eq!((&head["ContentLength"], head.get("Body")), (&json!(1), None));
    let objects = json!([{ "Key": "copy" }, { "Key": "number" }]);
    let deleted =
        stage.result("aws-sdk:s3:deleteObjects", json!({ "Bucket": "shelf", "Delete": { "Objects": objects } })).await;
    assert_eq!(deleted["Deleted"], objects);
    let location = stage.result("aws-sdk:s3:getBucketLocation", json!({ "Bucket": "shelf" })).await;
    assert!(location.as_object().unwrap().keys().all(|key| key == "LocationConstraint"), "{location}");
    let buckets = stage.result("aws-sdk:s3:listBuckets", json!({})).await;
    assert_eq!(buckets["Buckets"][0]["Name"], "shelf");
}

#[tokio::test]
async fn errors_have_the_names_of_their_classes() {
    let stage = Stage::open().await;
    stage.result("aws-sdk:s3:createBucket", json!({ "Bucket": "shelf" })).await;
    stage.result("aws-sdk:s3:putObject", json!({ "Bucket": "shelf", "Key": "k", "Body": 1 })).await;
    for (action, parameters, error, said) in [
        ("getObject", json!({ "Bucket": "shelf", "Key": "none" }), "S3.NoSuchKeyException", "Status Code: 404"),
        ("listObjects", json!({ "Bucket": "nowhere" }), "S3.NoSuchBucketException", "does not exist"),
        ("headObject", json!({ "Bucket": "shelf", "Key": "none" }), "S3.NoSuchKeyException", "(Service: S3"),
        ("headBucket", json!({ "Bucket": "nowhere" }), "S3.NoSuchBucketException", "(Service: S3"),
        ("deleteBucket", json!({ "Bucket": "shelf" }), "S3.S3Exception", "Status Code: 409"),
        ("deleteBucket", json!({ "Bucket": "nowhere" }), "S3.NoSuchBucketException", "(SDK Attempt Count: 1)"),
    ] {
        let (name, cause) = stage.fault(&format!("aws-sdk:s3:{action}"), parameters).await;
        assert_eq!(name, error, "{action}: {cause}");
        assert!(cause.contains(said), "{action}: {cause}");
    }
}

#[tokio::test]
async fn what_s3_does_not_do_here_fails_by_its_name() {
    let stage = Stage::open().await;
    stage.result("aws-sdk:s3:createBucket", json!({ "Bucket": "shelf" })).await;
    let (error, cause) =
        stage.fault("aws-sdk:s3:listBucketInventoryConfigurations", json!({ "Bucket": "shelf" })).await;
    assert_eq!(error, "S3.S3Exception", "{cause}");
    assert!(cause.contains("Status Code: 501"), "{cause}");
}

#[tokio::test]
async fn a_document_goes_through_s3_and_back() {
    let stage = Stage::open().await;
    stage.result("aws-sdk:s3:createBucket", json!({ "Bucket": "shelf" })).await;
    let definition = json!({ "StartAt": "Put", "States": {
        "Put": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
            "Parameters": { "Bucket": "shelf", "Key.$": "$$.Execution.Name", "Body": { "total": 7 } },
            "ResultPath": null,
            "Next": "Get",
        },
        "Get": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
            "Parameters": { "Bucket": "shelf", "Key.$": "$$.Execution.Name" },
            "ResultSelector": { "document.$": "States.StringToJson($.Body)" },
            "OutputPath": "$.document.total",
            "End": true,
        },
    }});
    assert_eq!(stage.run(&definition).await, Ok(Value::from(7)));
}

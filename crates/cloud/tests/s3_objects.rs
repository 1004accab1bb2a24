//! Objects of S3 through the AWS client.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod common;

use aws_sdk_s3::{
    Client,
    error::ProvideErrorMetadata as _,
    presigning::PresigningConfig,
    primitives::ByteStream,
    types::{ChecksumAlgorithm, ChecksumMode, MetadataDirective, ObjectCannedAcl, ObjectLockLegalHoldStatus},
};
use common::Cloud;

/// The MD5 of "hello world".
const HELLO: &str = "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"";

fn with_bucket() -> (Cloud, Client) {
    let cloud = Cloud::start();
    assert!(cloud.s3.create_bucket_if_absent("data", false).unwrap());
    let client = cloud.s3();
    (cloud, client)
}

async fn put(client: &Client, key: &str, body: &'static str) {
    client.put_object().bucket("data").key(key).body(ByteStream::from_static(body.as_bytes())).send().await.unwrap();
}

async fn get(client: &Client, key: &str) -> String {
    let object = client.get_object().bucket("data").key(key).send().await.unwrap();
    String::from_utf8(object.body.collect().await.unwrap().to_vec()).unwrap()
}

async fn keys(client: &Client) -> Vec<String> {
    let listed = client.list_objects_v2().bucket("data").send().await.unwrap();
    listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_object_comes_back_with_its_headers() {
    let (cloud, client) = with_bucket();
    let written = client
        .put_object()
        .bucket("data")
        .key("notes/hello.txt")
        .content_type("text/plain; charset=utf-8")
        .cache_control("no-cache")
        .content_disposition("inline")
        .content_language("en")
        .metadata("author", "ada")
        .body(ByteStream::from_static(b"hello world"))
        .send()
        .await
        .unwrap();
    assert_eq!(written.e_tag(), Some(HELLO));
    assert_eq!(written.version_id(), None);

    let head = client.head_object().bucket("data").key("notes/hello.txt").send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/plain; charset=utf-8"));
    assert_eq!(head.content_length(), Some(11));
    assert_eq!(head.e_tag(), Some(HELLO));
    assert_eq!(head.cache_control(), Some("no-cache"));
    assert_eq!(head.content_disposition(), Some("inline"));
    assert_eq!(head.content_language(), Some("en"));
    assert_eq!(head.metadata().unwrap().get("author").map(String::as_str), Some("ada"));
    assert!(head.last_modified().is_some());

    let object = client.get_object().bucket("data").key("notes/hello.txt").send().await.unwrap();
    assert_eq!(object.content_type(), Some("text/plain; charset=utf-8"));
    assert_eq!(object.body.collect().await.unwrap().to_vec(), b"hello world");

    let put = cloud.raw("PUT /data/plain HTTP/1.1", "").await;
    assert!(put.starts_with("HTTP/1.1 200"), "{put}");
    let plain = client.head_object().bucket("data").key("plain").send().await.unwrap();
    assert_eq!(plain.content_type(), Some("binary/octet-stream"));
    assert_eq!(plain.content_length(), Some(0));
    assert_eq!(get(&client, "plain").await, "");
}

#[tokio::test]
async fn what_is_missing_is_said_to_be() {
    let (_cloud, client) = with_bucket();
    let head = client.head_object().bucket("data").key("absent").send().await.unwrap_err();
    assert_eq!(head.raw_response().unwrap().status().as_u16(), 404);
    let head = client.head_object().bucket("absent").key("absent").send().await.unwrap_err();
    assert_eq!(head.raw_response().unwrap().status().as_u16(), 404);
    let get = client.get_object().bucket("data").key("absent").send().await.unwrap_err().into_service_error();
    assert!(get.is_no_such_key(), "{get:?}");
    let get = client.get_object().bucket("absent").key("absent").send().await.unwrap_err().into_service_error();
    assert_eq!(get.code(), Some("NoSuchBucket"));
    let put = client.put_object().bucket("absent").key("k").send().await.unwrap_err().into_service_error();
    assert_eq!(put.code(), Some("NoSuchBucket"));
    assert!(client.head_bucket().bucket("absent").send().await.unwrap_err().into_service_error().is_not_found());
}

#[tokio::test]
async fn any_key_is_exact() {
    let (_cloud, client) = with_bucket();
    let longest = "é".repeat(512);
    let cases = [
        "../outside",
        "/leading",
        "a//b",
        "a/b",
        "a",
        "a/",
        "./dot",
        "..",
        "space and + plus",
        "ünïcode/日本語/🦀.csv",
        "percent%2Fencoded",
        "q?a=b&c#d",
        "C:\\windows",
        "UPPER",
        "upper",
        "new\u{1}control",
        &longest,
    ];
    for key in cases {
        client
            .put_object()
            .bucket("data")
            .key(key)
            .body(ByteStream::from(key.as_bytes().to_vec()))
            .send()
            .await
            .unwrap_or_else(|error| panic!("{key:?}: {error:?}"));
    }
    for key in cases {
        assert_eq!(get(&client, key).await, key);
    }
    let listed = client
        .list_objects_v2()
        .bucket("data")
        .encoding_type(aws_sdk_s3::types::EncodingType::Url)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.key_count(), Some(i32::try_from(cases.len()).unwrap()));
    assert!(listed.contents().iter().any(|object| object.key() == Some("new%01control")));
    for key in cases {
        client.delete_object().bucket("data").key(key).send().await.unwrap();
    }
    assert!(keys(&client).await.is_empty());

    let too_long = client.put_object().bucket("data").key("k".repeat(1025)).send().await.unwrap_err();
    assert_eq!(too_long.into_service_error().code(), Some("KeyTooLongError"));
}

#[tokio::test]
async fn ranges() {
    let (_cloud, client) = with_bucket();
    put(&client, "digits", "0123456789").await;
    put(&client, "empty", "").await;
    let cases = [
        ("bytes=0-3", Some(("0123", "bytes 0-3/10"))),
        ("bytes=7-", Some(("789", "bytes 7-9/10"))),
        ("bytes=-2", Some(("89", "bytes 8-9/10"))),
        ("bytes=-99", Some(("0123456789", "bytes 0-9/10"))),
        ("bytes=8-99", Some(("89", "bytes 8-9/10"))),
        ("bytes=10-", None),
        ("bytes=-0", None),
    ];
    for (range, expected) in cases {
        let answer = client.get_object().bucket("data").key("digits").range(range).send().await;
        match expected {
            Some((text, header)) => {
                let object = answer.unwrap();
                assert_eq!(object.content_range(), Some(header), "{range}");
                assert_eq!(object.body.collect().await.unwrap().to_vec(), text.as_bytes(), "{range}");
            }
            None => assert_eq!(answer.unwrap_err().into_service_error().code(), Some("InvalidRange"), "{range}"),
        }
    }
    let empty = client.get_object().bucket("data").key("empty").range("bytes=-5").send().await.unwrap_err();
    assert_eq!(empty.into_service_error().code(), Some("InvalidRange"));
}

#[tokio::test]
async fn conditions_on_reads() {
    let (_cloud, client) = with_bucket();
    put(&client, "k", "hello world").await;
    let head = client.head_object().bucket("data").key("k").send().await.unwrap();
    let modified = *head.last_modified().unwrap();
    let other = "\"00000000000000000000000000000000\"";

    let request = || client.get_object().bucket("data").key("k");
    request().if_match(HELLO).send().await.unwrap();
    request().if_none_match(other).send().await.unwrap();
    request().if_unmodified_since(modified).send().await.unwrap();
    let cases = [
        (request().if_match(other).send().await, 412),
        (request().if_none_match(HELLO).send().await, 304),
        (request().if_modified_since(modified).send().await, 304),
        (request().if_unmodified_since(aws_sdk_s3::primitives::DateTime::from_secs(1)).send().await, 412),
    ];
    for (answer, status) in cases {
        assert_eq!(answer.unwrap_err().raw_response().unwrap().status().as_u16(), status);
    }
}

#[tokio::test]
async fn conditions_on_writes() {
    let (_cloud, client) = with_bucket();
    let request =
        |body: &'static str| client.put_object().bucket("data").key("k").body(ByteStream::from_static(body.as_bytes()));
    let absent = request("x").if_match(HELLO).send().await.unwrap_err().into_service_error();
    assert_eq!(absent.code(), Some("NoSuchKey"));
    request("hello world").if_none_match("*").send().await.unwrap();
    let again = request("again").if_none_match("*").send().await.unwrap_err().into_service_error();
    assert_eq!(again.code(), Some("PreconditionFailed"));
    request("changed").if_match(HELLO).send().await.unwrap();
    let late = request("late").if_match(HELLO).send().await.unwrap_err().into_service_error();
    assert_eq!(late.code(), Some("PreconditionFailed"));
    assert_eq!(get(&client, "k").await, "changed");

    // Of writers at once that want to be first, one is.
    let writers = (0..8).map(|_| client.put_object().bucket("data").key("race").if_none_match("*").send());
    let won = futures::future::join_all(writers).await.into_iter().flatten().count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn checksums_are_compared_and_kept() {
    let (_cloud, client) = with_bucket();
    for algorithm in
        [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Crc32C, ChecksumAlgorithm::Sha1, ChecksumAlgorithm::Sha256]
    {
        let body = ByteStream::from_static(b"hello world");
        client.put_object().bucket("data").key("k").checksum_algorithm(algorithm).body(body).send().await.unwrap();
    }
    let object = client.get_object().bucket("data").key("k").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(object.checksum_sha256(), Some("uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="));

    let wrong = "AAAAAA==";
    let put = client.put_object().bucket("data").key("wrong").checksum_crc32(wrong);
    let error = put.body(ByteStream::from_static(b"hello world")).send().await.unwrap_err().into_service_error();
    assert_eq!(error.code(), Some("BadDigest"));
    let put = client.put_object().bucket("data").key("wrong").content_md5("AAAAAAAAAAAAAAAAAAAAAA==");
    let error = put.body(ByteStream::from_static(b"hello world")).send().await.unwrap_err().into_service_error();
    assert_eq!(error.code(), Some("BadDigest"));
    assert_eq!(keys(&client).await, ["k"]);
}

#[tokio::test]
async fn a_body_of_unknown_length_arrives_in_chunks_with_a_trailing_checksum() {
    let (cloud, client) = with_bucket();
    let head = "PUT /data/chunked HTTP/1.1\ncontent-encoding: aws-chunked,gzip\nx-amz-decoded-content-length: 11\n\
                x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER\nx-amz-trailer: x-amz-checksum-crc32\n\
                authorization: AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/s3/aws4_request, Signature=0";
    let body = |checksum: &str| {
        format!(
            "5;chunk-signature=0\r\nhello\r\n6;chunk-signature=0\r\n world\r\n0;chunk-signature=0\r\n\
             x-amz-checksum-crc32:{checksum}\r\nx-amz-trailer-signature:0\r\n\r\n"
        )
    };
    let refused = cloud.raw(head, &body("AAAAAA==")).await;
    assert!(refused.contains("BadDigest"), "{refused}");
    let response = cloud.raw(head, &body("DUoRhQ==")).await;
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert!(response.contains("x-amz-request-id"), "{response}");
    let object = client.head_object().bucket("data").key("chunked").send().await.unwrap();
    assert_eq!((object.content_length(), object.content_encoding()), (Some(11), Some("gzip")));
    assert_eq!(object.e_tag(), Some(HELLO));

    let short = head.replace("length: 11", "length: 12");
    let response = cloud.raw(&short, &body("DUoRhQ==")).await;
    assert!(response.contains("IncompleteBody"), "{response}");
}

#[tokio::test]
async fn a_large_object_streams_both_ways() {
    let (_cloud, client) = with_bucket();
    let body: Vec<u8> = (0..3_000_000u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
    client.put_object().bucket("data").key("large").body(body.clone().into()).send().await.unwrap();
    let object = client.get_object().bucket("data").key("large").send().await.unwrap();
    assert!(object.body.collect().await.unwrap().to_vec() == body);
    let part = client.get_object().bucket("data").key("large").range("bytes=1000-1999999").send().await.unwrap();
    assert!(part.body.collect().await.unwrap().to_vec() == body[1000..2_000_000]);
}

#[tokio::test]
async fn copies() {
    let (_cloud, client) = with_bucket();
    let body = ByteStream::from_static(b"hello world");
    client.put_object().bucket("data").key("a b").content_type("text/plain").body(body).send().await.unwrap();
    let copy = |source: &str, key: &str| client.copy_object().bucket("data").key(key).copy_source(source);
    let copied = copy("data/a%20b", "b").send().await.unwrap();
    assert_eq!(copied.copy_object_result().unwrap().e_tag(), Some(HELLO));
    let head = client.head_object().bucket("data").key("b").send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/plain"));

    let replace = MetadataDirective::Replace;
    copy("data/b", "b").metadata_directive(replace).content_type("text/csv").send().await.unwrap();
    let head = client.head_object().bucket("data").key("b").send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/csv"));
    assert_eq!(get(&client, "b").await, "hello world");

    let itself = copy("data/b", "b").send().await.unwrap_err().into_service_error();
    assert_eq!(itself.code(), Some("InvalidRequest"));
    let missing = copy("data/absent", "c").send().await.unwrap_err().into_service_error();
    assert_eq!(missing.code(), Some("NoSuchKey"));
    let excluded = copy("data/b", "c").copy_source_if_none_match(HELLO).send().await.unwrap_err().into_service_error();
    assert_eq!(excluded.code(), Some("PreconditionFailed"));
}

#[tokio::test]
async fn listings_in_pages() {
    let (_cloud, client) = with_bucket();
    for key in ["a/1", "a/2", "b", "c/1", "d"] {
        put(&client, key, "x").await;
    }
    let mut pages = client.list_objects_v2().bucket("data").max_keys(2).into_paginator().send();
    let mut seen = Vec::new();
    while let Some(page) = pages.next().await {
        seen.push(page.unwrap().contents().iter().map(|object| object.key().unwrap().to_owned()).collect::<Vec<_>>());
    }
    assert_eq!(seen, [vec!["a/1", "a/2"], vec!["b", "c/1"], vec!["d"]]);

    let mut pages = client.list_objects_v2().bucket("data").delimiter("/").max_keys(2).into_paginator().send();
    let mut seen = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        seen.extend(page.common_prefixes().iter().map(|prefix| prefix.prefix().unwrap().to_owned()));
        seen.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
    }
    assert_eq!(seen, ["a/", "b", "c/", "d"]);

    let below = client.list_objects_v2().bucket("data").prefix("a/").start_after("a/1").send().await.unwrap();
    assert_eq!(below.contents().first().unwrap().key(), Some("a/2"));
    let old = client.list_objects().bucket("data").max_keys(3).send().await.unwrap();
    assert_eq!((old.is_truncated(), old.next_marker()), (Some(true), Some("b")));
    let token = client.list_objects_v2().bucket("data").continuation_token("!").send().await.unwrap_err();
    assert_eq!(token.into_service_error().code(), Some("InvalidArgument"));
}

#[tokio::test]
async fn buckets() {
    let (cloud, client) = with_bucket();
    assert!(!cloud.s3.create_bucket_if_absent("data", false).unwrap());
    assert!(cloud.s3.create_bucket_if_absent("../x", false).unwrap_err().to_string().contains("../x"));
    client.create_bucket().bucket("more").send().await.unwrap();
    client.head_bucket().bucket("more").send().await.unwrap();
    let listed = client.list_buckets().send().await.unwrap();
    assert_eq!(listed.buckets().iter().map(|bucket| bucket.name().unwrap()).collect::<Vec<_>>(), ["data", "more"]);
    put(&client, "k", "x").await;
    let full = client.delete_bucket().bucket("data").send().await.unwrap_err().into_service_error();
    assert_eq!(full.code(), Some("BucketNotEmpty"));
    client.delete_bucket().bucket("more").send().await.unwrap();
    assert!(client.head_bucket().bucket("more").send().await.is_err());
}

#[tokio::test]
async fn a_bucket_in_the_host_and_a_presigned_address_work() {
    let (cloud, client) = with_bucket();
    put(&client, "k", "hello world").await;
    for host in ["data.localhost", "data.s3.us-east-1.localhost:4566"] {
        let response = cloud.raw(&format!("GET /k HTTP/1.1\nhost: {host}"), "").await;
        assert!(response.ends_with("\r\n\r\nhello world"), "{response}");
    }
    let expiry = PresigningConfig::expires_in(std::time::Duration::from_mins(1)).unwrap();
    let signed = client.get_object().bucket("data").key("k").presigned(expiry).await.unwrap();
    let (_, address) = signed.uri().split_once("//").and_then(|(_, rest)| rest.split_once('/')).unwrap();
    let response = cloud.raw(&format!("GET /{address} HTTP/1.1"), "").await;
    assert!(response.ends_with("\r\n\r\nhello world"), "{response}");
}

#[tokio::test]
async fn what_is_not_emulated_is_refused() {
    let (_cloud, client) = with_bucket();
    let put = || client.put_object().bucket("data").key("k");
    let public = put().acl(ObjectCannedAcl::PublicRead).send().await.unwrap_err().into_service_error();
    let locked = put()
        .object_lock_legal_hold_status(ObjectLockLegalHoldStatus::On)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let inventory = client.list_bucket_inventory_configurations().bucket("data").send().await;
    let inventory = inventory.unwrap_err().into_service_error();
    for code in [public.code(), locked.code(), inventory.code()] {
        assert_eq!(code, Some("NotImplemented"));
    }
    assert!(locked.message().is_some_and(|message| message.contains("object_lock_legal_hold_status")));
    put().acl(ObjectCannedAcl::Private).send().await.unwrap();
}

#[tokio::test]
async fn what_is_left_of_a_deleted_bucket_is_swept_and_one_without_objects_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start_in(folder.path());
    for bucket in ["data", "gone"] {
        cloud.s3.create_bucket_if_absent(bucket, false).unwrap();
    }
    cloud.s3().delete_bucket().bucket("gone").send().await.unwrap();
    cloud.stop().await;
    let s3 = folder.path().join("s3");
    assert!(!s3.join("gone").exists());
    // What a runner leaves that is killed in between.
    let left = s3.join(".deleted-0000000000000001");
    std::fs::create_dir_all(left.join("objects")).unwrap();
    std::fs::write(left.join("bucket.json"), "{").unwrap();
    std::fs::remove_dir_all(s3.join("data/objects")).unwrap();

    let cloud = Cloud::start_in(folder.path());
    assert!(!left.exists());
    let client = cloud.s3();
    assert!(keys(&client).await.is_empty());
    put(&client, "k", "x").await;
    assert_eq!(get(&client, "k").await, "x");
}

#[tokio::test]
async fn one_of_two_parts_of_the_same_number_stays() {
    let (_cloud, client) = with_bucket();
    let upload = client.create_multipart_upload().bucket("data").key("k").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    for round in 0..20 {
        let send = |text: String| {
            let part = client.upload_part().bucket("data").key("k").upload_id(id).part_number(1);
            part.body(ByteStream::from(text.into_bytes())).send()
        };
        let (one, other) = tokio::join!(send(format!("one {round}")), send(format!("other {round}")));
        let e_tags = [one.unwrap().e_tag, other.unwrap().e_tag];
        let parts = client.list_parts().bucket("data").key("k").upload_id(id).send().await.unwrap();
        let [part] = parts.parts() else { panic!("{:?}", parts.parts()) };
        assert!(e_tags.contains(&part.e_tag));
    }
}

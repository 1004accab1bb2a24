//! S3 over time: versions, uploads in parts, events, and what is there after reopening.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod common;

use aws_sdk_s3::{
    Client,
    error::ProvideErrorMetadata as _,
    primitives::ByteStream,
    types::{
        BucketVersioningStatus, CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier, Tag, Tagging,
        VersioningConfiguration,
    },
};
use axum::body::Body;
use cloud::{
    s3::{Deletion, EventKind, Reason, S3, TagChange},
    service::Service,
};
use common::Cloud;
use futures::future::join_all;
use http_body_util::BodyExt;
use tokio::sync::mpsc;

const FIVE_MIB: usize = 5 * 1024 * 1024;

async fn put(client: &Client, key: &str, body: &'static str) -> Option<String> {
    let body = ByteStream::from_static(body.as_bytes());
    client.put_object().bucket("data").key(key).body(body).send().await.unwrap().version_id
}

async fn get(client: &Client, key: &str) -> String {
    let object = client.get_object().bucket("data").key(key).send().await.unwrap();
    String::from_utf8(object.body.collect().await.unwrap().to_vec()).unwrap()
}

/// Uploads parts, and gives the upload's id and the parts to complete it with.
async fn upload(client: &Client, key: &str, parts: &[Vec<u8>]) -> (String, Vec<CompletedPart>) {
    let begun = client.create_multipart_upload().bucket("data").key(key).content_type("text/csv").send().await.unwrap();
    let id = begun.upload_id().unwrap().to_owned();
    let mut completed = Vec::new();
    for (number, part) in (1..).zip(parts) {
        let upload = client.upload_part().bucket("data").key(key).upload_id(&id).part_number(number);
        let received = upload.body(part.clone().into()).send().await.unwrap();
        let part = CompletedPart::builder().part_number(number).set_e_tag(received.e_tag).build();
        completed.push(part);
    }
    (id, completed)
}

async fn complete(client: &Client, key: &str, id: &str, parts: Vec<CompletedPart>) -> Result<String, Option<String>> {
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = client.complete_multipart_upload().bucket("data").key(key).upload_id(id).multipart_upload(parts);
    match complete.send().await {
        Ok(done) => Ok(done.e_tag.unwrap()),
        Err(error) => Err(error.into_service_error().code().map(str::to_owned)),
    }
}

#[tokio::test]
async fn parts_are_copied_from_another_object() {
    let cloud = Cloud::start();
    cloud.s3.create_bucket_if_absent("data", false).unwrap();
    let client = cloud.s3();
    let parts = [vec![b'a'; FIVE_MIB], vec![b'b'; 3]];
    let (id, completed) = upload(&client, "a b", &parts).await;
    let e_tag = complete(&client, "a b", &id, completed).await.unwrap();

    let begun = client.create_multipart_upload().bucket("data").key("copy").send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let part = |number: i32, range: &str| {
        let part = client.upload_part_copy().bucket("data").key("copy").upload_id(id).part_number(number);
        part.copy_source("data/a%20b").copy_source_range(range)
    };
    let mut completed = Vec::new();
    for (number, range) in [(1, "bytes=0-5242879"), (2, "bytes=5242880-5242882")] {
        let copied = part(number, range).copy_source_if_match(&e_tag).send().await.unwrap();
        let copied = copied.copy_part_result.unwrap().e_tag;
        completed.push(CompletedPart::builder().part_number(number).set_e_tag(copied).build());
    }
    for (request, code) in [
        (part(3, "bytes=0-5242883"), "InvalidArgument"),
        (part(3, "bytes=2-1"), "InvalidArgument"),
        (part(3, "0-1"), "InvalidArgument"),
        (part(10_001, "bytes=0-1"), "InvalidArgument"),
        (part(3, "bytes=0-1").copy_source_if_match("\"other\""), "PreconditionFailed"),
        (part(3, "bytes=0-1").copy_source("data/absent"), "NoSuchKey"),
        (part(3, "bytes=0-1").upload_id("absent"), "NoSuchUpload"),
    ] {
        assert_eq!(request.send().await.unwrap_err().into_service_error().code(), Some(code));
    }
    // The same parts make the same object.
    assert_eq!(complete(&client, "copy", id, completed).await.unwrap(), e_tag);
    let object = client.get_object().bucket("data").key("copy").send().await.unwrap();
    assert!(object.body.collect().await.unwrap().to_vec() == parts.concat());
}

#[tokio::test]
async fn parts_become_an_object() {
    let mut cloud = Cloud::start();
    cloud.s3.create_bucket_if_absent("data", false).unwrap();
    let client = cloud.s3();
    let parts = [vec![b'a'; FIVE_MIB], vec![b'b'; 3]];
    let (id, completed) = upload(&client, "big", &parts).await;
    let listed = client.list_parts().bucket("data").key("big").upload_id(&id).max_parts(1).send().await.unwrap();
    assert_eq!((listed.parts().len(), listed.is_truncated()), (1, Some(true)));
    assert_eq!(client.list_multipart_uploads().bucket("data").send().await.unwrap().uploads().len(), 1);
    assert!(client.head_object().bucket("data").key("big").send().await.is_err(), "not there before it is complete");

    let e_tag = complete(&client, "big", &id, completed).await.unwrap();
    assert!(e_tag.ends_with("-2\""), "{e_tag}");
    let head = client.head_object().bucket("data").key("big").part_number(2).send().await.unwrap();
    assert_eq!((head.content_length(), head.parts_count()), (Some(3), Some(2)));
    assert_eq!((head.e_tag(), head.content_type()), (Some(e_tag.as_str()), Some("text/csv")));
    let object = client.get_object().bucket("data").key("big").send().await.unwrap();
    assert!(object.body.collect().await.unwrap().to_vec() == parts.concat());
    assert!(client.list_multipart_uploads().bucket("data").send().await.unwrap().uploads().is_empty());

    let events = cloud.take_events();
    assert_eq!(events.len(), 1);
    let event = events.first().unwrap();
    assert_eq!(event.kind, EventKind::Created(Reason::CompleteMultipartUpload));
    assert_eq!(event.size, FIVE_MIB as u64 + 3);
}

#[tokio::test]
async fn parts_that_do_not_fit_are_refused() {
    let cloud = Cloud::start();
    cloud.s3.create_bucket_if_absent("data", false).unwrap();
    let client = cloud.s3();
    let (id, parts) = upload(&client, "k", &[vec![b'a'; 10], vec![b'b'; 10]]).await;
    let only = |at: usize| vec![parts.get(at).unwrap().clone()];
    let wrong = CompletedPart::builder().part_number(1).e_tag("\"00000000000000000000000000000000\"").build();
    let reversed = parts.iter().rev().cloned().collect();
    let cases = [
        (parts.clone(), "EntityTooSmall"),
        (reversed, "InvalidPartOrder"),
        (vec![wrong], "InvalidPart"),
        (vec![], "MalformedXML"),
    ];
    for (parts, code) in cases {
        assert_eq!(complete(&client, "k", &id, parts).await, Err(Some(code.to_owned())));
    }
    assert_eq!(complete(&client, "other", &id, only(0)).await, Err(Some("NoSuchUpload".to_owned())));
    assert_eq!(complete(&client, "k", "../../etc", only(0)).await, Err(Some("NoSuchUpload".to_owned())));
    complete(&client, "k", &id, only(1)).await.unwrap();
    assert_eq!(get(&client, "k").await, "bbbbbbbbbb");
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start_in(folder.path());
    cloud.s3.create_bucket_if_absent("data", false).unwrap();
    let client = cloud.s3();
    let (id, parts) = upload(&client, "k", &[vec![b'a'; 1000]]).await;
    let abort = || client.abort_multipart_upload().bucket("data").key("k").upload_id(&id).send();
    abort().await.unwrap();
    assert_eq!(abort().await.unwrap_err().into_service_error().code(), Some("NoSuchUpload"));
    assert_eq!(complete(&client, "k", &id, parts).await, Err(Some("NoSuchUpload".to_owned())));
    let left = std::fs::read_dir(folder.path().join("s3/data/uploads")).unwrap().count();
    assert_eq!(left, 0);
    assert_eq!(std::fs::read_dir(folder.path().join("s3/data/objects")).unwrap().count(), 0);
}

#[tokio::test]
async fn every_change_is_told() {
    let mut cloud = Cloud::start();
    cloud.s3.create_bucket_if_absent("data", false).unwrap();
    let client = cloud.s3();
    put(&client, "a b/ü.csv", "hello world").await;
    client.copy_object().bucket("data").key("copy").copy_source("data/a%20b/%C3%BC.csv").send().await.unwrap();
    client.delete_object().bucket("data").key("copy").send().await.unwrap();
    client.delete_object().bucket("data").key("absent").send().await.unwrap();
    let object = ObjectIdentifier::builder().key("a b/ü.csv").build().unwrap();
    let delete = Delete::builder().objects(object).build().unwrap();
    client.delete_objects().bucket("data").delete(delete).send().await.unwrap();
    let form = "POST /data HTTP/1.1\ncontent-type: multipart/form-data; boundary=x";
    let posted = cloud
        .raw(
            form,
            "--x\r\ncontent-disposition: form-data; name=\"key\"\r\n\r\nposted\r\n\
             --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nhi\r\n--x--\r\n",
        )
        .await;
    assert!(posted.starts_with("HTTP/1.1 204"), "{posted}");

    let events = cloud.take_events();
    let told: Vec<_> = events.iter().map(|event| (event.kind, event.key.as_str(), event.size)).collect();
    assert_eq!(
        told,
        [
            (EventKind::Created(Reason::Put), "a b/ü.csv", 11),
            (EventKind::Created(Reason::Copy), "copy", 11),
            (EventKind::Deleted(Deletion::Permanent), "copy", 0),
            (EventKind::Deleted(Deletion::Permanent), "a b/ü.csv", 0),
            (EventKind::Created(Reason::Post), "posted", 2),
        ]
    );
    assert!(events.is_sorted_by(|a, b| a.sequencer < b.sequencer), "{events:?}");
    let first = events.first().unwrap();
    assert_eq!(first.bucket, "data");
    assert_eq!(first.e_tag.as_deref(), Some("5eb63bbbe01eeed093cb22bb8f5acdc3"));
    assert_eq!(first.requester.as_deref(), Some("AKIDTEST"));
    assert_eq!(first.source_ip, Some(std::net::Ipv4Addr::LOCALHOST.into()));
    assert_eq!(first.version_id, None);
    assert!(!first.request_id.is_empty());
    assert_eq!(events.last().unwrap().requester, None);
}

#[tokio::test]
async fn versions_are_kept_and_hidden_and_deleted() {
    let mut cloud = Cloud::start();
    cloud.s3.create_bucket_if_absent("data", true).unwrap();
    let client = cloud.s3();
    let first = put(&client, "k", "one").await.unwrap();
    let second = put(&client, "k", "two").await.unwrap();
    assert_ne!(first, second);
    assert_eq!(get(&client, "k").await, "two");
    let old = client.get_object().bucket("data").key("k").version_id(&first).send().await.unwrap();
    assert_eq!(old.version_id(), Some(first.as_str()));
    assert_eq!(old.body.collect().await.unwrap().to_vec(), b"one");

    let marker = client.delete_object().bucket("data").key("k").send().await.unwrap();
    assert_eq!(marker.delete_marker(), Some(true));
    let hidden = client.get_object().bucket("data").key("k").send().await.unwrap_err();
    assert_eq!(hidden.raw_response().unwrap().headers().get("x-amz-delete-marker"), Some("true"));
    assert!(client.list_objects_v2().bucket("data").send().await.unwrap().contents().is_empty());
    let page = client.list_object_versions().bucket("data").max_keys(2).send().await.unwrap();
    assert_eq!((page.delete_markers().len(), page.versions().len()), (1, 1));
    let rest = client
        .list_object_versions()
        .bucket("data")
        .set_key_marker(page.next_key_marker)
        .set_version_id_marker(page.next_version_id_marker)
        .send()
        .await
        .unwrap();
    assert_eq!(rest.versions().first().unwrap().version_id(), Some(first.as_str()));
    assert_eq!(rest.is_truncated(), Some(false));

    let marker_id = marker.version_id().unwrap();
    let asked = client.get_object().bucket("data").key("k").version_id(marker_id).send().await.unwrap_err();
    assert_eq!(asked.into_service_error().code(), Some("MethodNotAllowed"));
    client.delete_object().bucket("data").key("k").version_id(marker_id).send().await.unwrap();
    assert_eq!(get(&client, "k").await, "two");
    client.delete_object().bucket("data").key("k").version_id(&second).send().await.unwrap();
    assert_eq!(get(&client, "k").await, "one");

    let kinds: Vec<_> = cloud.take_events().into_iter().map(|event| (event.kind, event.version_id)).collect();
    assert_eq!(
        kinds,
        [
            (EventKind::Created(Reason::Put), Some(first)),
            (EventKind::Created(Reason::Put), Some(second.clone())),
            (EventKind::Deleted(Deletion::Marker), Some(marker_id.to_owned())),
            (EventKind::Deleted(Deletion::Permanent), Some(marker_id.to_owned())),
            (EventKind::Deleted(Deletion::Permanent), Some(second)),
        ]
    );
}

#[tokio::test]
async fn versioning_is_switched() {
    let cloud = Cloud::start();
    cloud.s3.create_bucket_if_absent("data", false).unwrap();
    let client = cloud.s3();
    let status = async || client.get_bucket_versioning().bucket("data").send().await.unwrap().status;
    let switch = async |status: BucketVersioningStatus| {
        let configuration = VersioningConfiguration::builder().status(status).build();
        client.put_bucket_versioning().bucket("data").versioning_configuration(configuration).send().await.unwrap();
    };
    assert_eq!(status().await, None);
    assert_eq!(put(&client, "k", "unversioned").await, None);
    switch(BucketVersioningStatus::Enabled).await;
    assert_eq!(status().await, Some(BucketVersioningStatus::Enabled));
    assert!(put(&client, "k", "versioned").await.is_some_and(|id| id != "null"));
    switch(BucketVersioningStatus::Suspended).await;
    assert_eq!(put(&client, "k", "again").await.as_deref(), Some("null"));
    let versions = client.list_object_versions().bucket("data").send().await.unwrap();
    let ids: Vec<bool> = versions.versions().iter().map(|version| version.version_id() == Some("null")).collect();
    assert_eq!(ids, [true, false], "the new null version took the place of the old one");
}

#[tokio::test]
async fn a_change_of_tags_is_told_of_and_leaves_the_object_as_it_is() {
    let mut cloud = Cloud::start();
    cloud.s3.create_bucket_if_absent("data", true).unwrap();
    let client = cloud.s3();
    let id = put(&client, "k", "one").await;
    let tag = Tag::builder().key("a").value("1").build().unwrap();
    let tagging = Tagging::builder().tag_set(tag).build().unwrap();
    client.put_object_tagging().bucket("data").key("k").tagging(tagging).send().await.unwrap();
    client.delete_object_tagging().bucket("data").key("k").send().await.unwrap();
    let told: Vec<_> = cloud.take_events().into_iter().map(|event| (event.kind, event.version_id)).collect();
    let kinds =
        [EventKind::Created(Reason::Put), EventKind::Tagged(TagChange::Added), EventKind::Tagged(TagChange::Deleted)];
    assert_eq!(told, kinds.map(|kind| (kind, id.clone())));
    let versions = client.list_object_versions().bucket("data").send().await.unwrap();
    assert_eq!(versions.versions().len(), 1);
}

#[tokio::test]
async fn what_is_broken_is_refused_or_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start_in(folder.path());
    cloud.s3.create_bucket_if_absent("data", false).unwrap();
    cloud.s3.create_bucket_if_absent("other", true).unwrap();
    let client = cloud.s3();
    put(&client, "kept", "whole").await;
    put(&client, "lost", "broken").await;
    drop(client);
    cloud.stop().await;
    let root = folder.path().join("s3");
    let objects = root.join("data/objects");
    let mut versions: Vec<_> = std::fs::read_dir(&objects).unwrap().map(|entry| entry.unwrap().path()).collect();
    versions.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    versions.sort();
    let broken = versions.last().unwrap();
    for file in [broken, &root.join("other/bucket.json")] {
        let whole = std::fs::read(file).unwrap();
        std::fs::write(file, &whole[..whole.len() / 2]).unwrap();
    }

    let refused = S3::open(&root, mpsc::unbounded_channel().0, false).unwrap_err().to_string();
    assert!(refused.contains("is broken") && refused.contains("--set-aside-broken"), "{refused}");
    drop(S3::open(&root, mpsc::unbounded_channel().0, true).unwrap());
    let cloud = Cloud::start_in(folder.path());
    let client = cloud.s3();
    assert_eq!(get(&client, "kept").await, "whole");
    client.get_object().bucket("data").key("lost").send().await.unwrap_err();
    client.head_bucket().bucket("other").send().await.unwrap();
    let aside = |folder: &std::path::Path| -> Vec<_> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.to_string_lossy().contains(".broken-")).collect()
    };
    let [objects, info] = [aside(&root.join("data")), aside(&root.join("other"))];
    assert_eq!((objects.len(), info.len()), (1, 1));
    let kept: Vec<_> = std::fs::read_dir(&objects[0]).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 2, "the version and its data: {kept:?}");
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start_in(folder.path());
    cloud.s3.create_bucket_if_absent("data", true).unwrap();
    cloud.s3.create_bucket_if_absent("plain", false).unwrap();
    let client = cloud.s3();
    let first = put(&client, "k.json", "one").await;
    put(&client, "k.json", "two").await;
    let plain = client.put_object().bucket("plain").key("x").content_type("text/plain").metadata("m", "1");
    plain.body(ByteStream::from_static(b"x")).tagging("t=1").send().await.unwrap();
    let (id, parts) = upload(&client, "parts", &[b"part".to_vec()]).await;
    let before = S3::open(&folder.path().join("s3"), mpsc::unbounded_channel().0, false).unwrap_err();
    assert!(before.to_string().contains("in use"), "{before}");
    drop(client);
    cloud.stop().await;

    // What a crash can leave: data with no version, and a version file not yet moved.
    let objects = folder.path().join("s3/data/objects");
    std::fs::write(objects.join("00000000000000ff-left.json"), "data").unwrap();
    std::fs::write(objects.join("00000000000000fe.tmp"), "{").unwrap();
    let mut cloud = Cloud::start_in(folder.path());
    assert!(!objects.join("00000000000000ff-left.json").exists());
    assert!(!objects.join("00000000000000fe.tmp").exists());
    assert!(!cloud.s3.create_bucket_if_absent("data", true).unwrap());
    let client = cloud.s3();
    assert_eq!(get(&client, "k.json").await, "two");
    let old = client.get_object().bucket("data").key("k.json").set_version_id(first).send().await.unwrap();
    assert_eq!(old.body.collect().await.unwrap().to_vec(), b"one");
    let head = client.head_object().bucket("plain").key("x").send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/plain"));
    assert_eq!(head.metadata().unwrap().get("m").map(String::as_str), Some("1"));
    let tagged = client.get_object_tagging().bucket("plain").key("x").send().await.unwrap();
    assert_eq!(tagged.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect::<Vec<_>>(), [("t", "1")]);
    complete(&client, "parts", &id, parts).await.unwrap();
    assert_eq!(get(&client, "parts").await, "part");
    assert_eq!(cloud.take_events().len(), 1, "opening tells nothing");
}

/// The ids of all versions of an object, the newest first.
async fn versions(client: &Client) -> Vec<String> {
    let listed = client.list_object_versions().bucket("data").send().await.unwrap();
    listed.versions.unwrap_or_default().into_iter().map(|version| version.version_id.unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_changes_at_the_same_time_one_comes_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start_in(folder.path());
    cloud.s3.create_bucket_if_absent("data", true).unwrap();
    let client = cloud.s3();
    let made = (0..16).map(|_| {
        let put = client.put_object().bucket("data").key("once").if_none_match("*");
        tokio::spawn(put.body(ByteStream::from_static(b"first")).send())
    });
    let made: Vec<_> = join_all(made).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(made.iter().filter(|result| result.is_ok()).count(), 1);
    let put = (0..16).map(|number: u8| {
        let put = client.put_object().bucket("data").key("often").body(vec![number].into());
        tokio::spawn(put.send())
    });
    join_all(put).await.into_iter().for_each(|put| drop(put.unwrap().unwrap()));
    let before = versions(&client).await;
    assert_eq!(before.len(), 17);
    drop(client);
    cloud.stop().await;
    let cloud = Cloud::start_in(folder.path());
    assert_eq!(versions(&cloud.s3()).await, before);
}

#[tokio::test]
async fn what_cannot_be_deleted_stays() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start_in(folder.path());
    cloud.s3.create_bucket_if_absent("data", false).unwrap();
    let client = cloud.s3();
    put(&client, "k", "content").await;
    let files = std::fs::read_dir(folder.path().join("s3/data/objects")).unwrap().map(|entry| entry.unwrap().path());
    let version = files.into_iter().find(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
    // No folder can be removed as a file is.
    let text = std::fs::read(&version).unwrap();
    std::fs::remove_file(&version).unwrap();
    std::fs::create_dir(&version).unwrap();
    let refused = cloud.raw("DELETE /data/k HTTP/1.1", "").await;
    assert!(refused.starts_with("HTTP/1.1 500"), "{refused}");
    assert_eq!(get(&client, "k").await, "content");
    std::fs::remove_dir(&version).unwrap();
    std::fs::write(&version, text).unwrap();
    client.delete_object().bucket("data").key("k").send().await.unwrap();
    drop(client);
    cloud.stop().await;
    let cloud = Cloud::start_in(folder.path());
    cloud.s3().get_object().bucket("data").key("k").send().await.unwrap_err();
}

#[tokio::test]
async fn a_document_that_is_too_long_is_refused_and_an_object_of_that_length_is_none() {
    let cloud = Cloud::start();
    cloud.s3.create_bucket_if_absent("data", false).unwrap();
    let ask = |method: &str, path: &str| {
        let body = vec![b' '; 20 * 1024 * 1024 + 1];
        let request = http::Request::builder().method(method).uri(path).header("content-length", body.len());
        cloud.s3.call(request.body(Body::from(body)).unwrap())
    };
    for (method, path) in [("POST", "/data?delete"), ("POST", "/data/k?uploadId=a"), ("PUT", "/data/k?tagging")] {
        let refused = ask(method, path).await;
        assert_eq!(refused.status(), 400, "{method} {path}");
        let told = refused.into_body().collect().await.unwrap().to_bytes();
        let told = String::from_utf8_lossy(&told);
        assert!(told.contains("<Code>MaxMessageLengthExceeded</Code>"), "{told}");
    }
    assert_eq!(ask("PUT", "/data/k?x-id=PutObject").await.status(), 200);
}

//! The nightly sync of two buckets.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use end_to_end::{Ended, Runner, project};
use serde_json::{Value, json};

const FIVE_MIB: usize = 5 * 1024 * 1024;

async fn sync(runner: &Runner, delete: bool) -> Ended {
    runner.execute("NightlySync", &json!({ "delete": delete })).await
}

fn found(copy: u64, bytes: u64, delete: u64, keep: u64, same: u64) -> Value {
    json!({ "copy": copy, "copyBytes": bytes, "delete": delete, "keep": keep, "same": same })
}

/// The lines of the report's files of a kind.
async fn lines(runner: &Runner, ended: &Ended, kind: &str) -> Vec<Value> {
    let prefix = ended.output["report"]["prefix"].as_str().unwrap();
    let file = runner.get("ReportBucket", &format!("{prefix}{kind}/000000.jsonl")).await.unwrap_or_default();
    String::from_utf8(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn keys(runner: &Runner, bucket: &str) -> Vec<String> {
    let listed = runner.s3().list_objects_v2().bucket(runner.bucket(bucket)).send().await.unwrap();
    listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_has_changed_is_copied_and_nothing_else() {
    let runner = Runner::up(["--ephemeral"]).await;
    for key in ["a/1.txt", "a/größe 1+2%.txt", "b.txt"] {
        runner.put("DataBucket", key, b"one".to_vec()).await;
    }
    let ended = sync(&runner, false).await;
    assert_eq!(ended.output["Message"], "Buckets synchronised", "{ended:?}");
    assert_eq!(ended.output["found"], found(3, 9, 0, 0, 0));
    assert_eq!(keys(&runner, "BackupBucket").await, keys(&runner, "DataBucket").await);
    assert_eq!(runner.get("BackupBucket", "a/größe 1+2%.txt").await.unwrap(), b"one");

    let ended = sync(&runner, false).await;
    assert_eq!((&ended.output["Message"], &ended.output["found"]), (&json!("Nothing to do"), &found(0, 0, 0, 0, 3)));

    runner.put("DataBucket", "b.txt", b"two".to_vec()).await;
    let ended = sync(&runner, false).await;
    assert_eq!(ended.output["found"], found(1, 3, 0, 0, 2), "{ended:?}");
    let changes = lines(&runner, &ended, "changes").await;
    assert_eq!((changes.len(), &changes[0]["action"], &changes[0]["key"]), (1, &json!("copy"), &json!("b.txt")));
    assert_eq!(runner.get("BackupBucket", "b.txt").await.unwrap(), b"two");

    let prefix = ended.output["report"]["prefix"].as_str().unwrap();
    let summary = runner.get("ReportBucket", &format!("{prefix}summary.json")).await.unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!((&summary["found"], &summary["execution"]), (&found(1, 3, 0, 0, 2), &json!(ended.arn)));
}

#[tokio::test]
async fn what_the_target_has_more_goes_only_where_that_is_asked_for() {
    let runner = Runner::up(["--ephemeral"]).await;
    runner.put("DataBucket", "here", b"1".to_vec()).await;
    runner.put("BackupBucket", "there", b"1".to_vec()).await;

    let ended = sync(&runner, false).await;
    assert_eq!(ended.output["found"], found(1, 1, 0, 1, 0), "{ended:?}");
    assert_eq!(lines(&runner, &ended, "kept").await[0]["key"], "there");
    assert_eq!(keys(&runner, "BackupBucket").await, ["here", "there"]);

    let ended = sync(&runner, true).await;
    assert_eq!(ended.output["found"], found(0, 0, 1, 0, 1), "{ended:?}");
    assert_eq!(lines(&runner, &ended, "changes").await[0]["action"], "delete");
    assert_eq!(keys(&runner, "BackupBucket").await, ["here"]);
}

#[tokio::test]
async fn an_empty_source_does_not_empty_the_target() {
    let runner = Runner::up(["--ephemeral"]).await;
    runner.put("BackupBucket", "there", b"1".to_vec()).await;
    let ended = sync(&runner, true).await;
    assert_eq!((ended.status.as_str(), ended.error.as_str()), ("FAILED", "SourceEmpty"), "{ended:?}");
    assert_eq!(keys(&runner, "BackupBucket").await, ["there"]);
    // An input that does not say so deletes nothing.
    let ended = runner.execute("NightlySync", &json!({})).await;
    assert_eq!(ended.output["found"], found(0, 0, 0, 1, 0), "{ended:?}");
}

#[tokio::test]
async fn an_object_in_parts_is_alike_after_it_was_copied() {
    let runner = Runner::up(["--ephemeral"]).await;
    let (s3, bucket) = (runner.s3(), runner.bucket("DataBucket"));
    let begin = s3.create_multipart_upload().bucket(bucket).key("large").content_type("text/csv").tagging("of=R%2BD");
    let begun = begin.send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let mut parts = Vec::new();
    for (number, size) in [(1, FIVE_MIB), (2, FIVE_MIB + 1), (3, 7)] {
        let part = s3.upload_part().bucket(bucket).key("large").upload_id(id).part_number(number);
        let received = part.body(vec![b'x'; size].into()).send().await.unwrap();
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(received.e_tag).build());
    }
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = s3.complete_multipart_upload().bucket(bucket).key("large").upload_id(id);
    complete.multipart_upload(parts).send().await.unwrap();

    let size = 2 * FIVE_MIB as u64 + 8;
    assert_eq!(sync(&runner, false).await.output["found"], found(1, size, 0, 0, 0));
    assert_eq!(sync(&runner, false).await.output["found"], found(0, 0, 0, 0, 1));
    let copy = s3.head_object().bucket(runner.bucket("BackupBucket")).key("large").send().await.unwrap();
    assert_eq!((copy.content_type(), copy.content_length()), (Some("text/csv"), i64::try_from(size).ok()));
    let tags = s3.get_object_tagging().bucket(runner.bucket("BackupBucket")).key("large").send().await.unwrap();
    assert_eq!((tags.tag_set()[0].key(), tags.tag_set()[0].value()), ("of", "R+D"));
}

#[tokio::test]
async fn many_objects_go_in_batches() {
    let runner = Runner::up(["--ephemeral"]).await;
    let count = 250;
    let puts = (0..count).map(|number| {
        let (runner, key) = (&runner, format!("many/{number:04}"));
        async move { runner.put("DataBucket", &key, vec![b'.'; number]).await }
    });
    futures::future::join_all(puts).await;
    let ended = sync(&runner, false).await;
    assert_eq!(ended.output["found"]["copy"], count, "{ended:?}");
    let runs = runner.sfn().list_map_runs().execution_arn(&ended.arn).send().await.unwrap();
    let run = runner.sfn().describe_map_run().map_run_arn(&runs.map_runs()[0].map_run_arn).send().await.unwrap();
    assert_eq!(run.execution_counts().unwrap().succeeded(), 3);
    assert_eq!(sync(&runner, false).await.output["found"]["same"], count);
}

#[tokio::test]
async fn every_event_of_the_folder_can_be_used() {
    let runner = Runner::up(["--ephemeral"]).await;
    for file in ["keep", "delete"] {
        let text = std::fs::read_to_string(project().join(format!("events/nightly-sync/{file}.json"))).unwrap();
        let ended = runner.execute("NightlySync", &serde_json::from_str(&text).unwrap()).await;
        assert_eq!(ended.status, "SUCCEEDED", "{file}: {ended:?}");
    }
}

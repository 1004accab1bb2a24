//! The file workflow over many files.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{fs, iter};

use end_to_end::{Ended, Runner, data, project};
use serde_json::{Value, json};

/// Puts small files where no trigger looks.
async fn put_files(runner: &Runner, prefix: &str, count: usize) {
    let puts = (0..count).map(|number| {
        let key = format!("{prefix}{number:05}.csv");
        async move { runner.put("DataBucket", &key, b"id,name\n1,a\n".to_vec()).await }
    });
    futures::future::join_all(puts).await;
}

/// The lines of the results of a kind: `SUCCEEDED` or `FAILED`.
async fn results(runner: &Runner, ended: &Ended, kind: &str) -> (String, Vec<Value>) {
    let manifest = runner.get("ReportBucket", ended.output["results"]["Key"].as_str().unwrap()).await.unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let Some(key) = manifest["ResultFiles"][kind][0]["Key"].as_str() else { return Default::default() };
    let file = String::from_utf8(runner.get("ReportBucket", key).await.unwrap()).unwrap();
    (key.to_owned(), file.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// The outputs of the batches, added up.
fn sum(batches: &[Value]) -> (u64, u64, Vec<Value>) {
    let outputs = batches.iter().map(|batch| serde_json::from_str::<Value>(batch["Output"].as_str().unwrap()).unwrap());
    outputs.fold((0, 0, Vec::new()), |(processed, small, mut unusable), output| {
        unusable.extend(output["notUsable"].as_array().unwrap().iter().cloned());
        (processed + output["processed"].as_u64().unwrap(), small + output["tooSmall"].as_u64().unwrap(), unusable)
    })
}

fn numbers(total: u64, done: u64) -> Value {
    json!({ "total": total, "done": done, "left": total - done })
}

#[tokio::test]
async fn all_files_under_a_prefix_go_through_the_file_workflow() {
    let runner = Runner::up(["--ephemeral"]).await;
    put_files(&runner, "old/", 43).await;
    runner.put("DataBucket", "old/large.csv", data::csv(data::THRESHOLD)).await;
    let mut unusable = vec![0; data::THRESHOLD];
    unusable[0] = 0xff;
    runner.put("DataBucket", "old/unusable.bin", unusable).await;

    let ended = runner.execute("Backfill", &json!({ "source": "list", "prefix": "old/" })).await;
    assert_eq!(ended.status, "SUCCEEDED", "{ended:?}");
    assert_eq!((&ended.output["files"], &ended.output["batches"]), (&numbers(45, 45), &numbers(3, 3)), "{ended:?}");
    let (processed, small, unusable) = sum(&results(&runner, &ended, "SUCCEEDED").await.1);
    assert_eq!((processed, small, unusable.len()), (1, 43, 1), "{unusable:?}");
    assert_eq!(unusable[0]["key"], "old/unusable.bin");
    assert!(runner.get("DataBucket", "processed/old/large.csv.parquet").await.is_some());

    let name = ended.arn.rsplit(':').next().unwrap();
    let summary = runner.get("ReportBucket", &format!("backfill/{name}/summary.json")).await.unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&summary).unwrap(), ended.output);
}

#[tokio::test]
async fn a_manifest_names_the_files() {
    let runner = Runner::up(["--ephemeral"]).await;
    put_files(&runner, "named/", 3).await;
    let lines = "{\"key\":\"named/00000.csv\"}\n{\"key\":\"named/00002.csv\"}\n{\"key\":\"named/none.csv\"}\n";
    runner.put("DataBucket", "manifests/files.jsonl", lines.into()).await;
    let text = fs::read_to_string(project().join("events/backfill/manifest.json")).unwrap();
    let ended = runner.execute("Backfill", &serde_json::from_str(&text).unwrap()).await;
    assert_eq!(ended.output["files"], numbers(3, 3), "{ended:?}");
    let (_, small, unusable) = sum(&results(&runner, &ended, "SUCCEEDED").await.1);
    assert_eq!((small, unusable), (2, vec![json!({ "key": "named/none.csv", "error": "ObjectNotFound" })]));
}

#[tokio::test]
async fn an_inventory_names_the_files() {
    let runner = Runner::up(["--ephemeral"]).await;
    let bucket = runner.bucket("DataBucket").to_owned();
    runner.put("DataBucket", "listed/größe 1.csv", b"id\n1\n".to_vec()).await;
    let row = format!("\"{bucket}\",\"listed/gr%C3%B6%C3%9Fe+1.csv\",\"5\"\n");
    runner.put("DataBucket", "inventory/data/1.csv.gz", data::gzip(row.as_bytes()).await).await;
    let manifest = json!({
        "sourceBucket": bucket,
        "destinationBucket": format!("arn:aws:s3:::{bucket}"),
        "version": "2016-11-30",
        "creationTimestamp": "1795262400000",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "files": [{ "key": "inventory/data/1.csv.gz", "size": 1, "MD5checksum": "0" }],
    });
    runner.put("DataBucket", "inventory/manifest.json", manifest.to_string().into_bytes()).await;
    let input = json!({ "source": "inventory", "bucket": bucket, "key": "inventory/manifest.json" });
    let ended = runner.execute("Backfill", &input).await;
    assert_eq!(ended.output["files"], numbers(1, 1), "{ended:?}");
    let (_, small, unusable) = sum(&results(&runner, &ended, "SUCCEEDED").await.1);
    assert_eq!((small, unusable), (1, vec![]));
}

#[tokio::test]
async fn batches_that_failed_are_done_again() {
    let runner = Runner::up(["--ephemeral"]).await;
    put_files(&runner, "twice/", 3).await;
    let bucket = runner.bucket("DataBucket").to_owned();
    // A bucket that is not there is no fault of the file's, and may be there the next time.
    let elsewhere = json!({ "bucket": "not-there-yet", "key": "a.csv" });
    let here = (0..3).map(|number| json!({ "key": format!("twice/{number:05}.csv") }));
    let lines: Vec<String> = iter::once(elsewhere).chain(here).map(|line| line.to_string()).collect();
    runner.put("DataBucket", "manifests/twice.jsonl", lines.join("\n").into_bytes()).await;
    let input = |tolerated: u32| {
        json!({ "source": "manifest", "bucket": bucket, "key": "manifests/twice.jsonl",
            "toleratedFailurePercentage": tolerated })
    };

    let failed = runner.execute("Backfill", &input(0)).await;
    assert_eq!((failed.status.as_str(), failed.error.as_str()), ("FAILED", "States.ExceedToleratedFailureThreshold"));
    let left = runner.execute("Backfill", &input(100)).await;
    assert_eq!((&left.output["files"], &left.output["batches"]), (&numbers(4, 0), &numbers(1, 0)), "{left:?}");

    runner.s3().create_bucket().bucket("not-there-yet").send().await.unwrap();
    runner
        .s3()
        .put_object()
        .bucket("not-there-yet")
        .key("a.csv")
        .body(b"id\n1\n".to_vec().into())
        .send()
        .await
        .unwrap();
    // The one that failed goes on under its own name; what the other has left is done by a new one.
    runner.sfn().redrive_execution().execution_arn(&failed.arn).send().await.unwrap();
    let redriven = loop {
        let now = runner.sfn().describe_execution().execution_arn(&failed.arn).send().await.unwrap();
        match now.status.as_str() {
            "RUNNING" => tokio::task::yield_now().await,
            status => break (status.to_owned(), now.output.unwrap_or_default()),
        }
    };
    assert_eq!(redriven.0, "SUCCEEDED", "{redriven:?}");
    assert_eq!(serde_json::from_str::<Value>(&redriven.1).unwrap()["files"], numbers(4, 4));

    let (key, lines) = results(&runner, &left, "FAILED").await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    let input = json!({ "source": "failures", "bucket": runner.bucket("ReportBucket"), "key": key });
    let again = runner.execute("Backfill", &input).await;
    assert_eq!(again.output["batches"], numbers(1, 1), "{again:?}");
    let (_, small, unusable) = sum(&results(&runner, &again, "SUCCEEDED").await.1);
    assert_eq!((small, unusable), (4, vec![]));
}

#[tokio::test]
async fn an_input_that_names_no_files_is_invalid() {
    let runner = Runner::shared().await;
    let text = fs::read_to_string(project().join("events/backfill/no-source.json")).unwrap();
    for input in [
        serde_json::from_str(&text).unwrap(),
        json!({}),
        json!([]),
        json!({ "source": "tape", "prefix": "a/" }),
        json!({ "source": "manifest", "bucket": "a" }),
    ] {
        let ended = runner.execute("Backfill", &input).await;
        assert_eq!((ended.status.as_str(), ended.error.as_str()), ("FAILED", "InvalidSource"), "{input}: {ended:?}");
    }
}

//! The file workflow, from an object put into the bucket to what is made of it.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Object};
use end_to_end::{Ended, Runner, data, data::THRESHOLD, fixture, project};
use serde_json::{Value, json};

/// Puts a file and waits for the end of the execution that the trigger starts.
async fn put_and_wait(runner: &Runner, key: &str, file: Vec<u8>) -> Ended {
    runner.put("DataBucket", key, file).await;
    let arn = runner.started(|input| input["key"] == key).await;
    runner.ended(&arn).await
}

async fn keys(runner: &Runner, prefix: &str) -> Vec<String> {
    let listed = runner.s3().list_objects_v2().bucket(runner.bucket("DataBucket")).prefix(prefix).send().await.unwrap();
    listed.contents().iter().filter_map(Object::key).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_file_is_processed_from_the_threshold_on() {
    let runner = Runner::shared().await;
    let processed = "File processed OK";
    for (key, size, message) in [
        ("incoming/threshold/above.csv", THRESHOLD + 1, processed),
        ("incoming/threshold/exact.csv", THRESHOLD, processed),
        ("incoming/threshold/below.csv", THRESHOLD - 1, "File not big enough"),
    ] {
        let ended = put_and_wait(&runner, key, data::csv(size)).await;
        assert_eq!(ended.status, "SUCCEEDED", "{key}: {ended:?}");
        assert_eq!(ended.output["Message"], message, "{key}");
        assert_eq!(ended.output["file"]["size"], size, "{key}");
        let expected: &[String] = if message == processed {
            &[format!("processed/{key}.parquet"), format!("processed/{key}.profile.json")]
        } else {
            assert_eq!(ended.output["threshold"], THRESHOLD);
            &[]
        };
        assert_eq!(keys(&runner, &format!("processed/{key}")).await, expected);
    }
}

#[tokio::test]
async fn what_is_made_of_a_file_can_be_read() {
    let runner = Runner::shared().await;
    let key = "incoming/made/größe 1+2.csv";
    let ended = put_and_wait(&runner, key, data::csv(THRESHOLD)).await;
    assert_eq!(ended.output["Message"], "File processed OK", "{ended:?}");

    let parquet = runner.get("DataBucket", &format!("processed/{key}.parquet")).await.unwrap();
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    let profile = runner.get("DataBucket", &format!("processed/{key}.profile.json")).await.unwrap();
    let profile: Value = serde_json::from_slice(&profile).unwrap();
    let rows = String::from_utf8(data::csv(THRESHOLD)).unwrap().lines().count() - 1;
    assert_eq!(profile["rows"], rows);
    assert_eq!(profile["storedBytes"], THRESHOLD);
    let columns = profile["columns"].as_array().unwrap().iter().map(|column| &column["name"]);
    assert_eq!(columns.collect::<Vec<_>>(), ["id", "name"]);
}

#[tokio::test]
async fn a_file_is_processed_however_it_comes() {
    let runner = Runner::shared().await;
    let (s3, bucket) = (runner.s3(), runner.bucket("DataBucket"));
    let ended = async |key: &str| {
        let arn = runner.started(|input| input["key"] == key).await;
        runner.ended(&arn).await
    };
    runner.put("DataBucket", "elsewhere/a.csv", data::csv(THRESHOLD)).await;
    let source = format!("{bucket}/elsewhere/a.csv");
    s3.copy_object().copy_source(source).bucket(bucket).key("incoming/copied.csv").send().await.unwrap();
    assert_eq!(ended("incoming/copied.csv").await.output["Message"], "File processed OK");

    let key = "incoming/in-parts.csv";
    let file = data::csv(6_000_000);
    let upload = s3.create_multipart_upload().bucket(bucket).key(key).send().await.unwrap().upload_id.unwrap();
    let mut parts = CompletedMultipartUpload::builder();
    for (number, part) in (1..).zip(file.chunks(5 << 20)) {
        let request = s3.upload_part().bucket(bucket).key(key).upload_id(&upload).part_number(number);
        let e_tag = request.body(part.to_vec().into()).send().await.unwrap().e_tag.unwrap();
        parts = parts.parts(CompletedPart::builder().part_number(number).e_tag(e_tag).build());
    }
    let request = s3.complete_multipart_upload().bucket(bucket).key(key).upload_id(upload);
    request.multipart_upload(parts.build()).send().await.unwrap();
    assert_eq!(ended(key).await.output["file"]["size"], file.len());
}

#[tokio::test]
async fn a_file_that_is_written_again_is_processed_again() {
    let runner = Runner::shared().await;
    let key = "incoming/again.csv";
    let mut versions = Vec::new();
    for size in [THRESHOLD, THRESHOLD + 1] {
        runner.put("DataBucket", key, data::csv(size)).await;
        let arn = runner.started(|input| input["key"] == key && input["size"] == size).await;
        let ended = runner.ended(&arn).await;
        assert_eq!(ended.output["file"]["size"], size, "{ended:?}");
        versions.push(ended.output["file"]["versionId"].clone());
    }
    assert!(versions[0].is_string() && versions[0] != versions[1], "{versions:?}");
}

#[tokio::test]
async fn objects_elsewhere_start_nothing() {
    let runner = Runner::up(["--ephemeral"]).await;
    for key in ["outgoing/a.csv", "incomin", "a/incoming/b.csv"] {
        runner.put("DataBucket", key, data::csv(100)).await;
    }
    runner.put("ReportBucket", "incoming/report.csv", data::csv(100)).await;
    // Two files that do start something: the first one's results are written before the second one is put.
    for key in ["incoming/first.csv", "incoming/second.csv"] {
        assert_eq!(put_and_wait(&runner, key, data::csv(THRESHOLD)).await.status, "SUCCEEDED");
        runner.s3().delete_object().bucket(runner.bucket("DataBucket")).key(key).send().await.unwrap();
    }
    put_and_wait(&runner, "incoming/third.csv", data::csv(100)).await;
    let machine = runner.state_machine("FileProcessing");
    let executions = runner.sfn().list_executions().state_machine_arn(machine).send().await.unwrap().executions;
    let names: Vec<&str> = executions.iter().map(|execution| execution.name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for (name, file) in names.iter().zip(["third", "second", "first"]) {
        assert!(name.starts_with(&format!("file-incoming-{file}-csv-")), "{names:?}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used_fails_by_name() {
    // Every file is big enough.
    let runner = Runner::up(["--ephemeral", "--parameter-overrides", "SizeThreshold=0"]).await;
    let mut truncated = data::gzip(&data::csv(100_000)).await;
    truncated.truncate(truncated.len() - 20);
    let mut corrupt = data::gzip(&data::csv(100_000)).await;
    corrupt[20..120].fill(0xff);
    for (name, file, error) in [
        ("empty.csv", Vec::new(), "EmptyFile"),
        ("header.csv", b"id,name\n".to_vec(), "NoRows"),
        ("no-text.csv", b"id,na\xff\n1,2\n".to_vec(), "InvalidHeader"),
        ("ragged.csv", b"id,name\n1\n2\n3,c\n".to_vec(), "TooManyBadRows"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10".to_vec(), "UnsupportedFormat"),
        ("truncated.csv.gz", truncated, "TruncatedFile"),
        ("corrupt.csv.gz", corrupt, "CorruptFile"),
    ] {
        let ended = put_and_wait(&runner, &format!("incoming/{name}"), file).await;
        assert_eq!((ended.status.as_str(), ended.error.as_str()), ("FAILED", error), "{name}: {ended:?}");
        let cause: Value = serde_json::from_str(&ended.cause).unwrap();
        assert_eq!(cause["errorType"], error, "{name}");
        assert!(cause["errorMessage"].as_str().is_some_and(|message| !message.is_empty()), "{name}: {cause}");
    }
    assert_eq!(keys(&runner, "processed/").await, [""; 0], "half an output is left behind");
}

#[tokio::test]
async fn other_formats_are_processed() {
    let runner = Runner::up(["--ephemeral", "--parameter-overrides", "SizeThreshold=0"]).await;
    for (name, file, format, compression) in [
        ("tab.tsv", b"id\tname\n1\ta\n2\tb\n".to_vec(), "tsv", "none"),
        ("lines.jsonl", b"{\"id\":1,\"name\":\"a\"}\n{\"id\":2,\"name\":\"b\"}\n".to_vec(), "jsonLines", "none"),
        ("packed.csv.gz", data::gzip(b"id,name\n1,a\n2,b\n").await, "csv", "gzip"),
    ] {
        let key = format!("incoming/{name}");
        let ended = put_and_wait(&runner, &key, file).await;
        assert_eq!(ended.output["Message"], "File processed OK", "{name}: {ended:?}");
        let profile = runner.get("DataBucket", &format!("processed/{key}.profile.json")).await.unwrap();
        let profile: Value = serde_json::from_slice(&profile).unwrap();
        let found = json!([profile["format"], profile["compression"], profile["rows"]]);
        assert_eq!(found, json!([format, compression, 2]), "{name}");
    }
}

#[tokio::test]
async fn a_file_that_is_missing_fails_by_name() {
    let runner = Runner::shared().await;
    for (input, error) in [
        (json!({ "key": "incoming/missing.csv" }), "ObjectNotFound"),
        (json!({ "bucket": "there-is-no-such-bucket", "key": "a.csv" }), "BucketNotFound"),
        (json!({}), "InvalidInput"),
        (json!({ "key": "" }), "InvalidInput"),
    ] {
        let ended = runner.execute("FileProcessing", &input).await;
        assert_eq!((ended.status.as_str(), ended.error.as_str()), ("FAILED", error), "{input}: {ended:?}");
    }
}

#[tokio::test]
async fn every_event_of_the_folder_ends_as_its_name_says() {
    let runner = Runner::up(["--ephemeral"]).await;
    for (file, sample) in [("large", "orders"), ("small", "orders-small")] {
        let sample = std::fs::read(project().join(format!("samples/{sample}.csv"))).unwrap();
        put_and_wait(&runner, &format!("incoming/{file}.csv"), sample).await;
    }
    for (file, end) in [("large", "File processed OK"), ("small", "File not big enough"), ("missing", "ObjectNotFound")]
    {
        let event = std::fs::read_to_string(project().join(format!("events/file-processing/{file}.json"))).unwrap();
        let ended = runner.execute("FileProcessing", &serde_json::from_str(&event).unwrap()).await;
        let said = if ended.error.is_empty() { ended.output["Message"].as_str().unwrap() } else { &ended.error };
        assert_eq!(said, end, "{file}: {ended:?}");
    }
}

#[tokio::test]
async fn an_input_that_is_no_object_fails_by_name() {
    let runner = Runner::shared().await;
    for input in [json!("text"), json!(7), json!(null), json!([]), json!([{ "key": "a" }])] {
        let ended = runner.execute("FileProcessing", &input).await;
        assert_eq!((ended.status.as_str(), ended.error.as_str()), ("FAILED", "States.QueryEvaluationError"), "{input}");
        let entered = |line: &Value| line["event"]["stateEnteredEventDetails"]["name"] == "InvalidInput";
        assert!(runner.lines_of(&ended.arn).iter().any(entered), "{input}: {:#?}", runner.lines_of(&ended.arn));
    }
}

#[tokio::test]
async fn an_answer_without_a_size_matches_no_rule() {
    let template = fixture("without-a-size/template.yaml");
    let runner = Runner::up(["--ephemeral".as_ref(), "-t".as_ref(), template.as_os_str()]).await;
    let mut input = data::level("no-size", "1");
    input["completedAt"] = json!("2026-11-21T12:00:00Z");
    let ended = runner.execute("FileProcessing", &input).await;
    assert_eq!([&ended.status, &ended.error, &ended.cause], ["FAILED", "DefaultStateError", "No Matches!"]);
}

#[tokio::test]
async fn logs_are_told_under_the_state_that_called() {
    let runner = Runner::shared().await;
    let ended = put_and_wait(&runner, "incoming/logs.csv", data::csv(THRESHOLD)).await;
    let lines = runner.lines_of(&ended.arn);
    for (state, expected) in
        [("CheckFileSize", "incoming/logs.csv is there"), ("ProcessFile", "processed incoming/logs.csv")]
    {
        let logs: Vec<Value> = lines
            .iter()
            .filter(|line| line["state"] == state)
            .map(|line| serde_json::from_str(line["log"].as_str().unwrap()).unwrap())
            .collect();
        let fits = |log: &Value| log.to_string().contains(expected);
        assert!(logs.iter().any(fits), "{state}: {logs:#?}");
        // Every log line tells which invocation it is of, and for which execution.
        for part in ["request_id", ":execution:FileProcessing:"] {
            assert!(logs.iter().all(|log| log.to_string().contains(part)), "{part}: {logs:#?}");
        }
    }
}

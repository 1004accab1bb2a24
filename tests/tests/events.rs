//! What is left of events when the runner is killed: everything.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{collections::BTreeSet, path::Path};

use end_to_end::{Runner, fixture};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpListener};

/// How many times nothing more is there to be received before what is still waited for is taken for lost.
const PATIENCE: u32 = 3;

async fn up(data: &Path, port: u16) -> Runner {
    let arguments = ["--parameter-overrides", &format!("Port={port}")].map(ToOwned::to_owned);
    let mut command = Runner::command(arguments).arg("-t").arg(fixture("events/template.yaml"));
    command = command.arg("--data").arg(data);
    Runner::of(command).await
}

/// What an event that the function has done with was about.
fn about(record: &Value) -> String {
    let event = &record["requestPayload"];
    let key = |key: &Value, how: &str| key.as_str().map(|key| format!("{key} {how}"));
    let number = || event["number"].as_u64().map(|number| format!("{number} asked for"));
    let told = key(&event["Records"][0]["s3"]["object"]["key"], "notified");
    told.or_else(|| key(&event["detail"]["object"]["key"], "matched")).or_else(number).unwrap()
}

#[tokio::test]
async fn every_event_that_was_accepted_is_processed_though_the_runner_is_killed() {
    let data = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let runner = up(data.path(), port).await;
    let mut expected = BTreeSet::new();
    for number in 0..20 {
        runner.put("FilesBucket", &format!("{number}.txt"), b"content".to_vec()).await;
        let path = format!("/2015-03-31/functions/{}/invocations", runner.function("NoteFunction"));
        let event = json!({ "number": number }).to_string();
        let accepted = runner.request("POST", &path, &["x-amz-invocation-type: Event"], event.as_bytes()).await;
        assert_eq!(accepted.status, 202);
        expected.extend([format!("{number}.txt notified"), format!("{number}.txt matched")]);
        expected.insert(format!("{number} asked for"));
    }
    // One ends, one is in the middle, others wait.
    let (mut first, _) = listener.accept().await.unwrap();
    first.write_all(b"\"done\"\n").await.unwrap();
    let _lost = listener.accept().await.unwrap();
    runner.kill();

    let runner = up(data.path(), port).await;
    let answering = tokio::spawn(async move {
        loop {
            let (mut asked, _) = listener.accept().await.unwrap();
            // One of the run before may be among them, whose process is gone.
            let _ = asked.write_all(b"\"done\"\n").await;
        }
    });
    let (mut found, mut empty) = (BTreeSet::new(), 0);
    while found != expected && empty < PATIENCE {
        let wanted = json!({ "MaxNumberOfMessages": 10, "WaitTimeSeconds": 20 });
        let received = runner.sqs("ReceiveMessage", "NotedQueue", &wanted).await;
        let messages = received["Messages"].as_array().cloned().unwrap_or_default();
        empty += u32::from(messages.is_empty());
        let records = messages.iter().map(|message| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap());
        found.extend(records.map(|record: Value| about(&record)));
    }
    assert_eq!(found, expected);
    answering.abort();
}

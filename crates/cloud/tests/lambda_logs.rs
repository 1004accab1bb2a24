//! What functions print, and what Lambda says about invocations.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic, its helpers too")]

mod lambda_support;

use cloud::lambda::{Lambda, LogKind};
use lambda_support::{config, function, invoke, record};
use serde_json::json;

#[tokio::test]
async fn each_line_belongs_to_the_invocation_that_wrote_it() {
    let mut config = config(vec![function()]);
    let (lines, _) = record(&mut config);
    let lambda = Lambda::new(config).unwrap();
    let mut ids = Vec::new();
    for number in 0..30 {
        ids.push(invoke(&lambda, json!({ "do": "log", "text": number })).await.request_id);
    }
    let lines = lines.lock().unwrap();
    let written = |kind: LogKind| {
        let lines = lines.iter().filter(move |line| line.kind == kind);
        lines.map(|line| (line.request_id.as_deref().unwrap_or_default(), line.line.as_str())).collect::<Vec<_>>()
    };
    let mut functions = Vec::new();
    for (number, id) in ids.iter().enumerate() {
        for line in [format!("out {number}"), format!("err {number}"), "unfinished".to_owned()] {
            functions.push((id.clone(), line));
        }
    }
    let expected: Vec<(&str, &str)> = functions.iter().map(|(id, line)| (id.as_str(), line.as_str())).collect();
    // What a process prints on its start belongs to the invocation that it is started for.
    let printed = written(LogKind::Function);
    let started = printed.iter().position(|line| *line == (ids[0].as_str(), "started")).unwrap();
    assert_eq!(printed[started + 1..], expected);
    let platform = written(LogKind::Platform);
    assert_eq!(platform.len(), 3 * ids.len());
    assert!(platform.iter().zip(ids.iter().flat_map(|id| [id; 3])).all(|((id, _), expected)| id == expected));
}

#[tokio::test]
async fn the_tail_is_the_log_of_the_invocation() {
    let lambda = Lambda::new(config(vec![function()])).unwrap();
    let cold = invoke(&lambda, json!({})).await;
    let tail = String::from_utf8(cold.log_tail.to_vec()).unwrap();
    assert!(tail.contains("started\nSTART RequestId: "), "{tail}");
    assert!(tail.contains("\tInit Duration: "), "{tail}");
    let warm = invoke(&lambda, json!({ "do": "log", "text": "hi" })).await;
    let id = &warm.request_id;
    let tail = String::from_utf8(warm.log_tail.to_vec()).unwrap();
    let expected = format!(
        "START RequestId: {id} Version: $LATEST\nout \"hi\"\nerr \"hi\"\nunfinished\nEND RequestId: {id}\n\
         REPORT RequestId: {id}\tDuration: "
    );
    assert!(tail.starts_with(&expected), "{tail}");
    assert!(tail.contains("\tMemory Size: 128 MB") && !tail.contains("Init Duration"), "{tail}");
}

#[tokio::test]
async fn the_tail_is_four_kilobytes_at_most() {
    let lambda = Lambda::new(config(vec![function()])).unwrap();
    let invocation = invoke(&lambda, json!({ "do": "log", "text": "x".repeat(10_000) })).await;
    assert_eq!(invocation.log_tail.len(), 4096);
    assert!(String::from_utf8_lossy(&invocation.log_tail).contains("REPORT"));
}

//! Every error by its name; none leaves anything behind.

use std::fmt::Write;

use function_kit::{NamedError, testing::Reply};
use serde_json::json;

use super::{
    formats::{gzip, zstd},
    store::Store,
};
use crate::Error;

/// Processes content that can't be, and returns the name and the message of the error.
async fn failure(key: &str, content: Vec<u8>) -> (&'static str, String) {
    let store = Store::with(key, content).await;
    let failure = store.process(key).await.unwrap_err();
    assert_eq!(store.keys(), [key], "something was left behind");
    assert!(!store.has_unfinished(), "an upload was left behind");
    (failure.name, failure.message)
}

/// Rows whose compressed form is much longer than what a decompressor holds back.
fn rows() -> Vec<u8> {
    let mut state = 1_u64;
    let mut csv = "n,m\n".to_owned();
    for _ in 0..50_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        writeln!(csv, "{},{}", state >> 20, state >> 33).unwrap();
    }
    csv.into_bytes()
}

#[tokio::test]
async fn files_that_cannot_be_used_have_names() {
    let wide = vec!["c"; 1001].join(",");
    let cases: Vec<(&str, Vec<u8>, &str, &str)> = vec![
        ("a.csv", b"".to_vec(), "EmptyFile", "the file is empty"),
        ("a.csv", b"\n\n".to_vec(), "EmptyFile", "the file is empty"),
        ("a.csv.gz", gzip(b"").await, "EmptyFile", "the file is empty"),
        ("a.csv", b"a,b\n".to_vec(), "NoRows", "line 2: the file has no rows"),
        ("a.csv", b"a,b".to_vec(), "NoRows", "line 1: the file has no rows"),
        ("a.jsonl", b"{}\n{}\n".to_vec(), "NoRows", "no rows"),
        ("a.csv", b"PAR1....PAR1".to_vec(), "UnsupportedFormat", "a Parquet file can't be read"),
        ("a.json", b"[1]".to_vec(), "UnsupportedFormat", "a JSON array"),
        ("a.csv", b"a,\xff\n1,2\n".to_vec(), "InvalidHeader", "line 1: the header can't be used: it is not UTF-8"),
        ("a.csv", format!("{wide}\n").into_bytes(), "TooManyColumns", "more than 1000 columns"),
        ("a.csv", format!("a\n\"{}", "x\n".repeat(3 << 20)).into_bytes(), "RecordTooLong", "a quote may be left open"),
        ("a.csv", b"a,b\n1,2\n1\n2\n".to_vec(), "TooManyBadRows", "line 3: 2 of 3 rows can't be read"),
        ("a.jsonl", b"{\n\"a\":\n1}\n".to_vec(), "TooManyBadRows", "line 1: 3 of 3 rows"),
    ];
    for (key, content, name, message) in cases {
        let (found, said) = failure(key, content).await;
        assert_eq!(found, name, "{key}: {said}");
        assert!(said.contains(message), "{said}");
    }
}

#[tokio::test]
async fn a_compressed_file_that_is_cut_off_or_damaged_names_the_line() {
    for compressed in [gzip(&rows()).await, zstd(&rows()).await] {
        let mut cut = compressed.clone();
        cut.truncate(compressed.len() * 9 / 10);
        let (name, message) = failure("a.csv.gz", cut).await;
        assert_eq!(name, "TruncatedFile", "{message}");
        let line: u64 = message["line ".len()..].split(':').next().unwrap().parse().unwrap();
        assert!((20_000..50_000).contains(&line), "{message}");

        let mut damaged = compressed.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 64].fill(0xff);
        let (name, message) = failure("a.csv.gz", damaged).await;
        assert_eq!(name, "CorruptFile", "{message}");
        assert!(message.starts_with("line "), "{message}");
    }
}

#[tokio::test]
async fn a_compressed_file_that_ends_right_away_is_cut_off() {
    for start in [&b"\x1f\x8b"[..], b"\x28\xb5\x2f\xfd"] {
        let (name, message) = failure("a.csv", start.to_vec()).await;
        assert_eq!(name, "TruncatedFile", "{message}");
    }
}

#[tokio::test]
async fn what_s3_refuses_has_a_name() {
    for (status, code, name) in [
        (404, "NoSuchKey", "ObjectNotFound"),
        (404, "NoSuchBucket", "BucketNotFound"),
        (403, "AccessDenied", "AccessDenied"),
        (503, "SlowDown", "Throttled"),
        (500, "InternalError", "ServiceUnavailable"),
        (400, "InvalidRequest", "ServiceRejected"),
        (412, "PreconditionFailed", "ObjectChanged"),
    ] {
        let store = Store::with("a.csv", "a\n1\n").await.fault("GET", "a.csv", Reply::s3_error(status, code));
        let failure = store.process("a.csv").await.unwrap_err();
        assert_eq!(failure.name, name, "{failure:?}");
        assert_eq!(store.keys(), ["a.csv"]);
    }
}

#[tokio::test]
async fn an_object_that_changes_between_two_readings_is_not_mixed() {
    let mut csv = "n\n".to_owned();
    (0..200_000).for_each(|n| writeln!(csv, "{n}").unwrap());
    csv.push_str("x\n");
    // The second GET, which is for the second reading.
    let store =
        Store::with("a.csv", csv).await.fault_after(1, "GET", "a.csv", Reply::s3_error(412, "PreconditionFailed"));
    let failure = store.process("a.csv").await.unwrap_err();
    assert_eq!(failure.name, "ObjectChanged", "{failure:?}");
    assert_eq!(store.keys(), ["a.csv"]);
}

#[tokio::test]
async fn input_without_a_file_is_invalid() {
    let store = Store::with("a.csv", "a\n1\n").await;
    for payload in [
        json!({}),
        json!({"bucket": "data"}),
        json!({"bucket": "data", "key": ""}),
        json!({"bucket": "", "key": "a.csv"}),
        json!({"bucket": "data", "key": 1}),
    ] {
        let failure = store.invoke(payload.clone()).await.unwrap_err();
        assert_eq!(failure.name, "InvalidInput", "{payload}");
    }
    assert!(store.requests().is_empty());
}

#[test]
fn a_fault_of_the_function_has_a_name() {
    assert_eq!(Error::Internal(String::new()).name(), "InternalError");
}

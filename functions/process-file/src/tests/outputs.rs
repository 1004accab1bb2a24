//! What is written where, and what happens when reading or writing breaks off.

use std::{fmt::Write, time::Duration};

use function_kit::{Environment, testing::Reply};
use serde_json::json;

use super::store::{Store, TAG};
use crate::ProcessFile;

const CSV: &str = "a,b\n1,x\n2,y\n";

/// Digits that compress badly: more than one part of an upload.
fn large_csv() -> String {
    let mut state = 1_u64;
    let mut csv = "a,b\n".to_owned();
    for _ in 0..600_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (state ^ (state >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        writeln!(csv, "{},{}", state >> 4, mixed >> 4).unwrap();
    }
    csv
}

/// More than a connection holds back.
fn long_csv() -> String {
    let mut csv = "a,b\n".to_owned();
    for n in 0..150_000 {
        writeln!(csv, "{n},some words").unwrap();
    }
    csv
}

fn calls(store: &Store) -> Vec<String> {
    let kind = |query: &str| {
        let names = ["uploads", "partNumber", "uploadId"];
        names.into_iter().find(|name| query.contains(name)).map(|name| format!(" {name}")).unwrap_or_default()
    };
    store.requests().iter().map(|request| format!("{}{}", request.method, kind(&request.query))).collect()
}

#[tokio::test]
async fn both_results_are_named_in_the_output() {
    let store = Store::with("in/a.csv", CSV).await;
    let output =
        store.invoke(json!({"bucket": "data", "key": "in/a.csv", "execution": "e", "size": 12})).await.unwrap();
    let (data, profile) = (store.get("processed/in/a.csv.parquet"), store.get("processed/in/a.csv.profile.json"));
    assert_eq!(
        output,
        json!({
            "bucket": "data", "key": "in/a.csv", "format": "csv", "compression": "none",
            "rows": 2, "badRows": 0, "columns": 2, "bytes": 12, "decompressedBytes": 12, "readings": 1,
            "data": {"bucket": "data", "key": "processed/in/a.csv.parquet", "bytes": data.len(), "versionId": "v1"},
            "profile": {"bucket": "data", "key": "processed/in/a.csv.profile.json", "bytes": profile.len(), "versionId": "v1"},
        })
    );
    assert_eq!(calls(&store), ["GET", "PUT", "PUT"]);
}

#[tokio::test]
async fn settings_say_where_the_results_go() {
    let store = Store::with("a.csv", CSV).await.setting("OUTPUT_PREFIX", "results/").setting("OUTPUT_BUCKET", "other");
    let failure = store.process("a.csv").await.unwrap_err();
    assert_eq!(failure.name, "BucketNotFound");
    let paths: Vec<_> = store.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths[..2], ["/data/a.csv", "/other/results/a.csv.parquet"]);
}

#[tokio::test]
async fn the_version_that_was_looked_at_is_read() {
    let store = Store::with("a.csv", CSV).await;
    let input = |tag: &str| json!({"bucket": "data", "key": "a.csv", "versionId": "v1", "eTag": tag});
    store.invoke(input(TAG)).await.unwrap();
    assert!(store.requests()[0].query.contains("versionId=v1"));
    assert_eq!(store.requests()[0].header("if-match"), TAG);
    assert_eq!(store.invoke(input("\"old\"")).await.unwrap_err().name, "ObjectChanged");
}

#[tokio::test]
async fn bad_rows_are_left_out_and_listed() {
    let mut csv = b"a,b\n1\n1,2,3\n\"\xff\",2\n".to_vec();
    (0..97).for_each(|_| csv.extend_from_slice(b"1,2\n"));
    let store = Store::with("a.csv", csv.clone()).await;
    let output = store.process("a.csv").await.unwrap();
    assert_eq!((&output["rows"], &output["badRows"]), (&json!(97), &json!(3)));
    assert_eq!(
        store.profile("a.csv")["badRows"],
        json!({
            "total": 3, "tooFewFields": 1, "tooManyFields": 1, "invalidUtf8": 1, "invalidJson": 0,
            "first": [
                {"line": 2, "reason": "tooFewFields"},
                {"line": 3, "reason": "tooManyFields"},
                {"line": 4, "reason": "invalidUtf8"},
            ]
        })
    );
    assert_eq!(store.table("a.csv").1.len(), 97);

    let strict = Store::with("a.csv", csv).await.setting("MAX_BAD_ROWS_PERCENT", "2.5");
    assert_eq!(strict.process("a.csv").await.unwrap_err().name, "TooManyBadRows");
}

#[tokio::test]
async fn a_large_file_is_uploaded_in_parts() {
    let csv = large_csv();
    let store = Store::with("a.csv", csv.clone()).await;
    store.process("a.csv").await.unwrap();
    let calls = calls(&store);
    assert_eq!(calls.iter().filter(|call| *call == "PUT partNumber").count(), 2, "{calls:?}");
    assert_eq!((calls[1].as_str(), calls[calls.len() - 2].as_str()), ("POST uploads", "POST uploadId"));
    let (_, rows) = store.table("a.csv");
    let lines: Vec<_> = csv.lines().skip(1).collect();
    assert_eq!(rows.len(), lines.len());
    assert!(rows.iter().zip(lines).all(|(row, line)| row.join(",") == line));
}

#[tokio::test]
async fn an_upload_that_fails_is_aborted() {
    for (method, part) in [("PUT", "partNumber=1"), ("PUT", "partNumber=2"), ("POST", "uploadId"), ("POST", "uploads")]
    {
        let store = Store::with("a.csv", large_csv()).await.fault(method, part, Reply::s3_error(503, "SlowDown"));
        let failure = store.process("a.csv").await.unwrap_err();
        assert_eq!(failure.name, "Throttled", "{part}");
        assert_eq!(store.keys(), ["a.csv"], "{part}");
        assert!(!store.has_unfinished(), "{part}");
    }
}

const DATA: &str = "processed/a.csv.parquet";
const PROFILE: &str = "processed/a.csv.profile.json";

/// Ways in which the run fails while it writes its results: the method and path or query of a request, whether that takes
/// effect, and whether the file is large.
const FAILURES: [(&str, &str, bool, bool); 7] = [
    ("PUT", DATA, false, false),
    ("PUT", DATA, true, false),
    ("POST", "uploadId", false, true),
    ("POST", "uploadId", true, true),
    ("PUT", PROFILE, false, false),
    ("PUT", PROFILE, true, false),
    ("PUT", PROFILE, true, true),
];

async fn failing((method, part, takes_effect, is_large): (&'static str, &str, bool, bool)) -> Store {
    let content = if is_large { large_csv() } else { CSV.to_owned() };
    let store = Store::with("a.csv", content).await;
    let error = Reply::s3_error(500, "InternalError");
    if takes_effect { store.lost_answer(method, part, error) } else { store.fault(method, part, error) }
}

#[tokio::test]
async fn a_run_that_fails_leaves_nothing_behind() {
    for failure in FAILURES {
        for has_versions in [true, false] {
            let store = failing(failure).await;
            let store = if has_versions { store } else { store.without_versions() };
            assert_eq!(store.process("a.csv").await.unwrap_err().name, "ServiceUnavailable", "{failure:?}");
            assert_eq!(store.keys(), ["a.csv"], "{failure:?}");
            assert!(!store.has_unfinished(), "{failure:?}");
        }
    }
}

#[tokio::test]
async fn the_results_of_an_earlier_run_are_the_current_ones_again() {
    for failure in FAILURES {
        let store = failing(failure).await;
        store.put(DATA, "earlier data");
        store.put(PROFILE, "earlier profile");
        store.process("a.csv").await.unwrap_err();
        assert_eq!((&store.get(DATA)[..], &store.get(PROFILE)[..]), (&b"earlier data"[..], &b"earlier profile"[..]));
    }
}

#[tokio::test]
async fn what_another_run_has_written_stays_without_versions_too() {
    // The first write fails without effect, so both results are still those of the other run.
    let store = failing(FAILURES[0]).await.without_versions();
    store.put(DATA, "of another run");
    store.put(PROFILE, "of another run");
    store.process("a.csv").await.unwrap_err();
    assert_eq!(store.keys(), ["a.csv", DATA, PROFILE]);
    assert!(store.requests().iter().all(|request| request.method != "DELETE"));
}

#[tokio::test]
async fn what_another_run_writes_meanwhile_stays_without_versions_too() {
    let overwritten = Reply::s3_error(412, "PreconditionFailed");
    let store = Store::with("a.csv", CSV).await.fault("PUT", PROFILE, Reply::s3_error(503, "SlowDown"));
    let store = store.without_versions().fault("DELETE", DATA, overwritten);
    assert_eq!(store.process("a.csv").await.unwrap_err().name, "Throttled");
    assert_eq!(store.keys(), ["a.csv", DATA]);
    let deletes: Vec<_> = store.requests().into_iter().filter(|request| request.method == "DELETE").collect();
    assert_eq!(deletes.len(), 1, "it is not tried again");
    assert_eq!(deletes[0].header("if-match"), TAG);
}

#[tokio::test]
async fn a_failure_to_take_back_does_not_hide_the_error() {
    let denied = || Reply::s3_error(403, "AccessDenied");
    let store = Store::with("a.csv", CSV).await.fault("PUT", PROFILE, Reply::s3_error(503, "SlowDown"));
    let store = store.fault("HEAD", PROFILE, Reply::status(403)).fault("DELETE", DATA, denied());
    assert_eq!(store.process("a.csv").await.unwrap_err().name, "Throttled");
    assert_eq!(store.keys(), ["a.csv", DATA]);
}

#[tokio::test]
async fn a_run_that_is_not_done_in_time_leaves_nothing_behind() {
    // The answer does not come within what is left above the time for taking back.
    let store = Store::with("a.csv", CSV).await.lost_answer("PUT", PROFILE, Reply::never());
    let failure = store.process_within(Duration::from_millis(30_800), "a.csv").await.unwrap_err();
    assert_eq!(failure.name, "TimedOut", "{failure:?}");
    assert_eq!(store.keys(), ["a.csv"]);
}

/// A reply with the beginning of an object, enough for some of it to arrive, before the connection is closed.
fn cut_off(content: &str) -> Reply {
    Reply::body(200, content[..content.len() - 1].to_owned()).header("etag", TAG).cut_short()
}

#[tokio::test]
async fn reading_goes_on_where_it_broke_off() {
    let csv = long_csv();
    let store = Store::with("a.csv", csv.clone()).await.fault("GET", "a.csv", cut_off(&csv));
    let output = store.process("a.csv").await.unwrap();
    assert_eq!((&output["readings"], &output["bytes"]), (&json!(1), &json!(csv.len())));
    let (_, rows) = store.table("a.csv");
    assert!(rows.iter().map(|row| row.join(",")).eq(csv.lines().skip(1)));
    let second = &store.requests()[1];
    assert_eq!((second.method.as_str(), second.header("if-match")), ("GET", TAG));
    assert!(second.header("range").starts_with("bytes="));
}

#[tokio::test]
async fn reading_that_cannot_go_on_fails() {
    let csv = long_csv();
    let store = Store::with("a.csv", csv.clone()).await.fault("GET", "a.csv", cut_off(&csv)).fault(
        "GET",
        "a.csv",
        Reply::s3_error(503, "ServiceUnavailable"),
    );
    let failure = store.process("a.csv").await.unwrap_err();
    assert_eq!(failure.name, "ServiceUnavailable", "{failure:?}");
    assert_eq!(store.keys(), ["a.csv"]);
}

#[test]
fn a_setting_that_makes_no_sense_is_refused() {
    for value in ["-1", "101", "NaN", "many"] {
        let environment = Environment::of([("MAX_BAD_ROWS_PERCENT", value)]);
        let config = function_kit::aws::SdkConfig::builder().build();
        let error = ProcessFile::new(&environment, &config).unwrap_err();
        assert!(error.to_string().contains("a number from 0 to 100"), "{error}");
    }
}

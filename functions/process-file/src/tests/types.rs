//! Types, values and profiles.

use std::fmt::Write;

use serde_json::{Value, json};

use super::store::Store;

async fn process(key: &str, content: &str) -> (Store, Value) {
    let store = Store::with(key, content.to_owned()).await;
    let output = store.process(key).await.unwrap_or_else(|failure| panic!("{failure:?}"));
    (store, output)
}

#[tokio::test]
async fn every_type_is_found_and_kept() {
    let csv = concat!(
        "yes,whole,real,day,time,instant,text,none\n",
        "true,-1,0.5,2024-02-29,2024-02-29T12:00:00,2024-02-29 12:00:00.25+01:00,007,\n",
        "FALSE,9007199254740993,NaN,1969-12-31,1969-12-31 23:59:59,2024-02-29T12:00:00Z,\"a \"\"b\"\"\",\n",
        ",,,,,,,\n",
    );
    let (store, output) = process("a.csv", csv).await;
    assert_eq!((&output["rows"], &output["badRows"], &output["columns"]), (&json!(3), &json!(0), &json!(8)));
    let (types, rows) = store.table("a.csv");
    assert_eq!(
        types,
        [
            "yes: Boolean",
            "whole: Int64",
            "real: Float64",
            "day: Date32",
            "time: Timestamp(µs)",
            "instant: Timestamp(µs, \"+00:00\")",
            "text: Utf8",
            "none: Utf8"
        ]
    );
    assert_eq!(
        rows[0],
        ["true", "-1", "0.5", "2024-02-29", "2024-02-29T12:00:00", "2024-02-29T11:00:00.250Z", "007", "-"]
    );
    assert_eq!(rows[1][..3], ["false", "9007199254740993", "NaN"]);
    assert_eq!(rows[1][6], "a \"b\"");
    assert_eq!(rows[2], ["-"; 8]);
}

#[tokio::test]
async fn json_values_keep_their_kind() {
    let lines = concat!(
        "{\"n\":1,\"s\":\"12\",\"o\":{\"a\": [1]},\"mixed\":1,\"b\":true,\"big\":12345678901234567890,\"e\":\"\"}\n",
        "{\"n\":2.5,\"s\":\"x\",\"mixed\":\"y\",\"late\":\"2024-01-01\"}\n",
    );
    let (store, output) = process("a.jsonl", lines).await;
    assert_eq!(output["readings"], 1);
    let (types, rows) = store.table("a.jsonl");
    assert_eq!(
        types,
        ["n: Float64", "s: Utf8", "o: Utf8", "mixed: Utf8", "b: Boolean", "big: Utf8", "e: Utf8", "late: Date32"]
    );
    assert_eq!(rows[0], ["1.0", "12", "{\"a\": [1]}", "1", "true", "12345678901234567890", "", "-"]);
    assert_eq!(rows[1], ["2.5", "x", "-", "y", "-", "-", "-", "2024-01-01"]);
}

#[tokio::test]
async fn a_profile_tells_what_the_values_are_like() {
    let mut csv = "n,x,s,d,t,b\n".to_owned();
    for n in 1..=100 {
        let text = if n % 4 == 0 { "often" } else { "" };
        writeln!(csv, "{n},{}.5,{text},2024-01-{:02},2024-01-01T00:00:{:02}Z,true", n % 2, n % 10 + 1, n % 60).unwrap();
    }
    let (store, _) = process("a.csv", &csv).await;
    let profile = store.profile("a.csv");
    assert_eq!(profile["rows"], 100);
    assert_eq!(profile["delimiter"], ",");
    let column = |name: &str| {
        let columns = profile["columns"].as_array().unwrap();
        columns.iter().find(|column| column["name"] == name).unwrap().clone()
    };

    let number = column("n");
    assert_eq!((&number["type"], &number["rows"], &number["nulls"]), (&json!("integer"), &json!(100), &json!(0)));
    assert_eq!((&number["min"], &number["max"], &number["mean"]), (&json!(1), &json!(100), &json!(50.5)));
    assert!((number["standardDeviation"].as_f64().unwrap() - 29.011_491_975_882_016).abs() < 1e-9);
    assert_eq!(number["distinct"]["estimate"], 100);
    assert!((number["quantiles"]["p50"].as_f64().unwrap() - 50.5).abs() <= 1.0);
    assert!((number["quantiles"]["p99"].as_f64().unwrap() - 99.5).abs() <= 1.0);

    let real = column("x");
    assert_eq!(
        (&real["type"], &real["nonFinite"], &real["min"], &real["max"]),
        (&json!("float"), &json!(0), &json!(0.5), &json!(1.5))
    );
    assert_eq!(real["mostFrequent"].as_array().unwrap().len(), 2);
    assert_eq!(real["mostFrequent"][0]["atLeast"], 50);

    let text = column("s");
    assert_eq!((&text["type"], &text["nulls"], &text["distinct"]["estimate"]), (&json!("text"), &json!(75), &json!(1)));
    assert_eq!(text["mostFrequent"], json!([{"value": "often", "atLeast": 25, "atMost": 25}]));
    assert_eq!(
        (&text["min"], &text["max"], &text["mean"], &text["quantiles"]),
        (&json!("often"), &json!("often"), &Value::Null, &Value::Null)
    );

    let day = column("d");
    assert_eq!((&day["min"], &day["max"], &day["type"]), (&json!("2024-01-01"), &json!("2024-01-10"), &json!("date")));
    assert!(day["quantiles"]["p50"].as_str().unwrap().starts_with("2024-01-0"));

    let time = column("t");
    assert_eq!((&time["min"], &time["type"]), (&json!("2024-01-01T00:00:00Z"), &json!("timestampUtc")));

    let yes = column("b");
    assert_eq!(
        (&yes["type"], &yes["min"], &yes["max"], &yes["distinct"]["estimate"]),
        (&json!("boolean"), &json!(true), &json!(true), &json!(1))
    );
}

#[tokio::test]
async fn non_finite_numbers_are_counted_apart() {
    let (store, _) = process("a.csv", "x\n1.5\nNaN\n-inf\n2.5\n").await;
    let column = store.profile("a.csv")["columns"][0].clone();
    assert_eq!((&column["nonFinite"], &column["nulls"], &column["mean"]), (&json!(2), &json!(0), &json!(2.0)));
    assert_eq!((&column["min"], &column["max"]), (&json!(1.5), &json!(2.5)));
}

/// More than is looked at for the types: 60,000 rows of about 26 bytes.
fn long_csv(last: &str) -> String {
    let mut csv = "n,d,rare\n".to_owned();
    for n in 0..60_000 {
        writeln!(csv, "{n},2024-01-{:02} padding,", n % 28 + 1).unwrap();
    }
    csv + last
}

#[tokio::test]
async fn a_late_value_widens_its_column_and_loses_nothing() {
    for (last, types) in [
        ("7,x,\n", ["n: Int64", "d: Utf8", "rare: Utf8"]),
        ("0.5,x,\n", ["n: Float64", "d: Utf8", "rare: Utf8"]),
        ("last,x,5\n", ["n: Utf8", "d: Utf8", "rare: Int64"]),
    ] {
        let (store, output) = process("a.csv", &long_csv(last)).await;
        let expected_readings = if last.starts_with('7') { 1 } else { 2 };
        assert_eq!(output["readings"], expected_readings, "{last}");
        assert_eq!(output["rows"], 60_001);
        let (found, rows) = store.table("a.csv");
        assert_eq!(found, types, "{last}");
        assert_eq!(rows.len(), 60_001);
        assert_eq!(rows[60_000][0], last.split(',').next().unwrap());
        assert_eq!(store.profile("a.csv")["columns"][0]["rows"], 60_001);
    }
}

#[tokio::test]
async fn large_integers_seen_before_a_fraction_stay_exact() {
    let mut csv = long_csv("0.5,x,\n");
    csv = csv.replacen("0,2024", "9007199254740993,2024", 1);
    let (store, output) = process("a.csv", &csv).await;
    assert_eq!(output["readings"], 2);
    let (types, rows) = store.table("a.csv");
    assert_eq!(types[0], "n: Utf8");
    assert_eq!(rows[0][0], "9007199254740993");
}

#[tokio::test]
async fn a_late_key_becomes_a_column() {
    let mut lines = String::new();
    for n in 0..30_000 {
        writeln!(lines, "{{\"n\":{n},\"padding\":\"aaaaaaaaaaaaaaaaaaaaaaaa\"}}").unwrap();
    }
    lines.push_str("{\"late\":true,\"n\":1}\n");
    let (store, output) = process("a.jsonl", &lines).await;
    assert_eq!((&output["readings"], &output["rows"], &output["columns"]), (&json!(2), &json!(30_001), &json!(3)));
    let (types, rows) = store.table("a.jsonl");
    assert_eq!(types, ["n: Int64", "padding: Utf8", "late: Boolean"]);
    assert_eq!(rows[30_000], ["1", "-", "true"]);
}

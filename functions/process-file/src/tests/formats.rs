//! Every format, with every compression, under every name.

use async_compression::tokio::write::{GzipEncoder, ZstdEncoder};
use tokio::io::AsyncWriteExt;

use super::store::Store;

const CSV: &str = "id,name,when\n1,\"Smith, Jo\",2024-01-01\n2,,2024-01-02\n";
const TSV: &str = "id\tname\twhen\n1\tSmith, Jo\t2024-01-01\n2\t\t2024-01-02\n";
const PIPES: &str = "\u{feff}id|name|when\r\n1|Smith, Jo|2024-01-01\r\n2||2024-01-02\r\n";
const JSON_LINES: &str = concat!(
    "\u{feff}{\"id\":1,\"name\":\"Smith, Jo\",\"when\":\"2024-01-01\"}\n",
    "{\"when\":\"2024-01-02\",\"id\":2,\"name\":null}"
);

pub(super) async fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzipEncoder::new(Vec::new());
    encoder.write_all(content).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

pub(super) async fn zstd(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZstdEncoder::new(Vec::new());
    encoder.write_all(content).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

#[tokio::test]
async fn every_format_and_compression_gives_the_same_table() {
    for (name, content, format) in [
        ("a.csv", CSV, "csv"),
        ("a.tsv", TSV, "tsv"),
        ("a.txt", PIPES, "csv"),
        ("a.jsonl", JSON_LINES, "jsonLines"),
        // A name that is wrong.
        ("a.csv", TSV, "tsv"),
        ("a.csv", JSON_LINES, "jsonLines"),
    ] {
        let content = content.as_bytes();
        for (extension, bytes, compression) in [
            ("", content.to_vec(), "none"),
            (".gz", gzip(content).await, "gzip"),
            (".zst", zstd(content).await, "zstd"),
            ("", gzip(content).await, "gzip"),
            (".gz", content.to_vec(), "none"),
        ] {
            let key = format!("in/{name}{extension}");
            let size = bytes.len();
            let store = Store::with(&key, bytes).await;
            let output = store.process(&key).await.unwrap();

            assert_eq!(output["format"], format, "{key}");
            assert_eq!(output["compression"], compression, "{key}");
            assert_eq!(output["rows"], 2);
            assert_eq!(output["bytes"], size);
            assert_eq!(output["decompressedBytes"], content.len());
            let (types, rows) = store.table(&key);
            assert_eq!(types, ["id: Int64", "name: Utf8", "when: Date32"], "{key}");
            assert_eq!(rows, [["1", "Smith, Jo", "2024-01-01"], ["2", "-", "2024-01-02"]], "{key}");
        }
    }
}

#[tokio::test]
async fn members_and_frames_follow_each_other() {
    let (first, second) = CSV.split_at(20);
    let (first, second) = (first.as_bytes(), second.as_bytes());
    for bytes in [[gzip(first).await, gzip(second).await].concat(), [zstd(first).await, zstd(second).await].concat()] {
        let store = Store::with("a", bytes).await;
        assert_eq!(store.process("a").await.unwrap()["rows"], 2);
    }
}

#[tokio::test]
async fn a_file_may_have_as_many_columns_as_are_allowed() {
    let names: Vec<String> = (0..1000).map(|column| format!("c{column}")).collect();
    let values: Vec<String> = (0..1000).map(|column| column.to_string()).collect();
    let store = Store::with("a.csv", format!("{}\n{}\n", names.join(","), values.join(","))).await;
    assert_eq!(store.process("a.csv").await.unwrap()["columns"], 1000);
    assert_eq!(store.table("a.csv").1, [values]);
}

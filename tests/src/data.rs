//! Files to process.

use std::fmt::Write;

use async_compression::tokio::write::GzipEncoder;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

/// The size from which on a file is processed, in bytes.
pub const THRESHOLD: usize = 2_000_000;

/// A CSV file of so many bytes: two columns, the second one as wide as it takes.
pub fn csv(bytes: usize) -> Vec<u8> {
    const HEADER: &str = "id,name\n";
    const ROW: usize = 16;
    let mut text = HEADER.to_owned();
    let mut id = 0;
    while text.len() + 2 * ROW <= bytes {
        id += 1;
        let _ = writeln!(text, "{id:07},abcdefg");
    }
    let rest = bytes.checked_sub(text.len() + "9999999,\n".len()).expect("room for one row");
    let _ = writeln!(text, "9999999,{}", "z".repeat(rest));
    assert_eq!(text.len(), bytes);
    text.into_bytes()
}

/// A file as `gzip` makes it.
pub async fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzipEncoder::new(Vec::new());
    encoder.write_all(content).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

/// What a player sends of a completed level.
pub fn level(user: &str, level: &str) -> Value {
    json!({
        "user_id": user,
        "level": level,
        "score": 10,
        "max_score": 100,
        "time_played": 9_885_983_982_u64,
        "total_score": 10_000,
    })
}

//! Which format a file has. Its content decides; its name only helps where the content may be several things.

use memchr::memchr;
use serde::{Serialize, de::IgnoredAny};

use crate::error::FileError;

/// How many bytes at the beginning tell text from binary data.
const BINARY_CHECK_BYTES: usize = 1024;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, of one member or several.
    Gzip,
    /// Zstandard, of one frame or several.
    Zstd,
}

impl Compression {
    /// How many bytes tell the compression.
    pub(crate) const MAGIC_BYTES: usize = 4;

    /// What the first bytes say. The name has no say: a file called `.gz` that is not gzip is read as it is.
    pub(crate) fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// How the records of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A header and records, their fields set apart by this byte.
    Delimited { delimiter: u8 },
    /// One JSON object a line.
    JsonLines,
}

impl Format {
    /// The format's name in results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Delimited { delimiter: b'\t' } => "tsv",
            Self::Delimited { .. } => "csv",
            Self::JsonLines => "jsonLines",
        }
    }

    /// Tells the format from the name and the decompressed beginning of a file.
    pub(crate) fn of(key: &str, start: &[u8]) -> Result<Self, FileError> {
        if let Some(found) = foreign_format(start) {
            return Err(FileError::UnsupportedFormat { found: found.to_owned() });
        }
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
        let line = &start[..memchr(b'\n', start).unwrap_or(start.len())];
        let named = NamedFormat::of(key);
        let is_object = line.first() == Some(&b'{') && serde_json::from_slice::<IgnoredAny>(line).is_ok();
        if is_object || (named == NamedFormat::JsonLines && line.first() == Some(&b'{')) {
            return Ok(Self::JsonLines);
        }
        if named == NamedFormat::JsonLines {
            let found =
                if line.first() == Some(&b'[') { "a JSON array" } else { "JSON Lines that begin with no object" };
            return Err(FileError::UnsupportedFormat { found: found.to_owned() });
        }
        let preferred = if named == NamedFormat::Tsv { b'\t' } else { b',' };
        Ok(Self::Delimited { delimiter: delimiter(line, preferred) })
    }
}

/// What the file's extension says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NamedFormat {
    Csv,
    Tsv,
    JsonLines,
    Unknown,
}

impl NamedFormat {
    fn of(key: &str) -> Self {
        let name = key.rsplit('/').next().unwrap_or(key).to_ascii_lowercase();
        let mut extensions = name.rsplit('.');
        let mut last = extensions.next();
        if matches!(last, Some("gz" | "gzip" | "zst" | "zstd")) {
            last = extensions.next();
        }
        match last {
            Some("csv") => Self::Csv,
            Some("tsv" | "tab") => Self::Tsv,
            Some("jsonl" | "ndjson" | "json") => Self::JsonLines,
            _ => Self::Unknown,
        }
    }
}

/// Formats that are often taken for data files, and would otherwise be read as garbage.
fn foreign_format(start: &[u8]) -> Option<&'static str> {
    match start {
        [b'P', b'A', b'R', b'1', ..] => Some("a Parquet file"),
        [b'P', b'K', 3, 4, ..] => Some("a ZIP archive or Excel workbook"),
        [b'B', b'Z', b'h', ..] => Some("bzip2 data"),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Some("xz data"),
        [b'O', b'R', b'C', ..] => Some("an ORC file"),
        [b'O', b'b', b'j', 1, ..] => Some("an Avro file"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16 text"),
        _ => {
            let checked = &start[..start.len().min(BINARY_CHECK_BYTES)];
            memchr(0, checked).map(|_| "binary data")
        }
    }
}

/// The byte that sets the fields of a header apart: the preferred one where it is there at all, else the most frequent
/// of the usual ones.
fn delimiter(header: &[u8], preferred: u8) -> u8 {
    let mut in_quotes = false;
    let mut counts = [(b',', 0), (b'\t', 0), (b';', 0), (b'|', 0)];
    for &byte in header {
        if byte == b'"' {
            in_quotes = !in_quotes;
        } else if !in_quotes && let Some((_, count)) = counts.iter_mut().find(|(candidate, _)| *candidate == byte) {
            *count += 1;
        }
    }
    let has_preferred = counts.iter().any(|&(candidate, count)| candidate == preferred && count > 0);
    match counts.into_iter().max_by_key(|&(_, count)| count) {
        Some((most_frequent, count)) if count > 0 && !has_preferred => most_frequent,
        _ => preferred,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_decides_and_the_name_helps() {
        const CSV: Format = Format::Delimited { delimiter: b',' };
        const TSV: Format = Format::Delimited { delimiter: b'\t' };
        for (key, start, format) in [
            ("a.csv", "a,b\n1,2\n", CSV),
            ("a.CSV.gz", "a;b\n", Format::Delimited { delimiter: b';' }),
            ("a.tsv", "a\tb,c\n", TSV),
            ("a.tsv.zst", "a,b\n", CSV),
            ("a.csv", "a\tb\n", TSV),
            ("dir.json/a", "a|b|c,d\n", CSV),
            ("a.txt", "a|b\n", Format::Delimited { delimiter: b'|' }),
            ("a.csv", "\"a;b;c\",d\n", CSV),
            ("a.tsv", "a\n1\n", TSV),
            ("a", "a\n1\n", CSV),
            ("a.jsonl", "{\"a\":1}\n", Format::JsonLines),
            ("a.csv", "\u{feff}\n {\"a\":1}\r\n{}", Format::JsonLines),
            ("a.ndjson", "{\"a\":\n", Format::JsonLines),
            ("a.csv", "{a,b\n", CSV),
        ] {
            assert_eq!(Format::of(key, start.as_bytes()).unwrap(), format, "{key} {start:?}");
        }
    }

    #[test]
    fn foreign_formats_are_named() {
        for (key, start, name) in [
            ("a.csv", &b"PAR1\x15\x04"[..], "a Parquet file"),
            ("a.csv", b"PK\x03\x04", "a ZIP archive or Excel workbook"),
            ("a.csv", b"\xff\xfea\0", "UTF-16 text"),
            ("a.csv", b"a,b\n\0\0", "binary data"),
            ("a.json", b"[{\"a\":1}]", "a JSON array"),
            ("a.jsonl", b"a,b\n", "JSON Lines that begin with no object"),
        ] {
            match Format::of(key, start) {
                Err(FileError::UnsupportedFormat { found }) => assert_eq!(found, name),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn compression_is_told_by_the_first_bytes() {
        assert_eq!(Compression::of(b"\x1f\x8b\x08\0"), Compression::Gzip);
        assert_eq!(Compression::of(b"\x28\xb5\x2f\xfd"), Compression::Zstd);
        assert_eq!(Compression::of(b"a,b"), Compression::None);
        assert_eq!(Compression::of(b""), Compression::None);
    }
}

//! One JSON object a line.

use std::{collections::HashMap, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{BadRowReason, BadRows, Batch, Cell, MAX_COLUMNS, MAX_RECORD_BYTES};
use crate::{error::FileError, schema::Kinds};

/// A reader of JSON objects with known keys. Keys that are not known are noted with the kinds of their values.
#[derive(Debug)]
pub(crate) struct JsonLines {
    line: u64,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    known: Vec<String>,
    index: HashMap<String, usize>,
    unknown: Vec<(String, Kinds)>,
    unknown_index: HashMap<String, usize>,
    row: Row,
}

/// The values of one object, in the order they came.
#[derive(Debug, Default)]
struct Row {
    bytes: Vec<u8>,
    /// For each known column where its value lies.
    cells: Vec<Option<RowCell>>,
    /// The keys that are not known, and the kinds of their values.
    unknown: Vec<(String, Kinds)>,
}

#[derive(Clone, Copy, Debug)]
struct RowCell {
    start: usize,
    end: usize,
    quoted: bool,
}

impl JsonLines {
    /// A reader for objects whose keys are the columns.
    pub(crate) fn new(columns: Vec<String>) -> Self {
        let index = columns.iter().cloned().zip(0..).collect();
        let row = Row { cells: vec![None; columns.len()], ..Row::default() };
        Self {
            line: 1,
            partial: Vec::new(),
            known: columns,
            index,
            unknown: Vec::new(),
            unknown_index: HashMap::new(),
            row,
        }
    }

    /// The keys that were found beside the columns, in the order they were found.
    pub(crate) fn unknown(&self) -> &[(String, Kinds)] {
        &self.unknown
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn read(&mut self, input: &[u8], batch: &mut Batch, bad_rows: &mut BadRows) -> Result<usize, FileError> {
        let mut taken = 0;
        while taken < input.len() && !batch.is_full() {
            let rest = &input[taken..];
            let Some(length) = memchr::memchr(b'\n', rest) else {
                self.partial.extend_from_slice(rest);
                taken = input.len();
                if self.partial.len() > MAX_RECORD_BYTES {
                    return Err(FileError::RecordTooLong { line: self.line, limit: MAX_RECORD_BYTES });
                }
                break;
            };
            taken += length + 1;
            if self.partial.is_empty() {
                self.read_line(&rest[..length], batch, bad_rows)?;
            } else {
                let mut line = std::mem::take(&mut self.partial);
                line.extend_from_slice(&rest[..length]);
                self.read_line(&line, batch, bad_rows)?;
                line.clear();
                self.partial = line;
            }
            self.line += 1;
        }
        Ok(taken)
    }

    pub(super) fn finish(&mut self, batch: &mut Batch, bad_rows: &mut BadRows) -> Result<(), FileError> {
        let line = std::mem::take(&mut self.partial);
        self.read_line(&line, batch, bad_rows)
    }

    fn read_line(&mut self, line: &[u8], batch: &mut Batch, bad_rows: &mut BadRows) -> Result<(), FileError> {
        if line.len() > MAX_RECORD_BYTES {
            return Err(FileError::RecordTooLong { line: self.line, limit: MAX_RECORD_BYTES });
        }
        let Ok(text) = std::str::from_utf8(line) else {
            bad_rows.add(self.line, BadRowReason::InvalidUtf8);
            return Ok(());
        };
        let text = text.trim_ascii();
        if text.is_empty() {
            return Ok(());
        }
        if self.parse(text).is_err() {
            bad_rows.add(self.line, BadRowReason::InvalidJson);
            return Ok(());
        }
        self.keep_unknown_keys()?;
        self.push(batch);
        Ok(())
    }

    fn parse(&mut self, text: &str) -> Result<(), serde_json::Error> {
        self.row.bytes.clear();
        self.row.cells.fill(None);
        self.row.unknown.clear();
        let mut json = serde_json::Deserializer::from_str(text);
        json.deserialize_map(ObjectVisitor { known: &self.known, index: &self.index, row: &mut self.row })?;
        json.end()
    }

    fn keep_unknown_keys(&mut self) -> Result<(), FileError> {
        for (key, kinds) in self.row.unknown.drain(..) {
            if let Some(&at) = self.unknown_index.get(&key) {
                self.unknown[at].1.merge(kinds);
            } else {
                if self.known.len() + self.unknown.len() >= MAX_COLUMNS {
                    return Err(FileError::TooManyColumns { limit: MAX_COLUMNS });
                }
                self.unknown_index.insert(key.clone(), self.unknown.len());
                self.unknown.push((key, kinds));
            }
        }
        Ok(())
    }

    /// Puts the row's values into the batch in the columns' order.
    fn push(&mut self, batch: &mut Batch) {
        let start = batch.used();
        batch.bytes.truncate(start);
        let row = &self.row;
        let mut end = 0;
        let bytes = &mut batch.bytes;
        for cell in row.cells.iter().flatten() {
            bytes.extend_from_slice(&row.bytes[cell.start..cell.end]);
        }
        let ends = row.cells.iter().map(|cell| {
            end += cell.map_or(0, |cell| cell.end - cell.start);
            end
        });
        batch.push_row(ends, self.line);
        batch.push_quoted(row.cells.iter().map(|cell| cell.is_some_and(|cell| cell.quoted)));
    }
}

/// Takes an object apart into a [`Row`].
struct ObjectVisitor<'a> {
    known: &'a [String],
    index: &'a HashMap<String, usize>,
    row: &'a mut Row,
}

impl<'de> Visitor<'de> for ObjectVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut expected = 0;
        while let Some(key) = map.next_key_seed(KeySeed { known: self.known, index: self.index, expected })? {
            let raw: &RawValue = map.next_value()?;
            match key {
                Key::Known(column) => {
                    self.row.cells[column] = self.row.add(raw.get()).map_err(serde::de::Error::custom)?;
                    expected = column + 1;
                }
                Key::Unknown(name) => {
                    let begin = self.row.bytes.len();
                    let cell = self.row.add(raw.get()).map_err(serde::de::Error::custom)?;
                    let mut kinds = Kinds::default();
                    kinds.observe(self.row.cell(cell));
                    self.row.bytes.truncate(begin);
                    self.row.unknown.push((name, kinds));
                }
            }
        }
        Ok(())
    }
}

impl Row {
    /// Adds a value as text: a string without its quotes, an object or an array as it stands.
    fn add(&mut self, raw: &str) -> Result<Option<RowCell>, serde_json::Error> {
        let start = self.bytes.len();
        let quoted = match raw.as_bytes() {
            b"null" => return Ok(None),
            [b'"', inner @ .., b'"'] => {
                if memchr::memchr(b'\\', inner).is_some() {
                    self.bytes.extend_from_slice(serde_json::from_str::<String>(raw)?.as_bytes());
                } else {
                    self.bytes.extend_from_slice(inner);
                }
                true
            }
            other => {
                self.bytes.extend_from_slice(other);
                matches!(other.first(), Some(b'{' | b'['))
            }
        };
        Ok(Some(RowCell { start, end: self.bytes.len(), quoted }))
    }

    fn cell(&self, cell: Option<RowCell>) -> Cell<'_> {
        let Some(RowCell { start, end, quoted }) = cell else { return Cell::Null };
        let text = std::str::from_utf8(&self.bytes[start..end]).unwrap_or_default();
        if quoted { Cell::Quoted(text) } else { Cell::Bare(text) }
    }
}

/// Which column a key names.
enum Key {
    Known(usize),
    Unknown(String),
}

/// Finds a key's column. Most objects of a file have the same keys in the same order, so the next is tried first.
struct KeySeed<'a> {
    known: &'a [String],
    index: &'a HashMap<String, usize>,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Key, E> {
        if self.known.get(self.expected).is_some_and(|name| name == key) {
            return Ok(Key::Known(self.expected));
        }
        Ok(self.index.get(key).map_or_else(|| Key::Unknown(key.to_owned()), |&column| Key::Known(column)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::ColumnType;

    fn reader(columns: &[&str]) -> JsonLines {
        JsonLines::new(columns.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn rows_are_the_same_whatever_the_pieces_and_the_order_of_keys() {
        let file = concat!(
            "{\"a\":1,\"b\":\"x\"}\r\n",
            "\n",
            "{\"b\":\"\\u00fc\\n\",\"a\":null}\n",
            "[1]\n",
            "{\"a\":{\"c\": [1]},\"b\":\"\"}\n",
            "{\"a\":1}{\"a\":2}\n",
            "{\"a\":\"\\ud800\"}\n",
            "{\"a\":12345678901234567890}"
        )
        .as_bytes();
        for size in 1..file.len() {
            let mut reader = reader(&["a", "b"]);
            let mut batch = Batch::new(2);
            let mut bad_rows = BadRows::default();
            for piece in file.chunks(size) {
                reader.read(piece, &mut batch, &mut bad_rows).unwrap();
            }
            reader.finish(&mut batch, &mut bad_rows).unwrap();
            let sealed = batch.seal(&mut bad_rows);
            assert_eq!(
                sealed.column(0).collect::<Vec<_>>(),
                [Cell::Bare("1"), Cell::Null, Cell::Quoted("{\"c\": [1]}"), Cell::Bare("12345678901234567890")]
            );
            assert_eq!(
                sealed.column(1).collect::<Vec<_>>(),
                [Cell::Quoted("x"), Cell::Quoted("ü\n"), Cell::Quoted(""), Cell::Null]
            );
            let lines: Vec<_> = bad_rows.first.iter().map(|row| row.line).collect();
            assert_eq!(lines, [4, 6, 7]);
            assert_eq!(bad_rows.invalid_json, 3);
        }
    }

    #[test]
    fn a_line_that_is_not_text_is_counted() {
        let mut bad_rows = BadRows::default();
        reader(&["a"]).read(b"{\"a\":\"\xff\"}\n", &mut Batch::new(1), &mut bad_rows).unwrap();
        assert_eq!(bad_rows.invalid_utf8, 1);
    }

    #[test]
    fn unknown_keys_are_noted_with_their_kinds() {
        let mut reader = reader(&["a"]);
        let mut batch = Batch::new(1);
        let file = b"{\"a\":1,\"n\":1,\"s\":\"x\"}\n{\"n\":2.5}\n{\"z\":null}\n";
        reader.read(file, &mut batch, &mut BadRows::default()).unwrap();
        let found: Vec<_> = reader.unknown().iter().map(|(name, kinds)| (name.as_str(), kinds.column_type())).collect();
        assert_eq!(found, [("n", ColumnType::Float), ("s", ColumnType::Text), ("z", ColumnType::Null)]);
    }

    #[test]
    fn keys_and_lines_have_limits() {
        let many = (0..=MAX_COLUMNS).map(|key| format!("\"{key}\":0")).collect::<Vec<_>>().join(",");
        let file = format!("{{{many}}}\n");
        let error = reader(&[]).read(file.as_bytes(), &mut Batch::new(0), &mut BadRows::default()).unwrap_err();
        assert!(matches!(error, FileError::TooManyColumns { .. }), "{error}");

        let long = vec![b' '; MAX_RECORD_BYTES + 1];
        let error = reader(&["a"]).read(&long, &mut Batch::new(1), &mut BadRows::default()).unwrap_err();
        assert!(matches!(error, FileError::RecordTooLong { line: 1, .. }), "{error}");
    }
}

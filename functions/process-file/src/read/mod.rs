//! From bytes to records, whatever the format.

mod batch;
mod delimited;
mod json_lines;

pub(crate) use batch::Cell;
pub(crate) use batch::{Batch, SealedBatch};
pub(crate) use delimited::Delimited;
pub(crate) use json_lines::JsonLines;
use serde::Serialize;

use crate::error::FileError;

/// The longest record, in bytes. It bounds the memory; beyond it the file is refused.
pub(crate) const MAX_RECORD_BYTES: usize = 4 << 20;

/// The most columns. It bounds the memory; beyond it the file is refused.
pub(crate) const MAX_COLUMNS: usize = 1000;

/// How many bad rows are listed with their lines; the rest is only counted.
const LISTED_BAD_ROWS: usize = 20;

/// Why a row was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum BadRowReason {
    /// It has fewer fields than the header.
    TooFewFields,
    /// It has more fields than the header.
    TooManyFields,
    /// It is not UTF-8.
    InvalidUtf8,
    /// It is not one JSON object.
    InvalidJson,
}

/// A row that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BadRow {
    /// The line on which it ends, from 1.
    pub(crate) line: u64,
    /// What is wrong with it.
    pub(crate) reason: BadRowReason,
}

/// The rows that were left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BadRows {
    /// All of them.
    pub(crate) total: u64,
    /// With fewer fields than the header.
    pub(crate) too_few_fields: u64,
    /// With more fields than the header.
    pub(crate) too_many_fields: u64,
    /// Not UTF-8.
    pub(crate) invalid_utf8: u64,
    /// Not one JSON object.
    pub(crate) invalid_json: u64,
    /// The first that were found.
    pub(crate) first: Vec<BadRow>,
}

impl BadRows {
    pub(crate) fn add(&mut self, line: u64, reason: BadRowReason) {
        self.total += 1;
        *match reason {
            BadRowReason::TooFewFields => &mut self.too_few_fields,
            BadRowReason::TooManyFields => &mut self.too_many_fields,
            BadRowReason::InvalidUtf8 => &mut self.invalid_utf8,
            BadRowReason::InvalidJson => &mut self.invalid_json,
        } += 1;
        if self.first.len() < LISTED_BAD_ROWS {
            self.first.push(BadRow { line, reason });
        }
    }
}

/// Reads records from a file that comes in pieces.
#[derive(Debug)]
pub(crate) enum RecordReader {
    Delimited(Box<Delimited>),
    JsonLines(Box<JsonLines>),
}

impl RecordReader {
    /// Reads records until the batch is full or all input is taken. Returns how much was taken.
    pub(crate) fn read(&mut self, input: &[u8], batch: &mut Batch, bad_rows: &mut BadRows) -> Result<usize, FileError> {
        match self {
            Self::Delimited(reader) => reader.read(input, batch, bad_rows),
            Self::JsonLines(reader) => reader.read(input, batch, bad_rows),
        }
    }

    /// Reads the record that ends with the file instead of a line end. The batch must have room.
    pub(crate) fn finish(&mut self, batch: &mut Batch, bad_rows: &mut BadRows) -> Result<(), FileError> {
        match self {
            Self::Delimited(reader) => {
                reader.finish(batch, bad_rows);
                Ok(())
            }
            Self::JsonLines(reader) => reader.finish(batch, bad_rows),
        }
    }

    /// The line that is being read, from 1.
    pub(crate) fn line(&self) -> u64 {
        match self {
            Self::Delimited(reader) => reader.line(),
            Self::JsonLines(reader) => reader.line(),
        }
    }
}

//! What can go wrong.

use function_kit::{INVALID_INPUT, NamedError, ServiceError};
use thiserror::Error;

/// A file that can't be used, or not be used as it is. Lines count from 1.
#[derive(Debug, Error)]
pub enum FileError {
    /// There is nothing in the file.
    #[error("the file is empty")]
    EmptyFile,
    /// There is a header and nothing else.
    #[error("line {line}: the file has no rows, only a header")]
    NoRows {
        /// The last line.
        line: u64,
    },
    /// The file is of a kind that is not read.
    #[error("{found} can't be read; wanted is CSV, TSV or JSON Lines in UTF-8, plain, gzip or zstd")]
    UnsupportedFormat {
        /// What it looks like.
        found: String,
    },
    /// The header names no columns.
    #[error("line {line}: the header can't be used: {reason}")]
    InvalidHeader {
        /// The line on which the header begins.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// There are more columns than fit into the memory.
    #[error("the file has more than {limit} columns")]
    TooManyColumns {
        /// The most that are read.
        limit: usize,
    },
    /// A record is longer than fits into the memory.
    #[error("line {line}: a record is longer than {limit} bytes; a quote may be left open")]
    RecordTooLong {
        /// The line that was being read; of a header, the one on which it begins.
        line: u64,
        /// The most that is read, in bytes.
        limit: usize,
    },
    /// The compressed data stop in the middle.
    #[error("line {line}: the compressed file ends too early")]
    TruncatedFile {
        /// The line that was being read.
        line: u64,
    },
    /// The compressed data are damaged.
    #[error("line {line}: the file can't be decompressed: {reason}")]
    CorruptFile {
        /// The line that was being read.
        line: u64,
        /// What the decompressor says.
        reason: String,
    },
    /// So many rows are bad that the rest means little.
    #[error("line {first_line}: {bad} of {all} rows can't be read, more than {limit_percent} %; this is the first")]
    TooManyBadRows {
        /// The line of the first bad row.
        first_line: u64,
        /// The bad rows.
        bad: u64,
        /// All rows.
        all: u64,
        /// The share that is put up with.
        limit_percent: f64,
    },
}

impl FileError {
    /// The name that a state machine catches.
    pub fn name(&self) -> &'static str {
        match self {
            Self::EmptyFile => "EmptyFile",
            Self::NoRows { .. } => "NoRows",
            Self::UnsupportedFormat { .. } => "UnsupportedFormat",
            Self::InvalidHeader { .. } => "InvalidHeader",
            Self::TooManyColumns { .. } => "TooManyColumns",
            Self::RecordTooLong { .. } => "RecordTooLong",
            Self::TruncatedFile { .. } => "TruncatedFile",
            Self::CorruptFile { .. } => "CorruptFile",
            Self::TooManyBadRows { .. } => "TooManyBadRows",
        }
    }
}

/// Why a file was not processed.
#[derive(Debug, Error)]
pub enum Error {
    /// The input names no file.
    #[error("{field} is empty")]
    InvalidInput {
        /// The field that is wrong.
        field: &'static str,
    },
    /// The file can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// S3 did not do what it was asked for.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The object is another one than before: than was measured, or than at the beginning of reading.
    #[error("{key} in the bucket {bucket} has changed since it was looked at")]
    ObjectChanged {
        /// The object's bucket.
        bucket: String,
        /// The object's key.
        key: String,
    },
    /// The file takes longer than the function may run.
    #[error("the time of the function was not enough for the file")]
    TimedOut,
    /// A library refused what this function made: a fault of the function.
    #[error("the result can't be written: {0}")]
    Internal(String),
}

impl NamedError for Error {
    fn name(&self) -> &'static str {
        match self {
            Self::InvalidInput { .. } => INVALID_INPUT,
            Self::File(error) => error.name(),
            Self::Service(error) => error.name(),
            Self::ObjectChanged { .. } => "ObjectChanged",
            Self::TimedOut => "TimedOut",
            Self::Internal(_) => "InternalError",
        }
    }
}

macro_rules! internal {
    ($($error:ty),*) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::Internal(error.to_string())
            }
        })*
    };
}

internal!(arrow::error::ArrowError, parquet::errors::ParquetError, datasketches::error::Error, serde_json::Error);

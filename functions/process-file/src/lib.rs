//! Profiles a data file and converts it to Parquet, in memory that does not grow with the file.
//!
//! The file is CSV, TSV (or anything else delimited by `;` or `|`) with a header, or JSON Lines; plain, gzip or
//! Zstandard. The content decides which; the name helps where the content may be several things.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `OUTPUT_BUCKET` | the bucket of the results; by default the file's |
//! | `OUTPUT_PREFIX` | put before the keys of the results; by default `processed/` |
//! | `MAX_BAD_ROWS_PERCENT` | the share of bad rows that is put up with, 0 to 100; by default 10 |
//!
//! # Input
//!
//! ```json
//! { "bucket": "data", "key": "incoming/large.csv.gz", "versionId": "3HL4kqtJvjVBH40Nrjfkd", "eTag": "\"0123\"" }
//! ```
//!
//! `versionId` and `eTag` may be left out; with them exactly that object is read. Other fields are not read.
//!
//! # Results
//!
//! Two objects: the rows as `<prefix><key>.parquet` and the profile as `<prefix><key>.profile.json`. The output names both,
//! with the numbers of rows, bad rows, columns and bytes. The metadata `run` (`x-amz-meta-run`) are the same for both and
//! unlike those of any other run.
//!
//! - A run that fails takes back what it has written, even where a failed request took effect: S3 is asked for the `run` of what
//!   is there, and nothing of another run is removed. In a bucket with versions the results of an earlier run are the current
//!   ones again. In a bucket without versions an earlier result that was written over is lost.
//! - What can't be taken back stays until the next run writes over it: where S3 refuses or does not answer that as well, which
//!   the log tells; where it carries out a write only after it was asked; and where the function is ended half-way.
//! - The first line of a delimited file is the header. An empty field is a null. A JSON object or array within a line is
//!   kept as JSON text.
//! - A column has the narrowest type that keeps all its values whole, wherever in the file they are: truth values, 64-bit
//!   integers, doubles, dates, timestamps (microseconds, with or without a zone), else text. The types are guessed from
//!   the first MiB. Where a later value does not fit, what was written is thrown away and the file is read once more.
//! - A row with too few or too many fields, that is not UTF-8 or not a JSON object is left out; the profile counts such
//!   rows by reason and lists the first with their lines.
//!
//! # Errors
//!
//! | name | when |
//! | --- | --- |
//! | `InvalidInput` | the input names no bucket or no key |
//! | `EmptyFile` | there is nothing in the file |
//! | `NoRows` | there is a header and nothing else |
//! | `UnsupportedFormat` | the file is none of the formats above; the message says what it looks like |
//! | `InvalidHeader` | the header is not UTF-8 |
//! | `TooManyColumns` | more than 1000 columns |
//! | `RecordTooLong` | a record of more than 4 MiB, or a header of more than 1 MiB; names the line |
//! | `TruncatedFile` | compressed data end too early; names the line |
//! | `CorruptFile` | compressed data are damaged, or need a window of more than 8 MiB; names the line |
//! | `TooManyBadRows` | more bad rows than the setting allows; names the line of the first |
//! | `ObjectChanged` | the object is not the one of the `eTag`, or changed while it was read |
//! | `ObjectNotFound` | the file does not exist |
//! | `BucketNotFound` | the file's or the results' bucket does not exist |
//! | `TimedOut` | the file was not done 30 s before the function's time is up, which are kept to take back what was written |
//! | `AccessDenied` | the function may not read the file or not write the results |
//! | `Throttled` | too many requests; a later call may pass |
//! | `ServiceUnavailable` | S3 failed, could not be reached or took too long; a later call may pass |
//! | `ServiceRejected` | S3 refused a request for another reason |
//! | `InternalError` | a fault of the function |

mod bucket;
mod convert;
mod encode;
mod error;
mod format;
mod handler;
mod input;
mod process;
mod profile;
mod read;
mod schema;
mod source;
mod table;
mod upload;
mod value;

#[cfg(test)]
mod tests;

pub use error::{Error, FileError};
pub use format::Compression;
pub use handler::{Input, Output, OutputObject, ProcessFile, handle};

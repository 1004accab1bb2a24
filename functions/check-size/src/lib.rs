//! Asks S3 for the size of an object: its head, not its body.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `BUCKET` | the bucket where the input names none; may be left out |
//! | `KEY` | the key where the input names none; may be left out |
//!
//! # Input
//!
//! ```json
//! { "bucket": "data", "key": "incoming/large.csv", "versionId": "3HL4kqtJvjVBH40Nrjfkd" }
//! ```
//!
//! Each field may be left out. Without `versionId` the newest version is asked for. Other fields are not read.
//!
//! # Output
//!
//! ```json
//! {
//!   "bucket": "data",
//!   "key": "incoming/large.csv",
//!   "size": 3145728,
//!   "contentType": "text/csv",
//!   "eTag": "\"0123456789abcdef0123456789abcdef\"",
//!   "versionId": "3HL4kqtJvjVBH40Nrjfkd"
//! }
//! ```
//!
//! `size` is in bytes. The `ETag` has its quotes, as S3 answers it and takes it back. What S3 does not tell is left out, such as
//! the version in a bucket without versions.
//!
//! # Errors
//!
//! | name | when |
//! | --- | --- |
//! | `InvalidInput` | neither the input nor the settings name the bucket or the key, or a name is empty |
//! | `ObjectNotFound` | the object, or the version of it, does not exist |
//! | `BucketNotFound` | the bucket does not exist |
//! | `AccessDenied` | the function may not read the object |
//! | `Throttled` | too many requests; a later call may pass |
//! | `ServiceUnavailable` | S3 failed, could not be reached or took too long; a later call may pass |
//! | `ServiceRejected` | S3 refused the request for another reason |

mod error;
mod handler;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use handler::{CheckSize, Input, Output, handle};

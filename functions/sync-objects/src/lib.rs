//! Copies and deletes what two buckets differ in.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `SOURCE_BUCKET` | the bucket to copy from |
//! | `TARGET_BUCKET` | the bucket to copy to, and to delete from |
//!
//! # Input
//!
//! ```json
//! {
//!   "Items": [
//!     { "action": "copy", "key": "a.csv", "size": 7, "eTag": "\"0123456789abcdef0123456789abcdef\"" },
//!     { "action": "delete", "key": "b.csv", "size": 7, "eTag": "\"0123456789abcdef0123456789abcdef\"" }
//!   ]
//! }
//! ```
//!
//! The differences, as `compare-buckets` writes them. Other fields are not read.
//!
//! # What it does
//!
//! S3 copies by itself; nothing of an object passes through the function. An object is copied, or deleted, only as long as its
//! `ETag` is the one that was compared; one that has changed since then is told as such, and left for the next time. An object
//! that was uploaded in parts is copied in the same parts, so that the copy has the same `ETag`, and is known as alike the next
//! time. A copy has the metadata and the tags of its source. Eight objects are on their way at once. A repeated call does the
//! same again.
//!
//! # Output
//!
//! ```json
//! { "copied": 1, "deleted": 1, "changed": ["c.csv"] }
//! ```
//!
//! # Errors
//!
//! | name | when |
//! | --- | --- |
//! | `InvalidInput` | a field is missing, or is not what it should be |
//! | `BucketNotFound` | a bucket does not exist |
//! | `AccessDenied` | the function may not read, write or delete an object |
//! | `Throttled` | too many requests; a later call may pass |
//! | `ServiceUnavailable` | S3 failed, could not be reached or took too long; a later call may pass |
//! | `ServiceRejected` | S3 refused a request for another reason |
//!
//! An error is told after all objects have been tried; the message names the first that failed, and how many did.

mod copy;
mod error;
mod handler;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use handler::{Input, Output, SyncObjects, handle};

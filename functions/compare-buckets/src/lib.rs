//! Finds what two buckets differ in, a stretch of keys at a time.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `SOURCE_BUCKET` | the bucket to copy from |
//! | `TARGET_BUCKET` | the bucket that is to become like it |
//! | `REPORT_BUCKET` | where the differences are written |
//!
//! # Input
//!
//! ```json
//! { "delete": true, "report": "nightly-sync/2026-11-21/", "part": 0, "after": null, "execution": "arn:aws:states:…" }
//! ```
//!
//! `delete` says whether objects of the target that the source does not have are to go. `report` is the prefix of what is
//! written, `part` its number, `after` the last key that was compared before; null for the first part.
//!
//! # What it does
//!
//! Both buckets are listed from `after` on. Listings are in the order of the keys, so they are read side by side, and nothing
//! but a page of each is in memory. Objects of one key are alike where their `ETag` and size are. The stretch ends after 20,000
//! differences, or when the function's time is nearly up.
//!
//! # What is written
//!
//! JSON Lines, where there are any; the same call writes the same keys again.
//!
//! - `<report>changes/<part>.jsonl`: what there is to do, such as `{"action":"copy","key":"a.csv","size":7,"eTag":"\"…\""}` or
//!   `{"action":"delete","key":"b.csv","size":7,"eTag":"\"…\""}`. Size and `ETag` of what is copied are those in the source, of
//!   what is deleted those in the target.
//! - `<report>kept/<part>.jsonl`: `{"action":"keep","key":"b.csv",…}`, what the target has more and keeps.
//!
//! # Output
//!
//! ```json
//! { "copy": 2, "copyBytes": 14, "delete": 1, "keep": 0, "same": 9000, "next": "m.csv" }
//! ```
//!
//! How many objects there are of each kind in this stretch; `next` is the `after` of the next one, null when all is compared.
//!
//! # Errors
//!
//! | name | when |
//! | --- | --- |
//! | `SourceEmpty` | the source has no object at all, and all of the target would be deleted |
//! | `InvalidInput` | a field is missing, or is not what it should be |
//! | `BucketNotFound` | a bucket does not exist |
//! | `AccessDenied` | the function may not list a bucket, or not write the differences |
//! | `Throttled` | too many requests; a later call may pass |
//! | `ServiceUnavailable` | S3 failed, could not be reached or took too long; a later call may pass |
//! | `ServiceRejected` | S3 refused the request for another reason |

mod error;
mod handler;
mod listing;
mod part;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use handler::{CompareBuckets, Input, Output, handle};

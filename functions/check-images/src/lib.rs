//! Checks what was made of a picture, and writes the contact sheet.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `OUTPUT_BUCKET` | the bucket of the contact sheet; by default the picture's |
//! | `OUTPUT_PREFIX` | put before its key; by default `processed/` |
//!
//! # Input
//!
//! ```json
//! {
//!   "bucket": "data",
//!   "key": "images/harbour.jpg",
//!   "eTag": "\"0123\"",
//!   "converted": { "format": "jpeg", "width": 4000, "height": 3000, "pictures": [] },
//!   "scaled": { "format": "jpeg", "width": 4000, "height": 3000, "pictures": [] },
//!   "analysis": { "format": "jpeg", "width": 4000, "height": 3000 },
//!   "labels": [{ "name": "Harbor", "confidence": 98.2 }]
//! }
//! ```
//!
//! The outputs of `convert-image`, `scale-image` and `analyze-image` for the picture. `labels` may be left out. Other fields are
//! not read.
//!
//! # What is checked
//!
//! - The three have seen a picture of the same format and size.
//! - Each result is there, as the object that was written. It is decoded: a picture of the format, size and length that were
//!   told.
//! - It looks like the picture: at most 16 of the 64 bits of its perceptual hash are others. Two pictures that have nothing in
//!   common differ in about 32.
//!
//! # Results
//!
//! `<prefix><key>/<eTag>/contact-sheet.html`: each result as a small picture with its size, the colours, and what else was
//! found. It is a page on its own, with the pictures inside, and loads nothing.
//!
//! # Output
//!
//! ```json
//! {
//!   "checked": 6,
//!   "contactSheet": { "bucket": "data", "key": "processed/images/harbour.jpg/0123/contact-sheet.html", "bytes": 43120 }
//! }
//! ```
//!
//! # Errors
//!
//! | name | when |
//! | --- | --- |
//! | `InvalidInput` | the input misses a field, or one is empty |
//! | `ResultsDiffer` | the three have seen different pictures |
//! | `ResultNotUsable` | a result is not there, was replaced, can't be decoded, or is another picture |
//! | `TimedOut` | the time was not enough |
//! | `InternalError` | a library refused what the function made |
//! | `BucketNotFound` | there is no such bucket |
//! | `AccessDenied` | the function may not read a result, or not write the contact sheet |
//! | `Throttled`, `ServiceUnavailable` | S3 has too much to do, or failed; a later call may pass |
//! | `ServiceRejected` | S3 refused the request for another reason |

mod error;
mod handler;
mod sheet;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use handler::{CheckImages, ContactSheet, Input, Label, Output, handle};

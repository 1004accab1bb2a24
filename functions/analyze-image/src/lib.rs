//! Analyses a picture, and finds pictures that look alike.
//!
//! Nothing leaves the function for that but the picture's hash, which goes into a table.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `HASHES_TABLE` | the table of the hashes |
//!
//! # Input
//!
//! ```json
//! { "bucket": "data", "key": "images/harbour.jpg", "versionId": "3HL4kqtJvjVBH40Nrjfkd", "eTag": "\"0123\"" }
//! ```
//!
//! `versionId` may be left out; exactly the object with this `ETag` is read. Other fields are not read.
//!
//! # Output
//!
//! ```json
//! {
//!   "format": "jpeg",
//!   "width": 4000,
//!   "height": 3000,
//!   "bytes": 2410331,
//!   "turned": true,
//!   "transparent": false,
//!   "colours": [{ "rgb": "#1f4e79", "share": 0.41 }],
//!   "sharpness": 812.4,
//!   "hash": "c3d0b5e1961e2c3d",
//!   "nearDuplicates": [{ "bucket": "data", "key": "images/harbour-small.webp", "distance": 1 }]
//! }
//! ```
//!
//! - `turned`: the picture is turned or mirrored when it is shown, as its EXIF orientation says. All else is of the upright
//!   picture.
//! - `colours`: at most five that stand for all, the one with the largest share first. They are the centres of clusters in the
//!   colour space `OKLab`.
//! - `sharpness`: the variance of the Laplacian of the brightness, of the picture at 1024 pixels. Below about 100 a picture
//!   looks blurred.
//! - `hash`: a perceptual hash ([`Fingerprint`](image_kit::Fingerprint)).
//! - `nearDuplicates`: at most ten other objects whose hashes differ in at most five of the 64 bits, and which are still there,
//!   the nearest first.
//!
//! # The table
//!
//! Six bands of a hash's bits stand in six items: two hashes that differ in five bits are alike in at least one band, so a
//! query for each band finds all that are near. The partition key is `band` (`3:2f1`, the band's number and its bits), the sort
//! key `object` (`<bucket>/<key>`); an item has the attributes `bucket`, `key`, `e_tag` and `hash`. The items are written before
//! the queries: of two like pictures that come at once, the later one finds the other. A repeated invocation writes the same
//! items.
//!
//! Of each band the first megabyte is looked at, which is some 5,000 pictures.
//!
//! # Errors
//!
//! Those of `convert-image`, and `TableNotFound` where there is no such table.

mod colours;
mod handler;
mod hashes;
mod sharpness;
#[cfg(test)]
mod tests;

pub use handler::{AnalyzeImage, handle};

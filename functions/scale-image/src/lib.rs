//! Scales a picture to several resolutions.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
//! | `RESOLUTIONS` | the longer sides in pixels, 1 to 16383, separated by commas; by default `320,640,1280,1920` |
//! | `OUTPUT_BUCKET` | the bucket of the results; by default the picture's |
//! | `OUTPUT_PREFIX` | put before the keys of the results; by default `processed/` |
//!
//! # Input
//!
//! ```json
//! { "bucket": "data", "key": "images/harbour.jpg", "versionId": "3HL4kqtJvjVBH40Nrjfkd", "eTag": "\"0123\"" }
//! ```
//!
//! `versionId` may be left out; exactly the object with this `ETag` is read. Other fields are not read.
//!
//! # Results
//!
//! `<prefix><key>/<eTag>/640.webp` and so on, for each resolution that is smaller than the picture; for a picture that is
//! smaller than all of them one of its own size, called after the smallest. Each is WebP, upright as the EXIF orientation says,
//! in sRGB, and has no metadata and no colour profile. Of an animation it is the first picture.
//!
//! The same picture leads to the same objects, so a repeated invocation does no harm.
//!
//! # Output
//!
//! ```json
//! {
//!   "format": "jpeg",
//!   "width": 4000,
//!   "height": 3000,
//!   "pictures": [
//!     {
//!       "bucket": "data",
//!       "key": "processed/images/harbour.jpg/0123/640.webp",
//!       "format": "webp",
//!       "width": 640,
//!       "height": 480,
//!       "bytes": 31204,
//!       "eTag": "\"4567\""
//!     }
//!   ]
//! }
//! ```
//!
//! # Errors
//!
//! Those of `convert-image`.

mod handler;
mod resolutions;
#[cfg(test)]
mod tests;

pub use handler::{ScaleImage, handle};
pub use resolutions::{NotResolutions, Resolutions};

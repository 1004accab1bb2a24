//! Converts a picture into the other formats.
//!
//! # Settings
//!
//! | variable | meaning |
//! | --- | --- |
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
//! `<prefix><key>/<eTag>/full.jpg`, `full.png` and `full.webp`, but for the picture's own format. A GIF picture has all three.
//! Each is upright as the EXIF orientation says, in sRGB, and has no metadata and no colour profile. JPEG has no transparency:
//! there the picture lies on white. Of an animation it is the first picture.
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
//!       "key": "processed/images/harbour.jpg/0123/full.webp",
//!       "format": "webp",
//!       "width": 4000,
//!       "height": 3000,
//!       "bytes": 481204,
//!       "eTag": "\"4567\""
//!     }
//!   ]
//! }
//! ```
//!
//! # Errors
//!
//! | name | when |
//! | --- | --- |
//! | `InvalidInput` | the input misses a field, or one is empty |
//! | `EmptyFile` | the file is empty |
//! | `UnsupportedFormat` | the file is no picture in JPEG, PNG, WebP or GIF |
//! | `WrongExtension` | the key ends otherwise than the content is |
//! | `FileTooLarge` | the file is above 128 MiB |
//! | `PictureTooLarge` | the picture has more than 64 megapixels (32 with transparency), or 16,383 pixels on a side, or takes more than 256 MB when it is decoded |
//! | `TruncatedFile` | the file stops in the middle |
//! | `CorruptFile` | the file is damaged |
//! | `ObjectChanged` | the object is another one than the one of the input |
//! | `TimedOut` | the time was not enough |
//! | `InternalError` | a library refused what the function made |
//! | `ObjectNotFound`, `BucketNotFound` | there is no such object, or no such bucket |
//! | `AccessDenied` | the function may not read the picture, or not write the results |
//! | `Throttled`, `ServiceUnavailable` | S3 has too much to do, or failed; a later call may pass |
//! | `ServiceRejected` | S3 refused the request for another reason |

mod handler;
#[cfg(test)]
mod tests;

pub use handler::{ConvertImage, handle};

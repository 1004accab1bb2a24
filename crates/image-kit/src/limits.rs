//! How large a picture may be. With these limits a function stays below its 1769 MB, whatever the file is.

/// The largest file that is read, in bytes.
pub const MAX_BYTES: u64 = 128 << 20;

/// The most pixels that are decoded: 64 megapixels.
pub const MAX_PIXELS: u64 = 64_000_000;

/// The most pixels of a picture with transparency: 32 megapixels. The encoder of WebP takes some 40 bytes for each pixel to pack
/// transparency that is all noise.
pub const MAX_TRANSPARENT_PIXELS: u64 = 32_000_000;

/// The longest side in pixels. WebP has no longer one, and every picture is written as WebP.
pub const MAX_SIDE: u32 = 16_383;

/// The most bytes that the decoded pixels take: 64 megapixels with a byte, or 32 with two bytes, for each of four channels.
pub(crate) const MAX_DECODED_BYTES: u64 = 4 * MAX_PIXELS;

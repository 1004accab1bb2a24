//! Pictures for tests, samples and measurements, and a bucket that they are in.

mod bucket;
mod drawing;

pub use bucket::Bucket;
pub use drawing::{black_png, harbour, turned_jpeg};

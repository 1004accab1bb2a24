//! Asks S3 for the size of an object.

fn main() {}

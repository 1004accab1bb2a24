//! The handler with the real client against an S3 in memory.

mod errors;
mod formats;
mod outputs;
mod store;
mod types;

//! Profiles a data file and converts it to Parquet.
mod convert;
mod encode;
mod error;
mod format;
mod handler;
mod input;
mod process;
mod profile;
mod read;
mod schema;
mod source;
mod table;
mod upload;
mod value;

pub use error::{Error, FileError};
pub use format::Compression;
pub use handler::{Input, Output, OutputObject, ProcessFile, handle};

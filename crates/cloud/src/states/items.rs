//! The data of a distributed Map state: where its items come from and where its results go.
//!
//! - [`objects`]: what is needed of S3, and a stand-in for it in memory
//! - [`dataset`]: what an `ItemReader` field may say
//! - [`reader`]: `ItemReader`: objects in S3 to items
//! - [`batcher`]: `ItemBatcher`: items to the inputs of child executions
//! - [`tolerance`]: how many items may fail
//! - [`writer`]: `ResultWriter`: how child executions ended, to the state's result and to files in S3
//!
//! Nothing here knows the interpreter or waits. Reading and writing block on the disk: call them where that is allowed.

pub mod batcher;
pub mod dataset;
pub mod objects;
pub mod reader;
pub mod tolerance;
pub mod writer;

use std::sync::Arc;

use asl::Value;

/// The names of the errors that a distributed Map state raises.
pub mod names {
    /// The items could not be read.
    pub const ITEM_READER_FAILED: &str = "States.ItemReaderFailed";
    /// The results could not be written.
    pub const RESULT_WRITER_FAILED: &str = "States.ResultWriterFailed";
    /// More items failed than are tolerated.
    pub const EXCEED_TOLERATED_FAILURE_THRESHOLD: &str = "States.ExceedToleratedFailureThreshold";
}

/// A field of a definition has a value that it can't have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Invalid {
    /// Where: the field's path below the object that was read, `ReaderConfig/InputType`. Empty for the object itself.
    pub field: String,
    /// What is wrong.
    pub message: String,
}

impl Invalid {
    fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// One thing that a Map state iterates over.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// `$$.Map.Item.Value`
    pub value: Value,
    /// `$$.Map.Item.Key`: the name of the field, where the items are the fields of an object.
    pub key: Option<Arc<str>>,
    /// `$$.Map.Item.Source`: where it was read, `S3://bucket/key`; the bucket alone for an entry of a listing.
    pub source: Arc<str>,
}

impl Item {
    /// What a child execution gets where there is no `ItemSelector`: the value; for a field, the pair.
    pub fn input(&self) -> Value {
        match &self.key {
            None => self.value.clone(),
            Some(key) => Value::from([("Key", key.clone().into()), ("Value", self.value.clone())]),
        }
    }
}

//! What a distributed Map state says beyond an inline one: the fields that lead its data into executions of their own
//! and their results back.

pub mod dataset;
mod writer;

use std::sync::Arc;

use crate::{
    machine::{Count, Machine},
    template::Template,
    value::Value,
};

pub use dataset::Dataset;
pub use writer::{OutputType, Transformation, WriterConfig};

/// The longest `Label`, in characters.
pub const MAX_LABEL: usize = 40;

/// A Map state whose iterations are executions of their own.
#[derive(Clone, Debug)]
pub struct Distributed {
    /// `Label`, which the ARNs of its Map Runs and child executions have; made up where there is none.
    pub label: Option<Arc<str>>,
    /// `ExecutionType`
    pub execution_type: ExecutionType,
    /// What child executions run: the processor as a machine of its own.
    pub machine: Arc<Machine>,
    /// The definition that compiles to `machine`.
    pub definition: Value,
    /// `ItemReader`; without one the state's input has the items.
    pub reader: Option<ItemReader>,
    /// `ItemBatcher`; without one each item is a child execution's.
    pub batcher: Option<ItemBatcher>,
    /// `ResultWriter`
    pub writer: ResultWriter,
}

/// What child executions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionType {
    /// `STANDARD`
    Standard,
    /// `EXPRESS`
    Express,
}

/// An `ItemReader` field.
#[derive(Clone, Debug)]
pub struct ItemReader {
    /// `Resource` and `ReaderConfig`
    pub dataset: Dataset,
    /// `Parameters` or `Arguments`
    pub parameters: Template,
    /// `MaxItems` or `MaxItemsPath`; 0 is no limit.
    pub max_items: Option<Count>,
}

/// An `ItemBatcher` field.
#[derive(Clone, Debug)]
pub struct ItemBatcher {
    /// `MaxItemsPerBatch` or `MaxItemsPerBatchPath`
    pub max_items: Option<Count>,
    /// `MaxInputBytesPerBatch` or `MaxInputBytesPerBatchPath`
    pub max_bytes: Option<Count>,
    /// `BatchInput`
    pub batch_input: Option<Template>,
}

/// A `ResultWriter` field.
#[derive(Clone, Debug)]
pub enum ResultWriter {
    /// The results are the state's result.
    State(Transformation),
    /// The results go to S3, and the state's result says where they are.
    Export {
        /// What each looks like.
        transformation: Transformation,
        /// What a file looks like.
        output_type: OutputType,
        /// `Parameters` or `Arguments`
        parameters: Template,
    },
}

/// The outputs are the state's result: what a Map state without a `ResultWriter` does.
impl Default for ResultWriter {
    fn default() -> Self {
        Self::State(Transformation::Compact)
    }
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

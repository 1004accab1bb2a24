//! Map Runs: what a distributed Map state has done outside of its execution.
//!
//! The core evaluates everything that the state says as it is entered, and hands it on as a [`MapRun`]. Whoever carries
//! it out reads the items, asks for the input of each child execution, and tells how all of it ended.

mod batcher;
mod selector;
mod tolerance;

use std::sync::Arc;

use asl::{
    Fault, Value,
    distributed::{Dataset, Distributed, ExecutionType, OutputType, Transformation},
    value::Object,
};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::core::{CallId, Identity, Redrive};

pub use batcher::{Batch, ItemBatcher, one_by_one};
pub use tolerance::Tolerance;

pub(crate) use selector::Selector;

/// Where items of the state's own input are from.
const STATE_DATA: &str = "STATE_DATA";

/// The names of the errors that a Map Run raises.
pub mod names {
    /// The items could not be read.
    pub const ITEM_READER_FAILED: &str = "States.ItemReaderFailed";
    /// The results could not be written.
    pub const RESULT_WRITER_FAILED: &str = "States.ResultWriterFailed";
    /// More items failed than are tolerated.
    pub const EXCEED_TOLERATED_FAILURE_THRESHOLD: &str = "States.ExceedToleratedFailureThreshold";
}

/// A distributed Map state that was entered, with all of its fields evaluated.
#[derive(Clone, Debug)]
pub struct MapRun {
    /// By what its end is told.
    pub id: CallId,
    /// Its ARN: `…:mapRun:<machine>/<label>:<uuid>`.
    pub arn: Arc<str>,
    /// The last part of its ARN.
    pub uuid: Uuid,
    /// The Map state's name.
    pub state: Arc<str>,
    /// What child executions run, and what they are.
    pub distributed: Arc<Distributed>,
    /// The ARN that stands for the processor: `…:stateMachine:<machine>/<label>`.
    pub state_machine_arn: Arc<str>,
    /// When the state began it.
    pub started_at: OffsetDateTime,
    /// Where its items are.
    pub source: Source,
    /// How items are put together; without it each is a child execution's.
    pub batcher: Option<ItemBatcher>,
    /// What becomes of the results.
    pub writer: ResultWriter,
    /// How many child executions may run at once; nothing and 0 are no limit but the service's.
    pub max_concurrency: Option<u64>,
    /// How many items may fail.
    pub tolerance: Tolerance,
    /// `ItemSelector` and what it reads.
    pub(crate) selector: Option<Selector>,
    /// Its last redrive: child executions that have succeeded are not carried out again.
    pub redrive: Option<Redrive>,
    /// The event that its start, and each redrive, follows.
    pub(crate) follows: u64,
}

/// Where the items of a Map Run are.
#[derive(Clone, Debug)]
pub enum Source {
    /// Here: they were in the state's input.
    State(StateItems),
    /// In S3.
    Reader(ItemReader),
}

/// What a distributed Map state goes through that is in its own input.
#[derive(Clone, Debug, PartialEq)]
pub enum StateItems {
    /// The items of an array.
    Array(Arc<Vec<Value>>),
    /// The fields of an object, each with its name.
    Object(Arc<Object>),
}

impl StateItems {
    /// What a value has to go through; none where it is neither an array nor an object.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Array(items) => Some(Self::Array(items.clone())),
            Value::Object(fields) => Some(Self::Object(fields.clone())),
            _ => None,
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Array(items) => items.len(),
            Self::Object(fields) => fields.len(),
        }
    }

    /// The items, in the order in which they were written.
    pub fn items(&self) -> Vec<Item> {
        let source: Arc<str> = STATE_DATA.into();
        let item = |key: Option<&Arc<str>>, value: &Value| Item {
            value: value.clone(),
            key: key.cloned(),
            source: source.clone(),
        };
        match self {
            Self::Array(items) => items.iter().map(|value| item(None, value)).collect(),
            Self::Object(fields) => fields.iter().map(|(key, value)| item(Some(key), value)).collect(),
        }
    }
}

/// An `ItemReader` field, with all of it evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemReader {
    /// `Resource` and `ReaderConfig`
    pub dataset: Dataset,
    /// `Parameters` or `Arguments`
    pub parameters: Value,
    /// `MaxItems`, or what its path gave: 0 is no limit.
    pub max_items: Option<i64>,
}

/// A `ResultWriter` field, with all of it evaluated.
#[derive(Clone, Debug, PartialEq)]
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
        parameters: Value,
    },
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

impl MapRun {
    /// What the item with this index, counted from 0, becomes in a child execution.
    pub fn child_input(&self, index: u64, item: &Item) -> Result<Value, Fault> {
        match &self.selector {
            None => Ok(item.input()),
            Some(selector) => selector.select(index, item),
        }
    }

    /// The inputs of the child executions.
    pub fn batches(&self, items: &[Item]) -> Result<Vec<Batch>, Fault> {
        let inputs = (0..).zip(items).map(|(index, item)| self.child_input(index, item));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        match &self.batcher {
            Some(batcher) => batcher.batches(inputs),
            None => one_by_one(inputs),
        }
    }

    /// The child execution with this index, counted from 0: the same one whenever it is asked for.
    ///
    /// `parent` is the execution that the Map state is part of.
    pub fn child(&self, parent: &Identity, index: u64, batch: Batch, started_at: OffsetDateTime) -> Identity {
        let Batch { input, items } = batch;
        let digest = Sha256::new().chain_update(self.uuid).chain_update(index.to_le_bytes()).finalize();
        let (id, rest) = digest.split_at(16);
        let uuid = made_of(id);
        let seed = rest.iter().take(8).fold(0_u64, |seed, byte| seed << 8 | u64::from(*byte));
        let kind = match self.distributed.execution_type {
            ExecutionType::Standard => "execution",
            ExecutionType::Express => "express",
        };
        let machine = self.state_machine_arn.replacen(":stateMachine:", &format!(":{kind}:"), 1);
        let arn = match self.distributed.execution_type {
            ExecutionType::Standard => format!("{machine}:{uuid}"),
            ExecutionType::Express => format!("{machine}:{uuid}:{uuid}"),
        };
        Identity {
            arn: arn.into(),
            name: uuid.to_string().into(),
            state_machine_name: self.state_machine_arn.rsplit(':').next().unwrap_or_default().into(),
            state_machine_arn: self.state_machine_arn.clone(),
            map_run_arn: Some(self.arn.clone()),
            item_count: Some(items),
            started_at,
            input,
            seed,
            ..parent.clone()
        }
    }
}

/// A UUID of 16 bytes that look random.
pub(crate) fn made_of(bytes: &[u8]) -> Uuid {
    let mut random = [0; 16];
    random.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    uuid::Builder::from_random_bytes(random).into_uuid()
}

/// The label that a Map state has which is given none: the same one in every execution of its machine.
pub(crate) fn made_up_label(state_machine_arn: &str, state: &str) -> Arc<str> {
    made_of(&Sha256::digest(format!("{state_machine_arn}\n{state}"))).to_string().into()
}

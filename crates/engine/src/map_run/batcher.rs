//! `ItemBatcher`: several items for each child execution.

use std::sync::Arc;

use asl::{Fault, PAYLOAD_LIMIT, Value, fault, value::Object};

/// How items are put together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemBatcher {
    /// `MaxItemsPerBatch`; 0 is no limit.
    pub max_items: Option<u64>,
    /// `MaxInputBytesPerBatch`, of a child execution's whole input; 0 is no limit. Beyond [`PAYLOAD_LIMIT`] it changes
    /// nothing.
    pub max_bytes: Option<u64>,
    /// `BatchInput`, evaluated.
    pub batch_input: Option<Value>,
}

/// The input of a child execution.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// `{"BatchInput": …, "Items": […]}`; without an `ItemBatcher` the item itself.
    pub input: Value,
    /// How many items it holds.
    pub items: u64,
}

/// The inputs of child executions, one for each item.
pub fn one_by_one(items: impl IntoIterator<Item = Value>) -> Result<Vec<Batch>, Fault> {
    let batches = items.into_iter().map(|input| {
        if input.text_len(PAYLOAD_LIMIT) > PAYLOAD_LIMIT {
            Err(too_large(PAYLOAD_LIMIT))
        } else {
            Ok(Batch { input, items: 1 })
        }
    });
    batches.collect()
}

impl ItemBatcher {
    /// The inputs of child executions, each with as many items as it may hold. The order of the items is kept.
    ///
    /// An item that is too large for a batch of its own is `States.DataLimitExceeded`.
    pub fn batches(&self, items: impl IntoIterator<Item = Value>) -> Result<Vec<Batch>, Fault> {
        let most_items = limit(self.max_items).unwrap_or(usize::MAX);
        let most_bytes = limit(self.max_bytes).unwrap_or(PAYLOAD_LIMIT).min(PAYLOAD_LIMIT);
        let empty = self.input(Vec::new()).text_len(PAYLOAD_LIMIT);
        let mut batches = Vec::new();
        let (mut batch, mut bytes) = (Vec::new(), empty);
        for item in items {
            let size = item.text_len(most_bytes);
            // A comma goes before each item but the first.
            if !batch.is_empty() && (batch.len() >= most_items || bytes + 1 + size > most_bytes) {
                batches.push(self.batch(std::mem::take(&mut batch)));
                bytes = empty;
            }
            bytes += size + usize::from(!batch.is_empty());
            if bytes > most_bytes {
                return Err(too_large(most_bytes));
            }
            batch.push(item);
        }
        if !batch.is_empty() {
            batches.push(self.batch(batch));
        }
        Ok(batches)
    }

    fn batch(&self, items: Vec<Value>) -> Batch {
        Batch { items: items.len() as u64, input: self.input(items) }
    }

    fn input(&self, items: Vec<Value>) -> Value {
        let batch_input = self.batch_input.iter().map(|value| (Arc::from("BatchInput"), value.clone()));
        batch_input.chain([(Arc::from("Items"), Value::from(items))]).collect::<Object>().into()
    }
}

fn limit(given: Option<u64>) -> Option<usize> {
    given.filter(|limit| *limit > 0).map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

fn too_large(limit: usize) -> Fault {
    Fault::new(
        fault::names::DATA_LIMIT_EXCEEDED,
        format!("An item is too large for the input of a child execution, which may have {limit} bytes"),
    )
}

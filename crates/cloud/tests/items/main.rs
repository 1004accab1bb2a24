//! The data of a distributed Map state: reading items, batching them, writing results.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, its helpers too")]

mod formats;
mod local;
mod reader;
mod writer;

use asl::{Value, distributed::Dataset};
use cloud::states::items::{self, objects::Objects};
use engine::map_run::{Item, ItemReader};

/// A value from its JSON text.
fn json(text: &str) -> Value {
    Value::parse(text).unwrap()
}

/// Reads what an `ItemReader` says, written as in a definition; the items, or the cause of the error.
fn read(objects: &dyn Objects, item_reader: &str) -> Result<Vec<Item>, String> {
    let field = json(item_reader);
    let resource = field.get("Resource").and_then(Value::as_str).unwrap();
    let config = field.get("ReaderConfig");
    let max_items = config.and_then(|config| config.get("MaxItems")).and_then(Value::as_i64);
    let dataset = Dataset::parse(resource, config).unwrap();
    let parameters = field.get("Parameters").cloned().unwrap_or_else(Value::empty_object);
    items::reader::read(&ItemReader { dataset, parameters, max_items }, objects).map_err(|fault| {
        assert!(fault.is("States.ItemReaderFailed"), "{fault:?}");
        fault.cause.unwrap().to_string()
    })
}

/// The values of items, as JSON text.
fn values(items: Vec<Item>) -> String {
    Value::from(items.into_iter().map(|item| item.value).collect::<Vec<_>>()).to_string()
}

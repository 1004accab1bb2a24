//! Data that a client gives in place of what an `ItemReader` reads.

use asl::{
    Fault, Value,
    distributed::dataset::{Dataset, Format},
};
use engine::map_run::{Item, ItemReader};
use time::OffsetDateTime;

use crate::states::items::{objects::Memory, reader};

/// Whether data in place of this dataset can be read: an object's content, or the entries of a listing.
pub(super) fn can_stand_for(dataset: &Dataset) -> bool {
    format(dataset).is_some()
}

/// Reads the items out of such data.
pub(super) fn read(item_reader: &ItemReader, data: &str) -> Result<Vec<Item>, Fault> {
    let format = format(&item_reader.dataset).unwrap_or(Format::Json { items_pointer: None });
    // A listing has no key, and whatever the state names, the data is there.
    let parameter = |name: &str| item_reader.parameters.get(name).and_then(Value::as_str).unwrap_or("-");
    let (bucket, key) = (parameter("Bucket"), parameter("Key"));
    let given = ItemReader {
        dataset: Dataset::Object(format),
        parameters: Value::from([("Bucket", Value::from(bucket)), ("Key", key.into())]),
        max_items: item_reader.max_items,
    };
    reader::read(&given, &Memory::new(OffsetDateTime::UNIX_EPOCH).with_object(bucket, key, data))
}

/// How the data is written; nothing for what text is not.
fn format(dataset: &Dataset) -> Option<Format> {
    match dataset {
        Dataset::Object(Format::Parquet)
        | Dataset::AthenaData(Format::Parquet)
        | Dataset::ListedObjects(Format::Parquet)
        | Dataset::Inventory => None,
        Dataset::Object(format) | Dataset::AthenaData(format) | Dataset::ListedObjects(format) => Some(format.clone()),
        Dataset::Listing => Some(Format::Json { items_pointer: None }),
    }
}

//! Manifests: files that name the files of a dataset.

use std::sync::Arc;

use serde::Deserialize;

use super::{Input, Items, ObjectId, Stop, content, csv};
use asl::distributed::dataset::{Delimiter, Format};

/// The `manifest.json` of an S3 inventory.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inventory {
    /// The ARN of the bucket that the inventory is in.
    destination_bucket: String,
    /// `CSV`, `ORC` or `Parquet`.
    file_format: String,
    /// The names of the columns, separated by commas.
    file_schema: String,
    files: Vec<InventoryFile>,
}

#[derive(Debug, Deserialize)]
struct InventoryFile {
    key: String,
}

/// Reads the entries of an S3 inventory: an object for each row, with its schema's names and strings as they stand.
pub(super) fn inventory(input: &Input<'_>, object: &ObjectId, items: &mut Items) -> Result<(), Stop> {
    items.source = object.uri().into();
    let manifest = input.open(object)?;
    let manifest: Inventory = serde_json::from_reader(manifest).map_err(|error| items.malformed(&error))?;
    if manifest.file_format != "CSV" {
        let reason = format!("the inventory's format is {}, and only CSV is read", manifest.file_format);
        return Err(items.malformed(&reason).into());
    }
    let bucket = manifest.destination_bucket.rsplit(':').next().unwrap_or_default();
    let names: Vec<Arc<str>> = manifest.file_schema.split(',').map(|name| name.trim().into()).collect();
    for file in manifest.files {
        let object = ObjectId::newest(bucket, file.key);
        items.source = object.uri().into();
        let data = input.open(&object)?.decompressed().map_err(|error| items.malformed(&error))?;
        csv::rows(&mut csv::Records::new(data, Delimiter::Comma.byte()), &names, items)?;
    }
    Ok(())
}

/// Reads the data that an Athena query wrote. Its manifest has the address of a file in each line; text is compressed
/// unless the query says otherwise.
pub(super) fn athena(input: &Input<'_>, object: &ObjectId, format: &Format, items: &mut Items) -> Result<(), Stop> {
    items.source = object.uri().into();
    let mut manifest = csv::Records::new(input.open(object)?, Delimiter::Comma.byte());
    let mut files = Vec::new();
    while let Some(line) = manifest.next().map_err(|error| items.malformed(&error))? {
        let address = line.into_iter().next().unwrap_or_default();
        let file = parse_address(&address);
        files.push(file.ok_or_else(|| items.malformed(&format!("'{address}' is not the address of an object")))?);
    }
    for file in files {
        items.source = file.uri().into();
        let data = input.open(&file)?.decompressed().map_err(|error| items.malformed(&error))?;
        content(data, format, items)?;
    }
    Ok(())
}

/// `s3://bucket/key`
fn parse_address(address: &str) -> Option<ObjectId> {
    let (bucket, key) = address.strip_prefix("s3://")?.split_once('/')?;
    Some(ObjectId::newest(bucket, key))
}

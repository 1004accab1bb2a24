//! `ItemReader`: the items of a dataset in S3.
//!
//! What a dataset may hold is limited, since all items are kept in memory: [`MAX_ITEMS`] and [`MAX_BYTES`]. The limits
//! are this runner's; the service reads 100,000,000 items and files of 10 GB. With `MaxItems` nothing is read beyond
//! what is needed, so the beginning of a larger dataset can be read.

mod csv;
mod input;
mod json;
mod manifest;
mod parquet;

use std::{fmt::Display, sync::Arc};

use asl::{
    Fault, Value,
    distributed::dataset::{Dataset, Format},
    value::Object,
};
use engine::map_run::{Item, ItemReader, names};
use serde_json::Number;

use super::objects::{ListedObject, Listing, ObjectId, Objects, ObjectsError};
use input::{Data, Input};

/// The most items that a dataset may have.
pub const MAX_ITEMS: usize = 1_000_000;

/// The most bytes that are read for a dataset, together: of files as they are stored and, where they are compressed, of
/// what is in them.
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Reads the items, in the dataset's order. Blocks.
///
/// Every error is `States.ItemReaderFailed`.
pub fn read(reader: &ItemReader, objects: &dyn Objects) -> Result<Vec<Item>, Fault> {
    Reading(reader).items(objects).map_err(|error| Fault::new(names::ITEM_READER_FAILED, error.to_string()))
}

struct Reading<'a>(&'a ItemReader);

impl Reading<'_> {
    fn items(&self, objects: &dyn Objects) -> Result<Vec<Item>, ReadError> {
        let most = match self.0.max_items.unwrap_or(0) {
            0 => usize::MAX,
            most => usize::try_from(most).map_err(|_| ReadError::MaxItems)?,
        };
        let input = Input::new(objects, MAX_BYTES);
        let mut items = Items { found: Vec::new(), most, source: Arc::default() };
        match self.dataset(&input, &mut items) {
            Ok(()) | Err(Stop::Enough) => Ok(items.found),
            // Whatever it looks like to who reads: the data was cut off.
            Err(Stop::Failed(_)) if input.is_spent() => Err(ReadError::TooMuchData),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    fn dataset(&self, input: &Input<'_>, items: &mut Items) -> Result<(), Stop> {
        match &self.0.dataset {
            Dataset::Object(format) => object(input, &self.object()?, format, items),
            Dataset::Inventory => manifest::inventory(input, &self.object()?, items),
            Dataset::AthenaData(format) => manifest::athena(input, &self.object()?, format, items),
            Dataset::Listing => {
                let listing = self.listing()?;
                items.source = format!("S3://{}", listing.bucket).into();
                each_listed(input.objects(), &listing, |object| items.push(entry(object)))
            }
            Dataset::ListedObjects(format) => {
                let listing = self.listing()?;
                each_listed(input.objects(), &listing, |listed| {
                    // What a console shows as a folder is an empty object.
                    if listed.size == 0 && listed.key.ends_with('/') {
                        return Ok(());
                    }
                    object(input, &ObjectId::newest(&*listing.bucket, listed.key), format, items)
                })
            }
        }
    }

    fn object(&self) -> Result<ObjectId, ReadError> {
        let mut parameters = Parameters::open(&self.0.parameters)?;
        let (bucket, key) = (parameters.required("Bucket")?, parameters.required("Key")?);
        let version_id = parameters.text("VersionId")?;
        parameters.close()?;
        Ok(ObjectId { bucket, key, version_id })
    }

    fn listing(&self) -> Result<Listing, ReadError> {
        let mut parameters = Parameters::open(&self.0.parameters)?;
        let bucket = parameters.required("Bucket")?;
        let prefix = parameters.text("Prefix")?.unwrap_or_default();
        let start_after = parameters.text("StartAfter")?;
        parameters.close()?;
        Ok(Listing { bucket, prefix, start_after })
    }
}

/// Why items could not be read. The service's own words, where they are known.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("field MaxItems must be positive")]
    MaxItems,
    #[error("Attempting to map over non-iterable node.")]
    NotIterable,
    #[error("S3 Version ID selection is not currently supported for PARQUET files")]
    VersionOfParquet,
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    #[error("The parameters of the ItemReader could not be used: {0}")]
    Parameters(String),
    #[error("{source_uri} could not be read: {reason}")]
    Malformed { source_uri: Arc<str>, reason: String },
    #[error("The dataset has more than {MAX_ITEMS} items, which is the most that this runner reads")]
    TooManyItems,
    #[error("The dataset has more than {MAX_BYTES} bytes, which is the most that this runner reads")]
    TooMuchData,
}

/// Why reading ends before the dataset does.
#[derive(Debug)]
enum Stop {
    /// There are as many items as are wanted.
    Enough,
    Failed(ReadError),
}

impl<E: Into<ReadError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// The items so far.
struct Items {
    found: Vec<Item>,
    most: usize,
    /// Where the next ones are from.
    source: Arc<str>,
}

impl Items {
    fn push(&mut self, value: Value) -> Result<(), Stop> {
        self.add(None, value)
    }

    fn add(&mut self, key: Option<Arc<str>>, value: Value) -> Result<(), Stop> {
        if self.found.len() >= MAX_ITEMS {
            return Err(ReadError::TooManyItems.into());
        }
        self.found.push(Item { value, key, source: self.source.clone() });
        if self.found.len() >= self.most { Err(Stop::Enough) } else { Ok(()) }
    }

    fn malformed(&self, reason: &dyn Display) -> ReadError {
        ReadError::Malformed { source_uri: self.source.clone(), reason: reason.to_string() }
    }
}

/// Reads the content of an object.
fn object(input: &Input<'_>, object: &ObjectId, format: &Format, items: &mut Items) -> Result<(), Stop> {
    if matches!(format, Format::Parquet) && object.version_id.is_some() {
        return Err(ReadError::VersionOfParquet.into());
    }
    items.source = object.uri().into();
    content(input.open(object)?, format, items)
}

fn content(data: Data, format: &Format, items: &mut Items) -> Result<(), Stop> {
    match format {
        Format::Csv(options) => csv::read(data, options, items),
        Format::Json { items_pointer } => json::read(data, items_pointer.as_ref(), items),
        Format::Jsonl => json::read_lines(data, items),
        Format::Parquet => parquet::read(data, items),
    }
}

fn each_listed(
    objects: &dyn Objects,
    listing: &Listing,
    mut use_it: impl FnMut(ListedObject) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut after = None;
    loop {
        let page = objects.list(listing, after.as_deref())?;
        page.objects.into_iter().try_for_each(&mut use_it)?;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// An entry of a listing as the service gives it: the `ETag` with its quotes, the time as seconds since 1970.
fn entry(object: ListedObject) -> Value {
    #[allow(clippy::cast_precision_loss, reason = "no date is as far away")]
    let modified = Number::from_f64(object.last_modified.unix_timestamp() as f64);
    Value::from([
        ("Etag", Value::from(object.e_tag)),
        ("Key", object.key.into()),
        ("LastModified", modified.map_or(Value::Null, Value::Number)),
        ("Size", object.size.into()),
        ("StorageClass", object.storage_class.into()),
    ])
}

/// The parameters of the call, and which of them were asked for.
struct Parameters<'a> {
    fields: &'a Object,
    asked: Vec<&'static str>,
}

impl<'a> Parameters<'a> {
    fn open(value: &'a Value) -> Result<Self, ReadError> {
        match value {
            Value::Object(fields) => Ok(Self { fields, asked: Vec::new() }),
            _ => Err(ReadError::Parameters("they are no object".to_owned())),
        }
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>, ReadError> {
        self.asked.push(name);
        match self.fields.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.to_string())),
            Some(_) => Err(ReadError::Parameters(format!("'{name}' is no string"))),
        }
    }

    fn required(&mut self, name: &'static str) -> Result<String, ReadError> {
        self.text(name)?.ok_or_else(|| ReadError::Parameters(format!("'{name}' is missing")))
    }

    /// Refuses what nobody asked for.
    fn close(self) -> Result<(), ReadError> {
        match self.fields.keys().find(|name| !self.asked.contains(&&***name)) {
            Some(name) => Err(ReadError::Parameters(format!("'{name}' is not supported"))),
            None => Ok(()),
        }
    }
}

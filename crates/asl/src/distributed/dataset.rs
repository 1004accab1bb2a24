//! What an `ItemReader` field may say: the kinds of datasets and their options.

use std::{fmt, sync::Arc};

use super::Invalid;
use crate::value::Value;

/// The longest header of a CSV file, in bytes.
pub const MAX_CSV_HEADER: usize = 10 * 1024;

/// What an `ItemReader` reads, apart from which object or bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dataset {
    /// The content of one object: `s3:getObject`.
    Object(Format),
    /// The objects that an S3 inventory tells of: `s3:getObject` of its `manifest.json`.
    Inventory,
    /// The data that an Athena query wrote: `s3:getObject` of its manifest, which names the files.
    AthenaData(Format),
    /// The entries of a listing: `s3:listObjectsV2`.
    Listing,
    /// The content of all objects of a listing: `s3:listObjectsV2` with `LOAD_AND_FLATTEN`.
    ListedObjects(Format),
}

/// How an object is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Rows of delimited text.
    Csv(Csv),
    /// A JSON array, or with a pointer an array or object inside of a JSON text.
    Json {
        /// `ItemsPointer`
        items_pointer: Option<JsonPointer>,
    },
    /// A JSON text in each line.
    Jsonl,
    /// Rows of a Parquet file.
    Parquet,
}

/// The options of delimited text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csv {
    /// `CSVHeaderLocation` and `CSVHeaders`
    pub header: Header,
    /// `CSVDelimiter`
    pub delimiter: Delimiter,
}

/// Where the names of the columns are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// `FIRST_ROW`
    FirstRow,
    /// `GIVEN`, with `CSVHeaders`.
    Given(Vec<Arc<str>>),
}

/// What is between two fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its own name")]
pub enum Delimiter {
    #[default]
    Comma,
    Pipe,
    Semicolon,
    Space,
    Tab,
}

impl Delimiter {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "COMMA" => Self::Comma,
            "PIPE" => Self::Pipe,
            "SEMICOLON" => Self::Semicolon,
            "SPACE" => Self::Space,
            "TAB" => Self::Tab,
            _ => return None,
        })
    }

    /// The character.
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Pipe => b'|',
            Self::Semicolon => b';',
            Self::Space => b' ',
            Self::Tab => b'\t',
        }
    }
}

/// A JSON Pointer (RFC 6901), such as `/inventory/products/0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPointer(Vec<String>);

impl JsonPointer {
    /// Reads a pointer. The empty one is the whole text.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        let unescape = |token: &str| token.replace("~1", "/").replace("~0", "~");
        Some(Self(text.strip_prefix('/')?.split('/').map(unescape).collect()))
    }

    /// The names of fields and the indexes on the way.
    pub fn tokens(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for JsonPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|token| write!(f, "/{}", token.replace('~', "~0").replace('/', "~1")))
    }
}

/// The API action that an `ItemReader` calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    GetObject,
    ListObjectsV2,
}

impl Action {
    fn parse(resource: &str) -> Result<Self, Invalid> {
        match resource.splitn(6, ':').collect::<Vec<_>>().as_slice() {
            ["arn", _, "states", "", "", "s3:getObject"] => Ok(Self::GetObject),
            ["arn", _, "states", "", "", "s3:listObjectsV2"] => Ok(Self::ListObjectsV2),
            _ => Err(Invalid::new("Resource", format!("The resource provided {resource} is not recognized"))),
        }
    }
}

impl Dataset {
    /// Whether the items are inside of what is read, at a place that the state names.
    pub fn has_items_pointer(&self) -> bool {
        let (Self::Object(format) | Self::AthenaData(format) | Self::ListedObjects(format)) = self else {
            return false;
        };
        matches!(format, Format::Json { items_pointer: Some(_) })
    }

    /// Reads `Resource` and `ReaderConfig`.
    ///
    /// `MaxItems` and `MaxItemsPath` are not looked at: they may be found only when the state runs.
    pub fn parse(resource: &str, config: Option<&Value>) -> Result<Self, Invalid> {
        let mut config = Config::open(config)?;
        let dataset = match Action::parse(resource)? {
            Action::GetObject => config.object()?,
            Action::ListObjectsV2 => config.listing()?,
        };
        config.close()?;
        Ok(dataset)
    }
}

/// The fields of a `ReaderConfig`, and which of them were asked for.
struct Config<'a> {
    value: Option<&'a Value>,
    asked: Vec<&'static str>,
}

impl<'a> Config<'a> {
    fn open(value: Option<&'a Value>) -> Result<Self, Invalid> {
        match value {
            None | Some(Value::Object(_)) => Ok(Self { value, asked: vec!["MaxItems", "MaxItemsPath"] }),
            Some(_) => Err(Invalid::new("ReaderConfig", "Expected value of type [OBJECT]")),
        }
    }

    fn take(&mut self, name: &'static str) -> Option<&'a Value> {
        self.asked.push(name);
        self.value?.get(name)
    }

    /// A field is missing, or the whole `ReaderConfig`.
    fn required(&self, name: &str) -> Invalid {
        match self.value {
            Some(_) => Invalid::new("ReaderConfig", format!("These fields are required: [{name}]")),
            None => Invalid::new("", "These fields are required: [ReaderConfig]"),
        }
    }

    /// A field is missing by whose value others are there or not. The service tells it in other words.
    fn deciding(&self, name: &str) -> Invalid {
        match self.value {
            Some(_) => Invalid::new("ReaderConfig", format!("The field '{name}' is required")),
            None => self.required(name),
        }
    }

    fn text(&mut self, name: &'static str) -> Result<Option<&'a str>, Invalid> {
        let value = self.take(name);
        value.map(|value| value.as_str().ok_or_else(|| invalid(name, "Expected value of type [STRING]"))).transpose()
    }

    /// Refuses what nobody asked for.
    fn close(self) -> Result<(), Invalid> {
        let Some(Value::Object(fields)) = self.value else { return Ok(()) };
        match fields.keys().find(|name| !self.asked.contains(&&***name)) {
            Some(name) => Err(not_supported(name)),
            None => Ok(()),
        }
    }

    fn object(&mut self) -> Result<Dataset, Invalid> {
        let (manifest, input_type) = (self.text("ManifestType")?, self.text("InputType")?);
        if let (Some("S3_INVENTORY"), None) | (None, Some("MANIFEST")) = (manifest, input_type) {
            return Ok(Dataset::Inventory);
        }
        let format = self.format(input_type)?;
        match (manifest, &format) {
            (None, _) => Ok(Dataset::Object(format)),
            (Some(_), Format::Json { .. }) => Err(not_supported("ManifestType")),
            (Some("ATHENA_DATA"), _) => Ok(Dataset::AthenaData(format)),
            (Some("S3_INVENTORY"), _) => {
                Err(invalid("InputType", "Must not be given with the ManifestType 'S3_INVENTORY'"))
            }
            (Some(_), _) => Err(invalid("ManifestType", one_of(&["ATHENA_DATA", "S3_INVENTORY"]))),
        }
    }

    fn listing(&mut self) -> Result<Dataset, Invalid> {
        match self.text("Transformation")? {
            None | Some("NONE") => Ok(Dataset::Listing),
            Some("LOAD_AND_FLATTEN") => {
                let input_type = self.text("InputType")?;
                Ok(Dataset::ListedObjects(self.format(input_type)?))
            }
            Some(_) => Err(invalid("Transformation", one_of(&["NONE", "LOAD_AND_FLATTEN"]))),
        }
    }

    fn format(&mut self, input_type: Option<&str>) -> Result<Format, Invalid> {
        match input_type {
            Some("CSV") => Ok(Format::Csv(Csv { header: self.header()?, delimiter: self.delimiter()? })),
            Some("JSON") => Ok(Format::Json { items_pointer: self.items_pointer()? }),
            Some("JSONL") => Ok(Format::Jsonl),
            Some("PARQUET") => Ok(Format::Parquet),
            Some(_) => Err(invalid("InputType", one_of(&["CSV", "JSON", "JSONL", "PARQUET", "MANIFEST"]))),
            None => Err(self.deciding("InputType")),
        }
    }

    fn header(&mut self) -> Result<Header, Invalid> {
        const NAMES: &str = "CSVHeaders";
        match self.text("CSVHeaderLocation")? {
            Some("FIRST_ROW") => Ok(Header::FirstRow),
            Some("GIVEN") => {
                let names = self.take(NAMES);
                let names = names.ok_or_else(|| self.required(NAMES))?;
                let names = names.as_array().ok_or_else(|| invalid(NAMES, "Expected value of type [ARRAY]"))?;
                let names: Option<Vec<Arc<str>>> = names.iter().map(|name| name.as_str().map(Into::into)).collect();
                let names = names.ok_or_else(|| invalid(NAMES, "Expected value of type [STRING]"))?;
                if names.is_empty() {
                    return Err(invalid(NAMES, "Value cannot be empty"));
                }
                if names.iter().map(|name| name.len() + 1).sum::<usize>() > MAX_CSV_HEADER {
                    return Err(invalid(NAMES, format!("The header has more than {MAX_CSV_HEADER} bytes")));
                }
                Ok(Header::Given(names))
            }
            Some(_) => Err(invalid("CSVHeaderLocation", one_of(&["FIRST_ROW", "GIVEN"]))),
            None => Err(self.deciding("CSVHeaderLocation")),
        }
    }

    fn delimiter(&mut self) -> Result<Delimiter, Invalid> {
        let Some(name) = self.text("CSVDelimiter")? else { return Ok(Delimiter::default()) };
        Delimiter::parse(name)
            .ok_or_else(|| invalid("CSVDelimiter", one_of(&["COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"])))
    }

    fn items_pointer(&mut self) -> Result<Option<JsonPointer>, Invalid> {
        let Some(text) = self.text("ItemsPointer")? else { return Ok(None) };
        let pointer = JsonPointer::parse(text);
        pointer.map(Some).ok_or_else(|| {
            let why = format!("Invalid input: JSON Pointer expression must start with '/': \"{text}\"");
            invalid("ItemsPointer", why)
        })
    }
}

fn not_supported(field: &str) -> Invalid {
    Invalid::new("ReaderConfig", format!("Field '{field}' is not supported"))
}

fn invalid(field: &str, message: impl Into<String>) -> Invalid {
    Invalid::new(format!("ReaderConfig/{field}"), message)
}

/// What is said of a name that is not one of a few.
pub(super) fn one_of(names: &[&str]) -> String {
    format!("Value should be one of the following: [{}]", names.join(", "))
}

//! From an object in S3 to its Parquet file and its profile.

use std::{io, time::Duration};

use aws_sdk_s3::Client;
use serde::Serialize;
use tokio::time::timeout;

use crate::{
    bucket::{Bucket, Written},
    error::{Error, FileError},
    format::{Compression, Format},
    input::Input,
    profile::ColumnReport,
    read::BadRows,
    schema::Schema,
    source::{ObjectInfo, Source},
    table::{Contents, End, Table},
    upload::Upload,
};

/// How much of the beginning of a file is looked at for its format and its types.
const START_BYTES: usize = 1 << 20;

/// Where the results go.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) bucket: String,
    pub(crate) data_key: String,
    pub(crate) profile_key: String,
}

/// What was made of a file.
#[derive(Debug)]
pub(crate) struct Processed {
    pub(crate) file: File,
    pub(crate) contents: Contents,
    pub(crate) data: Written,
    pub(crate) profile: Written,
}

/// What kind of a file it is.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) info: ObjectInfo,
    pub(crate) compression: Compression,
    pub(crate) format: Format,
    pub(crate) decompressed_bytes: u64,
    /// How often it was read: twice where a value did not have the type that the beginning of the file has.
    pub(crate) readings: u32,
}

/// Processes a file in the time given. A run that fails takes back what it has written.
pub(crate) async fn process(
    client: &Client,
    source: Source,
    key: &str,
    destination: &Destination,
    max_bad_rows_percent: f64,
    time: Duration,
) -> Result<Processed, Error> {
    let Destination { bucket, data_key, profile_key } = destination;
    let bucket = Bucket::new(client.clone(), bucket.clone());
    let mut upload = Upload::new(bucket.clone(), data_key.clone());
    let run = async {
        let (file, contents, profile) = convert(source, key, max_bad_rows_percent, &mut upload).await?;
        let data = upload.complete().await?;
        let profile = bucket.put(profile_key, "application/json", profile.into()).await?;
        Ok(Processed { file, contents, data, profile })
    };
    let error = match timeout(time, run).await {
        Ok(Ok(processed)) => return Ok(processed),
        Ok(Err(error)) => error,
        Err(_) => Error::TimedOut,
    };
    upload.abort().await;
    if upload.may_be_there() {
        bucket.take_back(profile_key).await;
        bucket.take_back(data_key).await;
    }
    Err(error)
}

/// Reads the file into the upload, twice if need be.
async fn convert(
    mut source: Source,
    key: &str,
    max_bad_rows_percent: f64,
    upload: &mut Upload,
) -> Result<(File, Contents, Vec<u8>), Error> {
    let (mut file, end) = read(&mut source, key, None, max_bad_rows_percent, upload).await?;
    let contents = match end {
        End::Converted(contents) => contents,
        End::Misfit(schema) => {
            tracing::info!("reading again: the file has other types than its beginning");
            upload.start_again();
            let (again, end) = read(&mut source, key, Some(schema), max_bad_rows_percent, upload).await?;
            file = File { readings: file.readings + 1, ..again };
            match end {
                End::Converted(contents) => contents,
                End::Misfit(_) => return Err(Error::Internal("a value has none of the types of the file".to_owned())),
            }
        }
    };
    let profile = serde_json::to_vec_pretty(&Profile::new(&file, &contents))?;
    Ok((file, contents, profile))
}

/// Reads the file from its first byte to its last.
async fn read(
    source: &mut Source,
    key: &str,
    schema: Option<Schema>,
    max_bad_rows_percent: f64,
    upload: &mut Upload,
) -> Result<(File, End), Error> {
    let (info, body) = source.open().await?;
    let mut input = Input::open(body).await.map_err(|error| read_error(error, 1))?;
    let mut piece = Vec::new();
    let mut is_whole = false;
    while piece.len() < START_BYTES && !is_whole {
        is_whole = match input.read_piece(&mut piece).await {
            Ok(is_more) => !is_more,
            Err(error) => return Err(read_error(error, 1 + memchr::memchr_iter(b'\n', &piece).count() as u64)),
        };
    }
    if piece.is_empty() {
        return Err(FileError::EmptyFile.into());
    }
    let mut decompressed_bytes = piece.len() as u64;
    let format = Format::of(key, &piece)?;
    let (mut table, header) = Table::open(format, &piece, is_whole, schema)?;
    table.push(&piece[header..], upload).await?;
    loop {
        piece.clear();
        match input.read_piece(&mut piece).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Err(read_error(error, table.line())),
        }
        decompressed_bytes += piece.len() as u64;
        table.push(&piece, upload).await?;
    }
    let end = table.finish(max_bad_rows_percent, upload).await?;
    Ok((File { info, compression: input.compression(), format, decompressed_bytes, readings: 1 }, end))
}

/// Tells errors of S3, which come through the decompressor, from those of the decompressor itself.
fn read_error(error: io::Error, line: u64) -> Error {
    let kind = error.kind();
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(_) if kind == io::ErrorKind::UnexpectedEof => FileError::TruncatedFile { line }.into(),
        Err(error) => FileError::CorruptFile { line, reason: error.to_string() }.into(),
    }
}

/// The profile of a file as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile<'a> {
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<char>,
    compression: Compression,
    stored_bytes: u64,
    decompressed_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    e_tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<&'a str>,
    rows: u64,
    bad_rows: &'a BadRows,
    columns: &'a [ColumnReport],
}

impl<'a> Profile<'a> {
    fn new(file: &'a File, contents: &'a Contents) -> Self {
        Self {
            format: file.format.name(),
            delimiter: match file.format {
                Format::Delimited { delimiter } => Some(delimiter.into()),
                Format::JsonLines => None,
            },
            compression: file.compression,
            stored_bytes: file.info.size,
            decompressed_bytes: file.decompressed_bytes,
            e_tag: file.info.e_tag.as_deref(),
            version_id: file.info.version_id.as_deref(),
            rows: contents.rows,
            bad_rows: &contents.bad_rows,
            columns: &contents.columns,
        }
    }
}

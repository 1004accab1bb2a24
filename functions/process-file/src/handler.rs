//! The function's state, input and output.

use aws_sdk_s3::{Client, config::timeout::TimeoutConfig};
use function_kit::{Environment, SettingError, aws, time_left};
use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::{
    error::Error,
    format::Compression,
    process::{Destination, process},
    source::Source,
};

/// Put before the keys of the results where no setting says otherwise.
const DEFAULT_PREFIX: &str = "processed/";

/// The share of bad rows that is put up with where no setting says otherwise.
const DEFAULT_MAX_BAD_ROWS_PERCENT: f64 = 10.0;

/// What is kept of the function's time to take back what a run has written that was not done in time.
const TO_TAKE_BACK: Duration = Duration::from_secs(30);

/// What the function keeps between invocations.
#[derive(Debug)]
pub struct ProcessFile {
    client: Client,
    output_bucket: Option<String>,
    output_prefix: String,
    max_bad_rows_percent: f64,
}

impl ProcessFile {
    /// Reads the settings and makes the client.
    pub fn new(environment: &Environment, config: &aws::SdkConfig) -> Result<Self, SettingError> {
        let max_bad_rows_percent = environment
            .optional_value::<Percent>("MAX_BAD_ROWS_PERCENT", "a number from 0 to 100")?
            .map_or(DEFAULT_MAX_BAD_ROWS_PERCENT, |percent| percent.0);
        let s3 = aws_sdk_s3::config::Builder::from(config)
            .force_path_style(aws::has_own_endpoint(config))
            .timeout_config(timeouts())
            .build();
        Ok(Self {
            client: Client::from_conf(s3),
            output_bucket: environment.optional("OUTPUT_BUCKET"),
            output_prefix: environment.optional("OUTPUT_PREFIX").unwrap_or_else(|| DEFAULT_PREFIX.to_owned()),
            max_bad_rows_percent,
        })
    }
}

/// A part of an upload is 6 MiB, and S3 may think long before it answers that a large upload is complete.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_mins(1))
        .operation_timeout(Duration::from_mins(3))
        .build()
}

/// A share in percent.
struct Percent(f64);

impl std::str::FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self(percent)),
            Ok(percent) => Err(format!("{percent} is not")),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The file to process.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a JSON object")]
pub struct Input {
    /// The file's bucket.
    pub bucket: String,
    /// The file's key.
    pub key: String,
    /// The version, where the bucket has versions; else the newest.
    pub version_id: Option<String>,
    /// The entity tag that the object must have, where it was looked at before.
    pub e_tag: Option<String>,
}

/// What was made of the file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The file's bucket.
    pub bucket: String,
    /// The file's key.
    pub key: String,
    /// `csv`, `tsv` or `jsonLines`.
    pub format: &'static str,
    /// How the file was compressed.
    pub compression: Compression,
    /// Rows in the Parquet file.
    pub rows: u64,
    /// Rows that could not be read. The profile says which, and why.
    pub bad_rows: u64,
    /// Columns.
    pub columns: usize,
    /// The size of the file in S3.
    pub bytes: u64,
    /// The size of what is in it.
    pub decompressed_bytes: u64,
    /// How often the file was read, once or twice.
    pub readings: u32,
    /// The rows as a Parquet file.
    pub data: OutputObject,
    /// The profile as JSON.
    pub profile: OutputObject,
}

/// An object that was written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputObject {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// Its version, where the bucket has versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
}

/// Processes one file.
pub async fn handle(state: &ProcessFile, event: LambdaEvent<Input>) -> Result<Output, Error> {
    let time = time_left(&event.context).saturating_sub(TO_TAKE_BACK);
    let Input { bucket, key, version_id, e_tag } = event.payload;
    for (field, value) in [("bucket", &bucket), ("key", &key)] {
        if value.is_empty() {
            return Err(Error::InvalidInput { field });
        }
    }
    let destination = Destination {
        bucket: state.output_bucket.clone().unwrap_or_else(|| bucket.clone()),
        data_key: format!("{}{key}.parquet", state.output_prefix),
        profile_key: format!("{}{key}.profile.json", state.output_prefix),
    };
    let source = Source::new(state.client.clone(), bucket.clone(), key.clone(), version_id, e_tag);
    let processed = process(&state.client, source, &key, &destination, state.max_bad_rows_percent, time).await?;
    tracing::info!(
        rows = processed.contents.rows,
        bad_rows = processed.contents.bad_rows.total,
        bytes = processed.file.info.size,
        readings = processed.file.readings,
        "processed {key}"
    );
    Ok(Output {
        bucket,
        key,
        format: processed.file.format.name(),
        compression: processed.file.compression,
        rows: processed.contents.rows,
        bad_rows: processed.contents.bad_rows.total,
        columns: processed.contents.columns.len(),
        bytes: processed.file.info.size,
        decompressed_bytes: processed.file.decompressed_bytes,
        readings: processed.file.readings,
        data: OutputObject {
            bucket: destination.bucket.clone(),
            key: destination.data_key,
            bytes: processed.data.bytes,
            version_id: processed.data.version_id,
        },
        profile: OutputObject {
            bucket: destination.bucket,
            key: destination.profile_key,
            bytes: processed.profile.bytes,
            version_id: processed.profile.version_id,
        },
    })
}

//! The handler.

use std::cmp::Ordering;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use function_kit::aws::{self, SdkConfig};
use function_kit::{Environment, SettingError, time_left};
use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::listing::Listing;
use crate::part::{Action, Part};

/// How many differences a part has at most. All of them are in memory: 25 MB with the longest keys.
const MOST: u64 = 20_000;

/// What is kept of the function's time to fetch two more pages and to write the part.
const TO_WRITE: Duration = Duration::from_secs(30);

/// What is made once, at the start of the process.
pub struct CompareBuckets {
    s3: Client,
    source: String,
    target: String,
    report: String,
}

/// The stretch to compare.
#[derive(Debug, Deserialize)]
#[serde(expecting = "a JSON object")]
pub struct Input {
    delete: bool,
    report: String,
    part: u32,
    after: Option<String>,
}

/// How many objects of each kind were found, and where to go on.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    copy: u64,
    copy_bytes: u64,
    delete: u64,
    keep: u64,
    same: u64,
    next: Option<String>,
}

impl CompareBuckets {
    /// Reads the settings and makes the client.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        let s3 = Builder::from(aws).force_path_style(aws::has_own_endpoint(aws)).build();
        Ok(Self {
            s3: Client::from_conf(s3),
            source: environment.text("SOURCE_BUCKET", "the name of the bucket to copy from")?,
            target: environment.text("TARGET_BUCKET", "the name of the bucket to copy to")?,
            report: environment.text("REPORT_BUCKET", "the name of the bucket for the differences")?,
        })
    }
}

/// Compares a stretch of keys, and writes the differences.
pub async fn handle(function: &CompareBuckets, event: LambdaEvent<Input>) -> Result<Output, Error> {
    let has_time = || time_left(&event.context) > TO_WRITE;
    let input = &event.payload;
    let (mut part, next) = function.compare(input, has_time).await?;
    let written = part.write(&function.s3, &function.report, &input.report, input.part).await;
    written.map_err(|source| Error::Service { bucket: function.report.clone(), source })?;
    let Part { copy, copy_bytes, delete, keep, same, .. } = part;
    tracing::info!(copy, delete, keep, same, all = next.is_none(), "the buckets are compared");
    Ok(Output { copy, copy_bytes, delete, keep, same, next })
}

impl CompareBuckets {
    /// The differences, and the last key where there may be more.
    async fn compare(&self, input: &Input, has_time: impl Fn() -> bool) -> Result<(Part, Option<String>), Error> {
        let mut source = Listing::after(&self.s3, &self.source, input.after.clone());
        let mut target = Listing::after(&self.s3, &self.target, input.after.clone());
        if input.delete && input.after.is_none() && source.peek().await?.is_none() && target.peek().await?.is_some() {
            return Err(Error::SourceEmpty(self.source.clone()));
        }
        let mut part = Part::default();
        loop {
            let order = match (source.peek().await?, target.peek().await?) {
                (Some(here), Some(there)) => here.cmp(there),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return Ok((part, None)),
            };
            let last = match order {
                Ordering::Less => source.take().inspect(|object| part.add(Action::Copy, object)),
                Ordering::Greater => {
                    let action = if input.delete { Action::Delete } else { Action::Keep };
                    target.take().inspect(|object| part.add(action, object))
                }
                Ordering::Equal => {
                    let (here, there) = (source.take(), target.take());
                    match &here {
                        Some(object) if here != there => part.add(Action::Copy, object),
                        _ => part.same += 1,
                    }
                    here
                }
            };
            // At least one key is compared whatever the time, so that the whole comes to an end.
            if part.differences() >= MOST || !has_time() {
                return Ok((part, last.map(|object| object.key)));
            }
        }
    }
}

//! The handler.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::ProvideErrorMetadata;
use function_kit::aws::{self, SdkConfig};
use function_kit::{Environment, ServiceError, SettingError};
use futures::{StreamExt, stream};
use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::copy::copy;

/// How many objects are on their way at once.
const AT_ONCE: usize = 8;

/// How long S3 may take for one attempt: the copy of 5 GiB is one request.
const ATTEMPT: Duration = Duration::from_mins(5);

/// What is made once, at the start of the process.
pub struct SyncObjects {
    pub(crate) s3: Client,
    pub(crate) source: String,
    pub(crate) target: String,
}

/// The differences.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a JSON object")]
pub struct Input {
    items: Vec<Difference>,
}

/// One object that differs.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a JSON object")]
pub(crate) struct Difference {
    action: Action,
    pub(crate) key: String,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) e_tag: String,
}

/// What there is to do.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Copy,
    Delete,
}

/// What was done.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Output {
    copied: usize,
    deleted: usize,
    /// The keys of the objects that are not any more what was compared.
    changed: Vec<String>,
}

/// What became of an object.
pub(crate) enum Done {
    Copied,
    Deleted,
    Changed,
}

impl SyncObjects {
    /// Reads the settings and makes the client.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        let timeouts = aws.timeout_config().map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
        // A test's own limit stays.
        let timeouts = if aws::has_own_endpoint(aws) {
            timeouts
        } else {
            timeouts.operation_attempt_timeout(ATTEMPT).operation_timeout(ATTEMPT * 2)
        };
        let s3 =
            Builder::from(aws).force_path_style(aws::has_own_endpoint(aws)).timeout_config(timeouts.build()).build();
        Ok(Self {
            s3: Client::from_conf(s3),
            source: environment.text("SOURCE_BUCKET", "the name of the bucket to copy from")?,
            target: environment.text("TARGET_BUCKET", "the name of the bucket to copy to")?,
        })
    }
}

/// Copies and deletes.
pub async fn handle(function: &SyncObjects, event: LambdaEvent<Input>) -> Result<Output, Error> {
    let items = event.payload.items;
    let all = items.len();
    let mut results = stream::iter(items)
        .map(async |difference| (function.apply(&difference).await, difference.key))
        .buffered(AT_ONCE);
    let (mut output, mut first, mut failed) = (Output::default(), None, 0);
    while let Some((result, key)) = results.next().await {
        match result {
            Ok(Done::Copied) => output.copied += 1,
            Ok(Done::Deleted) => output.deleted += 1,
            Ok(Done::Changed) => output.changed.push(key),
            Err(error) => {
                tracing::error!(error = error.kind.name(), "{key}: {error}");
                failed += 1;
                first.get_or_insert((key, error));
            }
        }
    }
    if let Some((key, source)) = first {
        return Err(Error { key, source, failed, all });
    }
    let Output { copied, deleted, changed } = &output;
    tracing::info!(copied, deleted, changed = changed.len(), "the objects are synchronised");
    Ok(output)
}

impl SyncObjects {
    async fn apply(&self, difference: &Difference) -> Result<Done, ServiceError> {
        match difference.action {
            Action::Copy => copy(self, difference).await,
            Action::Delete => self.delete(difference).await,
        }
    }

    async fn delete(&self, difference: &Difference) -> Result<Done, ServiceError> {
        let request = self.s3.delete_object().bucket(&self.target).key(&difference.key).if_match(&difference.e_tag);
        match request.send().await {
            Ok(_) => Ok(Done::Deleted),
            Err(error) if has_changed(&error) => Ok(Done::Changed),
            Err(error) => Err(ServiceError::new("DeleteObject", &error)),
        }
    }
}

/// Whether S3 says that the object is not any more what was compared.
pub(crate) fn has_changed(error: &impl ProvideErrorMetadata) -> bool {
    matches!(error.code(), Some("PreconditionFailed" | "NoSuchKey"))
}

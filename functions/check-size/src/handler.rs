//! The handler.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use function_kit::aws::{self, SdkConfig};
use function_kit::{Environment, ServiceError, ServiceErrorKind, SettingError};
use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};

use crate::Error;

/// What is made once, at the start of the process.
pub struct CheckSize {
    s3: Client,
    bucket: Option<String>,
    key: Option<String>,
}

/// The object to ask for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a JSON object")]
pub struct Input {
    bucket: Option<String>,
    key: Option<String>,
    version_id: Option<String>,
}

/// What S3 tells of the object.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    bucket: String,
    key: String,
    /// In bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e_tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
}

impl CheckSize {
    /// Reads the settings and makes the client.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        let s3 = Builder::from(aws).force_path_style(aws::has_own_endpoint(aws)).build();
        Ok(Self { s3: Client::from_conf(s3), bucket: environment.optional("BUCKET"), key: environment.optional("KEY") })
    }
}

/// Asks S3 for the head of the object.
pub async fn handle(function: &CheckSize, event: LambdaEvent<Input>) -> Result<Output, Error> {
    let Input { bucket, key, version_id } = event.payload;
    let bucket = choose(bucket, function.bucket.as_ref(), "bucket", "BUCKET")?;
    let key = choose(key, function.key.as_ref(), "key", "KEY")?;

    let request = function.s3.head_object().bucket(&bucket).key(&key);
    match request.set_version_id(version_id).send().await {
        Ok(head) => {
            tracing::info!(bytes = head.content_length, "{key} is there");
            Ok(Output {
                size: head.content_length,
                content_type: head.content_type,
                e_tag: head.e_tag,
                version_id: head.version_id,
                bucket,
                key,
            })
        }
        Err(error) => {
            let source = ServiceError::new("HeadObject", &error);
            if source.kind == ServiceErrorKind::ObjectNotFound {
                Err(what_is_missing(&function.s3, bucket, key).await)
            } else {
                Err(Error::Service { bucket, key, source })
            }
        }
    }
}

/// The input's name, else the setting's.
fn choose(
    given: Option<String>,
    setting: Option<&String>,
    field: &'static str,
    variable: &'static str,
) -> Result<String, Error> {
    match given.or_else(|| setting.cloned()) {
        Some(name) if name.is_empty() => Err(Error::Empty(field)),
        Some(name) => Ok(name),
        None => Err(Error::Missing { field, variable }),
    }
}

/// The answer to HEAD has no body, so it does not say whether the object or the bucket is missing. The bucket's own head
/// does.
async fn what_is_missing(s3: &Client, bucket: String, key: String) -> Error {
    let answer = s3.head_bucket().bucket(&bucket).send().await;
    match answer.map_err(|error| ServiceError::new("HeadBucket", &error)) {
        // A bucket whose head may not be read is there.
        Ok(_) | Err(ServiceError { kind: ServiceErrorKind::AccessDenied, .. }) => Error::ObjectNotFound { bucket, key },
        Err(ServiceError { kind: ServiceErrorKind::ObjectNotFound | ServiceErrorKind::BucketNotFound, .. }) => {
            Error::BucketNotFound(bucket)
        }
        Err(source) => Error::Service { bucket, key, source },
    }
}

//! The objects of the workflow: the picture that is read, and what is made of it.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use function_kit::aws::{self, SdkConfig};
use function_kit::{Environment, ServiceError, ServiceErrorKind};
use serde::{Deserialize, Serialize};

use crate::limits::MAX_BYTES;
use crate::{Error, Format, PictureError, Size};

/// Put before the keys of the results where no setting says otherwise.
const DEFAULT_PREFIX: &str = "processed/";

/// An object, as it was found.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a JSON object")]
pub struct Object {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Its version, where the bucket has versions.
    pub version_id: Option<String>,
    /// Its entity tag: what is read has it, or nothing is.
    pub e_tag: String,
}

impl Object {
    /// Refuses names that are empty.
    pub fn check(&self) -> Result<(), Error> {
        for (field, value) in [("bucket", &self.bucket), ("key", &self.key), ("eTag", &self.e_tag)] {
            if value.is_empty() {
                return Err(Error::InvalidInput { field });
            }
        }
        Ok(())
    }
}

/// A picture that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a JSON object")]
pub struct Written {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Its format.
    pub format: Format,
    /// Its size in pixels.
    #[serde(flatten)]
    pub size: Size,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its entity tag.
    pub e_tag: String,
}

/// The pictures that were made of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "a JSON object")]
pub struct Pictures {
    /// The format of the one.
    pub format: Format,
    /// Its size, upright.
    #[serde(flatten)]
    pub size: Size,
    /// What was made of it.
    pub pictures: Vec<Written>,
}

/// S3, and where the results go.
#[derive(Debug)]
pub struct Store {
    client: Client,
    output_bucket: Option<String>,
    output_prefix: String,
}

impl Store {
    /// Reads the settings `OUTPUT_BUCKET` and `OUTPUT_PREFIX`, and makes the client.
    pub fn new(environment: &Environment, config: &SdkConfig) -> Self {
        let path_style = aws::has_own_endpoint(config);
        let s3 = Builder::from(config).force_path_style(path_style).timeout_config(timeouts()).build();
        Self {
            client: Client::from_conf(s3),
            output_bucket: environment.optional("OUTPUT_BUCKET"),
            output_prefix: environment.optional("OUTPUT_PREFIX").unwrap_or_else(|| DEFAULT_PREFIX.to_owned()),
        }
    }

    /// Reads the file of a picture: exactly the one that was found, and only where it is not too large.
    pub async fn read(&self, object: &Object) -> Result<Vec<u8>, Error> {
        let request = self.client.get_object().bucket(&object.bucket).key(&object.key).if_match(&object.e_tag);
        let answer = request.set_version_id(object.version_id.clone()).send().await;
        let answer = answer.map_err(|error| {
            if error.code() == Some("PreconditionFailed") {
                Error::ObjectChanged { bucket: object.bucket.clone(), key: object.key.clone() }
            } else {
                ServiceError::new("GetObject", &error).into()
            }
        })?;
        let bytes = answer.content_length().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
        if bytes > MAX_BYTES {
            return Err(PictureError::FileTooLarge { bytes }.into());
        }
        let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
        let mut body = answer.body;
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| ServiceError {
                kind: ServiceErrorKind::ServiceUnavailable,
                operation: "GetObject",
                code: None,
                message: format!("reading broke off at byte {} of {bytes}: {error}", content.len()),
            })?;
            content.extend_from_slice(&piece);
        }
        Ok(content)
    }

    /// Whether the object is still the one that it was.
    pub async fn is_there(&self, object: &Object) -> Result<bool, ServiceError> {
        let request = self.client.head_object().bucket(&object.bucket).key(&object.key).if_match(&object.e_tag);
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) => {
                // The answer has no body, and so no code.
                let changed = error.raw_response().is_some_and(|answer| answer.status().as_u16() == 412);
                let error = ServiceError::new("HeadObject", &error);
                if changed || error.kind == ServiceErrorKind::ObjectNotFound { Ok(false) } else { Err(error) }
            }
        }
    }

    /// Writes a picture that was made of an object.
    pub async fn write_picture(
        &self,
        object: &Object,
        name: &str,
        format: Format,
        size: Size,
        file: Vec<u8>,
    ) -> Result<Written, ServiceError> {
        let bytes = file.len() as u64;
        let (bucket, key, e_tag) = self.write(object, name, format.media_type(), file).await?;
        Ok(Written { bucket, key, format, size, bytes, e_tag })
    }

    /// Writes a file that was made of an object. Gives its bucket, key and entity tag.
    ///
    /// The key has the entity tag of what it was made of. So what is made of two versions of an object never mixes, and what is
    /// made twice of the same one is the same.
    pub async fn write(
        &self,
        object: &Object,
        name: &str,
        media_type: &str,
        file: Vec<u8>,
    ) -> Result<(String, String, String), ServiceError> {
        let bucket = self.output_bucket.as_ref().unwrap_or(&object.bucket).clone();
        let key = format!("{}{}/{}/{name}", self.output_prefix, object.key, object.e_tag.trim_matches('"'));
        let request = self.client.put_object().bucket(&bucket).key(&key).content_type(media_type);
        let answer = request.body(ByteStream::from(file)).send().await;
        let answer = answer.map_err(|error| ServiceError::new("PutObject", &error))?;
        Ok((bucket, key, answer.e_tag.unwrap_or_default()))
    }
}

/// A picture may have 128 MiB.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(40))
        .operation_timeout(Duration::from_secs(80))
        .build()
}

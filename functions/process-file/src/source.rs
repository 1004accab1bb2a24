//! An object in S3 that is read from the beginning to the end, even if the connection breaks.

use std::io;

use aws_sdk_s3::{Client, error::ProvideErrorMetadata, operation::get_object::GetObjectOutput, primitives::ByteStream};
use bytes::Bytes;
use function_kit::{ServiceError, ServiceErrorKind};
use futures::stream;
use tokio::io::AsyncBufRead;
use tokio_util::io::StreamReader;

use crate::error::Error;

/// How often in a row reading is taken up again without getting a single byte.
const MAX_BREAKS: u32 = 3;

/// One version of one object.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    client: Client,
    bucket: String,
    key: String,
    version_id: Option<String>,
    e_tag: Option<String>,
}

/// What is known of an object once it is being read.
#[derive(Clone, Debug)]
pub(crate) struct ObjectInfo {
    /// In bytes, as stored.
    pub(crate) size: u64,
    pub(crate) e_tag: Option<String>,
    pub(crate) version_id: Option<String>,
}

impl Source {
    pub(crate) fn new(
        client: Client,
        bucket: String,
        key: String,
        version_id: Option<String>,
        e_tag: Option<String>,
    ) -> Self {
        Self { client, bucket, key, version_id, e_tag }
    }

    /// Starts to read. Reading again later, after a break or for a second pass, is of the same content or fails.
    pub(crate) async fn open(&mut self) -> Result<(ObjectInfo, impl AsyncBufRead + Send + Unpin + 'static), Error> {
        let output = self.get(0).await?;
        let info = ObjectInfo {
            size: output.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            e_tag: output.e_tag().map(str::to_owned),
            version_id: output.version_id().map(str::to_owned),
        };
        self.e_tag.clone_from(&info.e_tag);
        let download = Download { source: self.clone(), body: output.body, offset: 0, size: info.size, breaks: 0 };
        let pieces = stream::try_unfold(download, |download| async { download.next().await.map_err(io::Error::other) });
        Ok((info, StreamReader::new(Box::pin(pieces))))
    }

    async fn get(&self, offset: u64) -> Result<GetObjectOutput, Error> {
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(&self.key)
            .set_version_id(self.version_id.clone())
            .set_if_match(self.e_tag.clone())
            .set_range((offset > 0).then(|| format!("bytes={offset}-")));
        request.send().await.map_err(|error| {
            if error.code() == Some("PreconditionFailed") {
                Error::ObjectChanged { bucket: self.bucket.clone(), key: self.key.clone() }
            } else {
                ServiceError::new("GetObject", &error).into()
            }
        })
    }
}

/// The body of an object, which goes on where it broke off.
struct Download {
    source: Source,
    body: ByteStream,
    offset: u64,
    size: u64,
    breaks: u32,
}

impl Download {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Error> {
        loop {
            let message = match self.body.next().await {
                Some(Ok(bytes)) => {
                    self.offset += bytes.len() as u64;
                    self.breaks = 0;
                    return Ok(Some((bytes, self)));
                }
                None if self.offset >= self.size => return Ok(None),
                None => "the connection was closed".to_owned(),
                Some(Err(error)) => error.to_string(),
            };
            self.breaks += 1;
            if self.breaks > MAX_BREAKS || self.offset >= self.size {
                let message = format!("reading broke off at byte {} of {}: {message}", self.offset, self.size);
                return Err(service_unavailable("GetObject", message).into());
            }
            tracing::warn!(offset = self.offset, size = self.size, "reading broke off, going on: {message}");
            self.body = self.source.get(self.offset).await?.body;
        }
    }
}

/// A call that failed on the way, and may pass later.
pub(crate) fn service_unavailable(operation: &'static str, message: String) -> ServiceError {
    ServiceError { kind: ServiceErrorKind::ServiceUnavailable, operation, code: None, message }
}

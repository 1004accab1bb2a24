//! The bucket of the results, with what one run has put into it.

use aws_sdk_s3::{Client, error::ProvideErrorMetadata};
use bytes::Bytes;
use function_kit::{ServiceError, ServiceErrorKind};
use uuid::Uuid;

/// The metadata of a result that tell which run has written it (`x-amz-meta-run`).
pub(crate) const RUN: &str = "run";

/// The bucket, for one run.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    client: Client,
    name: String,
    run: String,
}

/// An object that was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) bytes: u64,
    pub(crate) version_id: Option<String>,
}

impl Bucket {
    /// The bucket, for a new run.
    pub(crate) fn new(client: Client, name: String) -> Self {
        Self { client, name, run: Uuid::new_v4().to_string() }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The id of the run, which no other run has, not even of the same file.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// Writes a whole object.
    pub(crate) async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<Written, ServiceError> {
        let bytes = body.len() as u64;
        let request = self.client.put_object().bucket(&self.name).key(key).content_type(content_type);
        let output = request
            .metadata(RUN, &self.run)
            .body(body.into())
            .send()
            .await
            .map_err(|error| ServiceError::new("PutObject", &error))?;
        Ok(Written { bytes, version_id: output.version_id().map(str::to_owned) })
    }

    /// Takes an object away again if this run has written it. A request that failed may have taken effect all the same,
    /// so S3 is asked what is there.
    ///
    /// Where the bucket has versions, that version goes, and the one before it is the current one again. A failure is
    /// only logged, for there is an error of more interest already.
    pub(crate) async fn take_back(&self, key: &str) {
        if let Err(error) = self.delete_if_own(key).await {
            tracing::error!("{key} may stay behind from a run that failed: {error}");
        }
    }

    async fn delete_if_own(&self, key: &str) -> Result<(), ServiceError> {
        let head = self.client.head_object().bucket(&self.name).key(key).send().await;
        let head = match head.map_err(|error| ServiceError::new("HeadObject", &error)) {
            Ok(head) => head,
            Err(ServiceError { kind: ServiceErrorKind::ObjectNotFound, .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        if head.metadata().and_then(|metadata| metadata.get(RUN)) != Some(&self.run) {
            return Ok(());
        }
        let request = self.client.delete_object().bucket(&self.name).key(key);
        // Without versions, what another run has written since then must stay. A version is this run's own for good.
        let request = match head.version_id {
            Some(version) => request.version_id(version),
            None => request.set_if_match(head.e_tag),
        };
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.code(), Some("PreconditionFailed" | "NoSuchKey")) => Ok(()),
            Err(error) => Err(ServiceError::new("DeleteObject", &error)),
        }
    }
}

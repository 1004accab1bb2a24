//! An object in S3 that is written piece by piece, and is not there before it is whole.

use aws_sdk_s3::{
    operation::upload_part::UploadPartOutput,
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bytes::BytesMut;
use function_kit::ServiceError;
use tokio::task::JoinSet;

use crate::{
    bucket::{Bucket, RUN, Written},
    source::service_unavailable,
};

/// The size of a part, above S3's least of 5 MiB; 10,000 parts are allowed, so this is good for 58 GiB.
const PART_BYTES: usize = 6 << 20;
/// Parts on their way at once. Each is in memory.
const MAX_PARTS_ON_THE_WAY: usize = 2;

const PARQUET: &str = "application/vnd.apache.parquet";

/// An object that is being written. It ends with [`Upload::complete`] or [`Upload::abort`].
#[derive(Debug)]
pub(crate) struct Upload {
    bucket: Bucket,
    key: String,
    /// The multipart upload, which starts when the first part is full.
    id: Option<String>,
    buffer: BytesMut,
    bytes: u64,
    next_part: i32,
    on_the_way: JoinSet<Result<CompletedPart, ServiceError>>,
    done: Vec<CompletedPart>,
    may_be_there: bool,
}

impl Upload {
    pub(crate) fn new(bucket: Bucket, key: String) -> Self {
        Self {
            bucket,
            key,
            id: None,
            buffer: BytesMut::new(),
            bytes: 0,
            next_part: 1,
            on_the_way: JoinSet::new(),
            done: Vec::new(),
            may_be_there: false,
        }
    }

    /// Adds bytes. Full parts are sent while the caller goes on.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), ServiceError> {
        self.bytes += bytes.len() as u64;
        let mut rest = bytes;
        while self.buffer.len() + rest.len() >= PART_BYTES {
            let (now, later) = rest.split_at(PART_BYTES - self.buffer.len());
            self.buffer.extend_from_slice(now);
            rest = later;
            self.send_part().await?;
        }
        self.buffer.extend_from_slice(rest);
        Ok(())
    }

    /// Makes the object appear. A small one is put at once.
    pub(crate) async fn complete(&mut self) -> Result<Written, ServiceError> {
        let Some(id) = self.id.clone() else {
            let body = self.buffer.split().freeze();
            self.may_be_there = true;
            return self.bucket.put(&self.key, PARQUET, body).await;
        };
        if !self.buffer.is_empty() {
            self.send_part().await?;
        }
        while !self.on_the_way.is_empty() {
            self.part_done().await?;
        }
        self.done.sort_by_key(CompletedPart::part_number);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(std::mem::take(&mut self.done))).build();
        self.may_be_there = true;
        let output = self
            .bucket
            .client()
            .complete_multipart_upload()
            .bucket(self.bucket.name())
            .key(&self.key)
            .upload_id(id)
            .multipart_upload(parts)
            .send()
            .await
            .map_err(|error| ServiceError::new("CompleteMultipartUpload", &error))?;
        self.id = None;
        Ok(Written { bytes: self.bytes, version_id: output.version_id().map(str::to_owned) })
    }

    /// Whether the object was asked to appear. Of a request that failed or was given up, S3 may have done its part.
    pub(crate) fn may_be_there(&self) -> bool {
        self.may_be_there
    }

    /// Gives up the parts that were sent. A failure is only logged: there is an error of more interest already, and the
    /// bucket's lifecycle rule removes what is left, such as a part that S3 was still taking in.
    pub(crate) async fn abort(&mut self) {
        self.buffer = BytesMut::new();
        self.on_the_way.shutdown().await;
        let Some(id) = self.id.take() else { return };
        let abort = self.bucket.client().abort_multipart_upload();
        if let Err(error) = abort.bucket(self.bucket.name()).key(&self.key).upload_id(id).send().await {
            let error = ServiceError::new("AbortMultipartUpload", &error);
            // A completion that took effect, although its answer told nothing of it, leaves nothing to abort.
            if error.code.as_deref() == Some("NoSuchUpload") {
                return;
            }
            tracing::error!("the parts of an unfinished upload stay behind: {error}");
        }
    }

    /// Forgets all that an aborted upload was, to be written anew.
    pub(crate) fn start_again(&mut self) {
        *self = Self::new(self.bucket.clone(), std::mem::take(&mut self.key));
    }

    async fn send_part(&mut self) -> Result<(), ServiceError> {
        while self.on_the_way.len() >= MAX_PARTS_ON_THE_WAY {
            self.part_done().await?;
        }
        let id = match &self.id {
            Some(id) => id.clone(),
            None => self.start().await?,
        };
        let part = self.next_part;
        self.next_part += 1;
        let request = self
            .bucket
            .client()
            .upload_part()
            .bucket(self.bucket.name())
            .key(&self.key)
            .upload_id(id)
            .part_number(part)
            .body(ByteStream::from(self.buffer.split().freeze()));
        self.on_the_way.spawn(async move {
            let output = request.send().await.map_err(|error| ServiceError::new("UploadPart", &error))?;
            Ok(completed(part, &output))
        });
        Ok(())
    }

    async fn start(&mut self) -> Result<String, ServiceError> {
        let output = self
            .bucket
            .client()
            .create_multipart_upload()
            .bucket(self.bucket.name())
            .key(&self.key)
            .metadata(RUN, self.bucket.run())
            .content_type(PARQUET)
            .send()
            .await
            .map_err(|error| ServiceError::new("CreateMultipartUpload", &error))?;
        let id = output
            .upload_id
            .ok_or_else(|| service_unavailable("CreateMultipartUpload", "the answer has no upload id".to_owned()))?;
        self.id = Some(id.clone());
        Ok(id)
    }

    async fn part_done(&mut self) -> Result<(), ServiceError> {
        match self.on_the_way.join_next().await {
            Some(Ok(part)) => self.done.push(part?),
            Some(Err(error)) => return Err(service_unavailable("UploadPart", error.to_string())),
            None => {}
        }
        Ok(())
    }
}

fn completed(part: i32, output: &UploadPartOutput) -> CompletedPart {
    CompletedPart::builder()
        .part_number(part)
        .set_e_tag(output.e_tag.clone())
        .set_checksum_crc32(output.checksum_crc32.clone())
        .set_checksum_crc32_c(output.checksum_crc32_c.clone())
        .set_checksum_crc64_nvme(output.checksum_crc64_nvme.clone())
        .set_checksum_sha1(output.checksum_sha1.clone())
        .set_checksum_sha256(output.checksum_sha256.clone())
        .build()
}

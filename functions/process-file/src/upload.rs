//! An object in S3 that is written piece by piece, and is not there before it is whole.

use aws_sdk_s3::{
    Client,
    operation::upload_part::UploadPartOutput,
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bytes::{Bytes, BytesMut};
use function_kit::ServiceError;
use tokio::task::JoinSet;

use crate::source::service_unavailable;

/// The size of a part, above S3's least of 5 MiB; 10,000 parts are allowed, so this is good for 58 GiB.
const PART_BYTES: usize = 6 << 20;
/// Parts on their way at once. Each is in memory.
const MAX_PARTS_ON_THE_WAY: usize = 2;

const PARQUET: &str = "application/vnd.apache.parquet";

/// An object that is being written. It ends with [`Upload::complete`] or [`Upload::abort`].
#[derive(Debug)]
pub(crate) struct Upload {
    client: Client,
    bucket: String,
    key: String,
    /// The multipart upload, which starts when the first part is full.
    id: Option<String>,
    buffer: BytesMut,
    bytes: u64,
    next_part: i32,
    on_the_way: JoinSet<Result<CompletedPart, ServiceError>>,
    done: Vec<CompletedPart>,
}

/// An object that was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) bytes: u64,
    pub(crate) version_id: Option<String>,
}

impl Upload {
    pub(crate) fn new(client: Client, bucket: String, key: String) -> Self {
        Self {
            client,
            bucket,
            key,
            id: None,
            buffer: BytesMut::new(),
            bytes: 0,
            next_part: 1,
            on_the_way: JoinSet::new(),
            done: Vec::new(),
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
            return put(&self.client, &self.bucket, &self.key, PARQUET, body).await;
        };
        if !self.buffer.is_empty() {
            self.send_part().await?;
        }
        while !self.on_the_way.is_empty() {
            self.part_done().await?;
        }
        self.done.sort_by_key(CompletedPart::part_number);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(std::mem::take(&mut self.done))).build();
        let output = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key)
            .upload_id(id)
            .multipart_upload(parts)
            .send()
            .await
            .map_err(|error| ServiceError::new("CompleteMultipartUpload", &error))?;
        self.id = None;
        Ok(Written { bytes: self.bytes, version_id: output.version_id().map(str::to_owned) })
    }

    /// Gives up what was sent. A failure is only logged: there is an error of more interest already, and the bucket's
    /// lifecycle rule removes what is left.
    pub(crate) async fn abort(&mut self) {
        self.buffer = BytesMut::new();
        // S3 may store a part that arrives after the abortion, so none may be on its way.
        self.on_the_way.shutdown().await;
        let Some(id) = self.id.take() else { return };
        let request = self.client.abort_multipart_upload().bucket(&self.bucket).key(&self.key).upload_id(id);
        if let Err(error) = request.send().await {
            let error = ServiceError::new("AbortMultipartUpload", &error);
            tracing::error!("the parts of an unfinished upload stay behind: {error}");
        }
    }

    /// Forgets all that an aborted upload was, to be written anew.
    pub(crate) fn start_again(&mut self) {
        let Self { client, bucket, key, .. } = self;
        *self = Self::new(client.clone(), std::mem::take(bucket), std::mem::take(key));
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
            .client
            .upload_part()
            .bucket(&self.bucket)
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
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key)
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

/// Writes a whole object.
pub(crate) async fn put(
    client: &Client,
    bucket: &str,
    key: &str,
    content_type: &str,
    body: Bytes,
) -> Result<Written, ServiceError> {
    let bytes = body.len() as u64;
    let request = client.put_object().bucket(bucket).key(key).content_type(content_type).body(body.into());
    let output = request.send().await.map_err(|error| ServiceError::new("PutObject", &error))?;
    Ok(Written { bytes, version_id: output.version_id().map(str::to_owned) })
}

/// Takes an object away again: the version that was written, where the bucket has versions, so that the one before it
/// is the current one again. A failure is only logged, for there is an error of more interest already.
pub(crate) async fn take_back(client: &Client, bucket: &str, key: &str, written: &Written) {
    let request = client.delete_object().bucket(bucket).key(key).set_version_id(written.version_id.clone());
    if let Err(error) = request.send().await {
        let error = ServiceError::new("DeleteObject", &error);
        tracing::error!("{key} stays behind without its profile: {error}");
    }
}

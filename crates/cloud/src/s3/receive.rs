//! Takes a body in: to a file, counting, hashing and comparing with what the client said it would be.

use std::{fs::File, io::Write as _, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures::StreamExt as _;
use http::{Extensions, HeaderMap};
use s3s::{
    S3Error, S3ErrorCode, S3Result,
    checksum::ChecksumHasher,
    crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256},
    dto::{ChecksumAlgorithm, StreamingBlob},
    s3_error,
};

use super::{blocking, chunked::Trailers, object::Checksums, store::internal};

/// The service's limit for one upload: 5 GiB.
const LARGEST: u64 = 5 * 1024 * 1024 * 1024;

/// How much is gathered before it goes to the file in one write.
const BUFFER: usize = 1024 * 1024;

/// What the client said about a body.
#[derive(Debug, Default)]
pub(super) struct Expected {
    length: Option<u64>,
    md5: Option<String>,
    checksums: Checksums,
    /// Algorithms to compute, by name, beside those of `checksums`.
    algorithms: Vec<String>,
    trailers: Option<Trailers>,
}

impl Expected {
    pub(super) fn new(
        (headers, extensions): (&HeaderMap, &Extensions),
        length: Option<i64>,
        md5: Option<String>,
        checksums: Checksums,
        algorithm: Option<&ChecksumAlgorithm>,
    ) -> Self {
        let announced = headers.get_all("x-amz-trailer").iter().filter_map(|value| value.to_str().ok());
        let mut algorithms: Vec<String> = announced
            .flat_map(|names| names.split(','))
            .filter_map(|name| name.trim().to_ascii_lowercase().strip_prefix("x-amz-checksum-").map(str::to_owned))
            .collect();
        algorithms.extend(algorithm.map(|algorithm| algorithm.as_str().to_owned()));
        Self {
            length: length.and_then(|length| u64::try_from(length).ok()),
            md5,
            checksums,
            algorithms,
            trailers: extensions.get().cloned(),
        }
    }

    fn hasher(&self) -> S3Result<ChecksumHasher> {
        let mut hasher = ChecksumHasher::default();
        let given = self.checksums.named().into_iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name);
        for name in given.chain(self.algorithms.iter().map(String::as_str)) {
            match name.to_ascii_lowercase().as_str() {
                "crc32" => hasher.crc32 = Some(Crc32::default()),
                "crc32c" => hasher.crc32c = Some(Crc32c::default()),
                "crc64nvme" => hasher.crc64nvme = Some(Crc64Nvme::default()),
                "sha1" => hasher.sha1 = Some(Sha1::default()),
                "sha256" => hasher.sha256 = Some(Sha256::default()),
                other => {
                    return Err(s3_error!(NotImplemented, "the checksum algorithm {other:?} is not known"));
                }
            }
        }
        Ok(hasher)
    }

    fn compare(mut self, received: &Received) -> S3Result<()> {
        if self.length.is_some_and(|length| length != received.size) {
            return Err(s3_error!(IncompleteBody, "The body is not as long as the header says"));
        }
        if let Some(expected) = self.md5 {
            let expected = BASE64_STANDARD.decode(expected).map_err(|_| s3_error!(InvalidDigest))?;
            if expected != received.md5 {
                return Err(s3_error!(BadDigest, "The Content-MD5 does not match what was received"));
            }
        }
        for (name, computed) in received.checksums.named() {
            let trailed = self.trailers.as_ref().and_then(|trailers| trailers.get(&format!("x-amz-checksum-{name}")));
            let expected = self.checksums.slot(name).and_then(Option::take).or(trailed);
            if expected.is_some() && expected.as_ref() != computed {
                return Err(s3_error!(BadDigest, "The {name} checksum does not match what was received"));
            }
        }
        Ok(())
    }
}

/// What a body was.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) size: u64,
    pub(super) md5: [u8; 16],
    pub(super) checksums: Checksums,
}

impl Received {
    pub(super) fn e_tag(&self) -> String {
        hex(&self.md5)
    }
}

/// Writes a body to a new file. After an error the file may be there in part; its owner removes it.
pub(super) async fn receive(body: Option<StreamingBlob>, path: &Path, expected: Expected) -> S3Result<Received> {
    let mut sink = Sink::new(path);
    let mut md5 = Md5::new();
    let mut hasher = expected.hasher()?;
    let mut size: u64 = 0;
    if expected.length.is_some_and(|length| length > LARGEST) {
        return Err(too_large());
    }
    let mut body = body;
    while let Some(piece) = match &mut body {
        Some(body) => body.next().await,
        None => None,
    } {
        let piece = piece.map_err(|error| S3Error::with_source(S3ErrorCode::IncompleteBody, error))?;
        size += piece.len() as u64;
        if size > LARGEST {
            return Err(too_large());
        }
        md5.update(&piece);
        hasher.update(&piece);
        sink.write(&piece).await?;
    }
    sink.finish().await?;
    let received = Received { size, md5: md5.finalize(), checksums: hasher.finalize().into() };
    expected.compare(&received)?;
    Ok(received)
}

fn too_large() -> S3Error {
    s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed object size, 5 GiB.")
}

/// Lower-case hexadecimal, as in an `ETag`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A file that is written in large pieces away from the async threads; a small body costs one such trip.
struct Sink {
    path: std::path::PathBuf,
    file: Option<File>,
    buffer: Vec<u8>,
}

impl Sink {
    fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), file: None, buffer: Vec::new() }
    }

    async fn write(&mut self, piece: &[u8]) -> S3Result<()> {
        self.buffer.extend_from_slice(piece);
        if self.buffer.len() >= BUFFER { self.flush().await } else { Ok(()) }
    }

    async fn finish(mut self) -> S3Result<()> {
        self.flush().await
    }

    async fn flush(&mut self) -> S3Result<()> {
        let path = self.path.clone();
        let (file, mut buffer) = (self.file.take(), std::mem::take(&mut self.buffer));
        let (file, buffer) = blocking(move || {
            let mut file = match file {
                Some(file) => file,
                None => File::create(path).map_err(internal)?,
            };
            file.write_all(&buffer).map_err(internal)?;
            buffer.clear();
            Ok((file, buffer))
        })
        .await?;
        (self.file, self.buffer) = (Some(file), buffer);
        Ok(())
    }
}

//! The decompressed content of a file, piece by piece.

use std::io::{self, Cursor};

use async_compression::{
    tokio::bufread::{GzipDecoder, ZstdDecoder},
    zstd::DParameter,
};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt};

use crate::format::Compression;

/// How much is read at once.
const PIECE_BYTES: usize = 256 << 10;

/// The largest window of Zstandard, as a power of two: 8 MiB, which every level of compression but the ultra ones keeps
/// within. It bounds the memory; a file with a larger one is refused.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// A file that is being read.
pub(crate) struct Input {
    reader: Box<dyn AsyncRead + Send + Unpin>,
    compression: Compression,
}

impl Input {
    /// Looks at the first bytes, and decompresses what comes if they say so.
    pub(crate) async fn open(mut body: impl AsyncBufRead + Send + Unpin + 'static) -> io::Result<Self> {
        let mut magic = Vec::with_capacity(Compression::MAGIC_BYTES);
        (&mut body).take(Compression::MAGIC_BYTES as u64).read_to_end(&mut magic).await?;
        let compression = Compression::of(&magic);
        let body = Cursor::new(magic).chain(body);
        let reader: Box<dyn AsyncRead + Send + Unpin> = match compression {
            Compression::None => Box::new(body),
            Compression::Gzip => {
                let mut decoder = GzipDecoder::new(body);
                decoder.multiple_members(true);
                Box::new(decoder)
            }
            Compression::Zstd => {
                let mut decoder = ZstdDecoder::with_params(body, &[DParameter::window_log_max(ZSTD_WINDOW_LOG_MAX)]);
                decoder.multiple_members(true);
                Box::new(decoder)
            }
        };
        Ok(Self { reader, compression })
    }

    pub(crate) fn compression(&self) -> Compression {
        self.compression
    }

    /// Adds the next piece to the buffer. Returns whether there was one.
    pub(crate) async fn read_piece(&mut self, buffer: &mut Vec<u8>) -> io::Result<bool> {
        let end = buffer.len() + PIECE_BYTES;
        buffer.reserve(PIECE_BYTES);
        let start = buffer.len();
        while buffer.len() < end {
            let left = (end - buffer.len()) as u64;
            if (&mut self.reader).take(left).read_buf(buffer).await? == 0 {
                break;
            }
        }
        Ok(buffer.len() > start)
    }
}

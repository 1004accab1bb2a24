//! The `aws-chunked` body encoding, with which clients send checksums after the data.
//!
//! ```text
//! <size in hex>[;chunk-signature=…]\r\n <data> \r\n   … repeated …
//! 0[;chunk-signature=…]\r\n <name>:<value>\r\n … \r\n
//! ```
//!
//! Signatures are read over, as everywhere in the local cloud.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::body::Body;
use bytes::{Buf as _, Bytes};
use futures::{Stream, stream};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt as _;

/// The longest line that is read: a chunk's head or a trailing header.
const LONGEST_LINE: usize = 8 * 1024;

/// How many headers may come after the data.
const MOST_TRAILERS: usize = 32;

/// The headers after the data; complete when the body has been read to its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Trailers(Arc<Mutex<HeaderMap>>);

impl Trailers {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let headers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }

    fn insert(&self, line: &str) -> io::Result<()> {
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("a trailing header has no colon"))?;
        let name = HeaderName::try_from(name.trim()).map_err(|_| malformed("a trailing header's name"))?;
        let value = HeaderValue::try_from(value.trim()).map_err(|_| malformed("a trailing header's value"))?;
        let mut headers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if headers.len() >= MOST_TRAILERS {
            return Err(malformed("too many trailing headers"));
        }
        headers.insert(name, value);
        Ok(())
    }
}

/// The data of an encoded body, and its trailing headers.
pub(super) fn decode(body: Body) -> (Body, Trailers) {
    let trailers = Trailers::default();
    let decoder = Decoder { body, unread: Bytes::new(), left_in_chunk: 0, trailers: trailers.clone() };
    (Body::from_stream(decoder.into_stream()), trailers)
}

struct Decoder {
    body: Body,
    unread: Bytes,
    left_in_chunk: u64,
    trailers: Trailers,
}

impl Decoder {
    fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::try_unfold(
            self,
            |mut decoder| async move { Ok(decoder.next_data().await?.map(|data| (data, decoder))) },
        )
    }

    async fn next_data(&mut self) -> io::Result<Option<Bytes>> {
        if self.left_in_chunk == 0 {
            let head = self.line().await?;
            let size = head.split(';').next().unwrap_or_default().trim();
            self.left_in_chunk = u64::from_str_radix(size, 16).map_err(|_| malformed("a chunk's size"))?;
            if self.left_in_chunk == 0 {
                self.read_trailers().await?;
                return Ok(None);
            }
        }
        if !self.fill().await? {
            return Err(malformed("the body ends inside a chunk"));
        }
        let length = usize::try_from(self.left_in_chunk).unwrap_or(usize::MAX).min(self.unread.len());
        let data = self.unread.split_to(length);
        self.left_in_chunk -= length as u64;
        if self.left_in_chunk == 0 && !self.line().await?.is_empty() {
            return Err(malformed("a chunk is longer than its size"));
        }
        Ok(Some(data))
    }

    async fn read_trailers(&mut self) -> io::Result<()> {
        // Some clients end after the last trailer, without the empty line.
        while self.fill().await? {
            let line = self.line().await?;
            if line.is_empty() {
                break;
            }
            self.trailers.insert(&line)?;
        }
        Ok(())
    }

    /// Reads up to and over the end of the line.
    async fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        while line.len() < LONGEST_LINE && self.fill().await? {
            match self.unread.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    line.extend_from_slice(&self.unread.split_to(end));
                    self.unread.advance(1);
                    if line.last() == Some(&b'\r') {
                        line.pop();
                    }
                    return String::from_utf8(line).map_err(|_| malformed("a line is no text"));
                }
                None => line.extend_from_slice(&std::mem::take(&mut self.unread)),
            }
        }
        Err(malformed("a line does not end"))
    }

    /// Makes sure something is unread. False at the end of the body.
    async fn fill(&mut self) -> io::Result<bool> {
        while self.unread.is_empty() {
            match self.body.frame().await {
                None => return Ok(false),
                Some(frame) => {
                    self.unread = frame.map_err(io::Error::other)?.into_data().unwrap_or_default();
                }
            }
        }
        Ok(true)
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("aws-chunked body: {what}"))
}

#[cfg(test)]
mod tests {
    use http_body_util::Collected;

    use super::*;

    const SIGNED: &str = "5;chunk-signature=aa\r\nhello\r\n6;chunk-signature=bb\r\n world\r\n\
                          0;chunk-signature=cc\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\
                          x-amz-trailer-signature:dd\r\n\r\n";

    /// A body that arrives in pieces of the given size.
    fn in_pieces(text: &str, size: usize) -> Body {
        let pieces: Vec<_> =
            text.as_bytes().chunks(size).map(|piece| io::Result::Ok(Bytes::copy_from_slice(piece))).collect();
        Body::from_stream(stream::iter(pieces))
    }

    #[tokio::test]
    async fn data_and_trailers_come_out_however_the_body_is_cut() {
        for size in 1..=SIGNED.len() {
            let (body, trailers) = decode(in_pieces(SIGNED, size));
            assert_eq!(body.collect().await.unwrap().to_bytes(), "hello world", "pieces of {size}");
            assert_eq!(trailers.get("x-amz-checksum-crc32").as_deref(), Some("DUoRhQ=="));
        }
    }

    #[tokio::test]
    async fn other_ends_are_accepted_or_refused() {
        let cases = [
            ("0\r\n\r\n", Some("")),
            ("0\r\n", Some("")),
            ("A\r\n0123456789\r\n0\r\nname: value", None),
            ("3\r\nabc\r\n0\r\nname: value\r\n", Some("abc")),
            ("", None),
            ("3\r\nabc", None),
            ("3\r\nab", None),
            ("3\r\nabcd\r\n0\r\n\r\n", None),
            ("x\r\n", None),
            ("3\r\nabc\r\n0\r\nno colon\r\n\r\n", None),
        ];
        let many: Vec<_> = (0..=MOST_TRAILERS).map(|number| format!("name-{number}:value\r\n")).collect();
        let many = format!("3\r\nabc\r\n0\r\n{}\r\n", many.concat());
        for (text, expected) in cases.into_iter().chain([(&*many, None)]) {
            let decoded = decode(in_pieces(text, 4)).0.collect().await.ok().map(Collected::to_bytes);
            assert_eq!(decoded.as_deref(), expected.map(str::as_bytes), "{text:?}");
        }
    }
}

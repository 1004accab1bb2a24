//! A bucket's objects in the order of their keys, a page in memory at a time.

use std::collections::VecDeque;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::EncodingType;
use function_kit::ServiceError;
use percent_encoding::percent_decode_str;

use crate::Error;

/// An object, as a listing tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) key: String,
    /// In bytes.
    pub(crate) size: i64,
    /// With its quotes.
    pub(crate) e_tag: String,
}

/// Which page comes next.
enum Next {
    /// The first, of the keys after this one.
    After(Option<String>),
    Continue(String),
    None,
}

/// The objects of a bucket that are still to come.
pub(crate) struct Listing<'a> {
    s3: &'a Client,
    bucket: &'a str,
    page: VecDeque<Object>,
    next: Next,
}

impl<'a> Listing<'a> {
    /// The objects whose keys are after this one.
    pub(crate) fn after(s3: &'a Client, bucket: &'a str, key: Option<String>) -> Self {
        Self { s3, bucket, page: VecDeque::new(), next: Next::After(key) }
    }

    /// The key of the next object.
    pub(crate) async fn peek(&mut self) -> Result<Option<&str>, Error> {
        while self.page.is_empty() && !matches!(self.next, Next::None) {
            self.fetch().await?;
        }
        Ok(self.page.front().map(|object| object.key.as_str()))
    }

    /// The next object, of those that [`Listing::peek`] has seen.
    pub(crate) fn take(&mut self) -> Option<Object> {
        self.page.pop_front()
    }

    async fn fetch(&mut self) -> Result<(), Error> {
        // Keys may hold characters that XML cannot.
        let request = self.s3.list_objects_v2().bucket(self.bucket).encoding_type(EncodingType::Url);
        let request = match std::mem::replace(&mut self.next, Next::None) {
            Next::After(key) => request.set_start_after(key),
            Next::Continue(token) => request.continuation_token(token),
            Next::None => return Ok(()),
        };
        let answer = request.send().await.map_err(|error| Error::Service {
            bucket: self.bucket.to_owned(),
            source: ServiceError::new("ListObjectsV2", &error),
        })?;
        for object in answer.contents.unwrap_or_default() {
            self.page.push_back(Object {
                key: decoded(&object.key.unwrap_or_default()),
                size: object.size.unwrap_or_default(),
                e_tag: object.e_tag.unwrap_or_default(),
            });
        }
        if let Some(token) = answer.next_continuation_token.filter(|_| answer.is_truncated == Some(true)) {
            self.next = Next::Continue(token);
        }
        Ok(())
    }
}

/// A key as S3 writes it in a listing that is URL-encoded: a `+` is a blank.
fn decoded(key: &str) -> String {
    percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded() {
        for (encoded, key) in [("a/b.csv", "a/b.csv"), ("a+b%2Bc%25", "a b+c%"), ("gr%C3%B6%C3%9Fe%0A", "größe\n")] {
            assert_eq!(decoded(encoded), key);
        }
    }
}

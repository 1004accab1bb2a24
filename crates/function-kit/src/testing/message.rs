//! Requests and replies.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

/// A request that the stub got.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query, still percent-encoded, without its `?`; empty where there is none.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Request {
    /// A header's text; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The operation that a JSON protocol names in `X-Amz-Target`, such as `StartExecution`.
    pub fn operation(&self) -> &str {
        self.header("x-amz-target").rsplit('.').next().unwrap_or_default()
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When the body is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// When the body is no UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a text body")
    }
}

/// A reply of the stub.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) ending: Ending,
}

/// How a reply ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With the whole body.
    Whole,
    /// By closing the connection after the body, although more is announced.
    CutShort,
    /// Never: the connection stays open without an answer.
    Silent,
}

impl Reply {
    /// A reply without a body.
    pub fn status(status: u16) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new(), ending: Ending::Whole }
    }

    /// A reply with this body.
    pub fn body(status: u16, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..Self::status(status) }
    }

    /// A reply of the JSON protocols (DynamoDB, Step Functions).
    #[expect(clippy::needless_pass_by_value, reason = "callers write the value in place")]
    pub fn json(status: u16, body: Value) -> Self {
        Self::body(status, body.to_string()).header("content-type", "application/x-amz-json-1.0")
    }

    /// An error of the JSON protocols, such as `ThrottlingException`.
    pub fn json_error(status: u16, code: &str) -> Self {
        Self::json(status, json!({"__type": code, "message": "said by the stub"}))
    }

    /// An error of the CBOR protocol (CloudWatch), such as `InternalServiceFault`.
    ///
    /// # Panics
    ///
    /// When the code is longer than 255 bytes.
    pub fn cbor_error(status: u16, code: &str) -> Self {
        let length = u8::try_from(code.len()).expect("a short code");
        // A map of one pair of texts: the first with its length in the head, the second with a length of one byte.
        let body = [b"\xa1\x66__type\x78".as_slice(), &[length], code.as_bytes()].concat();
        Self::body(status, body).header("content-type", "application/cbor").header("smithy-protocol", "rpc-v2-cbor")
    }

    /// An error of S3, such as `NoSuchKey`.
    pub fn s3_error(status: u16, code: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>said by the stub</Message></Error>"
        );
        Self::body(status, body).header("content-type", "application/xml")
    }

    /// A reply that never comes. Clients give up after 100 ms, see [`Stub::sdk_config`](super::Stub::sdk_config).
    pub fn never() -> Self {
        Self { ending: Ending::Silent, ..Self::status(200) }
    }

    /// This reply, with the connection closed after the body although one more byte is announced.
    #[must_use]
    pub fn cut_short(mut self) -> Self {
        self.ending = Ending::CutShort;
        self
    }

    /// This reply, with one more header.
    ///
    /// # Panics
    ///
    /// When the name or the value may not stand in a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("the name of a header");
        let value = HeaderValue::from_str(value).expect("the value of a header");
        self.headers.append(name, value);
        self
    }
}

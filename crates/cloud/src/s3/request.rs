//! What is done to a request before the protocol library sees it: signatures are taken off unread, because any
//! credentials are good here; the `aws-chunked` encoding is decoded; who asks is noted.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Method, header, request::Parts};
use http_body_util::BodyExt as _;
use s3s::{
    S3Result,
    host::{S3Host, VirtualHost},
};

use super::{chunked, presigned};
use crate::{
    service::{Peer, Request},
    wire,
};

/// Who asks, and under which id. Goes with the request as an extension.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) request_id: String,
    pub(super) requester: Option<String>,
    pub(super) source_ip: Option<IpAddr>,
}

/// A request for the protocol library.
pub(super) struct Prepared {
    pub(super) request: http::Request<s3s::Body>,
    pub(super) request_id: String,
    /// Whether its body could not be read, which is no fault of whoever reads it.
    pub(super) body_is_broken: Arc<AtomicBool>,
    /// Whether its body is a document that is longer than any that is read.
    pub(super) document_is_too_long: Arc<AtomicBool>,
}

/// The longest document that the protocol library reads, in bytes. Of a longer one it says that something is wrong inside.
const LONGEST_DOCUMENT: usize = 20 * 1024 * 1024;

/// Prepares a request for the protocol library.
pub(super) fn prepare(request: Request) -> Prepared {
    let (mut parts, mut body) = request.into_parts();
    let request_id = wire::request_id();
    let caller = Caller {
        request_id: request_id.clone(),
        requester: access_key(&parts),
        source_ip: parts.extensions.get::<Peer>().map(|peer| peer.0.ip()),
    };
    parts.extensions.insert(caller);
    parts.headers.remove(header::AUTHORIZATION);
    presigned::remove(&mut parts);
    if is_chunked(&parts) {
        body = decode(&mut parts, body);
    }
    let body_is_broken = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&body_is_broken);
    let body = body.map_err(move |error| {
        noted.store(true, Ordering::Relaxed);
        error
    });
    let document_is_too_long = Arc::new(AtomicBool::new(false));
    let (noted, is_document) = (Arc::clone(&document_is_too_long), has_document(&parts));
    let mut length = 0_usize;
    let body = body.map_frame(move |frame| {
        length = length.saturating_add(frame.data_ref().map_or(0, Bytes::len));
        if is_document && length > LONGEST_DOCUMENT {
            noted.store(true, Ordering::Relaxed);
        }
        frame
    });
    let request = Request::from_parts(parts, Body::new(body)).map(s3s::Body::http_body_unsync);
    Prepared { request, request_id, body_is_broken, document_is_too_long }
}

/// Whether the body is a document, and not an object or a part of one: it is for what the query names.
fn has_document(parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    let mut names = query.split('&').filter_map(|parameter| parameter.split('=').next());
    match parts.method {
        Method::POST => names.any(|name| matches!(name, "delete" | "uploadId")),
        Method::PUT => names.any(|name| {
            let is_of_data = matches!(name, "" | "partNumber" | "uploadId" | "x-id");
            !is_of_data && !name.to_ascii_lowercase().starts_with("x-amz-")
        }),
        _ => false,
    }
}

/// The key id of `Credential=<key id>/…`, in the header or in a presigned address.
fn access_key(parts: &Parts) -> Option<String> {
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credential = match header.and_then(|value| value.split_once("Credential=")) {
        Some((_, credential)) => credential,
        None => {
            presigned::parameter(parts, "X-Amz-Credential").or_else(|| presigned::parameter(parts, "AWSAccessKeyId"))?
        }
    };
    let key: String = credential.chars().take_while(char::is_ascii_alphanumeric).collect();
    (!key.is_empty()).then_some(key)
}

fn is_chunked(parts: &Parts) -> bool {
    let contains = |name: &str, wanted: &str| {
        parts.headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(wanted))
    };
    contains("x-amz-content-sha256", "STREAMING-") || contains("content-encoding", "aws-chunked")
}

fn decode(parts: &mut Parts, body: Body) -> Body {
    let (body, trailers) = chunked::decode(body);
    parts.extensions.insert(trailers);
    parts.headers.remove("x-amz-content-sha256");
    parts.headers.remove(header::CONTENT_LENGTH);
    if let Some(length) = parts.headers.remove("x-amz-decoded-content-length") {
        parts.headers.insert(header::CONTENT_LENGTH, length);
    }
    // The transfer's encoding is not the object's.
    let encoding = parts.headers.remove(header::CONTENT_ENCODING);
    let stored: Vec<&str> = encoding
        .as_ref()
        .and_then(|value| value.to_str().ok())
        .into_iter()
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty() && *name != "aws-chunked")
        .collect();
    if !stored.is_empty()
        && let Ok(value) = HeaderValue::try_from(stored.join(","))
    {
        parts.headers.insert(header::CONTENT_ENCODING, value);
    }
    body
}

/// Finds the bucket in the host: `<bucket>.s3.…`, `<bucket>.s3-…` or `<bucket>.localhost`. Any other host is
/// taken for ours, with the bucket in the path.
#[derive(Debug)]
pub(super) struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        Ok(match bucket_of(host) {
            Some(bucket) => VirtualHost::new(host).with_bucket(bucket),
            None => VirtualHost::new(host),
        })
    }
}

fn bucket_of(host: &str) -> Option<&str> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    if name.starts_with("s3.") || name.starts_with("s3-") {
        return None;
    }
    let service = name.find(".s3.").or_else(|| name.find(".s3-"));
    match service {
        Some(at) => name.get(..at),
        None => name.strip_suffix(".localhost").filter(|bucket| !bucket.is_empty() && *bucket != "s3"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_in_hosts() {
        let cases = [
            ("localhost", None),
            ("localhost:4566", None),
            ("s3.localhost:4566", None),
            ("s3.us-east-1.amazonaws.com", None),
            ("s3-us-west-2.amazonaws.com", None),
            ("example.com", None),
            ("data.localhost:4566", Some("data")),
            ("my.data.localhost", Some("my.data")),
            ("data.s3.localhost:4566", Some("data")),
            ("my.data.s3.eu-west-1.amazonaws.com", Some("my.data")),
            ("data.s3-eu-west-1.amazonaws.com", Some("data")),
        ];
        for (host, bucket) in cases {
            assert_eq!(bucket_of(host), bucket, "{host}");
        }
    }

    #[test]
    fn the_access_key_is_found() {
        let cases = [
            (Some("AWS4-HMAC-SHA256 Credential=AKID/2026/r/s3/aws4_request, Signature=0"), "/b", Some("AKID")),
            (None, "/b?X-Amz-Credential=AKID%2F2026", Some("AKID")),
            (None, "/b?AWSAccessKeyId=AKID&Signature=0&Expires=1", Some("AKID")),
            (None, "/b?a=b", None),
            (Some("Bearer x"), "/b", None),
        ];
        for (header, address, expected) in cases {
            let mut builder = http::Request::builder().uri(address);
            if let Some(header) = header {
                builder = builder.header("authorization", header);
            }
            let (parts, ()) = builder.body(()).unwrap().into_parts();
            assert_eq!(access_key(&parts).as_deref(), expected, "{header:?} {address}");
        }
    }
}

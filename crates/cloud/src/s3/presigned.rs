//! Presigned addresses, of both versions of AWS signatures. The signature is not looked at, since any credentials are good
//! here; the time until which the address is good is.

use http::{Uri, request::Parts};
use time::{
    Duration, OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem, macros::format_description,
};

/// What an address may carry in place of a signature in the headers.
const PARAMETERS: &[&str] = &[
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    // Version 2
    "AWSAccessKeyId",
    "Expires",
    "Signature",
    "x-amz-security-token",
];

/// The time in an address: `20261121T120000Z`.
const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// What is said of an address that is good no more.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html>
pub(super) const EXPIRED: &str = "Request has expired";

/// The value of a parameter, as it is written in the address.
pub(super) fn parameter<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    let pairs = parts.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
}

/// Whether the address was good until a time that is over.
pub(super) fn has_expired(parts: &Parts, now: OffsetDateTime) -> bool {
    let until = match parameter(parts, "X-Amz-Signature") {
        Some(_) => parameter(parts, "X-Amz-Date")
            .and_then(|date| PrimitiveDateTime::parse(date, DATE).ok())
            .zip(parameter(parts, "X-Amz-Expires").and_then(|seconds| seconds.parse::<u32>().ok()))
            .and_then(|(date, seconds)| date.assume_utc().checked_add(Duration::seconds(seconds.into()))),
        None => parameter(parts, "Signature")
            .and(parameter(parts, "Expires"))
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds.parse().ok()?).ok()),
    };
    until.is_some_and(|until| until < now)
}

/// Takes the signature off the address.
pub(super) fn remove(parts: &mut Parts) {
    if parameter(parts, "X-Amz-Signature").or(parameter(parts, "Signature")).is_none() {
        return;
    }
    let name = |pair: &&str| pair.split('=').next().unwrap_or_default().to_owned();
    let query = parts.uri.query().unwrap_or_default();
    let kept: Vec<&str> = query.split('&').filter(|pair| !PARAMETERS.contains(&name(pair).as_str())).collect();
    let path = parts.uri.path();
    let address = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    if let Ok(address) = address.parse::<Uri>() {
        parts.uri = address;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn parts(address: &str) -> Parts {
        http::Request::builder().uri(address).body(()).unwrap().into_parts().0
    }

    #[test]
    fn signatures_are_taken_off() {
        let cases = [
            ("/b/k?versionId=1&X-Amz-Signature=0&X-Amz-Credential=AKID%2F1%2Fr%2Fs3%2Fx", "/b/k?versionId=1"),
            ("/b/k?X-Amz-Date=1&X-Amz-Expires=900&X-Amz-Signature=0", "/b/k"),
            ("/b/k?AWSAccessKeyId=local&Signature=a%2Fb%3D&Expires=1795262400", "/b/k"),
            ("/b?list-type=2&prefix=a%2Fb", "/b?list-type=2&prefix=a%2Fb"),
            ("/b/k?Expires=1", "/b/k?Expires=1"),
        ];
        for (address, expected) in cases {
            let mut parts = parts(address);
            remove(&mut parts);
            assert_eq!(parts.uri.to_string(), expected);
        }
    }

    #[test]
    fn an_address_is_good_until_its_time() {
        let now = datetime!(2026-11-21 12:00 UTC);
        for (address, expired) in [
            ("/b/k?X-Amz-Date=20261121T115900Z&X-Amz-Expires=60&X-Amz-Signature=0", false),
            ("/b/k?X-Amz-Date=20261121T115859Z&X-Amz-Expires=60&X-Amz-Signature=0", true),
            ("/b/k?AWSAccessKeyId=local&Signature=0&Expires=1795262400", false),
            ("/b/k?AWSAccessKeyId=local&Signature=0&Expires=1795262399", true),
            ("/b/k?X-Amz-Date=99991231T235959Z&X-Amz-Expires=4294967295&X-Amz-Signature=0", false),
            ("/b/k?Expires=1", false),
            ("/b/k", false),
        ] {
            assert_eq!(has_expired(&parts(address), now), expired, "{address}");
        }
    }
}

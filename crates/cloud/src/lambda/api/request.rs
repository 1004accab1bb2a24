//! What a request says beside its body: headers and the query. And how answers are written.

use axum::body::Body;
use http::{HeaderMap, HeaderValue, StatusCode, request::Parts};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use super::error::ApiError;
use crate::{lambda::function_name::FunctionReference, service::Response};

/// The function's name with the qualifier of the query, if there is one.
pub(super) fn qualified(name: &str, parts: &Parts) -> Result<String, ApiError> {
    let in_name = FunctionReference::parse(name).and_then(|reference| reference.qualifier);
    match (in_name, query(parts, "Qualifier")) {
        (_, None) => Ok(name.to_owned()),
        (None, Some(qualifier)) => Ok(format!("{name}:{qualifier}")),
        (Some(inner), Some(outer)) if inner == outer => Ok(name.to_owned()),
        (Some(_), Some(_)) => Err(ApiError::invalid_parameter(
            "The derived qualifier from the function name does not match the specified qualifier.",
        )),
    }
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ApiError> {
    let text = headers.get(name).map(HeaderValue::to_str).transpose();
    text.map_err(|_| ApiError::invalid_parameter(format!("the header {name} is not plain text")))
}

pub(super) fn query(parts: &Parts, name: &str) -> Option<String> {
    let pairs = parts.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.into_iter().find(|(key, _)| *key == name)?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

/// The parameters in a body. One that the operation does not have here is refused by its name.
pub(super) fn parameters<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| ApiError::invalid_parameter(error.to_string()))
}

/// One page of a listing in the order of its keys, and the key that the next one begins after.
pub(super) fn page<T>(
    parts: &Parts,
    all: impl Iterator<Item = (String, T)>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let size = match query(parts, "MaxItems") {
        Some(text) => text
            .parse()
            .ok()
            .filter(|items| (1..=10_000).contains(items))
            .ok_or_else(|| ApiError::invalid_parameter("MaxItems is a number from 1 to 10000"))?,
        None => 50_usize,
    };
    let marker = query(parts, "Marker").unwrap_or_default();
    let mut rest = all.filter(|(key, _)| *key > marker).peekable();
    let mut items = Vec::new();
    let mut last = None;
    while let Some((key, item)) = rest.next_if(|_| items.len() < size) {
        items.push(item);
        last = Some(key);
    }
    let more = rest.peek().is_some();
    Ok((items, last.filter(|_| more)))
}

pub(super) fn empty(status: StatusCode, request_id: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

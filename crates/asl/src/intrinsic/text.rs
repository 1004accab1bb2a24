//! Strings, JSON text and hashes.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::Digest;

use crate::value::Value;

/// The longest text that can be encoded, decoded or hashed, in characters.
const MAX_TEXT: usize = 10_000;

pub(super) fn string(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("a string is wanted, not {value}"))
}

fn limited(value: &Value) -> Result<&str, String> {
    let text = string(value)?;
    if text.chars().count() > MAX_TEXT {
        return Err(format!("the text has more than {MAX_TEXT} characters"));
    }
    Ok(text)
}

pub(super) fn base64_encode(text: &Value) -> Result<Value, String> {
    Ok(STANDARD.encode(limited(text)?).into())
}

pub(super) fn base64_decode(text: &Value) -> Result<Value, String> {
    let bytes = STANDARD.decode(limited(text)?).map_err(|error| format!("the text is not Base64: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned().into())
}

pub(super) fn hash(data: &Value, algorithm: &Value) -> Result<Value, String> {
    let text = match data {
        Value::String(text) => text.to_string(),
        other => other.to_string(),
    };
    if text.chars().count() > MAX_TEXT {
        return Err(format!("the data has more than {MAX_TEXT} characters"));
    }
    let digest = match string(algorithm)? {
        "MD5" => hex(&md5::Md5::digest(&text)),
        "SHA-1" => hex(&sha1::Sha1::digest(&text)),
        "SHA-256" => hex(&sha2::Sha256::digest(&text)),
        "SHA-384" => hex(&sha2::Sha384::digest(&text)),
        "SHA-512" => hex(&sha2::Sha512::digest(&text)),
        other => return Err(format!("'{other}' is none of MD5, SHA-1, SHA-256, SHA-384, SHA-512")),
    };
    Ok(digest.into())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

pub(super) fn json_merge(first: &Value, second: &Value, deep: &Value) -> Result<Value, String> {
    let (Value::Object(first), Value::Object(second)) = (first, second) else {
        return Err("the first two arguments must be objects".into());
    };
    if *deep != Value::Bool(false) {
        return Err("only the shallow merge is supported: the third argument must be false".into());
    }
    let mut merged = (**first).clone();
    merged.extend(second.iter().map(|(key, value)| (key.clone(), value.clone())));
    Ok(merged.into())
}

/// Splits at any of the separators' characters; empty parts are left out.
pub(super) fn split(text: &Value, separators: &Value) -> Result<Value, String> {
    let separators = string(separators)?;
    let parts = string(text)?.split(|c| separators.contains(c)).filter(|part| !part.is_empty());
    Ok(parts.map(Value::from).collect::<Vec<_>>().into())
}

/// Reads JSON text; a blank text is null.
pub(super) fn string_to_json(text: &Value) -> Result<Value, String> {
    let text = string(text)?;
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    Value::parse(text).map_err(|error| format!("the text is not JSON: {error}"))
}

/// A version 4 UUID of 128 random bits.
pub(super) fn uuid(high: u64, low: u64) -> Value {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&high.to_be_bytes());
    bytes[8..].copy_from_slice(&low.to_be_bytes());
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string().into()
}

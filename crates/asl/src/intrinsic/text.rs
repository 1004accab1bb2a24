//! Strings, JSON text and hashes.

use crate::{hash::hexadecimal, malformed, value::Value};
use base64::{
    Engine,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

/// The longest text that can be encoded, decoded or hashed, in characters.
const MAX_TEXT: usize = 10_000;

/// Reads what can be read, as the service's decoder does.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn limited(text: &str) -> Option<&str> {
    (text.encode_utf16().count() <= MAX_TEXT).then_some(text)
}

pub(super) fn base64_encode(text: &Value) -> Option<Value> {
    Some(STANDARD.encode(limited(text.as_str()?)?).into())
}

/// The text of which this is the Base64. What is not of the alphabet is passed over, and padding ends it.
pub(super) fn base64_decode(text: &Value) -> Option<Value> {
    let text = limited(text.as_str()?)?;
    let mut digits: Vec<u8> = text
        .bytes()
        .take_while(|digit| *digit != b'=')
        .filter_map(|digit| match digit {
            b'-' => Some(b'+'),
            b'_' => Some(b'/'),
            digit => (digit.is_ascii_alphanumeric() || matches!(digit, b'+' | b'/')).then_some(digit),
        })
        .collect();
    if digits.len() % 4 == 1 {
        // Six bits make no byte.
        digits.pop();
    }
    Some(String::from_utf8_lossy(&LENIENT.decode(digits).ok()?).into_owned().into())
}

pub(super) fn hash(data: &Value, algorithm: &Value) -> Option<Value> {
    let text = match data {
        Value::String(text) => text.to_string(),
        other => other.to_string(),
    };
    hexadecimal(limited(&text)?, algorithm.as_str()?).map(Value::from)
}

/// The fields of both objects, those of the second first. The merge is never a deep one.
pub(super) fn json_merge(first: &Value, second: &Value, deep: &Value) -> Option<Value> {
    let (Value::Object(first), Value::Object(second)) = (first, second) else { return None };
    if *deep == Value::Bool(true) {
        return None;
    }
    let mut merged = (**first).clone();
    merged.extend(second.iter().map(|(key, value)| (key.clone(), value.clone())));
    Some(merged.into())
}

/// Splits at any of the separators' characters; empty parts are left out.
pub(super) fn split(text: &Value, separators: &Value) -> Option<Value> {
    let separators = separators.as_str()?;
    let parts = text.as_str()?.split(|c| separators.contains(c)).filter(|part| !part.is_empty());
    Some(parts.map(Value::from).collect::<Vec<_>>().into())
}

/// Reads JSON text; a blank text is null, and nothing is read in what is no text. The service's parser does not look at what
/// comes after the first value.
pub(super) fn string_to_json(text: &Value) -> Result<Option<Value>, String> {
    let Some(text) = text.as_str() else { return Ok(None) };
    if text.trim().is_empty() {
        return Ok(Some(Value::Null));
    }
    let value = match malformed::find(text) {
        Some(_) => Value::parse(text),
        None => serde_json::Deserializer::from_str(text).into_iter().next().unwrap_or(Ok(Value::Null)),
    };
    value.map(Some).map_err(|error| {
        let why = malformed::find(text).map_or_else(|| error.to_string(), |malformed| malformed.to_string());
        format!("Cannot convert String to Json in States.StringToJson, caused by: {why}")
    })
}

/// A version 4 UUID of 128 random bits.
pub(super) fn uuid(high: u64, low: u64) -> Value {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&high.to_be_bytes());
    bytes[8..].copy_from_slice(&low.to_be_bytes());
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string().into()
}

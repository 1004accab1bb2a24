//! The functions that the service adds to the language, and those that a replay must answer as the execution did.

#![expect(clippy::unnecessary_wraps, reason = "a table has functions of one type")]

use jsonata_core::{evaluator::EvaluatorError, value::JValue};

use super::{
    calls::{Answer, Calls, Numbers},
    conversion,
    error::EvaluationError,
    guarded::FROM_MILLIS,
};
use crate::{Value, hash::hexadecimal, random::Java};

/// The most items that `$range` makes: measured at the service.
const RANGE_LIMIT: usize = 360_145;

/// The argument at `index` is not what the function takes.
fn mismatch(function: &str, index: usize) -> EvaluatorError {
    let message = format!("Argument {} of function \"{function}\" does not match function signature", index + 1);
    EvaluationError::coded("T0410", message).into()
}

/// A number without its fraction; nothing for undefined.
fn whole(function: &str, args: &[JValue], index: usize) -> Result<Option<f64>, EvaluatorError> {
    match args.get(index) {
        Some(JValue::Number(number)) => Ok(Some(number.trunc())),
        None | Some(JValue::Undefined) => Ok(None),
        Some(_) => Err(mismatch(function, index)),
    }
}

/// A text; nothing for undefined.
fn text<'a>(function: &str, args: &'a [JValue], index: usize) -> Result<Option<&'a str>, EvaluatorError> {
    match args.get(index) {
        Some(JValue::String(text)) => Ok(Some(text)),
        None | Some(JValue::Undefined) => Ok(None),
        Some(_) => Err(mismatch(function, index)),
    }
}

/// `$hash(text, algorithm)`: hexadecimal digits.
pub(super) fn hash(_: &Calls, args: &[JValue]) -> Answer {
    let (Some(data), Some(algorithm)) = (text("hash", args, 0)?, text("hash", args, 1)?) else {
        return Ok(JValue::Undefined);
    };
    hexadecimal(data, algorithm).map(JValue::string).ok_or_else(|| mismatch("hash", 1))
}

/// `$millis()`: the moment of the evaluation.
pub(super) fn millis(calls: &Calls, _: &[JValue]) -> Answer {
    Ok(JValue::Number(calls.now))
}

/// `$now(picture, timezone)` is `$fromMillis` of the moment of the evaluation.
pub(super) fn now(calls: &Calls, args: &[JValue]) -> Answer {
    let picture = text("now", args, 0)?.map_or(JValue::Undefined, JValue::string);
    let timezone = text("now", args, 1)?.map_or(JValue::Undefined, JValue::string);
    FROM_MILLIS.answer(&JValue::Undefined, &[JValue::Number(calls.now), picture, timezone])
}

/// `$parse(text)`: the value of JSON text.
pub(super) fn parse(_: &Calls, args: &[JValue]) -> Answer {
    let Some(text) = text("parse", args, 0)? else { return Ok(JValue::Undefined) };
    match Value::parse(text) {
        Ok(value) => Ok(conversion::from_value(&value)),
        Err(error) => Err(EvaluatorError::EvaluationError(format!("Invalid JSON: {error}"))),
    }
}

/// `$partition(array, size)`: arrays of at most `size` items.
pub(super) fn partition(_: &Calls, args: &[JValue]) -> Answer {
    let Some(size) = whole("partition", args, 1)? else { return Ok(JValue::Undefined) };
    let items = match args.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(JValue::Array(items)) => items.to_vec(),
        Some(single) => vec![single.clone()],
    };
    if size.is_nan() || size < 1.0 || items.is_empty() {
        return Ok(JValue::Undefined);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturating above")]
    let size = size as usize;
    Ok(JValue::array(items.chunks(size).map(|chunk| JValue::array(chunk.to_vec())).collect()))
}

/// `$range(first, last, step)`: the last is among them where a step hits it.
pub(super) fn range(calls: &Calls, args: &[JValue]) -> Answer {
    if args.len() < 2 {
        return Err(mismatch("range", args.len()));
    }
    let (Some(first), Some(last), Some(step)) =
        (whole("range", args, 0)?, whole("range", args, 1)?, whole("range", args, 2)?)
    else {
        return Ok(JValue::Undefined);
    };
    let count = ((last - first) / step).floor() + 1.0;
    if step == 0.0 || count.is_nan() || count < 1.0 {
        return Ok(JValue::Undefined);
    }
    #[expect(clippy::cast_precision_loss, reason = "the limit is exact in a double")]
    if count > RANGE_LIMIT as f64 {
        return Err(EvaluationError::memory().into());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the limit")]
    let count = count as u32;
    let items = (0..count).map(|index| JValue::Number(first + f64::from(index) * step)).collect();
    calls.spend(JValue::sequence_flat(items, true))
}

/// `$random(seed)`: from 0 up to 1. With a seed, what Java's `Random` of that seed gives first.
pub(super) fn random(calls: &Calls, args: &[JValue]) -> Answer {
    let Some(seed) = whole("random", args, 0)? else { return Ok(JValue::Number(calls.numbers.unit())) };
    #[expect(clippy::cast_possible_truncation, reason = "saturating, as in Java")]
    let seed = seed as i64;
    Ok(JValue::Number(Java::new(seed).unit()))
}

/// `$shuffle(array)`
pub(super) fn shuffle(calls: &Calls, args: &[JValue]) -> Answer {
    match args {
        [] => Err(mismatch("shuffle", 0)),
        [JValue::Undefined] => Ok(JValue::Undefined),
        [JValue::Array(items)] => {
            let mut items = items.to_vec();
            for last in (1..items.len()).rev() {
                items.swap(last, calls.numbers.below(last + 1));
            }
            Ok(JValue::array(items))
        }
        [single] => Ok(JValue::array(vec![single.clone()])),
        [_, ..] => Err(mismatch("shuffle", 1)),
    }
}

/// `$uuid()`: version 4.
pub(super) fn uuid(Calls { numbers, .. }: &Calls, _: &[JValue]) -> Answer {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&Numbers::next(numbers).to_be_bytes());
    bytes[8..].copy_from_slice(&Numbers::next(numbers).to_be_bytes());
    Ok(JValue::string(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()))
}

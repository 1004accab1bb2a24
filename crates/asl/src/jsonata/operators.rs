//! What the guards put into a tree: operators that know their limits, and functions that let a value pass or not.

#![expect(clippy::unnecessary_wraps, reason = "a table has functions of one type")]

use jsonata_core::{evaluator::EvaluatorError, functions::string, value::JValue};

use super::{
    SEQUENCE_LIMIT,
    calls::{Answer, Calls},
    conversion::{MEMORY_LIMIT, holds_too_much},
    error::EvaluationError,
};
use crate::PAYLOAD_LIMIT;

/// The largest range that the language knows.
const LANGUAGE_RANGE_LIMIT: f64 = 1e6;

/// How long a text may be that is searched for all matches: twice the largest input.
const SEARCHED_LIMIT: usize = 2 * PAYLOAD_LIMIT;

/// How large the result of `$replace` may become, if everything matches.
const REPLACED_LIMIT: usize = 256 * 1024 * 1024;

/// `left & right`
pub(super) fn concatenate(calls: &Calls, args: &[JValue]) -> Answer {
    let mut text = String::new();
    for arg in args {
        match arg {
            JValue::Undefined => {}
            JValue::String(part) => text.push_str(part),
            other => text.push_str(string::string(&held(other.clone())?, None)?.as_str().unwrap_or_default()),
        }
    }
    if text.len() > MEMORY_LIMIT {
        return Err(EvaluationError::memory().into());
    }
    calls.spend(JValue::string(text))
}

/// `first..last`
pub(super) fn range(calls: &Calls, args: &[JValue]) -> Answer {
    let end = |index: usize, code: &str| match args.get(index) {
        None | Some(JValue::Undefined) => Ok(None),
        Some(JValue::Number(number)) if number.fract() == 0.0 => Ok(Some(*number)),
        Some(_) => Err(EvaluatorError::from(EvaluationError::coded(code, ""))),
    };
    let (first, last) = (end(0, "T2003")?, end(1, "T2004")?);
    let (Some(first), Some(last)) = (first, last) else { return Ok(JValue::Undefined) };
    if first > last {
        return Ok(JValue::Undefined);
    }
    let count = last - first + 1.0;
    if count > LANGUAGE_RANGE_LIMIT {
        let message = format!(
            "The size of the sequence allocated by the range operator (..) must not exceed 1e6.  Attempted to allocate \
             {count}."
        );
        return Err(EvaluationError::coded("D2014", message).into());
    }
    #[expect(clippy::cast_precision_loss, reason = "the limit is exact in a double")]
    if count > SEQUENCE_LIMIT as f64 {
        return Err(EvaluationError::memory().into());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the limit")]
    let count = count as u32;
    calls.spend(JValue::sequence_flat((0..count).map(|index| JValue::Number(first + f64::from(index))).collect(), true))
}

/// Lets a value pass that is not too large when it is written out. The parts of a value are shared, so a small one may
/// stand for an endless text.
pub(super) fn hold(_: &Calls, args: &[JValue]) -> Answer {
    held(first(args))
}

fn held(value: JValue) -> Answer {
    if holds_too_much(&value) { Err(EvaluationError::memory().into()) } else { Ok(value) }
}

/// Lets a value pass that was just made, and counts it.
pub(super) fn spend(calls: &Calls, args: &[JValue]) -> Answer {
    calls.spend(first(args))
}

/// An empty array is nothing: for `$reduce`, where the engine answers null.
pub(super) fn some(_: &Calls, args: &[JValue]) -> Answer {
    Ok(match first(args) {
        JValue::Array(items) if items.is_empty() => JValue::Undefined,
        value => value,
    })
}

/// Lets a text pass of which each character may become an object of its own.
pub(super) fn searched(_: &Calls, args: &[JValue]) -> Answer {
    let value = first(args);
    match value.as_str() {
        Some(text) if text.len() > SEARCHED_LIMIT => Err(EvaluationError::memory().into()),
        _ => Ok(value),
    }
}

/// Notes the text in which something will be replaced.
pub(super) fn subject(calls: &Calls, args: &[JValue]) -> Answer {
    let value = first(args);
    calls.subjects.borrow_mut().push(value.as_str().map_or(0, str::len));
    Ok(value)
}

/// Lets a replacement pass that does not make the text endless wherever it is put.
pub(super) fn replacement(calls: &Calls, args: &[JValue]) -> Answer {
    let value = first(args);
    let subject = calls.subjects.borrow_mut().pop().unwrap_or_default();
    let length = value.as_str().map_or(0, str::len);
    if subject.saturating_add(1).saturating_mul(length) > REPLACED_LIMIT {
        return Err(EvaluationError::memory().into());
    }
    Ok(value)
}

fn first(args: &[JValue]) -> JValue {
    args.first().cloned().unwrap_or(JValue::Undefined)
}

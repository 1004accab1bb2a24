//! Arrays and arithmetic.

use std::sync::Arc;

use crate::value::Value;

/// The most elements that `States.ArrayRange` makes.
const MAX_RANGE: usize = 1000;

pub(super) fn contains(array: &Value, item: &Value) -> Result<Value, String> {
    Ok(elements(array)?.contains(item).into())
}

pub(super) fn get_item(array: &Value, index: &Value) -> Result<Value, String> {
    let items = elements(array)?;
    let index = integer(index)?;
    usize::try_from(index)
        .ok()
        .and_then(|index| items.get(index))
        .cloned()
        .ok_or_else(|| format!("index {index} is outside of the array, which has {} elements", items.len()))
}

pub(super) fn length(array: &Value) -> Result<Value, String> {
    Ok(Value::from(elements(array)?.len() as u64))
}

pub(super) fn partition(array: &Value, size: &Value) -> Result<Value, String> {
    let items = elements(array)?;
    let size =
        usize::try_from(integer(size)?).ok().filter(|size| *size > 0).ok_or("the chunk size must be positive")?;
    Ok(items.chunks(size).map(|chunk| Value::from(chunk.to_vec())).collect::<Vec<_>>().into())
}

pub(super) fn range(first: &Value, last: &Value, step: &Value) -> Result<Value, String> {
    let (first, last, step) = (integer(first)?, integer(last)?, integer(step)?);
    let up = match step {
        0 => return Err("the step must not be 0".into()),
        step => step > 0,
    };
    let items: Vec<Value> = std::iter::successors(Some(first), |previous| previous.checked_add(step))
        .take_while(|item| if up { *item <= last } else { *item >= last })
        .take(MAX_RANGE + 1)
        .map(Value::from)
        .collect();
    if items.len() > MAX_RANGE {
        return Err(format!("the range has more than {MAX_RANGE} elements"));
    }
    Ok(items.into())
}

pub(super) fn unique(array: &Value) -> Result<Value, String> {
    let mut seen = std::collections::HashSet::new();
    let items = elements(array)?.iter().filter(|item| seen.insert(item.to_string())).cloned().collect::<Vec<_>>();
    Ok(items.into())
}

pub(super) fn math_add(a: &Value, b: &Value) -> Result<Value, String> {
    integer(a)?.checked_add(integer(b)?).map(Value::from).ok_or_else(|| "the sum is out of range".into())
}

/// A whole number from `start` to before `end`, chosen by 64 random bits.
pub(super) fn math_random(start: &Value, end: &Value, random: u64) -> Result<Value, String> {
    let (start, end) = (integer(start)?, integer(end)?);
    let span = u64::try_from(i128::from(end) - i128::from(start)).unwrap_or(0);
    if span == 0 {
        return Err("the start must be below the end".into());
    }
    let offset = (u128::from(random) * u128::from(span)) >> 64;
    let number = i128::from(start) + i128::try_from(offset).unwrap_or(0);
    i64::try_from(number).map(Value::from).map_err(|_| "the number is out of range".into())
}

fn elements(array: &Value) -> Result<&Arc<Vec<Value>>, String> {
    array.as_array().ok_or_else(|| "the first argument must be an array".into())
}

/// A number rounded half up, as Java's `Math.round` does: -1.5 becomes -1.
pub(super) fn integer(value: &Value) -> Result<i64, String> {
    let Value::Number(number) = value else { return Err(format!("a number is wanted, not {value}")) };
    if let Some(whole) = number.as_i64() {
        return Ok(whole);
    }
    let rounded = (number.as_f64().unwrap_or(f64::NAN) + 0.5).floor();
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    if rounded.abs() < 9.2e18 { Ok(rounded as i64) } else { Err(format!("{number} is out of range")) }
}

//! Arrays and arithmetic. No value: the arguments are not what the function takes.

use std::{borrow::Cow, sync::Arc};

use crate::{
    random::Java,
    value::{Number, Value},
};

/// The most elements that `States.ArrayRange` makes.
const MAX_RANGE: usize = 1000;

/// Whether an element reads as `item` does. The service compares texts: `true` is found where `"true"` is.
pub(super) fn contains(array: &Value, item: &Value) -> Option<Value> {
    let item = text(item);
    Some(elements(array)?.iter().any(|element| text(element) == item).into())
}

/// The element at an index. An empty array has null at every index that is not negative.
pub(super) fn get_item(array: &Value, index: &Value) -> Option<Value> {
    let items = elements(array)?;
    let index = usize::try_from(whole(index)?).ok()?;
    if items.is_empty() { Some(Value::Null) } else { items.get(index).cloned() }
}

pub(super) fn length(array: &Value) -> Option<Value> {
    Some(Value::from(elements(array)?.len() as u64))
}

pub(super) fn partition(array: &Value, size: &Value) -> Option<Value> {
    let items = elements(array)?;
    let size = usize::try_from(whole(size)?).ok().filter(|size| *size > 0)?;
    Some(items.chunks(size).map(|chunk| Value::from(chunk.to_vec())).collect::<Vec<_>>().into())
}

pub(super) fn range(first: &Value, last: &Value, step: &Value) -> Option<Value> {
    let (first, last, step) = (whole(first)?, whole(last)?, whole(step)?);
    let up = match step {
        0 => return None,
        step => step > 0,
    };
    let items: Vec<Value> = std::iter::successors(Some(first), |previous| previous.checked_add(step))
        .take_while(|item| if up { *item <= last } else { *item >= last })
        .take(MAX_RANGE + 1)
        .map(|item| Value::from(i64::from(item)))
        .collect();
    (items.len() <= MAX_RANGE).then(|| items.into())
}

pub(super) fn unique(array: &Value) -> Option<Value> {
    Some(super::unique::unique(elements(array)?).into())
}

/// The sum of two numbers that are rounded first.
pub(super) fn math_add(a: &Value, b: &Value) -> Option<Value> {
    rounded(a)?.checked_add(rounded(b)?).map(|sum| Value::from(i64::from(sum)))
}

/// A whole number from `start` to before `end`.
pub(super) fn math_random(start: &Value, end: &Value, random: &mut Java) -> Option<Value> {
    let (start, end) = (whole(start)?, whole(end)?);
    let span = end.checked_sub(start).filter(|span| *span > 0)?;
    Some(Value::from(i64::from(start) + i64::from(random.below(span))))
}

/// The generator that a seed begins.
pub(super) fn seeded(seed: &Value) -> Option<Java> {
    let Value::Number(seed) = seed else { return None };
    #[expect(clippy::cast_possible_truncation, reason = "saturating, as in Java")]
    let seed = seed.as_i64().or_else(|| seed.as_f64().map(|seed| seed as i64))?;
    Some(Java::new(seed))
}

fn elements(array: &Value) -> Option<&Arc<Vec<Value>>> {
    array.as_array()
}

fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// A number of 32 bits without its fraction.
fn whole(value: &Value) -> Option<i32> {
    number_of_32_bits(value, f64::trunc)
}

/// A number of 32 bits rounded half up, as Java's `Math.round` does: -1.5 becomes -1.
fn rounded(value: &Value) -> Option<i32> {
    number_of_32_bits(value, |number| (number + 0.5).floor())
}

fn number_of_32_bits(value: &Value, round: impl Fn(f64) -> f64) -> Option<i32> {
    let Value::Number(number) = value else { return None };
    if let Some(whole) = number.as_i64() {
        return i32::try_from(whole).ok();
    }
    let number = round(Number::as_f64(number)?);
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number).then_some(number as i32)
}

//! The operators that compare two values in a filter, as the service's Jayway paths have them.

use super::parse::Reader;
use crate::value::{Number, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `==`: a number and the text of it are equal.
    Equal,
    /// `!=`
    NotEqual,
    /// `===`: of one type, and equal.
    Same,
    /// `!==`
    NotSame,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// `in`: the right list has the left value.
    In,
    /// `nin`
    NotIn,
    /// `subsetof`: the right list has every value of the left one.
    SubsetOf,
    /// `anyof`: the right list has a value of the left one.
    AnyOf,
    /// `noneof`: the right list has no value of the left one.
    NoneOf,
    /// `contains`: the left list has the right value, or the left text the right one.
    Contains,
    /// `size`: the left list or text has this length.
    Size,
    /// `empty`: whether the left list, object or text is empty, as the right truth value says.
    Empty,
}

use Operator::{
    AnyOf, Contains, Empty, Equal, Greater, GreaterOrEqual, In, Less, LessOrEqual, NoneOf, NotEqual, NotIn, NotSame,
    Same, Size, SubsetOf,
};

/// The longer token stands before the one it starts with.
const SIGNS: [(&str, Operator); 8] = [
    ("===", Same),
    ("!==", NotSame),
    ("==", Equal),
    ("!=", NotEqual),
    ("<=", LessOrEqual),
    (">=", GreaterOrEqual),
    ("<", Less),
    (">", Greater),
];

const WORDS: [(&str, Operator); 8] = [
    ("in", In),
    ("nin", NotIn),
    ("subsetof", SubsetOf),
    ("anyof", AnyOf),
    ("noneof", NoneOf),
    ("contains", Contains),
    ("size", Size),
    ("empty", Empty),
];

impl Operator {
    /// Reads an operator, if there is one.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let sign = SIGNS.into_iter().find(|(token, _)| reader.eat(token));
        let (_, operator) = sign.or_else(|| WORDS.into_iter().find(|(word, _)| reader.eat_word(word)))?;
        Some(operator)
    }

    /// Whether it holds; what is not there is `None`, and is neither equal to anything nor in any order.
    pub(super) fn holds(self, left: Option<&Value>, right: Option<&Value>) -> bool {
        let (Some(left), Some(right)) = (left, right) else { return matches!(self, NotEqual | NotSame) };
        let ordering = || match (left, right) {
            (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
            (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
            _ => None,
        };
        match self {
            Equal => equal(left, right),
            NotEqual => !equal(left, right),
            Same => same(left, right),
            NotSame => !same(left, right),
            Less => ordering().is_some_and(std::cmp::Ordering::is_lt),
            LessOrEqual => ordering().is_some_and(std::cmp::Ordering::is_le),
            Greater => ordering().is_some_and(std::cmp::Ordering::is_gt),
            GreaterOrEqual => ordering().is_some_and(std::cmp::Ordering::is_ge),
            In => right.as_array().is_some_and(|list| has(list, left)),
            NotIn => !In.holds(Some(left), Some(right)),
            SubsetOf => both_lists(left, right, |left, right| left.iter().all(|value| has(right, value))),
            AnyOf => both_lists(left, right, |left, right| left.iter().any(|value| has(right, value))),
            NoneOf => both_lists(left, right, |left, right| !left.iter().any(|value| has(right, value))),
            Contains => match (left, right) {
                (Value::String(text), Value::String(part)) => text.contains(&**part),
                (Value::Array(list), value) => has(list, value),
                _ => false,
            },
            Size => length(left)
                .is_some_and(|length| right.as_i64().and_then(|size| usize::try_from(size).ok()) == Some(length)),
            Empty => is_empty(left).is_some_and(|is_empty| *right == Value::Bool(is_empty)),
        }
    }
}

fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(number), Value::String(text)) => {
            text.parse::<Number>().is_ok_and(|text| text.as_f64() == number.as_f64())
        }
        (Value::String(text), Value::Number(number)) => **text == *number.to_string(),
        _ => same(left, right),
    }
}

fn has(list: &[Value], value: &Value) -> bool {
    list.iter().any(|item| equal(item, value))
}

fn both_lists(left: &Value, right: &Value, holds: impl FnOnce(&[Value], &[Value]) -> bool) -> bool {
    left.as_array().zip(right.as_array()).is_some_and(|(left, right)| holds(left, right))
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::Array(items) => Some(items.len()),
        Value::String(text) => Some(text.encode_utf16().count()),
        _ => None,
    }
}

fn is_empty(value: &Value) -> Option<bool> {
    match value {
        Value::Array(items) => Some(items.is_empty()),
        Value::Object(fields) => Some(fields.is_empty()),
        Value::String(text) => Some(text.is_empty()),
        _ => None,
    }
}

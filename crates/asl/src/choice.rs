//! The rules of Choice states.
//!
//! In `JSONPath` a comparison of a value that is not of the operator's type is false. A variable that is not there ends the
//! execution, unless the question is whether it is.

use std::{cmp::Ordering, sync::Arc};

use time::OffsetDateTime;

use crate::{
    context::Scope,
    fault::{Fault, FieldError},
    path::{Missing, Path},
    template::Expression,
    timestamp,
    value::{Number, Value},
};

/// A condition.
#[derive(Clone, Debug)]
pub enum Rule {
    /// `Condition` with a constant.
    Constant(bool),
    /// `Condition` with an expression of JSONata, which must give a boolean.
    Condition(Expression),
    /// Every one of these.
    And(Vec<Rule>),
    /// At least one of these.
    Or(Vec<Rule>),
    /// Not this.
    Not(Box<Rule>),
    /// A question about one variable.
    Test {
        /// Where the value is.
        variable: Path,
        /// What is asked of it.
        test: Test,
    },
}

/// What is asked of a value.
#[derive(Clone, Debug)]
pub enum Test {
    /// Whether it is of a kind: `IsString: true`.
    Is {
        /// The kind.
        kind: Kind,
        /// Whether it should be of it.
        wanted: bool,
    },
    /// How it compares with a boolean: only for equality.
    Boolean(Operand<bool>),
    /// How it compares with a number.
    Numeric(Relation, Operand<Number>),
    /// How it compares with a string, by UTF-16 code units as the service does.
    String(Relation, Operand<Arc<str>>),
    /// How it compares with a moment.
    Timestamp(Relation, Operand<OffsetDateTime>),
    /// Whether it matches a pattern with `*`.
    StringMatches(Pattern),
}

/// The kinds of the `Is…` operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `IsNull`
    Null,
    /// `IsPresent`
    Present,
    /// `IsNumeric`
    Numeric,
    /// `IsString`
    String,
    /// `IsBoolean`
    Boolean,
    /// `IsTimestamp`
    Timestamp,
}

/// The five relations of ordered values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `…Equals`
    Equals,
    /// `…LessThan`
    LessThan,
    /// `…GreaterThan`
    GreaterThan,
    /// `…LessThanEquals`
    LessThanEquals,
    /// `…GreaterThanEquals`
    GreaterThanEquals,
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equals => order.is_eq(),
            Self::LessThan => order.is_lt(),
            Self::GreaterThan => order.is_gt(),
            Self::LessThanEquals => order.is_le(),
            Self::GreaterThanEquals => order.is_ge(),
        }
    }
}

/// What a value is compared with.
#[derive(Clone, Debug)]
pub enum Operand<T> {
    /// A constant of the definition.
    Literal(T),
    /// The `…Path` operators: a value of the same input.
    Path(Path),
}

impl<T> Operand<T> {
    /// Compares by `relate`; false where a path gives a value of another type.
    fn compare(
        &self,
        scope: &Scope<'_>,
        read: impl FnOnce(&Value) -> Option<T>,
        relate: impl FnOnce(&T) -> bool,
    ) -> Result<bool, Fault> {
        match self {
            Self::Literal(literal) => Ok(relate(literal)),
            Self::Path(path) => Ok(read(&find(path, scope)?).is_some_and(|value| relate(&value))),
        }
    }
}

/// A text with `*` for any run of characters; `\*` is a star and `\\` a backslash.
#[derive(Clone, Debug)]
pub struct Pattern(Vec<Piece>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Exactly(char),
    AnyRun,
}

impl Pattern {
    /// Compiles a pattern; the error is a sentence for a person.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            pieces.push(match c {
                '*' => Piece::AnyRun,
                '\\' => match rest.next() {
                    Some(escaped @ ('*' | '\\')) => Piece::Exactly(escaped),
                    _ => return Err(format!("a backslash in '{text}' must stand before '*' or a backslash")),
                },
                c => Piece::Exactly(c),
            });
        }
        Ok(Self(pieces))
    }

    /// Whether the whole text matches. Takes at most the product of both lengths.
    fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut piece, mut at) = (0, 0);
        // The last star seen, and how much of the text it has taken so far.
        let mut star: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.0.get(piece) {
                Some(Piece::Exactly(c)) if *c == text[at] => {
                    piece += 1;
                    at += 1;
                }
                Some(Piece::AnyRun) => {
                    star = Some((piece, at));
                    piece += 1;
                }
                _ => match &mut star {
                    Some((star_piece, taken)) => {
                        *taken += 1;
                        piece = *star_piece + 1;
                        at = *taken;
                    }
                    None => return false,
                },
            }
        }
        self.0[piece..].iter().all(|piece| *piece == Piece::AnyRun)
    }
}

impl Rule {
    /// Whether the rule holds.
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, FieldError> {
        match self {
            Self::Constant(holds) => Ok(*holds),
            Self::Condition(expression) => match expression.evaluate(scope)? {
                Value::Bool(holds) => Ok(holds),
                other => Err(expression.unexpected_type("boolean", &other)),
            },
            Self::And(rules) => {
                for rule in rules {
                    if !rule.holds(scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(rules) => {
                for rule in rules {
                    if rule.holds(scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(rule) => rule.holds(scope).map(|holds| !holds),
            Self::Test { variable, test: Test::Is { kind: Kind::Present, wanted } } => match variable.find(scope) {
                Err(why @ Missing::TooMany) => Err(Fault::runtime(format!("Invalid path '{variable}': {why}")).into()),
                found => Ok(found.is_ok() == *wanted),
            },
            Self::Test { variable, test } => Ok(test.holds(&find(variable, scope)?, scope)?),
        }
    }

    /// Every path in it.
    pub fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Constant(_) | Self::Condition(_) => Vec::new(),
            Self::And(rules) | Self::Or(rules) => rules.iter().flat_map(Self::paths).collect(),
            Self::Not(rule) => rule.paths(),
            Self::Test { variable, test } => std::iter::once(variable).chain(test.path()).collect(),
        }
    }
}

impl Test {
    fn holds(&self, value: &Value, scope: &Scope<'_>) -> Result<bool, Fault> {
        match self {
            Self::Is { kind, wanted } => Ok(kind.is(value) == *wanted),
            Self::Boolean(operand) => match value {
                Value::Bool(flag) => operand.compare(scope, boolean, |other| flag == other),
                _ => Ok(false),
            },
            Self::Numeric(relation, operand) => match value {
                Value::Number(number) => operand.compare(scope, numeric, |other| {
                    numeric_order(number, other).is_some_and(|order| relation.holds(order))
                }),
                _ => Ok(false),
            },
            Self::String(relation, operand) => match value {
                Value::String(text) => operand
                    .compare(scope, string, |other| relation.holds(text.encode_utf16().cmp(other.encode_utf16()))),
                _ => Ok(false),
            },
            Self::Timestamp(relation, operand) => match moment(value) {
                Some(at) => operand.compare(scope, moment, |other| relation.holds(at.cmp(other))),
                None => Ok(false),
            },
            Self::StringMatches(pattern) => Ok(value.as_str().is_some_and(|text| pattern.matches(text))),
        }
    }

    fn path(&self) -> Option<&Path> {
        match self {
            Self::Boolean(Operand::Path(path))
            | Self::Numeric(_, Operand::Path(path))
            | Self::String(_, Operand::Path(path))
            | Self::Timestamp(_, Operand::Path(path)) => Some(path),
            _ => None,
        }
    }
}

impl Kind {
    fn is(self, value: &Value) -> bool {
        match self {
            Self::Present => true,
            Self::Null => matches!(value, Value::Null),
            Self::Numeric => matches!(value, Value::Number(_)),
            Self::String => matches!(value, Value::String(_)),
            Self::Boolean => matches!(value, Value::Bool(_)),
            Self::Timestamp => moment(value).is_some(),
        }
    }
}

fn find(path: &Path, scope: &Scope<'_>) -> Result<Value, Fault> {
    path.find(scope).map_err(|_| {
        Fault::runtime(format!("Invalid path '{path}': The choice state's condition path references an invalid value."))
    })
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        _ => None,
    }
}

fn numeric(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        _ => None,
    }
}

fn string(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn moment(value: &Value) -> Option<OffsetDateTime> {
    timestamp::parse(value.as_str()?)
}

/// Whole numbers are compared exactly, others as double-precision ones.
fn numeric_order(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, matches) in [
            ("*", "", true),
            ("log-*.txt", "log-2024.txt", true),
            ("log-*.txt", "log-2024.txt.gz", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXc", false),
            (r"a\*b", "a*b", true),
            (r"a\*b", "aXb", false),
            (r"a\\b", r"a\b", true),
            ("é*", "éa", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(text), matches, "{pattern} {text}");
        }
    }
}

//! Filters inside a path: `[?(@.price < 10 && @.name)]`.

use regex::Regex;

use super::{
    Step, are_definite,
    eval::Search,
    operator::Operator,
    parse::{PathError, Reader},
};
use crate::value::Value;

#[derive(Clone, Debug)]
pub(super) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    Exists(Operand),
    Compare {
        left: Operand,
        operator: Operator,
        right: Operand,
    },
    /// `=~`: a text as a whole, or one in a list, is as the pattern says.
    Matches(Operand, Regex),
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    /// `@.…`: below the element that is looked at.
    Here(Vec<Step>),
    /// `$.…`: below the root.
    Root(Vec<Step>),
    Literal(Value),
}

pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Filter, PathError> {
    let filter = series(reader, "||", Filter::Any, |reader| series(reader, "&&", Filter::All, unary))?;
    reader.blanks();
    Ok(filter)
}

fn series(
    reader: &mut Reader<'_>,
    separator: &str,
    join: fn(Vec<Filter>) -> Filter,
    part: impl Fn(&mut Reader<'_>) -> Result<Filter, PathError>,
) -> Result<Filter, PathError> {
    let first = part(reader)?;
    let mut parts = Vec::new();
    loop {
        reader.blanks();
        if !reader.eat(separator) {
            break;
        }
        parts.push(part(reader)?);
    }
    if parts.is_empty() {
        return Ok(first);
    }
    parts.insert(0, first);
    Ok(join(parts))
}

fn unary(reader: &mut Reader<'_>) -> Result<Filter, PathError> {
    reader.blanks();
    if reader.eat("!") {
        return Ok(Filter::Not(Box::new(reader.nested(unary)?)));
    }
    if reader.eat("(") {
        let filter = reader.nested(parse)?;
        reader.expect(")")?;
        return Ok(filter);
    }
    let left = operand(reader)?;
    reader.blanks();
    if reader.eat("=~") {
        reader.blanks();
        return Ok(Filter::Matches(left, reader.pattern()?));
    }
    let Some(operator) = Operator::read(reader) else {
        return match reader.peek() {
            Some(')' | '&' | '|') => Ok(Filter::Exists(left)),
            _ => Err(reader.error("expected a comparison (==, !=, <, <=, >, >=, =~, in, ...), '&&', '||' or ')'")),
        };
    };
    reader.blanks();
    let right = operand(reader)?;
    Ok(Filter::Compare { left, operator, right })
}

fn operand(reader: &mut Reader<'_>) -> Result<Operand, PathError> {
    let below = if reader.eat("@") {
        Operand::Here
    } else if reader.eat("$") {
        Operand::Root
    } else {
        return reader.literal().map(Operand::Literal);
    };
    let mut steps = Vec::new();
    while matches!(reader.peek(), Some('.' | '[')) {
        reader.step(&mut steps)?;
    }
    Ok(below(steps))
}

impl Filter {
    pub(super) fn keeps(&self, item: &Value, search: &Search<'_>) -> bool {
        match self {
            Self::Any(filters) => filters.iter().any(|filter| filter.keeps(item, search)),
            Self::All(filters) => filters.iter().all(|filter| filter.keeps(item, search)),
            Self::Not(filter) => !filter.keeps(item, search),
            Self::Exists(operand) => operand.value(item, search).is_some(),
            Self::Compare { left, operator, right } => {
                operator.holds(left.value(item, search).as_ref(), right.value(item, search).as_ref())
            }
            Self::Matches(operand, pattern) => operand.value(item, search).is_some_and(|value| match &value {
                Value::Array(items) => items.iter().any(|item| matches(pattern, item)),
                value => matches(pattern, value),
            }),
        }
    }
}

impl Operand {
    fn value(&self, item: &Value, search: &Search<'_>) -> Option<Value> {
        let (steps, from) = match self {
            Self::Literal(value) => return Some(value.clone()),
            Self::Here(steps) => (steps, item),
            Self::Root(steps) => (steps, search.root),
        };
        let mut found = search.collect(steps, from);
        if are_definite(steps) { found.pop() } else { Some(found.into()) }
    }
}

fn matches(pattern: &Regex, value: &Value) -> bool {
    match value {
        Value::String(text) => pattern.is_match(text),
        Value::Number(_) | Value::Bool(_) => pattern.is_match(&value.to_string()),
        _ => pattern.is_match(""),
    }
}

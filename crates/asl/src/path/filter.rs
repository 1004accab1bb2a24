//! Filters inside a path: `[?(@.price < 10 && @.name)]`.

use super::{
    Step,
    eval::collect,
    parse::{PathError, Reader},
};
use crate::value::Value;

#[derive(Clone, Debug)]
pub(super) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    Exists(Operand),
    Compare { left: Operand, operator: Operator, right: Operand },
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    /// `@.…`: below the element that is looked at.
    Here(Vec<Step>),
    /// `$.…`: below the root.
    Root(Vec<Step>),
    Literal(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The longer token stands before the one it starts with.
const OPERATORS: [(&str, Operator); 6] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

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
    let Some((_, operator)) = OPERATORS.into_iter().find(|(token, _)| reader.eat(token)) else {
        return match reader.peek() {
            Some(')' | '&' | '|') => Ok(Filter::Exists(left)),
            _ => Err(reader.error("expected a comparison (==, !=, <, <=, >, >=), '&&', '||' or ')'")),
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
    pub(super) fn keeps(&self, item: &Value, root: &Value) -> bool {
        match self {
            Self::Any(filters) => filters.iter().any(|filter| filter.keeps(item, root)),
            Self::All(filters) => filters.iter().all(|filter| filter.keeps(item, root)),
            Self::Not(filter) => !filter.keeps(item, root),
            Self::Exists(operand) => operand.value(item, root).is_some(),
            Self::Compare { left, operator, right } => {
                operator.holds(left.value(item, root).as_ref(), right.value(item, root).as_ref())
            }
        }
    }
}

impl Operand {
    fn value(&self, item: &Value, root: &Value) -> Option<Value> {
        let (steps, from) = match self {
            Self::Literal(value) => return Some(value.clone()),
            Self::Here(steps) => (steps, item),
            Self::Root(steps) => (steps, root),
        };
        let mut found = Vec::new();
        collect(steps, from, root, &mut found);
        if steps.iter().all(Step::is_definite) { found.pop() } else { Some(found.into()) }
    }
}

impl Operator {
    fn holds(self, left: Option<&Value>, right: Option<&Value>) -> bool {
        let equal = || match (left, right) {
            (Some(Value::Number(a)), Some(Value::Number(b))) => a.as_f64() == b.as_f64(),
            _ => left == right,
        };
        let order = || match (left?, right?) {
            (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
            (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
            _ => None,
        };
        match self {
            Self::Equal => equal(),
            Self::NotEqual => !equal(),
            Self::Less => order().is_some_and(std::cmp::Ordering::is_lt),
            Self::LessOrEqual => order().is_some_and(std::cmp::Ordering::is_le),
            Self::Greater => order().is_some_and(std::cmp::Ordering::is_gt),
            Self::GreaterOrEqual => order().is_some_and(std::cmp::Ordering::is_ge),
        }
    }
}

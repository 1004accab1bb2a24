//! Choice rules.

use super::fields::{Fields, Language};
use crate::{
    choice::{Kind, Operand, Pattern, Relation, Rule, Test},
    path::Path,
    timestamp,
    value::Value,
};

/// How deep `And`, `Or` and `Not` may nest.
const MAX_NESTING: usize = 64;

/// The name of an operator with what it asks.
#[derive(Clone, Copy)]
enum Operator {
    Is(Kind),
    Boolean,
    Numeric(Relation),
    String(Relation),
    Timestamp(Relation),
    StringMatches,
}

macro_rules! operators {
    ($($name:literal => $operator:expr,)*) => {
        /// Every operator, without those that end in `Path`.
        const OPERATORS: &[(&str, &str, Operator)] = &[$(($name, concat!($name, "Path"), $operator),)*];
    };
}

operators! {
    "IsNull" => Operator::Is(Kind::Null),
    "IsPresent" => Operator::Is(Kind::Present),
    "IsNumeric" => Operator::Is(Kind::Numeric),
    "IsString" => Operator::Is(Kind::String),
    "IsBoolean" => Operator::Is(Kind::Boolean),
    "IsTimestamp" => Operator::Is(Kind::Timestamp),
    "BooleanEquals" => Operator::Boolean,
    "NumericEquals" => Operator::Numeric(Relation::Equals),
    "NumericLessThan" => Operator::Numeric(Relation::LessThan),
    "NumericGreaterThan" => Operator::Numeric(Relation::GreaterThan),
    "NumericLessThanEquals" => Operator::Numeric(Relation::LessThanEquals),
    "NumericGreaterThanEquals" => Operator::Numeric(Relation::GreaterThanEquals),
    "StringEquals" => Operator::String(Relation::Equals),
    "StringLessThan" => Operator::String(Relation::LessThan),
    "StringGreaterThan" => Operator::String(Relation::GreaterThan),
    "StringLessThanEquals" => Operator::String(Relation::LessThanEquals),
    "StringGreaterThanEquals" => Operator::String(Relation::GreaterThanEquals),
    "TimestampEquals" => Operator::Timestamp(Relation::Equals),
    "TimestampLessThan" => Operator::Timestamp(Relation::LessThan),
    "TimestampGreaterThan" => Operator::Timestamp(Relation::GreaterThan),
    "TimestampLessThanEquals" => Operator::Timestamp(Relation::LessThanEquals),
    "TimestampGreaterThanEquals" => Operator::Timestamp(Relation::GreaterThanEquals),
    "StringMatches" => Operator::StringMatches,
}

/// Compiles the condition of an element of `Choices`.
pub(super) fn rule(fields: &mut Fields<'_>) -> Option<Rule> {
    match fields.language {
        Language::JsonPath => {
            fields.refuse_jsonata(&["Condition"]);
            nested_rule(fields, 0)
        }
        Language::Jsonata => {
            let given =
                ["Variable", "And", "Or", "Not"].into_iter().filter(|name| fields.has(name)).collect::<Vec<_>>();
            fields.refuse_json_path(&given);
            fields.take("Comment");
            condition(fields)
        }
    }
}

/// `Condition`: a boolean, or an expression.
fn condition(fields: &mut Fields<'_>) -> Option<Rule> {
    const NAME: &str = "Condition";
    fields.require(NAME);
    match fields.query(NAME) {
        Some(query) => query.map(Rule::Condition),
        None => fields.flag(NAME).map(Rule::Constant),
    }
}

fn nested_rule(fields: &mut Fields<'_>, nesting: usize) -> Option<Rule> {
    if nesting > MAX_NESTING {
        fields.object_error(format!("More than {MAX_NESTING} nested conditions"));
        return None;
    }
    fields.take("Comment");
    if nesting > 0 {
        for name in ["Next", "Assign"] {
            if fields.has(name) {
                fields.take(name);
                fields.error(name, format!("Only a rule at the top of 'Choices' can have '{name}'"));
            }
        }
    }
    if fields.has("And") {
        return rules(fields, "And", nesting).map(Rule::And);
    }
    if fields.has("Or") {
        return rules(fields, "Or", nesting).map(Rule::Or);
    }
    if let Some(value) = fields.take("Not") {
        let mut inner = fields.inner("Not", &value)?;
        let rule = nested_rule(&mut inner, nesting + 1);
        inner.close();
        return rule.map(|rule| Rule::Not(Box::new(rule)));
    }
    comparison(fields)
}

fn rules(fields: &mut Fields<'_>, name: &'static str, nesting: usize) -> Option<Vec<Rule>> {
    let values = fields.filled_array(name)?;
    let rules: Vec<_> = values
        .iter()
        .enumerate()
        .filter_map(|(index, value)| {
            let mut inner = fields.element(name, index, value)?;
            let rule = nested_rule(&mut inner, nesting + 1);
            inner.close();
            rule
        })
        .collect();
    (rules.len() == values.len()).then_some(rules)
}

fn comparison(fields: &mut Fields<'_>) -> Option<Rule> {
    fields.require("Variable");
    let variable = fields.path("Variable");
    let given: Vec<_> = OPERATORS
        .iter()
        .filter_map(|(name, path_name, operator)| {
            let name = if fields.has(name) { name } else { path_name };
            fields.has(name).then_some((*name, *operator))
        })
        .collect();
    let [(name, operator)] = given.as_slice() else {
        for (name, _) in &given {
            fields.take(name);
        }
        // A misspelt operator is told where it is, and is all that is wrong.
        let names: Vec<_> = OPERATORS.iter().flat_map(names).collect();
        if fields.may_be_meant(&names) && given.is_empty() {
            return None;
        }
        fields.object_error("A rule needs exactly one comparison operator");
        return None;
    };
    let test = test(fields, name, *operator);
    Some(Rule::Test { variable: variable?, test: test? })
}

/// The operator's name, and that of its sister which compares with what a path leads to, where it has one.
fn names((name, path_name, operator): &(&'static str, &'static str, Operator)) -> impl Iterator<Item = &'static str> {
    let has_path = !matches!(operator, Operator::Is(_) | Operator::StringMatches);
    std::iter::once(*name).chain(has_path.then_some(*path_name))
}

fn test(fields: &mut Fields<'_>, name: &'static str, operator: Operator) -> Option<Test> {
    let by_path = name.ends_with("Path");
    match operator {
        Operator::Is(kind) if !by_path => fields.flag(name).map(|wanted| Test::Is { kind, wanted }),
        Operator::StringMatches if !by_path => {
            let text = fields.text(name)?;
            let pattern = Pattern::parse(&text);
            pattern.map_err(|error| fields.error(name, error)).ok().map(Test::StringMatches)
        }
        Operator::Is(_) | Operator::StringMatches => {
            fields.take(name);
            fields.error(name, format!("There is no operator '{name}'"));
            None
        }
        Operator::Boolean => operand(fields, name, |fields, name| fields.flag(name)).map(Test::Boolean),
        Operator::Numeric(relation) => {
            let number = |fields: &mut Fields<'_>, name| match fields.take(name)? {
                Value::Number(number) => Some(number),
                _ => {
                    fields.error(name, "Value is not of type 'Number'");
                    None
                }
            };
            operand(fields, name, number).map(|operand| Test::Numeric(relation, operand))
        }
        Operator::String(relation) => {
            operand(fields, name, |fields, name| fields.text(name)).map(|operand| Test::String(relation, operand))
        }
        Operator::Timestamp(relation) => {
            let moment = |fields: &mut Fields<'_>, name| {
                let at = timestamp::parse(&fields.text(name)?);
                if at.is_none() {
                    fields.error(name, "String does not match RFC3339 timestamp");
                }
                at
            };
            operand(fields, name, moment).map(|operand| Test::Timestamp(relation, operand))
        }
    }
}

fn operand<T>(
    fields: &mut Fields<'_>,
    name: &'static str,
    literal: impl FnOnce(&mut Fields<'_>, &'static str) -> Option<T>,
) -> Option<Operand<T>> {
    if name.ends_with("Path") {
        let path: Path = fields.path(name)?;
        Some(Operand::Path(path))
    } else {
        literal(fields, name).map(Operand::Literal)
    }
}

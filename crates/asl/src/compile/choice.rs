//! Choice rules.

use super::{
    fields::{Fields, Language, Type},
    literals,
};
use crate::{
    choice::{Kind, Operand, Pattern, Relation, Rule, Test},
    timestamp,
    value::Value,
};

/// How deep `And`, `Or` and `Not` may nest.
const MAX_NESTING: usize = 64;

/// The fields that say what kind of a rule it is.
const SELECTORS: &[&str] = &["And", "Or", "Not", "Variable", "Condition"];

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
    "StringEquals" => Operator::String(Relation::Equals),
    "StringLessThan" => Operator::String(Relation::LessThan),
    "StringGreaterThan" => Operator::String(Relation::GreaterThan),
    "StringLessThanEquals" => Operator::String(Relation::LessThanEquals),
    "StringGreaterThanEquals" => Operator::String(Relation::GreaterThanEquals),
    "StringMatches" => Operator::StringMatches,
    "NumericEquals" => Operator::Numeric(Relation::Equals),
    "NumericLessThan" => Operator::Numeric(Relation::LessThan),
    "NumericGreaterThan" => Operator::Numeric(Relation::GreaterThan),
    "NumericLessThanEquals" => Operator::Numeric(Relation::LessThanEquals),
    "NumericGreaterThanEquals" => Operator::Numeric(Relation::GreaterThanEquals),
    "BooleanEquals" => Operator::Boolean,
    "TimestampEquals" => Operator::Timestamp(Relation::Equals),
    "TimestampLessThan" => Operator::Timestamp(Relation::LessThan),
    "TimestampGreaterThan" => Operator::Timestamp(Relation::GreaterThan),
    "TimestampLessThanEquals" => Operator::Timestamp(Relation::LessThanEquals),
    "TimestampGreaterThanEquals" => Operator::Timestamp(Relation::GreaterThanEquals),
    "IsNull" => Operator::Is(Kind::Null),
    "IsPresent" => Operator::Is(Kind::Present),
    "IsNumeric" => Operator::Is(Kind::Numeric),
    "IsString" => Operator::Is(Kind::String),
    "IsBoolean" => Operator::Is(Kind::Boolean),
    "IsTimestamp" => Operator::Is(Kind::Timestamp),
}

/// Every operator in the order that the service tells them in.
const TOLD: &[&str] = &[
    "StringEquals",
    "IsBoolean",
    "StringLessThan",
    "IsNumeric",
    "BooleanEquals",
    "StringLessThanEqualsPath",
    "NumericLessThan",
    "NumericGreaterThan",
    "NumericLessThanPath",
    "StringMatches",
    "TimestampLessThanEqualsPath",
    "NumericEquals",
    "TimestampGreaterThan",
    "StringGreaterThanEqualsPath",
    "TimestampGreaterThanEqualsPath",
    "TimestampLessThanEquals",
    "NumericLessThanEqualsPath",
    "TimestampEquals",
    "BooleanEqualsPath",
    "IsTimestamp",
    "StringLessThanEquals",
    "NumericLessThanEquals",
    "StringLessThanPath",
    "TimestampGreaterThanPath",
    "StringGreaterThan",
    "StringGreaterThanPath",
    "IsString",
    "StringEqualsPath",
    "TimestampEqualsPath",
    "TimestampLessThan",
    "StringGreaterThanEquals",
    "NumericGreaterThanPath",
    "NumericGreaterThanEquals",
    "NumericEqualsPath",
    "TimestampLessThanPath",
    "IsNull",
    "IsPresent",
    "TimestampGreaterThanEquals",
    "NumericGreaterThanEqualsPath",
];

/// Compiles the condition of an element of `Choices`.
pub(super) fn rule(fields: &mut Fields<'_>) -> Option<Rule> {
    match fields.language {
        Language::JsonPath => {
            if fields.has("Condition") {
                fields.refuse_jsonata(&["Condition"]);
                return None;
            }
            nested_rule(fields, 0)
        }
        Language::Jsonata => {
            let given =
                ["Variable", "And", "Or", "Not"].into_iter().filter(|name| fields.has(name)).collect::<Vec<_>>();
            fields.refuse_json_path(&given);
            if !given.is_empty() {
                // What is asked of the variable goes with it.
                for (name, _) in given_operators(fields) {
                    fields.take(name);
                }
            }
            fields.take("Comment");
            condition(fields)
        }
    }
}

/// `Condition`: a boolean, or an expression.
fn condition(fields: &mut Fields<'_>) -> Option<Rule> {
    const NAME: &str = "Condition";
    if !fields.has(NAME) && SELECTORS.iter().all(|name| !fields.has(name)) {
        fields
            .object_error(format!("The object must have only one of the following fields, [{}]", SELECTORS.join(", ")));
    }
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
    if SELECTORS.iter().filter(|name| fields.has(name)).count() != 1 {
        for name in SELECTORS {
            fields.take(name);
        }
        for (name, _) in given_operators(fields) {
            fields.take(name);
        }
        fields
            .object_error(format!("The object must have only one of the following fields, [{}]", SELECTORS.join(", ")));
        return None;
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
    let variable = fields.operand_path("Variable");
    let given = given_operators(fields);
    let [(name, operator)] = given.as_slice() else {
        for (name, _) in &given {
            fields.take(name);
        }
        // A misspelt operator is told where it is, and is all that is wrong.
        if given.is_empty() && fields.may_be_meant(TOLD) {
            return None;
        }
        fields.exactly_one(TOLD);
        return None;
    };
    let test = test(fields, name, *operator);
    Some(Rule::Test { variable: variable?, test: test? })
}

/// The operators that a rule has, each by the name that stands there.
fn given_operators(fields: &Fields<'_>) -> Vec<(&'static str, Operator)> {
    let all = OPERATORS.iter().flat_map(|row| names(row).map(|name| (name, row.2)));
    all.filter(|(name, _)| fields.has(name)).collect()
}

/// The operator's name, and that of its sister which compares with what a path leads to, where it has one.
fn names((name, path_name, operator): &(&'static str, &'static str, Operator)) -> impl Iterator<Item = &'static str> {
    let has_path = !matches!(operator, Operator::Is(_) | Operator::StringMatches);
    std::iter::once(*name).chain(has_path.then_some(*path_name))
}

fn test(fields: &mut Fields<'_>, name: &'static str, operator: Operator) -> Option<Test> {
    match operator {
        Operator::Is(kind) => fields.flag(name).map(|wanted| Test::Is { kind, wanted }),
        Operator::StringMatches => {
            let text = fields.text(name)?;
            let pattern = Pattern::parse(&text);
            pattern.map_err(|error| fields.error(name, error)).ok().map(Test::StringMatches)
        }
        Operator::Boolean => operand(fields, name, |fields, name| fields.flag(name)).map(Test::Boolean),
        Operator::Numeric(relation) => {
            let number = |fields: &mut Fields<'_>, name| match fields.take(name)? {
                Value::Number(number) => Some(number),
                _ => {
                    fields.type_error(name, Type::Number);
                    None
                }
            };
            operand(fields, name, number).map(|operand| Test::Numeric(relation, operand))
        }
        Operator::String(relation) => {
            let text = |fields: &mut Fields<'_>, name| {
                let text = fields.text(name)?;
                literals::check_constant(name, &text, &fields.at.child(name), fields.findings);
                Some(text)
            };
            operand(fields, name, text).map(|operand| Test::String(relation, operand))
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
        let path = fields.operand_path(name)?;
        Some(Operand::Path(path))
    } else {
        literal(fields, name).map(Operand::Literal)
    }
}

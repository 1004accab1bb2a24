//! Payload templates and the expressions of JSONata.

use std::sync::Arc;

use super::{
    diagnostic::{Code, Diagnostic, Findings, Pointer},
    fields::{Place, Reads},
    literals,
};
use crate::{
    jsonata::{Jsonata, TopLevel},
    template::{Expression, Template},
    value::{Object, Value},
};

/// Compiles a template of `JSONPath`: the values of fields whose names end in `.$` are expressions.
pub(super) fn json_path(value: &Value, at: &Pointer, findings: &mut Findings) -> Template {
    match value {
        Value::Object(fields) => json_path_object(value, fields, at, findings),
        Value::Array(items) => {
            let compiled = items.iter().enumerate().map(|(index, item)| json_path(item, &at.element(index), findings));
            array(value, compiled.collect())
        }
        other => Template::Literal(other.clone()),
    }
}

fn json_path_object(value: &Value, fields: &Object, at: &Pointer, findings: &mut Findings) -> Template {
    let mut filled = Vec::with_capacity(fields.len());
    for (field, value) in fields {
        let Some(name) = field.strip_suffix(".$") else {
            let at = at.child(field);
            literals::check_field(field, value, &at, findings);
            filled.push((field.clone(), json_path(value, &at, findings)));
            continue;
        };
        let expression = match value {
            Value::String(text) if !text.starts_with(['$', 'S', 's']) => {
                Err(format!("a constant belongs into a field named '{name}'"))
            }
            Value::String(text) => Expression::json_path(field.clone(), text),
            _ => Err("it must be a string".to_owned()),
        };
        match expression {
            Ok(expression) => filled.push((name.into(), Template::Expression(expression))),
            Err(why) => findings.add(Diagnostic {
                field: Some(field.to_string()),
                help: Some(why),
                ..Diagnostic::error(
                    Code::SchemaValidationFailed,
                    format!(
                        "The value for the field '{field}' must be a valid JSONPath or a valid intrinsic function call"
                    ),
                    at.to_string(),
                )
            }),
        }
    }
    object(value, filled)
}

/// Compiles a template of JSONata: strings between `{%` and `%}` are expressions.
pub(super) fn jsonata(value: &Value, place: &Place, at: &Pointer, reads: Reads, findings: &mut Findings) -> Template {
    match value {
        Value::String(text) => match source(text) {
            Some(text) => query(text, place, at, reads, findings)
                .map_or_else(|| Template::Literal(Value::Null), Template::Expression),
            None => {
                if check_ends(text, at, findings) {
                    literals::check_text(text, at, findings);
                }
                Template::Literal(value.clone())
            }
        },
        Value::Array(items) => {
            let compiled = items
                .iter()
                .enumerate()
                .map(|(index, item)| jsonata(item, &place.element(index), &at.element(index), reads, findings));
            array(value, compiled.collect())
        }
        Value::Object(fields) => {
            literals::check_names(fields, at, findings);
            let compiled = fields.iter().map(|(name, value)| {
                (name.clone(), jsonata(value, &place.child(name), &at.child(name), reads, findings))
            });
            object(value, compiled.collect())
        }
        other => Template::Literal(other.clone()),
    }
}

/// What stands between `{%` and `%}`, without the blanks around it; nothing in another string.
pub(super) fn source(text: &str) -> Option<&str> {
    text.strip_prefix("{%")?.strip_suffix("%}").map(str::trim)
}

/// Refuses what begins as an expression of JSONata and does not end as one; true for what is none.
pub(super) fn check_ends(text: &str, at: &Pointer, findings: &mut Findings) -> bool {
    let is_open = text.starts_with("{%");
    if is_open {
        findings.error(Code::SchemaValidationFailed, at, "JSONata string must start with {% and end with %}");
    }
    !is_open
}

/// Compiles an expression of JSONata; nothing where it was reported.
pub(super) fn query(
    source: &str,
    place: &Place,
    at: &Pointer,
    reads: Reads,
    findings: &mut Findings,
) -> Option<Expression> {
    match Jsonata::parse(source) {
        Ok(jsonata) => {
            check_references(&jsonata, at, reads, findings);
            Some(Expression::of_jsonata(place.to_string(), jsonata))
        }
        Err(error) => {
            findings.error(Code::InvalidJsonataExpression, at, error.to_string());
            None
        }
    }
}

/// Refuses what an expression asks for and its place does not have.
fn check_references(jsonata: &Jsonata, at: &Pointer, reads: Reads, findings: &mut Findings) {
    let mut refuse = |message: String| findings.error(Code::UnsupportedJsonataExpression, at, message);
    for reference in jsonata.top_level() {
        refuse(match reference {
            TopLevel::Root => "Reference to '$$' is not supported.".to_owned(),
            other => format!("Reference to '{other}' at the top level is not supported."),
        });
    }
    for reference in jsonata.references().iter().filter(|reference| reference.variable == "states") {
        let Some(field) = reference.fields.first() else { continue };
        let is_there = match field.as_str() {
            "input" | "context" => true,
            "result" => reads == Reads::Result,
            "errorOutput" => reads == Reads::ErrorOutput,
            _ => false,
        };
        if !is_there {
            refuse(format!("Field '$states.{field}' does not exist."));
        }
    }
}

fn array(value: &Value, items: Vec<Template>) -> Template {
    if items.iter().all(is_literal) { Template::Literal(value.clone()) } else { Template::Array(items) }
}

fn object(value: &Value, fields: Vec<(Arc<str>, Template)>) -> Template {
    if fields.iter().all(|(_, template)| is_literal(template)) {
        Template::Literal(value.clone())
    } else {
        Template::Object(fields)
    }
}

fn is_literal(template: &Template) -> bool {
    matches!(template, Template::Literal(_))
}

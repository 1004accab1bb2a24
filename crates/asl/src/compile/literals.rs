//! Texts that look like paths or expressions and stand where they are taken as they are.

use super::diagnostic::{Code, Findings, Pointer};
use crate::{
    intrinsic::Intrinsic,
    jsonata::Jsonata,
    path::Path,
    value::{Object, Value},
};

/// Warns of a field of a `JSONPath` template that seems to lack the `.$`, or to be meant for JSONata.
pub(super) fn check_field(name: &str, value: &Value, at: &Pointer, findings: &mut Findings) {
    let Some(text) = value.as_str() else { return };
    if looks_like_path(text) {
        let message =
            format!("The value of '{name}' looks like a path or an intrinsic function, and is taken as it stands");
        findings.warning_with_help(Code::NoDollar, at, message, Some(format!("its name must be '{name}.$'")));
    } else if has_expression(text) {
        let help = "a 'QueryLanguage' of 'JSONata' makes it one".to_owned();
        findings.warning_with_help(Code::NoExpression, at, NO_EXPRESSION, Some(help));
    }
}

/// Warns of a constant whose field has a sister that takes a path.
pub(super) fn check_constant(name: &str, text: &str, at: &Pointer, findings: &mut Findings) {
    if looks_like_path(text) {
        let message = format!("The value of '{name}' looks like a path, and is taken as it stands");
        findings.warning_with_help(Code::NoPath, at, message, Some(format!("a path is for '{name}Path'")));
    }
}

/// Warns of a Pass state's `Result` with what looks like paths.
pub(super) fn check_result(result: &Value, at: &Pointer, findings: &mut Findings) {
    if has_path(result) {
        let message = "'Result' has what looks like a path, and is taken as it stands";
        let help = "'Parameters' can have paths".to_owned();
        findings.warning_with_help(Code::PassResultIsStatic, at, message, Some(help));
    }
}

/// Warns of a text of JSONata that is no expression and seems to be meant as one.
pub(super) fn check_text(text: &str, at: &Pointer, findings: &mut Findings) {
    if text.starts_with("$states.") || has_expression(text) {
        let help = "an expression begins with '{%' and ends with '%}', with nothing around it".to_owned();
        findings.warning_with_help(Code::NoExpression, at, NO_EXPRESSION, Some(help));
    }
}

/// Warns of fields of a JSONata template that are named as those of `JSONPath` are.
pub(super) fn check_names(fields: &Object, at: &Pointer, findings: &mut Findings) {
    for name in fields.keys().filter(|name| name.ends_with(".$")) {
        let message = format!("'{name}' is taken as it stands: in JSONata names do not end in '.$'");
        findings.warning(Code::NoExpression, &at.child(name), message);
    }
}

const NO_EXPRESSION: &str = "This looks like an expression of JSONata, and is taken as it stands";

fn looks_like_path(text: &str) -> bool {
    let is_path = ["$.", "$$.", "$["].iter().any(|start| text.starts_with(start));
    is_path && Path::parse(text).is_ok() || text.starts_with("States.") && Intrinsic::parse(text).is_ok()
}

/// Whether an expression stands in a text: all of it but for blanks, or one that reads variables, since other languages have
/// the same brackets.
fn has_expression(text: &str) -> bool {
    let inside = text.split_once("{%").and_then(|(before, rest)| Some((before, rest.split_once("%}")?)));
    inside.is_some_and(|(before, (source, after))| {
        let is_all = before.trim().is_empty() && after.trim().is_empty();
        Jsonata::parse(source).is_ok_and(|expression| is_all || !expression.references().is_empty())
    })
}

fn has_path(value: &Value) -> bool {
    match value {
        Value::String(text) => looks_like_path(text),
        Value::Array(items) => items.iter().any(has_path),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.ends_with(".$") || has_path(value)),
        _ => false,
    }
}

//! `States.Format`, and the escapes of quoted texts.

use crate::value::Value;

/// Puts the arguments where the template has `{}`; `\{` and `\}` are braces.
///
/// Nothing where an argument can't stand in a text; the error is what the service says of the template.
pub(super) fn format(template: &str, arguments: &[Value]) -> Result<Option<Value>, String> {
    let pieces = pieces(template)?;
    if pieces.len() != arguments.len() + 1 {
        let why = "number of arguments do not match the occurrences of {}.";
        return Err(format!("Invalid arguments in States.Format: {why}"));
    }
    let mut text = String::with_capacity(template.len());
    let mut arguments = arguments.iter();
    for piece in pieces {
        text.push_str(&piece);
        match arguments.next() {
            Some(Value::String(argument)) => text.push_str(argument),
            Some(Value::Array(_) | Value::Object(_)) => return Ok(None),
            Some(other) => text.push_str(&other.to_string()),
            None => {}
        }
    }
    Ok(Some(text.into()))
}

/// What stands before, between and after the `{}` of a template.
fn pieces(template: &str) -> Result<Vec<String>, String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut rest = template.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => piece.extend(rest.next()),
            '{' if rest.next_if_eq(&'}').is_some() => pieces.push(std::mem::take(&mut piece)),
            '{' => return Err("Invalid template in States.Format: matching '}' not found for '{'.".into()),
            '}' => return Err("Invalid template in States.Format: matching '{' not found for '}'.".into()),
            c => piece.push(c),
        }
    }
    pieces.push(piece);
    Ok(pieces)
}

/// Takes the escapes out of a quoted text.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (c, rest.clone().next()) {
            ('\\', Some(escaped @ ('\'' | '{' | '}' | '\\'))) => {
                plain.push(escaped);
                rest.next();
            }
            (c, _) => plain.push(c),
        }
    }
    plain
}

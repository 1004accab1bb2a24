//! `States.Format`, and the escapes of quoted texts.

use crate::value::Value;

/// Puts the arguments where the template has `{}`; `\{` and `\}` are braces.
pub(super) fn format(template: &str, arguments: &[Value]) -> Result<Value, String> {
    let mut text = String::with_capacity(template.len());
    let mut left = arguments.iter();
    let mut rest = template.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => text.extend(rest.next()),
            '{' if rest.next_if_eq(&'}').is_some() => {
                let argument = left.next().ok_or("there are more '{}' than arguments")?;
                push(&mut text, argument)?;
            }
            '{' | '}' => return Err("a brace that is no '{}' must be escaped with a backslash".into()),
            c => text.push(c),
        }
    }
    if left.next().is_some() {
        return Err("there are more arguments than '{}'".into());
    }
    Ok(text.into())
}

fn push(text: &mut String, argument: &Value) -> Result<(), String> {
    match argument {
        Value::String(part) => text.push_str(part),
        Value::Array(_) | Value::Object(_) => {
            return Err("an argument must be a string, number, boolean or null".into());
        }
        other => text.push_str(&other.to_string()),
    }
    Ok(())
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

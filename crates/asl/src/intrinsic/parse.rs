//! From the text of a call to its parts.

use super::{Argument, Call, Function, MAX_DEPTH};
use crate::{
    path::Path,
    value::{Number, Value},
};

/// Text that is no call of an intrinsic function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} in '{text}'")]
pub struct IntrinsicError {
    text: String,
    message: String,
}

pub(super) fn call(text: &str) -> Result<Call, IntrinsicError> {
    let mut rest = text.trim();
    let error = |message: String| IntrinsicError { text: text.to_owned(), message };
    let call = one_call(&mut rest, 1).map_err(error)?;
    if rest.is_empty() { Ok(call) } else { Err(error(format!("unexpected '{rest}' after the call"))) }
}

fn one_call(rest: &mut &str, depth: usize) -> Result<Call, String> {
    if depth > MAX_DEPTH {
        return Err(format!("more than {MAX_DEPTH} nested calls"));
    }
    let (name, after) = rest.split_once('(').ok_or("expected '(' after the function's name")?;
    let name = name.trim();
    let (function, _) = Function::ALL
        .iter()
        .find(|(_, known)| name.strip_prefix("States.") == Some(*known))
        .ok_or_else(|| format!("there is no intrinsic function '{name}'"))?;
    *rest = after;
    Ok(Call { function: *function, arguments: arguments(rest, depth)? })
}

/// Everything after the opening parenthesis, the closing one included.
fn arguments(rest: &mut &str, depth: usize) -> Result<Vec<Argument>, String> {
    let mut arguments = Vec::new();
    *rest = rest.trim_start();
    if let Some(after) = rest.strip_prefix(')') {
        *rest = after;
        return Ok(arguments);
    }
    loop {
        *rest = rest.trim_start();
        arguments.push(argument(rest, depth)?);
        *rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(',') {
            *rest = after;
        } else if let Some(after) = rest.strip_prefix(')') {
            *rest = after;
            return Ok(arguments);
        } else {
            return Err("expected ',' or ')' after an argument".into());
        }
    }
}

fn argument(rest: &mut &str, depth: usize) -> Result<Argument, String> {
    if rest.starts_with('\'') {
        return quoted(rest).map(Argument::Text);
    }
    if rest.starts_with("States.") {
        return one_call(rest, depth + 1).map(Argument::Call);
    }
    let word = word(rest);
    match word {
        "" => Err("an argument is missing".into()),
        "true" => Ok(Argument::Literal(true.into())),
        "false" => Ok(Argument::Literal(false.into())),
        "null" => Ok(Argument::Literal(Value::Null)),
        path if path.starts_with('$') => Path::parse(path).map(Argument::Path).map_err(|error| error.to_string()),
        number => match number.parse::<Number>() {
            Ok(number) => Ok(Argument::Literal(Value::Number(number))),
            Err(_) => Err(format!("'{number}' is no text in single quotes, number, path or call")),
        },
    }
}

/// Takes a text in single quotes; what is between them stays as it was written.
fn quoted(rest: &mut &str) -> Result<String, String> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\'' | '{' | '}' | '\\' if escaped => escaped = false,
            c if escaped => {
                return Err(format!("a backslash must stand before a quote, a brace or a backslash, not '{c}'"));
            }
            '\\' => escaped = true,
            '\'' => {
                let text = rest[1..at].to_owned();
                *rest = &rest[at + 1..];
                return Ok(text);
            }
            _ => {}
        }
    }
    Err("a quote is not closed".into())
}

/// Takes a path or a bare word: up to a comma or parenthesis that is not inside its brackets or quotes.
fn word<'a>(rest: &mut &'a str) -> &'a str {
    let mut brackets = 0_usize;
    let mut quote = None;
    let end = rest
        .char_indices()
        .find(|(_, c)| {
            match (quote, c) {
                (Some(open), c) => quote = Some(open).filter(|open| open != c),
                (None, '\'' | '"') => quote = Some(*c),
                (None, '[') => brackets += 1,
                (None, ']') => brackets = brackets.saturating_sub(1),
                (None, ',' | ')') => return brackets == 0,
                _ => {}
            }
            false
        })
        .map_or(rest.len(), |(at, _)| at);
    let (word, after) = rest.split_at(end);
    *rest = after;
    word.trim_end()
}

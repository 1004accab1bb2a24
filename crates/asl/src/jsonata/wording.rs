//! The reference implementation's words for each error.
//!
//! The engine uses the reference's codes and, in part, words of its own; the service speaks the reference's. The texts
//! are those of version 2.0.6, which the service runs.

use serde_json::to_string;

use super::{
    error::EvaluationError,
    explain::{Called, Place, What},
    signature,
};

/// The words for an error of the engine. `place` is where it came up, where that is known.
pub(super) fn reword(code: &str, message: &str, place: Option<&Place>) -> EvaluationError {
    let on_context = matches!(place, Some(Place { what: What::Call(Called::OnContext(_)), .. }));
    let code = if code == "T0410" && on_context { "T0411" } else { code };
    let text = match code {
        "D1011" | "U1001" => return EvaluationError::stack(),
        "D1012" => return EvaluationError::time(),
        "D2015" => return EvaluationError::memory(),
        "T0410" | "T0411" | "T0412" => argument(code, message, place),
        "D1002" => with_value("Cannot negate a non-numeric value", place, 0),
        "D3030" => with_value("Unable to cast value to a number", place, 0).or_else(|| {
            let text = message.strip_prefix("Cannot convert '")?.strip_suffix("' to number")?;
            Some(format!("Unable to cast value to a number: {}", quoted(text)))
        }),
        "T2001" | "T2002" => message.split_once(" operator ").and_then(|(before, rest)| {
            let (before, operator) = before.rsplit_once(' ')?;
            Some(format!("{before} {} operator {rest}", quoted(operator)))
        }),
        "T2007" => place.map(|place| {
            let (left, right) = (place.json(0), place.json(1));
            format!("Type mismatch when comparing values {left} and {right} in order-by clause")
        }),
        "T2009" => compared(place).map(|(left, right, operator)| {
            format!("The values {left} and {right} either side of operator {operator} must be of the same data type")
        }),
        "T2010" => compared(place).map(|(_, _, operator)| {
            format!("The expressions either side of operator {operator} must evaluate to numeric or string values")
        }),
        "T2011" => {
            with_value("The insert/update clause of the transform expression must evaluate to an object", place, 0)
        }
        "T2012" => with_value(
            "The delete clause of the transform expression must evaluate to a string or array of strings",
            place,
            0,
        ),
        "D3060" => with_value("The sqrt function cannot be applied to a negative number", place, 0),
        "D3100" => message.rsplit(' ').next().map(|radix| {
            format!("The radix of the formatBase function must be between 2 and 36.  It was given {radix}")
        }),
        "D3130" => Some(format!(
            "Formatting or parsing an integer as a sequence starting with {} is not supported by this implementation",
            quoted(message)
        )),
        "D3132" => Some(format!("Unknown component specifier {} in date/time picture string", quoted(message))),
        "D3133" => Some(format!(
            "The 'name' modifier can only be applied to months and days in the date/time picture string, not {}",
            quoted(message)
        )),
        "D3137" | "D3141" if message.is_empty() => {
            Some(if code == "D3137" { "$error() function evaluated" } else { "$assert() statement failed" }.to_owned())
        }
        "T1010" => message.split_once(" passed to function ").and_then(|(before, rest)| {
            let (function, rest) = rest.split_once(' ')?;
            Some(format!("{before} passed to function {} {rest}", quoted(function.trim_matches(['$', '"']))))
        }),
        _ => None,
    };
    let text = text.or_else(|| fixed(code).map(str::to_owned)).unwrap_or_else(|| message.to_owned());
    EvaluationError::coded(code, text)
}

/// Whether the words for an error tell of its place, so that it is worth being looked for.
pub(super) fn names_its_place(code: &str) -> bool {
    matches!(
        code,
        "T0410" | "T0411" | "T0412" | "D1002" | "D3030" | "D3060" | "T2007" | "T2009" | "T2010" | "T2011" | "T2012"
    )
}

/// The words of an error that always has the same ones.
fn fixed(code: &str) -> Option<&'static str> {
    Some(match code {
        "D1001" => "Number out of range: null",
        "T1006" => "Attempted to invoke a non-function",
        "T1008" => "Attempted to partially apply a non-function",
        "T2003" => "The left side of the range operator (..) must evaluate to an integer",
        "T2004" => "The right side of the range operator (..) must evaluate to an integer",
        "D3001" => "Attempting to invoke string function on Infinity or NaN",
        "D3010" => "Second argument of replace function cannot be an empty string",
        "D3020" => "Third argument of split function must evaluate to a positive number",
        "D3080" => "The picture string must only contain a maximum of two sub-pictures",
        "D3081" => "The sub-picture must not contain more than one instance of the 'decimal-separator' character",
        "D3082" => "The sub-picture must not contain more than one instance of the 'percent' character",
        "D3083" => "The sub-picture must not contain more than one instance of the 'per-mille' character",
        "D3084" => "The sub-picture must not contain both a 'percent' and a 'per-mille' character",
        "D3085" => {
            "The mantissa part of a sub-picture must contain at least one character that is either an 'optional digit \
             character' or a member of the 'decimal digit family'"
        }
        "D3086" => {
            "The sub-picture must not contain a passive character that is preceded by an active character and that is \
             followed by another active character"
        }
        "D3087" => {
            "The sub-picture must not contain a 'grouping-separator' character that appears adjacent to a \
             'decimal-separator' character"
        }
        "D3088" => "The sub-picture must not contain a 'grouping-separator' at the end of the integer part",
        "D3089" => "The sub-picture must not contain two adjacent instances of the 'grouping-separator' character",
        "D3090" => {
            "The integer part of the sub-picture must not contain a member of the 'decimal digit family' that is \
             followed by an instance of the 'optional digit character'"
        }
        "D3091" => {
            "The fractional part of the sub-picture must not contain an instance of the 'optional digit character' \
             that is followed by a member of the 'decimal digit family'"
        }
        "D3092" => {
            "A sub-picture that contains a 'percent' or 'per-mille' character must not contain a character treated as \
             an 'exponent-separator'"
        }
        "D3093" => {
            "The exponent part of the sub-picture must comprise only of one or more characters that are members of the \
             'decimal digit family'"
        }
        "D3131" => "In a decimal digit pattern, all digits must be from the same decimal group",
        "D3134" => "The timezone integer format specifier cannot have more than four digits",
        "D3135" => "No matching closing bracket ']' in date/time picture string",
        "D3136" => "The date/time picture string is missing specifiers required to parse the timestamp",
        "D3138" => "The $single() function expected exactly 1 matching result.  Instead it matched more.",
        "D3139" => "The $single() function expected exactly 1 matching result.  Instead it matched 0.",
        _ => return None,
    })
}

/// An argument, or the context in its place, is not what a function takes.
fn argument(code: &str, message: &str, place: Option<&Place>) -> Option<String> {
    let called = match place.map(|place| &place.what) {
        Some(What::Call(called)) => called,
        _ => &Called::AsValue(None),
    };
    let (function, name) = match called {
        Called::ByName(name) | Called::OnContext(name) => (Some(name.as_str()), quoted(name)),
        Called::AsValue(name) => (name.as_deref(), "undefined".to_owned()),
    };
    let arguments = place.map(|place| place.arguments.as_slice()).unwrap_or_default();
    Some(match code {
        // The context stands in for the first argument only.
        "T0411" => format!("Context value is not a compatible type with argument 1 of function {name}"),
        "T0412" => {
            let index = signature::told(message)?;
            let items = ["Number", "String", "Object"].into_iter().find(|items| message.ends_with(items))?;
            format!("Argument {index} of function {name} must be an array of \"{}s\"", items.to_lowercase())
        }
        _ => {
            let index = signature::first_mismatch(function, arguments, message)?;
            format!("Argument {index} of function {name} does not match function signature")
        }
    })
}

fn with_value(text: &str, place: Option<&Place>, index: usize) -> Option<String> {
    Some(format!("{text}: {}", place?.json(index)))
}

/// Both values, and the operator between them.
fn compared(place: Option<&Place>) -> Option<(String, String, String)> {
    let place = place?;
    let What::Operator(operator) = place.what else { return None };
    Some((place.json(0), place.json(1), quoted(operator)))
}

/// As JSON text. A string can always be written.
pub(super) fn quoted(text: &str) -> String {
    to_string(text).unwrap_or_default()
}

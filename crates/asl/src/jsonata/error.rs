//! Errors, worded as the service words them.

use std::borrow::Cow;

use jsonata_core::{evaluator::EvaluatorError, parser::ParserError};
use thiserror::Error;

use super::{contained, wording::quoted};

/// An expression can't be parsed. Prints the reference implementation's message, without its code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// The code that JSONata gives it: `S0202`.
    pub code: Option<String>,
    /// What is wrong: `Expected "]", got ","`.
    pub message: String,
}

/// An expression could not be evaluated. Prints the code, where there is one, and the message, as the service does after
/// "threw an error during evaluation".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluationError {
    /// The code that JSONata gives it: `T1006`. The limits of an evaluation have none.
    pub code: Option<String>,
    /// What is wrong, in the reference implementation's words: `Attempted to invoke a non-function`.
    pub message: String,
}

impl std::error::Error for EvaluationError {}

impl std::fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{code}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl EvaluationError {
    /// What the service puts between "threw an error during evaluation" and the error: a coded error is a sentence of its
    /// own.
    pub fn separator(&self) -> &'static str {
        if self.code.is_some() { ". " } else { ": " }
    }

    /// An error with a code.
    pub(super) fn coded(code: &str, message: impl Into<String>) -> Self {
        Self { code: Some(code.to_owned()), message: message.into() }
    }

    /// A limit was hit.
    fn limit(message: &str) -> Self {
        Self { code: None, message: message.to_owned() }
    }

    /// It nests too deep.
    pub(super) fn stack() -> Self {
        Self::limit(
            "Stack overflow error: Check for non-terminating recursive function.  Consider rewriting as tail-recursive.",
        )
    }

    /// It took too long.
    pub(super) fn time() -> Self {
        Self::limit("Expression evaluation timeout: Check for infinite loop")
    }

    /// The evaluation holds too much.
    pub(super) fn memory() -> Self {
        Self::limit("Expression evaluation memory limit exceeded: Check for excessive memory usage")
    }
}

/// An error for the engine to pass on.
impl From<EvaluationError> for EvaluatorError {
    fn from(error: EvaluationError) -> Self {
        Self::EvaluationError(error.to_string())
    }
}

impl SyntaxError {
    pub(super) fn coded(code: &str, message: impl Into<String>) -> Self {
        Self { code: Some(code.to_owned()), message: message.into() }
    }

    /// The engine can't tell what is wrong.
    pub(super) fn internal() -> Self {
        Self { code: None, message: "The expression can't be read".to_owned() }
    }

    /// `sign` stands where an operand should.
    pub(super) fn not_unary(sign: &str) -> Self {
        Self::coded("S0211", format!("The symbol \"{sign}\" cannot be used as a unary operator"))
    }

    pub(super) fn from_parser(error: &ParserError, text: &str) -> Self {
        let end = |token: &str| token == "Eof";
        let (code, message) = match error {
            ParserError::UnexpectedToken(token) if end(token) => ("S0207", "Unexpected end of expression".into()),
            ParserError::UnexpectedToken(token) if token.starts_with(char::is_alphabetic) => {
                return Self::not_unary(&sign(token));
            }
            ParserError::UnexpectedToken(token) => ("S0204", format!("Unknown operator: {}", quoted(token))),
            ParserError::Expected { expected, .. } if expected == "parameter name" => {
                ("S0208", "Parameter of function definition must be a variable name (start with $)".into())
            }
            ParserError::Expected { expected, found } if end(found) => {
                ("S0203", format!("Expected {:?} before end of expression", sign(expected)))
            }
            ParserError::Expected { expected, found } => {
                ("S0202", format!("Expected {:?}, got {}", sign(expected), literal(found)))
            }
            ParserError::InvalidSyntax(text) | ParserError::InvalidNumber(text) => match split(text) {
                Some(("S0201", rest)) => {
                    let token = rest.trim_start_matches("Syntax error: ");
                    ("S0201", format!("Syntax error: {}", literal(token)))
                }
                Some(("S0102", rest)) => {
                    let number = rest.trim_start_matches("Number out of range: ");
                    ("S0102", format!("Number out of range: {}", quoted(number)))
                }
                Some((code, message)) => (code, message.to_owned()),
                None => ("S0201", format!("Syntax error: {text}")),
            },
            ParserError::UnclosedString if is_open_regex(text) => {
                ("S0302", "No terminating / in regular expression".into())
            }
            ParserError::UnclosedComment => ("S0106", "Comment has no closing tag".into()),
            ParserError::Coded { code: "U1002", .. } => {
                return Self { code: None, message: "The expression is nested too deep".into() };
            }
            ParserError::Coded { code: "S0214", message } => {
                let sign = if message.ends_with('#') { "#" } else { "@" };
                ("S0214", format!("The right side of \"{sign}\" must be a variable name (start with $)"))
            }
            ParserError::Coded { code, message } => (*code, message.clone()),
            ParserError::InvalidEscape(escape) if !escape.trim_start_matches('\\').starts_with('u') => {
                let escape = quoted(escape.trim_start_matches('\\'));
                ("S0103", format!("Unsupported escape sequence: \\{escape}"))
            }
            other => {
                let text = other.to_string();
                return match split(&text) {
                    Some((code, message)) => Self { code: Some(code.to_owned()), message: message.to_owned() },
                    None => Self { code: None, message: text },
                };
            }
        };
        Self { code: Some(code.to_owned()), message }
    }
}

/// Whether what is not closed is a regular expression: the engine does not tell it from a text.
fn is_open_regex(text: &str) -> bool {
    let closed = contained(|| jsonata_core::parser::parse(&format!("{text}/")));
    closed.is_some_and(|parsed| !matches!(parsed, Err(ParserError::UnclosedString)))
}

/// The code in front of a message, and the message.
pub(super) fn split(message: &str) -> Option<(&str, &str)> {
    let message = message.strip_prefix("Signature validation failed: ").unwrap_or(message);
    let code = jsonata_core::evaluator::error_code_prefix(message)?;
    Some((code, message.get(code.len() + 1..)?.trim_start()))
}

/// What was written for a token: the engine tells its own name for it.
fn sign(token: &str) -> Cow<'_, str> {
    let sign = match token {
        "Plus" => "+",
        "Minus" => "-",
        "Star" => "*",
        "StarStar" => "**",
        "Slash" => "/",
        "Percent" => "%",
        "Equal" => "=",
        "NotEqual" => "!=",
        "LessThan" => "<",
        "LessThanOrEqual" => "<=",
        "GreaterThan" => ">",
        "GreaterThanOrEqual" => ">=",
        "And" => "and",
        "Or" => "or",
        "In" => "in",
        "Ampersand" => "&",
        "Dot" => ".",
        "DotDot" => "..",
        "Question" => "?",
        "QuestionQuestion" => "??",
        "QuestionColon" => "?:",
        "Colon" => ":",
        "ColonEqual" => ":=",
        "TildeArrow" => "~>",
        "LeftParen" => "(",
        "RightParen" => ")",
        "LeftBracket" => "[",
        "RightBracket" => "]",
        "LeftBrace" => "{",
        "RightBrace" => "}",
        "Comma" => ",",
        "Semicolon" => ";",
        "Caret" => "^",
        "Pipe" => "|",
        "Hash" => "#",
        "At" => "@",
        "True" => "true",
        "False" => "false",
        "Null" => "null",
        "Eof" => "(end)",
        other => return inner(other),
    };
    Cow::Borrowed(sign)
}

/// A token as JSON text.
fn literal(token: &str) -> String {
    match token {
        "True" | "False" | "Null" => sign(token).into_owned(),
        number if number.starts_with("Number(") => inner(number).into_owned(),
        other => quoted(&sign(other)),
    }
}

/// The text inside a token that carries one: `Identifier("a")`, `Number(2.0)`.
fn inner(token: &str) -> Cow<'_, str> {
    let Some((_, rest)) = token.split_once('(') else { return Cow::Borrowed(token) };
    let inside = rest.strip_suffix(')').unwrap_or(rest);
    match serde_json::from_str::<String>(inside) {
        Ok(text) => Cow::Owned(text),
        Err(_) => Cow::Borrowed(inside.strip_suffix(".0").unwrap_or(inside)),
    }
}

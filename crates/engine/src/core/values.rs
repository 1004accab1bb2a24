//! Values of fields that are found at run time, with what the service says where one is of no use.

use std::{str::FromStr, sync::Arc};

use asl::{
    Fault, FieldError, Scope, Value,
    machine::{Count, FailText, Percentage, Until},
    path::Path,
    template::{Code, Expression},
    timestamp,
};
use time::OffsetDateTime;

/// The number of something that a field gives.
pub(super) fn count(count: &Count, scope: &Scope<'_>) -> Result<u64, FieldError> {
    match count {
        Count::Literal(number) => Ok(*number),
        Count::Expression(expression) => number(expression, scope, "integer", natural),
    }
}

/// The number that a field gives, which may be below 0 where it is found at run time.
pub(super) fn integer(count: &Count, scope: &Scope<'_>) -> Result<i64, FieldError> {
    match count {
        Count::Literal(number) => Ok(i64::try_from(*number).unwrap_or(i64::MAX)),
        Count::Expression(expression) => number(expression, scope, "integer", Value::as_i64),
    }
}

/// The percentage that a field gives.
pub(super) fn percentage(percentage: &Percentage, scope: &Scope<'_>) -> Result<f64, FieldError> {
    let read = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        _ => None,
    };
    match percentage {
        Percentage::Literal(number) => Ok(*number),
        Percentage::Expression(expression) => number(expression, scope, "number", read),
    }
}

fn number<N: FromStr>(
    expression: &Expression,
    scope: &Scope<'_>,
    kind: &str,
    read: impl Fn(&Value) -> Option<N>,
) -> Result<N, FieldError> {
    let field = expression.field();
    match expression.code() {
        Code::Path(path) => {
            let value = find(path, field, scope)?;
            read(&value).or_else(|| value.as_str()?.parse().ok()).ok_or_else(|| {
                let shown = shown(&value);
                Fault::runtime(format!(
                    "The {field} field refers to value \"{shown}\" which is not a valid {kind}: {path}"
                ))
                .into()
            })
        }
        Code::Call(_) | Code::Jsonata(_) => {
            let value = expression.evaluate(scope)?;
            read(&value).ok_or_else(|| expression.unexpected_type("number", &value))
        }
    }
}

/// The text of a Fail state's field.
pub(super) fn fail_text(text: &FailText, scope: &Scope<'_>) -> Result<Arc<str>, FieldError> {
    let expression = match text {
        FailText::Literal(text) => return Ok(text.clone()),
        FailText::Expression(expression) => expression,
    };
    match expression.evaluate(scope)? {
        Value::String(text) => Ok(text),
        other => Err(expression.unexpected_type("string", &other)),
    }
}

/// When a Wait state ends; nothing where that is later than any date.
pub(super) fn until(
    until: &Until,
    scope: &Scope<'_>,
    now: OffsetDateTime,
) -> Result<Option<OffsetDateTime>, FieldError> {
    Ok(match until {
        Until::Seconds(seconds) => later(now, *seconds),
        Until::SecondsOf(expression) => later(now, seconds(expression, scope)?),
        Until::Timestamp(at) => Some(*at),
        Until::TimestampOf(expression) => Some(moment(expression, scope)?),
    })
}

fn later(now: OffsetDateTime, seconds: u64) -> Option<OffsetDateTime> {
    now.checked_add(time::Duration::seconds(i64::try_from(seconds).ok()?))
}

fn seconds(expression: &Expression, scope: &Scope<'_>) -> Result<u64, FieldError> {
    let field = expression.field();
    let Code::Path(path) = expression.code() else {
        let value = expression.evaluate(scope)?;
        let seconds = value.as_i64().ok_or_else(|| expression.unexpected_type("number", &value))?;
        return u64::try_from(seconds).map_err(|_| {
            FieldError::query(field.clone(), format!("The {field} parameter references a negative value: {value}"))
        });
    };
    let value = find(path, field, scope)?;
    let wrong = |how: &str| Fault::runtime(format!("The {field} parameter {how}: {path} == {}", shown(&value)));
    // A number may be written as text.
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let seconds = number.ok_or_else(|| wrong("cannot be parsed as a long value"))?;
    u64::try_from(seconds).map_err(|_| wrong("references a negative value").into())
}

fn moment(expression: &Expression, scope: &Scope<'_>) -> Result<OffsetDateTime, FieldError> {
    const FORMAT: &str = "ISO-8601 extended offset date-time format string";
    let field = expression.field();
    let read = |value: &Value| value.as_str().and_then(timestamp::parse);
    let Code::Path(path) = expression.code() else {
        let value = expression.evaluate(scope)?;
        return read(&value).ok_or_else(|| match &value {
            Value::String(text) => {
                FieldError::query(field.clone(), format!("The {field} field cannot be parsed as an {FORMAT}: {text}"))
            }
            other => expression.unexpected_type("string", other),
        });
    };
    let value = find(path, field, scope)?;
    read(&value).ok_or_else(|| {
        let shown = shown(&value);
        Fault::runtime(format!("The {field} parameter does not reference a valid {FORMAT}: {path} == {shown}")).into()
    })
}

/// A value as messages show it: text without its quotes.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn find(path: &Path, field: &str, scope: &Scope<'_>) -> Result<Value, Fault> {
    path.find(scope)
        .map_err(|_| Fault::runtime(format!("The {field} parameter does not reference an input value: {path}")))
}

fn natural(value: &Value) -> Option<u64> {
    value.as_i64().and_then(|number| u64::try_from(number).ok())
}

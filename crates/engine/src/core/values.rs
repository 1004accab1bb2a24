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

/// The most seconds that a task may take.
const LONGEST_TASK: u64 = 99_999_999;

/// The number of something that a field gives.
pub(super) fn count(count: &Count, scope: &Scope<'_>) -> Result<u64, FieldError> {
    let expression = match count {
        Count::Literal(number) => return Ok(*number),
        Count::Expression(expression) => expression,
    };
    match expression.code() {
        Code::Path(path) => referred(path, expression.field(), scope, "integer", natural),
        Code::Call(_) | Code::Jsonata(_) => {
            let number = whole(expression, scope)?;
            u64::try_from(number).map_err(|_| wrong(expression, format!("{} cannot be negative.", expression.field())))
        }
    }
}

/// The seconds that a Task state's field gives.
pub(super) fn task_seconds(count: &Count, scope: &Scope<'_>) -> Result<u64, FieldError> {
    let expression = match count {
        Count::Literal(seconds) => return Ok(*seconds),
        Count::Expression(expression) => expression,
    };
    let number = match expression.code() {
        Code::Path(path) => referred(path, expression.field(), scope, "integer", Value::as_i64)?,
        Code::Call(_) | Code::Jsonata(_) => whole(expression, scope)?,
    };
    u64::try_from(number).ok().filter(|seconds| *seconds <= LONGEST_TASK).ok_or_else(|| {
        let field = expression.field();
        wrong(expression, format!("{field} must be between 0 and {LONGEST_TASK} but was: {number}"))
    })
}

/// The number that a field gives, which may be below 0 where it is found at run time.
pub(super) fn integer(count: &Count, scope: &Scope<'_>) -> Result<i64, FieldError> {
    match count {
        Count::Literal(number) => Ok(i64::try_from(*number).unwrap_or(i64::MAX)),
        Count::Expression(expression) => match expression.code() {
            Code::Path(path) => referred(path, expression.field(), scope, "integer", Value::as_i64),
            Code::Call(_) | Code::Jsonata(_) => whole(expression, scope),
        },
    }
}

/// How many iterations a field lets run at once. Below 0 where a path leads to such a number.
pub(super) fn concurrency(limit: &Count, scope: &Scope<'_>) -> Result<i64, FieldError> {
    match limit {
        Count::Expression(expression) if matches!(expression.code(), Code::Path(_)) => integer(limit, scope),
        limit => count(limit, scope).map(u64::cast_signed),
    }
}

/// The number of failures that a field tolerates.
pub(super) fn tolerated_count(count: &Count, scope: &Scope<'_>) -> Result<u64, FieldError> {
    let number = integer(count, scope)?;
    u64::try_from(number).map_err(|_| match count {
        Count::Literal(_) => Fault::runtime("ToleratedFailureCount cannot be negative.").into(),
        Count::Expression(expression) => wrong(expression, "ToleratedFailureCount cannot be negative."),
    })
}

/// The percentage that a field gives.
pub(super) fn percentage(percentage: &Percentage, scope: &Scope<'_>) -> Result<f64, FieldError> {
    let read = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        _ => None,
    };
    let expression = match percentage {
        Percentage::Literal(number) => return Ok(*number),
        Percentage::Expression(expression) => expression,
    };
    let number = match expression.code() {
        Code::Path(path) => referred(path, expression.field(), scope, "float", read)?,
        Code::Call(_) | Code::Jsonata(_) => {
            let value = expression.evaluate(scope)?;
            read(&value).ok_or_else(|| expression.unexpected_type("number", &value))?
        }
    };
    if (0.0..=100.0).contains(&number) {
        Ok(number)
    } else {
        Err(wrong(expression, "ToleratedFailurePercentage must be a number from 0 to 100."))
    }
}

/// The number that a `…Path` field leads to. It may be written as text.
fn referred<N: FromStr>(
    path: &Path,
    field: &str,
    scope: &Scope<'_>,
    kind: &str,
    read: impl Fn(&Value) -> Option<N>,
) -> Result<N, FieldError> {
    let value = find(path, field, scope)?;
    read(&value).or_else(|| value.as_str()?.parse().ok()).ok_or_else(|| {
        let shown = shown(&value);
        Fault::runtime(format!("The {field} field refers to value \"{shown}\" which is not a valid {kind}: {path}"))
            .into()
    })
}

/// The whole number that a call or an expression of JSONata gives.
fn whole(expression: &Expression, scope: &Scope<'_>) -> Result<i64, FieldError> {
    let value = expression.evaluate(scope)?;
    if !matches!(value, Value::Number(_)) {
        return Err(expression.unexpected_type("number", &value));
    }
    value.as_i64().ok_or_else(|| {
        wrong(expression, format!("The {} field cannot be parsed as an integer: {value}", expression.field()))
    })
}

/// A value is of the type that its field takes, and yet of no use.
fn wrong(expression: &Expression, what: impl Into<Arc<str>>) -> FieldError {
    match expression.code() {
        Code::Jsonata(_) => FieldError::query(expression.field().clone(), what),
        Code::Path(_) | Code::Call(_) => Fault::runtime(what).into(),
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
        let seconds = whole(expression, scope)?;
        let negative = || wrong(expression, format!("The {field} parameter references a negative value: {seconds}"));
        return u64::try_from(seconds).map_err(|_| negative());
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

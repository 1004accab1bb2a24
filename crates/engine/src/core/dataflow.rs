//! From a state's raw input to its output: `InputPath`, `Parameters`, the work, `ResultSelector`, `ResultPath`,
//! `OutputPath`, in this order.

use asl::{
    Fault, Scope, Value,
    fault::names,
    machine::{Count, FailText, ResultPath, Selection},
    template::Template,
};

/// The part of `$` that a path field takes.
pub(super) fn select(selection: &Selection, scope: &Scope<'_>) -> Result<Value, Fault> {
    match selection {
        Selection::Whole => Ok(scope.input.clone()),
        Selection::Nothing => Ok(Value::empty_object()),
        Selection::Path(path) => {
            path.find(scope).map_err(|missing| Fault::runtime(format!("Invalid path '{path}' : {missing}")))
        }
    }
}

/// What a template makes of `$`, or `$` itself where there is none.
pub(super) fn fill(template: Option<&Template>, scope: &Scope<'_>) -> Result<Value, Fault> {
    template.map_or_else(|| Ok(scope.input.clone()), |template| template.fill(scope))
}

/// The state's raw input with its result in it.
pub(super) fn place(result_path: &ResultPath, input: &Value, result: Value) -> Result<Value, Fault> {
    match result_path {
        ResultPath::Replace => Ok(result),
        ResultPath::Discard => Ok(input.clone()),
        ResultPath::At(path) => path.write(input.clone(), result).map_err(|_| {
            let cause = format!("Unable to apply ReferencePath {} to input {input}", path.text());
            Fault::new(names::RESULT_PATH_MATCH_FAILURE, cause)
        }),
    }
}

/// The number that a field gives. `field` is its name with `Path`, for the message.
pub(super) fn count(count: &Count, field: &str, scope: &Scope<'_>) -> Result<u64, Fault> {
    let path = match count {
        Count::Literal(number) => return Ok(*number),
        Count::Path(path) => path,
    };
    let value = path
        .find(scope)
        .map_err(|_| Fault::runtime(format!("The {field} parameter does not reference an input value: {path}")))?;
    value.as_i64().and_then(|number| u64::try_from(number).ok()).ok_or_else(|| {
        let shown = match &value {
            Value::String(text) => text.to_string(),
            other => other.to_string(),
        };
        Fault::runtime(format!("The {field} field refers to value \"{shown}\" which is not a valid integer: {path}"))
    })
}

/// The text of a Fail state's field. `field` is its name with `Path`, for the message.
pub(super) fn fail_text(text: &FailText, field: &str, scope: &Scope<'_>) -> Result<std::sync::Arc<str>, Fault> {
    let expression = match text {
        FailText::Literal(text) => return Ok(text.clone()),
        FailText::Expression(expression) => expression,
    };
    match expression.evaluate(field, scope)? {
        Value::String(text) => Ok(text),
        other => Err(Fault::runtime(format!("The value of the field '{field}' must be a string, but was: {other}"))),
    }
}

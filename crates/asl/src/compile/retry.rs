//! `Retry` and `Catch`.

use std::sync::Arc;

use super::{
    diagnostic::Code,
    fields::{Fields, Language, Reads, Type},
    graph::Names,
    state::assign,
};
use crate::{
    fault::names,
    machine::OnError,
    retry::{CatchOutput, Catcher, ErrorEquals, Retrier},
    value::Value,
};

pub(super) fn on_error(names: &Names, fields: &mut Fields<'_>) -> OnError {
    OnError { retry: each(fields, "Retry", retrier), catch: each(fields, "Catch", |fields| catcher(names, fields)) }
}

/// Compiles each element of a list; `States.ALL` may only be in the last.
fn each<T>(
    fields: &mut Fields<'_>,
    name: &'static str,
    mut compile: impl FnMut(&mut Fields<'_>) -> Option<(Arc<[Arc<str>]>, T)>,
) -> Vec<T> {
    let Some(values) = fields.array(name) else { return Vec::new() };
    let mut compiled = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let Some(mut element) = fields.element(name, index, value) else { continue };
        if let Some((errors, item)) = compile(&mut element) {
            let all = errors.iter().position(|error| &**error == names::ALL);
            if let Some(all) = all.filter(|_| errors.len() > 1 || index + 1 < values.len()) {
                let at = element.at.child("ErrorEquals").element(all);
                let message = "States.ALL must appear alone and at end of list";
                element.findings.error(Code::SchemaValidationFailed, &at, message);
            }
            compiled.push(item);
        }
        element.close();
    }
    compiled
}

fn errors(fields: &mut Fields<'_>) -> Option<Arc<[Arc<str>]>> {
    let values = fields.filled_array("ErrorEquals")?;
    let mut errors = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        match value {
            Value::String(name) => errors.push(name.clone()),
            _ => {
                let at = fields.at.child("ErrorEquals").element(index);
                fields.findings.error(Code::SchemaValidationFailed, &at, Type::String.expected());
            }
        }
    }
    Some(errors.into())
}

fn retrier(fields: &mut Fields<'_>) -> Option<(Arc<[Arc<str>]>, Retrier)> {
    fields.take("Comment");
    fields.require("ErrorEquals");
    let errors = errors(fields);
    let interval_seconds = fields.small_count("IntervalSeconds", 0..=99_999_999, 1);
    let max_attempts = fields.small_count("MaxAttempts", 0..=99_999_999, 3);
    let max_delay_seconds =
        fields.has("MaxDelaySeconds").then(|| fields.small_count("MaxDelaySeconds", 1..=31_622_400, 1));
    let backoff_rate = backoff_rate(fields);
    let full_jitter = fields.one_of("JitterStrategy", &["NONE", "FULL"]) == Some("FULL");
    if max_delay_seconds.is_some_and(|cap| cap < interval_seconds) {
        fields.error("MaxDelaySeconds", "Value must be greater than 'IntervalSeconds'");
    }
    let errors = errors?;
    let retrier = Retrier {
        errors: ErrorEquals(errors.to_vec()),
        interval_seconds,
        max_attempts,
        backoff_rate,
        max_delay_seconds,
        full_jitter,
    };
    Some((errors, retrier))
}

fn backoff_rate(fields: &mut Fields<'_>) -> f64 {
    const DEFAULT: f64 = 2.0;
    let Some(rate) = fields.number("BackoffRate") else { return DEFAULT };
    if rate < 1.0 {
        fields.error("BackoffRate", "Minimum value is 1.0");
    }
    rate
}

fn catcher(names: &Names, fields: &mut Fields<'_>) -> Option<(Arc<[Arc<str>]>, Catcher)> {
    fields.take("Comment");
    fields.require_all(&["ErrorEquals", "Next"]);
    let errors = errors(fields);
    let next = names.target(fields, "Next");
    let output = match fields.language {
        Language::JsonPath => {
            fields.refuse_jsonata(&["Output"]);
            CatchOutput::ResultPath(fields.result_path())
        }
        Language::Jsonata => {
            fields.refuse_json_path(&["ResultPath"]);
            CatchOutput::Template(fields.template("Output", Reads::ErrorOutput))
        }
    };
    let assign = assign(fields, Reads::ErrorOutput);
    let errors = errors?;
    Some((errors.clone(), Catcher { errors: ErrorEquals(errors.to_vec()), next: next?, output, assign }))
}

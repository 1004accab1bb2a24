//! The cases in `jsonata/*.json`. Each has an `expression` and what is expected of it: a `value`, `"undefined": true`, an
//! `error`, a `syntax_error`, or its `references` and what it reads at its `top_level`. `input`, `result`, `error_output`
//! and `variables` are what it is evaluated on.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is not as it should be")]

use asl::{
    Value,
    context::Environment,
    jsonata::{Jsonata, States},
};
use time::{OffsetDateTime, macros::datetime};

struct Surroundings(Value);

impl Environment for Surroundings {
    fn context(&self) -> Value {
        Value::parse(r#"{"Execution": {"Name": "run"}, "State": {"RetryCount": 2}}"#).unwrap()
    }

    fn variable(&self, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }

    fn now(&self) -> OffsetDateTime {
        datetime!(2024-02-29 12:30:45.678 UTC)
    }

    fn random(&self) -> u64 {
        42
    }
}

fn evaluate(expression: &Jsonata, case: &Value) -> String {
    let field = |name| case.get(name);
    let input = field("input").cloned().unwrap_or_default();
    let states = States { input: &input, result: field("result"), error_output: field("error_output") };
    match expression.evaluate(&states, &Surroundings(field("variables").cloned().unwrap_or_default())) {
        Ok(Some(value)) => value.to_string(),
        Ok(None) => "undefined".into(),
        Err(error) => format!("error{}{error}", error.separator()),
    }
}

/// What is wrong about a case, if anything.
fn check(case: &Value) -> Option<String> {
    let text = case.get("expression").and_then(Value::as_str).expect("an expression");
    let expression = match Jsonata::parse(text) {
        Ok(expression) => expression,
        Err(error) => {
            let found = format!("{}: {error}", error.code.as_deref().unwrap_or_default());
            let expected = case.get("syntax_error").and_then(Value::as_str).unwrap_or("an expression");
            return (found != expected).then(|| format!("{text}\n  expected {expected}\n  found    {found}"));
        }
    };
    let mut wrong = String::new();
    let mut compare = |expected: String, found: String| {
        if expected != found {
            wrong.extend(["\n  expected ", &expected, "\n  found    ", &found]);
        }
    };
    if let Some(error) = case.get("syntax_error") {
        compare(error.to_string(), "an expression".into());
    }
    if let Some(references) = case.get("references") {
        let found = expression
            .references()
            .iter()
            .map(|one| Value::from([std::slice::from_ref(&one.variable), one.fields.as_slice()].concat().join(".")))
            .collect::<Vec<_>>();
        compare(references.to_string(), Value::from(found).to_string());
    }
    if let Some(top_level) = case.get("top_level") {
        let found = expression.top_level().iter().map(|one| Value::from(one.to_string())).collect::<Vec<_>>();
        compare(top_level.to_string(), Value::from(found).to_string());
    }
    if let Some(value) = case.get("value") {
        compare(value.to_string(), evaluate(&expression, case));
    }
    if case.get("undefined").is_some() {
        compare("undefined".into(), evaluate(&expression, case));
    }
    if let Some(error) = case.get("error").and_then(Value::as_str) {
        compare(format!("error{error}"), evaluate(&expression, case));
    }
    (!wrong.is_empty()).then(|| format!("{text}{wrong}"))
}

fn check_file(text: &str) {
    let cases = Value::parse(text).expect("JSON");
    let cases = cases.as_array().expect("an array of cases");
    let wrong: Vec<String> = cases.iter().filter_map(check).collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n\n{}\n", wrong.len(), cases.len(), wrong.join("\n\n"));
}

macro_rules! files {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check_file(include_str!(concat!("jsonata/", stringify!($name), ".json")));
        })*
    };
}

files!(errors functions language limits references);

#[test]
fn what_nests_too_deep_is_refused_when_it_is_compiled() {
    for (before, inside, after) in [
        ("(", "1", ")"),
        ("[", "", "]"),
        ("-", "1", ""),
        ("1+", "1", ""),
        ("{'a':", "1", "}"),
        ("function($x){", "1", "}"),
        ("true ? ", "1", ""),
        ("$x[", "1", "]"),
        ("$x.(", "1", ")"),
        ("$f(", "1", ")"),
        ("1 ~> ", "$f", ""),
        ("|$|", "{}", "|"),
    ] {
        let text = [before.repeat(10_000), inside.into(), after.repeat(10_000)].concat();
        let error = Jsonata::parse(&text).expect_err(before);
        assert_eq!(
            (error.code.as_deref(), error.to_string()),
            (None, "The expression is nested too deep".into()),
            "{before}"
        );
    }
}

//! What fields that are found at run time may be, and what the service says of those that are of no use.

mod support;

use engine::Outcome;
use serde_json::{Value, json};
use support::Played;

/// What an execution of the one state `S` with the input `{"n": …}` came to: its cause, or nothing where it goes on.
fn cause(state: &Value, n: &Value) -> Option<String> {
    let language = if state.to_string().contains("{%") { "JSONata" } else { "JSONPath" };
    let mut state = state.clone();
    state["End"] = true.into();
    let definition = json!({"QueryLanguage": language, "StartAt": "S", "States": {"S": state}});
    let played = Played::start(&definition, &json!({"n": n, "items": [1, 2]}));
    match played.execution.outcome()? {
        Outcome::Failed(fault) => {
            let cause = fault.cause.unwrap_or_default();
            let prefix = "An error occurred while executing the state 'S' (entered at the event id #2). ";
            Some(cause.strip_prefix(prefix).unwrap_or(&cause).to_owned())
        }
        Outcome::Succeeded(_) => None,
        other => Some(format!("{other:?}")),
    }
}

fn map(field: &str, value: &str, mode: &str) -> Value {
    let mut state = json!({"Type": "Map", field: value, "ItemProcessor": {
        "ProcessorConfig": {"Mode": mode, "ExecutionType": "STANDARD"},
        "StartAt": "Item", "States": {"Item": {"Type": "Pass", "End": true}}}});
    if mode == "INLINE" {
        state["ItemProcessor"]["ProcessorConfig"] = json!({"Mode": mode});
    }
    if value.starts_with('$') {
        state["ItemsPath"] = "$.items".into();
    } else {
        state["Items"] = json!([1, 2]);
    }
    state
}

#[test]
fn values_of_no_use_are_told_in_the_service_s_words() {
    const N: &str = "{% $states.input.n %}";
    let not_a_number = |field: &str, was: &str, value: &str| {
        format!(
            "The JSONata expression '$states.input.n' specified for the field '{field}' returned an unexpected result \
             type. Expected 'number', but was '{was}' for value: {value}"
        )
    };
    let task = |field: &str, value: &str| json!({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", field: value});
    let wait = |field: &str, value: &str| json!({"Type": "Wait", field: value});
    let (count, percentage) = ("ToleratedFailureCount", "ToleratedFailurePercentage");
    for (state, n, expected) in [
        (wait("SecondsPath", "$.n"), json!("2"), None),
        (
            wait("SecondsPath", "$.n"),
            json!("soon"),
            Some("The SecondsPath parameter cannot be parsed as a long value: $.n == soon".to_owned()),
        ),
        (
            wait("SecondsPath", "$.n"),
            json!({"s": 1}),
            Some("The SecondsPath parameter cannot be parsed as a long value: $.n == {\"s\":1}".to_owned()),
        ),
        (wait("Seconds", N), json!("2"), Some(not_a_number("Seconds", "string", "\"2\""))),
        (wait("Seconds", N), json!(1.5), Some("The Seconds field cannot be parsed as an integer: 1.5".to_owned())),
        (task("TimeoutSeconds", N), json!(null), Some(not_a_number("TimeoutSeconds", "null", "null"))),
        (
            task("TimeoutSeconds", N),
            json!(0.5),
            Some("The TimeoutSeconds field cannot be parsed as an integer: 0.5".to_owned()),
        ),
        (
            task("HeartbeatSeconds", N),
            json!(100_000_000),
            Some("HeartbeatSeconds must be between 0 and 99999999 but was: 100000000".to_owned()),
        ),
        (
            task("TimeoutSecondsPath", "$.n"),
            json!(100_000_000),
            Some("TimeoutSecondsPath must be between 0 and 99999999 but was: 100000000".to_owned()),
        ),
        (
            map("ToleratedFailureCountPath", "$.n", "DISTRIBUTED"),
            json!(1.5),
            Some(
                "The ToleratedFailureCountPath field refers to value \"1.5\" which is not a valid integer: $.n"
                    .to_owned(),
            ),
        ),
        (
            map("ToleratedFailureCountPath", "$.n", "DISTRIBUTED"),
            json!(-1),
            Some("ToleratedFailureCount cannot be negative.".to_owned()),
        ),
        (map(count, N, "DISTRIBUTED"), json!(-1), Some("ToleratedFailureCount cannot be negative.".to_owned())),
        (
            map("ToleratedFailurePercentagePath", "$.n", "DISTRIBUTED"),
            json!([]),
            Some(
                "The ToleratedFailurePercentagePath field refers to value \"[]\" which is not a valid float: $.n"
                    .to_owned(),
            ),
        ),
        (
            map("ToleratedFailurePercentagePath", "$.n", "DISTRIBUTED"),
            json!(100.1),
            Some("ToleratedFailurePercentage must be a number from 0 to 100.".to_owned()),
        ),
        (
            map(percentage, N, "DISTRIBUTED"),
            json!(-0.5),
            Some("ToleratedFailurePercentage must be a number from 0 to 100.".to_owned()),
        ),
        (map(percentage, N, "DISTRIBUTED"), json!(100), None),
        (map("MaxConcurrency", N, "INLINE"), json!(-1), Some("MaxConcurrency cannot be negative.".to_owned())),
        (
            map("MaxConcurrencyPath", "$.n", "DISTRIBUTED"),
            json!(-1),
            Some("The MaxConcurrencyPath field refers to value \"-1\" which is not a valid integer: $.n".to_owned()),
        ),
        (map("MaxConcurrencyPath", "$.n", "INLINE"), json!("1"), None),
    ] {
        assert_eq!(cause(&state, &n), expected, "{state} {n}");
    }
}

#[test]
fn tolerances_are_looked_at_when_the_state_has_begun() {
    let mut state = map("ToleratedFailureCountPath", "$.n", "DISTRIBUTED");
    state["End"] = true.into();
    let played = Played::start(&json!({"StartAt": "S", "States": {"S": state}}), &json!({"n": "many", "items": [1]}));
    assert_eq!(played.types(), ["ExecutionStarted", "MapStateEntered", "MapStateStarted", "ExecutionFailed"]);
}

#[test]
fn with_a_concurrency_below_zero_no_iteration_begins() {
    let mut state = map("MaxConcurrencyPath", "$.n", "INLINE");
    state["End"] = true.into();
    let played = Played::start(&json!({"StartAt": "S", "States": {"S": state}}), &json!({"n": -1, "items": [1]}));
    assert_eq!(played.types(), ["ExecutionStarted", "MapStateEntered", "MapStateStarted"]);
}

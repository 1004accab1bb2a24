//! The interpreter through its one function: what happened goes in, commands and history come out.

mod support;

use asl::Fault;
use engine::{Command, Happened, Outcome, core::rests::Until, history::MAX_EVENTS, map_run::Source};
use serde_json::{Value, json};
use support::{Played, function, pass, task};

#[test]
fn retries_wait_longer_each_time_up_to_the_cap() {
    let mut played = Played::start(
        &task(json!({"Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 3,
                                "MaxDelaySeconds": 20}]})),
        &json!({}),
    );
    let mut delays = Vec::new();
    for _ in 0..4 {
        let before = played.now;
        played.fail("Busy");
        played.fire_next_timer();
        delays.push((played.now - before).whole_seconds());
    }
    assert_eq!(delays, [2, 6, 18, 20]);
    played.fail("Busy");
    assert_eq!(played.outcome(), Outcome::Failed(Fault::named("Busy")));
}

#[test]
fn each_retrier_counts_its_own_tries() {
    let mut played = Played::start(
        &task(json!({"Retry": [{"ErrorEquals": ["A"], "MaxAttempts": 1}, {"ErrorEquals": ["B"], "MaxAttempts": 1}]})),
        &json!({}),
    );
    for error in ["A", "B"] {
        played.fail(error);
        played.fire_next_timer();
    }
    assert_eq!(played.last_call().retry_count, 2);
    played.fail("A");
    assert_eq!(played.outcome(), Outcome::Failed(Fault::named("A")));
}

#[test]
fn jitter_draws_delays_within_the_backoff_and_the_same_ones_for_the_same_seed() {
    let delays = |seed| {
        let definition = task(json!({"Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100,
                                                "MaxAttempts": 20, "BackoffRate": 1, "JitterStrategy": "FULL"}]}));
        let mut played = Played::start_with_seed(&definition, &json!({}), seed);
        let mut delays = Vec::new();
        for _ in 0..20 {
            let before = played.now;
            played.fail("Busy");
            played.fire_next_timer();
            delays.push((played.now - before).whole_milliseconds());
        }
        delays
    };
    let drawn = delays(1);
    assert!(drawn.iter().all(|delay| (0..100_000).contains(delay)), "{drawn:?}");
    assert_eq!(drawn, delays(1));
    assert_ne!(drawn, delays(2));
}

#[test]
fn a_task_that_takes_too_long_is_cancelled_and_its_late_answer_ignored() {
    let mut played = Played::start(
        &task(json!({"TimeoutSeconds": 30, "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "After"}]})),
        &json!({}),
    );
    let call = played.last_call().id;
    played.step(Happened::TaskStarted { call, worker: None });
    played.fire_next_timer();
    assert_eq!((played.now - support::START).whole_seconds(), 30);
    assert!(matches!(played.commands.last(), Some(Command::CancelTask { call: cancelled }) if *cancelled == call));
    let history = played.types();
    played.step(Happened::TaskSucceeded { call, output: asl::Value::Null });
    assert_eq!(played.types(), history);
    assert_eq!(
        history[2..6],
        ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionTimedOut", "TaskStateExited"]
    );
    assert_eq!(played.output(), json!({"Error": "States.Timeout", "Cause": ""}));
}

#[test]
fn a_time_out_that_comes_after_the_answer_changes_nothing() {
    let mut played = Played::start(&task(json!({"TimeoutSeconds": 30})), &json!({}));
    played.succeed(&json!("done"));
    let history = played.types();
    played.fire_next_timer();
    assert_eq!(played.types(), history);
    assert_eq!(played.output(), json!("done"));
}

#[test]
fn a_machine_that_takes_too_long_ends_with_one_event_that_follows_none() {
    let mut played = Played::start(
        &json!({"TimeoutSeconds": 5, "StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": true}}}),
        &json!({}),
    );
    played.fire_next_timer();
    assert_eq!(played.outcome(), Outcome::TimedOut(Fault::named("States.Timeout")));
    assert_eq!(played.types(), ["ExecutionStarted", "WaitStateEntered", "ExecutionTimedOut"]);
    assert_eq!(played.execution.history()[2].previous_id, 0);
}

#[test]
fn a_stop_ends_it_cancels_its_calls_and_is_the_last_thing_that_happens() {
    let mut played = Played::start(&task(json!({})), &json!({}));
    let call = played.last_call().id;
    let fault = Fault::new("Why", "because");
    played.step(Happened::StopRequested { fault: fault.clone() });
    assert_eq!(played.outcome(), Outcome::Aborted(fault.clone()));
    assert!(matches!(played.commands.last(), Some(Command::CancelTask { call: cancelled }) if *cancelled == call));
    let history = played.types();
    assert_eq!(history.last().map(String::as_str), Some("ExecutionAborted"));
    played.step(Happened::TaskSucceeded { call, output: asl::Value::Null });
    played.step(Happened::StopRequested { fault: Fault::default() });
    played.step(Happened::Started);
    assert_eq!(played.types(), history);
    assert_eq!(played.outcome(), Outcome::Aborted(fault));
}

#[test]
fn it_starts_only_once() {
    let mut played = Played::start(&task(json!({})), &json!({}));
    played.step(Happened::Started);
    assert_eq!(played.types(), ["ExecutionStarted", "TaskStateEntered", "LambdaFunctionScheduled"]);
}

/// A Parallel state with a branch for each of these states, or a Map state with as many iterations of the first.
fn at_once(kind: &str, states: &[Value]) -> Value {
    let graphs: Vec<_> = states
        .iter()
        .enumerate()
        .map(|(index, state)| {
            let name = format!("{kind}{index}");
            json!({"StartAt": name, "States": {name: state}})
        })
        .collect();
    match kind {
        "Map" => json!({"Type": "Map", "Items": vec![0; states.len()], "ItemProcessor": graphs[0], "End": true}),
        _ => json!({"Type": "Parallel", "Branches": graphs, "End": true}),
    }
}

#[test]
fn what_is_due_at_one_moment_happens_before_anybody_is_given_up_for_it() {
    let task = |seconds: u64, fields: Value| {
        let mut state = json!({"Type": "Task", "Resource": function(), "TimeoutSeconds": seconds, "End": true});
        state
            .as_object_mut()
            .into_iter()
            .for_each(|state| state.extend(fields.as_object().cloned().unwrap_or_default()));
        state
    };
    let retried = json!({"Retry": [{"ErrorEquals": ["States.Timeout"]}]});
    let wait = json!({"Type": "Wait", "Seconds": 30, "End": true});
    let nested = at_once("Map", &[task(30, json!({})), json!({})]);
    for (kind, states, expected) in [
        (
            "Map",
            vec![task(30, json!({})); 3],
            "LambdaFunctionTimedOut LambdaFunctionTimedOut LambdaFunctionTimedOut \
             MapIterationFailed TaskStateAborted MapIterationFailed TaskStateAborted MapIterationFailed TaskStateAborted \
             MapStateFailed ExecutionFailed",
        ),
        (
            "Parallel",
            // The last one is not due, and the one that would be tried again is given up.
            vec![task(30, json!({})), wait, task(30, retried), task(31, json!({})), task(30, json!({}))],
            "LambdaFunctionTimedOut WaitStateExited LambdaFunctionTimedOut LambdaFunctionTimedOut \
             TaskStateAborted TaskStateAborted TaskStateAborted TaskStateAborted ParallelStateFailed ExecutionFailed",
        ),
        (
            "Parallel",
            vec![nested, task(30, json!({}))],
            "LambdaFunctionTimedOut LambdaFunctionTimedOut LambdaFunctionTimedOut \
             MapStateAborted MapIterationFailed TaskStateAborted MapIterationFailed TaskStateAborted \
             TaskStateAborted ParallelStateFailed ExecutionFailed",
        ),
    ] {
        let states = json!({"Fork": at_once(kind, &states)});
        let definition = json!({"QueryLanguage": "JSONata", "StartAt": "Fork", "States": states});
        let mut played = Played::start(&definition, &json!({}));
        for call in played.calls() {
            played.step(Happened::TaskStarted { call: call.id, worker: None });
        }
        let before = played.types().len();
        played.fire_next_timer();
        assert_eq!(played.types()[before..].join(" "), expected);
        assert_eq!(played.outcome(), Outcome::Failed(Fault::named("States.Timeout")));
        assert_eq!(played.cancelled().len(), played.calls().len());
    }
}

#[test]
fn a_branch_that_fails_takes_its_siblings_with_it() {
    let branch = |name: &str, state| json!({"StartAt": name, "States": {name: state}});
    let calls = json!({"Type": "Task", "Resource": function(), "End": true});
    let waits = json!({"Type": "Wait", "Seconds": 9, "End": true});
    let nested = json!({"Type": "Map", "End": true, "ItemsPath": "$.items", "ItemProcessor": branch("Call each", calls.clone())});
    let mut played = Played::start(
        &json!({"StartAt": "All", "States": {"All": {"Type": "Parallel", "End": true, "Branches":
            [branch("Call", calls), branch("Wait", waits), branch("Each", nested)]}}}),
        &json!({"items": [1, 2]}),
    );
    let calls = played.calls();
    assert_eq!(calls.len(), 3);
    played.step(Happened::TaskStarted { call: calls[0].id, worker: None });
    let history = played.types().len();
    played.step(Happened::TaskFailed { call: calls[0].id, fault: Fault::named("Broken") });
    assert_eq!(
        played.types()[history..],
        [
            "LambdaFunctionFailed",
            "WaitStateAborted",
            "MapStateAborted",
            "MapIterationAborted",
            "TaskStateAborted",
            "MapIterationAborted",
            "TaskStateAborted",
            "TaskStateAborted",
            "ParallelStateFailed",
            "ExecutionFailed"
        ]
    );
    // All of it follows the failure.
    let (failed, last) = (history as u64 + 1, played.execution.history().len() - 1);
    let after = &played.execution.history()[history + 1..last];
    assert!(after.iter().all(|event| event.previous_id == failed), "{after:?}");
    let cancelled: Vec<_> = played.cancelled();
    assert_eq!(cancelled, [calls[1].id, calls[2].id]);
    assert_eq!(played.outcome(), Outcome::Failed(Fault::named("Broken")));
}

#[test]
fn a_map_keeps_to_its_concurrency_and_to_the_order_of_its_items() {
    let mut played = Played::start(
        &json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "MaxConcurrency": 2, "End": true,
            "ItemProcessor": task(json!({}))}}}),
        &json!(["a", "b", "c", "d"]),
    );
    // The second iteration ends first: the third begins at once, and the results keep the items' order.
    let mut order = Vec::new();
    for index in [1, 0, 3, 2] {
        let calls = played.calls();
        assert!(calls.len() - order.len() <= 2);
        let call = &calls[index];
        order.push(call.input.to_string());
        played.step(Happened::TaskSucceeded { call: call.id, output: call.input.clone() });
    }
    assert_eq!(order, [r#""b""#, r#""a""#, r#""d""#, r#""c""#]);
    assert_eq!(played.output(), json!(["a", "b", "c", "d"]));
}

#[test]
fn no_more_than_forty_iterations_run_at_once() {
    let items: Vec<_> = (0..100).collect();
    let played = Played::start(
        &json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true, "ItemProcessor": task(json!({}))}}}),
        &json!(items),
    );
    assert_eq!(played.calls().len(), 40);
}

#[test]
fn a_history_is_full_at_its_limit_and_says_so() {
    let played = Played::start(
        &json!({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"},
            "B": {"Type": "Choice", "Default": "A", "Choices": [{"Variable": "$", "IsString": true, "Next": "C"}]},
            "C": {"Type": "Succeed"}}}),
        &json!({}),
    );
    let cause = "The execution reached the maximum number of history events (25000).";
    assert_eq!(played.execution.history().len(), MAX_EVENTS);
    assert_eq!(played.outcome(), Outcome::Failed(Fault::runtime(cause)));
    assert!(played.execution.history().iter().zip(1..).all(|(event, id)| event.id == id));
}

#[test]
fn an_answer_over_the_payload_limit_fails_the_task() {
    let mut played = Played::start(&task(json!({})), &json!({}));
    played.step(Happened::TaskStarted { call: played.last_call().id, worker: None });
    played.succeed(&json!("x".repeat(asl::PAYLOAD_LIMIT - 1)));
    let cause = format!(
        "The state/task '{}' returned a result with a size exceeding the maximum number of bytes service limit.",
        function()
    );
    assert_eq!(played.outcome(), Outcome::Failed(Fault::new("States.DataLimitExceeded", cause)));
    assert_eq!(played.types()[4], "LambdaFunctionFailed");
}

#[test]
fn an_answer_at_the_payload_limit_is_taken() {
    let mut played = Played::start(&task(json!({})), &json!({}));
    let largest = json!("x".repeat(asl::PAYLOAD_LIMIT - 2));
    played.succeed(&largest);
    assert_eq!(played.output(), largest);
}

#[test]
fn a_value_that_grows_over_the_payload_limit_fails_its_state() {
    let half = "x".repeat(asl::PAYLOAD_LIMIT / 2);
    let played = Played::start(&pass(json!({"Parameters": {"a.$": "$", "b.$": "$"}})), &json!(half));
    let Outcome::Failed(fault) = played.outcome() else { panic!("{:?}", played.outcome()) };
    assert_eq!(fault.error.as_deref(), Some("States.DataLimitExceeded"));
}

#[test]
fn a_wait_until_the_past_is_over_at_once() {
    let mut played = Played::start(
        &json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Timestamp": "2001-01-01T00:00:00Z", "End": true}}}),
        &json!({}),
    );
    played.fire_next_timer();
    assert_eq!(played.now, support::START);
    assert_eq!(played.output(), json!({}));
}

#[test]
fn an_item_that_cannot_be_selected_gives_up_the_iterations_that_have_begun() {
    let definition = json!({
        "QueryLanguage": "JSONata",
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "MaxConcurrency": 2,
                "ItemSelector": {"n": "{% $states.context.Map.Item.Value + 1 %}"},
                "ItemProcessor": {"StartAt": "Call", "States": {"Call": {
                    "Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": true,
                }}},
                "Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "Caught"}],
                "End": true,
            },
            "Caught": {"Type": "Pass", "Output": "caught", "End": true},
        },
    });
    let mut played = Played::start(&definition, &json!([1, 2, "not a number"]));
    let [first, second] = [played.calls()[0].id, played.calls()[1].id];
    played.step(Happened::TaskSucceeded { call: first, output: "done".into() });
    assert_eq!(played.outcome(), Outcome::Succeeded("caught".into()));
    assert!(played.commands.iter().any(|command| matches!(command, Command::CancelTask { call } if *call == second)));
}

#[test]
fn what_an_execution_rests_at_is_told_until_it_is_over() {
    let until = |played: &Played| -> Vec<(String, Until)> {
        let rests = played.execution.rests().into_iter();
        rests.map(|rest| (rest.state.to_string(), rest.until)).collect()
    };
    let callback = json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
                           "Parameters": { "FunctionName": "f", "Payload": { "t.$": "$$.Task.Token" } }, "End": true });
    let worker = "arn:aws:states:us-east-1:000000000000:activity:work";
    let branch = |name: &str, state: Value| json!({ "StartAt": name, "States": { name: state } });
    let definition = branch(
        "Both",
        json!({ "Type": "Parallel", "End": true, "Branches": [
            branch("Nap", json!({ "Type": "Wait", "Seconds": 5, "End": true })),
            branch("Ask", callback),
            branch("Work", json!({ "Type": "Task", "Resource": worker, "End": true })),
        ] }),
    );
    let mut played = Played::start(&definition, &json!({}));
    let nap = ("Nap".to_owned(), Until::Time(support::START + time::Duration::seconds(5)));
    assert_eq!(until(&played), std::slice::from_ref(&nap));
    let calls = played.calls();
    let [ask, work] = calls.as_slice() else { panic!("{calls:?}") };
    played.step(Happened::TaskStarted { call: ask.id, worker: None });
    played.step(Happened::TaskSubmitted { call: ask.id, output: asl::Value::Null });
    played.step(Happened::TaskScheduled { call: work.id });
    let ask = ("Ask".to_owned(), Until::Callback { token: ask.token.clone().unwrap() });
    assert_eq!(
        until(&played),
        [nap.clone(), ask.clone(), ("Work".to_owned(), Until::Worker { activity: worker.into() })]
    );
    played.step(Happened::TaskStarted { call: work.id, worker: None });
    assert_eq!(until(&played), [nap, ask.clone()]);
    played.fire_next_timer();
    assert_eq!(until(&played), [ask]);
}

#[test]
fn a_state_that_is_to_be_tried_again_rests_until_then() {
    let definition = json!({ "StartAt": "Do", "States": { "Do": {
        "Type": "Task", "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f", "End": true,
        "Retry": [{ "ErrorEquals": ["States.ALL"], "IntervalSeconds": 7, "MaxAttempts": 1 }] } } });
    let mut played = Played::start(&definition, &json!({}));
    assert!(played.execution.rests().is_empty());
    let call = played.calls()[0].id;
    played.step(Happened::TaskFailed { call, fault: asl::Fault::default() });
    let rests = played.execution.rests();
    let until: Vec<&Until> = rests.iter().map(|rest| &rest.until).collect();
    assert_eq!(until, [&Until::Retry(support::START + time::Duration::seconds(7))]);
    played.fire_next_timer();
    assert!(played.execution.rests().is_empty());
}

#[test]
fn what_a_catcher_makes_too_large_fails_the_execution_and_is_not_caught_again() {
    let definition = task(json!({ "Catch": [
        { "ErrorEquals": ["States.DataLimitExceeded"], "Next": "After" },
        { "ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "After" },
    ] }));
    let mut played = Played::start(&definition, &json!({ "large": "x".repeat(asl::PAYLOAD_LIMIT - 20) }));
    played.fail("Busy");
    let Outcome::Failed(fault) = played.outcome() else { panic!("{:?}", played.outcome()) };
    assert_eq!(fault.error.as_deref(), Some("States.DataLimitExceeded"));
}

#[test]
fn a_loop_that_wraps_its_input_ends() {
    let nesting = format!("{}$.all{}", "States.Array(".repeat(9), ")".repeat(9));
    let definition = json!({ "StartAt": "Wrap", "States": {
        "Wrap": { "Type": "Pass", "Parameters": { "all.$": nesting }, "Next": "Enough" },
        "Enough": { "Type": "Choice", "Choices": [{ "Variable": "$.all", "NumericEquals": 2, "Next": "End" }], "Default": "Wrap" },
        "End": { "Type": "Succeed" },
    } });
    let played = Played::start(&definition, &json!({ "all": 1 }));
    let Outcome::Failed(fault) = played.outcome() else { panic!("{:?}", played.outcome()) };
    assert_eq!(fault.error.as_deref(), Some("States.DataLimitExceeded"));
}

/// A machine of one Map state with these fields.
fn map(language: &str, mode: &Value, fields: &Value) -> Value {
    let mut map = json!({"Type": "Map", "End": true, "ItemProcessor": {
        "ProcessorConfig": mode, "StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}},
    }});
    let (Value::Object(all), Value::Object(fields)) = (&mut map, fields) else { panic!("fields are objects") };
    all.extend(fields.clone());
    json!({"QueryLanguage": language, "StartAt": "M", "States": {"M": map}})
}

#[test]
fn a_distributed_map_goes_through_the_fields_of_an_object() {
    let distributed = json!({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"});
    let (whole, part) = (json!({"b": 1, "a": [2]}), json!({"of": {"b": 1, "a": [2]}}));
    for (language, fields, input) in [
        ("JSONPath", json!({}), &whole),
        ("JSONPath", json!({"ItemsPath": "$.of"}), &part),
        ("JSONata", json!({}), &whole),
        ("JSONata", json!({"Items": "{% $states.input.of %}"}), &part),
        ("JSONata", json!({"Items": {"b": 1, "a": [2]}}), &part),
    ] {
        let played = Played::start(&map(language, &distributed, &fields), input);
        let run = played.commands.iter().find_map(|command| match command {
            Command::StartMapRun(run) => Some(run),
            _ => None,
        });
        let Some(Source::State(items)) = run.map(|run| &run.source) else { panic!("{:?}", played.types()) };
        let inputs: Vec<Value> = items.items().iter().map(|item| serde_json::to_value(item.input()).unwrap()).collect();
        assert_eq!(inputs, [json!({"Key": "b", "Value": 1}), json!({"Key": "a", "Value": [2]})], "{language} {fields}");
    }
}

#[test]
fn an_inline_map_goes_through_arrays_alone() {
    for language in ["JSONPath", "JSONata"] {
        let played = Played::start(&map(language, &json!({"Mode": "INLINE"}), &json!({})), &json!({"a": 1}));
        assert!(matches!(played.outcome(), Outcome::Failed(_)), "{language}");
    }
}

//! Redrives of executions: what is done again, what is kept, and what the history says.
//!
//! The orders of events, and what each follows, are those of histories of the real service.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod support;

use asl::{Fault, Value};
use engine::{
    Command, EventKind, Happened, NotRedrivable, Outcome, Status,
    core::{Call, CallId},
    map_run::MapRun,
};
use serde_json::json;
use support::{Played, function, task};
use time::Duration;

fn redrive(played: &mut Played) {
    played.step(Happened::Redriven { client_token: None });
}

/// Each event from the one with this id on: `id Type <- what it follows`.
fn events(played: &Played, from: usize) -> Vec<String> {
    let types = played.types();
    let line = |(event, name): (&engine::Event, &String)| format!("{} {name} <- {}", event.id, event.previous_id);
    played.execution.history().iter().zip(&types).skip(from - 1).map(line).collect()
}

/// The last call of the state with this name.
fn call_of(played: &Played, state: &str) -> Call {
    played.calls().into_iter().rev().find(|call| &*call.state == state).unwrap()
}

fn started(played: &mut Played, call: CallId) {
    played.step(Happened::TaskStarted { call, worker: None });
}

fn succeed(played: &mut Played, state: &str, output: &serde_json::Value) {
    let call = call_of(played, state).id;
    started(played, call);
    played.step(Happened::TaskSucceeded { call, output: Value::from(output) });
}

fn fail(played: &mut Played, state: &str) {
    let call = call_of(played, state).id;
    started(played, call);
    played.step(Happened::TaskFailed { call, fault: Fault::named("Broken") });
}

fn work(fields: &serde_json::Value) -> serde_json::Value {
    let mut state = json!({"Type": "Task", "Resource": function()});
    state.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    state
}

/// A Parallel state with a branch of one Task state for each of these names.
fn parallel(names: &[&str], fields: &serde_json::Value) -> serde_json::Value {
    let branch = |name: &&str| json!({"StartAt": name, "States": {*name: work(&json!({"End": true}))}});
    let mut state = json!({"Type": "Parallel", "Branches": names.iter().map(branch).collect::<Vec<_>>(), "End": true});
    state.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"StartAt": "All", "States": {"All": state}})
}

fn map(max_concurrency: u64) -> serde_json::Value {
    let processor = json!({"StartAt": "Item", "States": {"Item": work(&json!({"End": true}))}});
    json!({"StartAt": "Each", "States": {"Each": {
        "Type": "Map", "MaxConcurrency": max_concurrency, "ItemProcessor": processor, "End": true
    }}})
}

#[test]
fn a_failed_task_is_scheduled_again_from_its_entry_with_its_retries_and_its_entry_time() {
    let context = json!({"count.$": "$$.Execution.RedriveCount", "entered.$": "$$.State.EnteredTime",
                         "retries.$": "$$.State.RetryCount"});
    let definition = json!({"StartAt": "First", "States": {
        "First": {"Type": "Pass", "Result": "kept", "Next": "Work"},
        "Work": work(&json!({"Parameters": context, "Next": "Last", "Retry": [{"ErrorEquals": ["Broken"], "MaxAttempts": 1}]})),
        "Last": {"Type": "Pass", "Parameters": {"time.$": "$$.Execution.RedriveTime", "work.$": "$"}, "End": true},
    }});
    let mut played = Played::start(&definition, &json!({}));
    let entered = call_of(&played, "Work").input;
    for _ in 0..2 {
        fail(&mut played, "Work");
        played.fire_next_timer();
        fail(&mut played, "Work");
        assert_eq!(played.outcome(), Outcome::Failed(Fault::named("Broken")));
        played.now += Duration::hours(1);
        redrive(&mut played);
    }
    let call = call_of(&played, "Work");
    let count = |call: &Call| call.input.get("count").cloned();
    assert_eq!((count(&call), call.retry_count), (Some(Value::from(2_u64)), 0));
    assert_eq!(call.input.get("entered"), entered.get("entered"));
    succeed(&mut played, "Work", &json!("done"));
    let redriven = played.execution.redriven().unwrap();
    assert_eq!((redriven.count, redriven.at), (2, played.now));
    assert_eq!(played.output(), json!({"time": asl::timestamp::format(played.now), "work": "done"}));
    assert_eq!(
        events(&played, 4),
        [
            "4 TaskStateEntered <- 3",
            "5 LambdaFunctionScheduled <- 4",
            "6 LambdaFunctionStarted <- 5",
            "7 LambdaFunctionFailed <- 6",
            "8 LambdaFunctionScheduled <- 7",
            "9 LambdaFunctionStarted <- 8",
            "10 LambdaFunctionFailed <- 9",
            "11 ExecutionFailed <- 10",
            "12 ExecutionRedriven <- 11",
            "13 LambdaFunctionScheduled <- 4",
            "14 LambdaFunctionStarted <- 13",
            "15 LambdaFunctionFailed <- 14",
            "16 LambdaFunctionScheduled <- 15",
            "17 LambdaFunctionStarted <- 16",
            "18 LambdaFunctionFailed <- 17",
            "19 ExecutionFailed <- 18",
            "20 ExecutionRedriven <- 19",
            "21 LambdaFunctionScheduled <- 4",
            "22 LambdaFunctionStarted <- 21",
            "23 LambdaFunctionSucceeded <- 22",
            "24 TaskStateExited <- 23",
            "25 PassStateEntered <- 24",
            "26 PassStateExited <- 25",
            "27 ExecutionSucceeded <- 26",
        ]
    );
}

#[test]
fn of_a_parallel_state_the_failed_and_the_aborted_branches_go_on() {
    let mut played = Played::start(&parallel(&["Good", "Bad", "Late"], &json!({})), &json!({}));
    succeed(&mut played, "Good", &json!("kept"));
    let late = call_of(&played, "Late").id;
    started(&mut played, late);
    fail(&mut played, "Bad");
    let ended = played.execution.history().len();
    redrive(&mut played);
    assert_eq!(played.calls().len(), 5);
    // An answer to the call that was given up is not one to the new call.
    played.step(Happened::TaskSucceeded { call: late, output: Value::Null });
    succeed(&mut played, "Late", &json!("late"));
    succeed(&mut played, "Bad", &json!("mended"));
    assert_eq!(played.output(), json!(["kept", "mended", "late"]));
    assert_eq!(
        events(&played, 4)[0..4],
        [
            "4 TaskStateEntered <- 3",
            "5 LambdaFunctionScheduled <- 4",
            "6 TaskStateEntered <- 3",
            "7 LambdaFunctionScheduled <- 6",
        ]
    );
    assert_eq!(
        events(&played, ended + 1),
        [
            "20 ExecutionRedriven <- 19",
            "21 LambdaFunctionScheduled <- 6",
            "22 LambdaFunctionScheduled <- 8",
            "23 LambdaFunctionStarted <- 22",
            "24 LambdaFunctionSucceeded <- 23",
            "25 TaskStateExited <- 24",
            "26 LambdaFunctionStarted <- 21",
            "27 LambdaFunctionSucceeded <- 26",
            "28 TaskStateExited <- 27",
            "29 ParallelStateSucceeded <- 28",
            "30 ParallelStateExited <- 28",
            "31 ExecutionSucceeded <- 30",
        ]
    );
}

#[test]
fn of_a_map_state_failed_iterations_go_on_and_those_that_had_not_begun_begin() {
    let mut played = Played::start(&map(1), &json!([0, 1, 2]));
    succeed(&mut played, "Item", &json!("zero"));
    fail(&mut played, "Item");
    let ended = played.execution.history().len();
    redrive(&mut played);
    succeed(&mut played, "Item", &json!("one"));
    succeed(&mut played, "Item", &json!("two"));
    assert_eq!(played.output(), json!(["zero", "one", "two"]));
    let history = events(&played, 1);
    assert_eq!(
        history[11..ended],
        [
            "12 TaskStateEntered <- 11",
            "13 LambdaFunctionScheduled <- 12",
            "14 LambdaFunctionStarted <- 13",
            "15 LambdaFunctionFailed <- 14",
            "16 MapIterationFailed <- 15",
            "17 TaskStateAborted <- 15",
            "18 MapStateFailed <- 15",
            "19 ExecutionFailed <- 18",
        ]
    );
    assert_eq!(
        history[ended..],
        [
            "20 ExecutionRedriven <- 19",
            "21 LambdaFunctionScheduled <- 12",
            "22 LambdaFunctionStarted <- 21",
            "23 LambdaFunctionSucceeded <- 22",
            "24 TaskStateExited <- 23",
            "25 MapIterationSucceeded <- 24",
            "26 MapIterationStarted <- 24",
            "27 TaskStateEntered <- 26",
            "28 LambdaFunctionScheduled <- 27",
            "29 LambdaFunctionStarted <- 28",
            "30 LambdaFunctionSucceeded <- 29",
            "31 TaskStateExited <- 30",
            "32 MapIterationSucceeded <- 31",
            "33 MapStateSucceeded <- 32",
            "34 MapStateExited <- 32",
            "35 ExecutionSucceeded <- 34",
        ]
    );
}

#[test]
fn an_execution_that_was_stopped_or_took_too_long_goes_on_with_a_new_time_limit() {
    let stop = |played: &mut Played| played.step(Happened::StopRequested { fault: Fault::default() });
    let ends = [(stop as fn(&mut Played), "ExecutionAborted", 50), (Played::fire_next_timer, "ExecutionTimedOut", 70)];
    for (end, last, seconds) in ends {
        let wait = json!({"Type": "Wait", "Seconds": seconds, "End": true});
        let definition = json!({"TimeoutSeconds": 60, "StartAt": "Wait", "States": {"Wait": wait}});
        let mut played = Played::start(&definition, &json!({}));
        end(&mut played);
        played.now += Duration::minutes(10);
        let asked_before = played.commands.len();
        redrive(&mut played);
        let set = played.commands[asked_before..].iter().map(|command| match command {
            Command::SetTimer { at, .. } => (*at - played.now).whole_seconds(),
            other => panic!("{other:?}"),
        });
        assert_eq!(set.collect::<Vec<_>>(), [60, seconds]);
        assert_eq!(events(&played, 3), [format!("3 {last} <- 0"), "4 ExecutionRedriven <- 3".to_owned()]);
    }
}

#[test]
fn a_wait_that_is_over_and_a_choice_go_on_from_their_entries() {
    let definition = json!({"StartAt": "Wait", "States": {
        "Wait": {"Type": "Wait", "TimestampPath": "$.until", "Next": "Fail"},
        "Fail": {"Type": "Fail", "Error": "Always"},
    }});
    let until = asl::timestamp::format(support::START + Duration::minutes(1));
    let mut played = Played::start(&definition, &json!({ "until": until }));
    played.step(Happened::StopRequested { fault: Fault::default() });
    played.now += Duration::hours(1);
    redrive(&mut played);
    played.fire_next_timer();
    played.fire_next_timer();
    assert_eq!(
        events(&played, 3),
        [
            "3 ExecutionAborted <- 0",
            "4 ExecutionRedriven <- 3",
            "5 WaitStateExited <- 2",
            "6 FailStateEntered <- 5",
            "7 ExecutionFailed <- 6",
        ]
    );
    // The Fail state has no event of its own: its failure follows the redrive.
    redrive(&mut played);
    assert_eq!(events(&played, 8), ["8 ExecutionRedriven <- 7", "9 ExecutionFailed <- 8"]);
    assert_eq!(played.outcome(), Outcome::Failed(Fault::named("Always")));
}

#[test]
fn what_failed_for_its_size_is_done_again_whole() {
    let large = json!("x".repeat(200_000));
    let mut played = Played::start(&parallel(&["A", "B"], &json!({})), &json!({}));
    succeed(&mut played, "A", &large);
    succeed(&mut played, "B", &large);
    assert!(matches!(played.outcome(), Outcome::Failed(fault) if fault.is("States.DataLimitExceeded")));
    redrive(&mut played);
    assert_eq!(played.calls().len(), 4);
    succeed(&mut played, "A", &json!(1));
    succeed(&mut played, "B", &json!(2));
    assert_eq!(played.output(), json!([1, 2]));
}

#[test]
fn a_caught_failure_leaves_nothing_and_a_retry_begins_anew() {
    let fields = json!({"Retry": [{"ErrorEquals": ["Broken"], "MaxAttempts": 1}]});
    let mut played = Played::start(&parallel(&["A", "B"], &fields), &json!({}));
    succeed(&mut played, "A", &json!("first"));
    fail(&mut played, "B");
    played.fire_next_timer();
    succeed(&mut played, "A", &json!("second"));
    fail(&mut played, "B");
    redrive(&mut played);
    assert_eq!(played.calls().len(), 5);
    succeed(&mut played, "B", &json!("done"));
    assert_eq!(played.output(), json!(["second", "done"]));

    let definition = json!({"StartAt": "All", "States": {
        "All": parallel(&["A", "B"], &json!({"Catch": [{"ErrorEquals": ["Broken"], "Next": "Work"}]}))["States"]["All"],
        "Work": work(&json!({"End": true})),
    }});
    let mut played = Played::start(&definition, &json!({}));
    fail(&mut played, "B");
    fail(&mut played, "Work");
    redrive(&mut played);
    assert_eq!(played.calls().len(), 4);
    succeed(&mut played, "Work", &json!("done"));
    assert_eq!(played.output(), json!("done"));
}

#[test]
fn nested_work_goes_on_at_every_depth() {
    let inner = parallel(&["Good", "Bad"], &json!({}));
    let definition = json!({"StartAt": "Each", "States": {"Each": {
        "Type": "Map", "End": true, "ItemProcessor": {"StartAt": "All", "States": {"All": inner["States"]["All"]}},
    }}});
    let mut played = Played::start(&definition, &json!(["a", "b"]));
    let calls = played.calls();
    assert_eq!(calls.len(), 4);
    let answer = |played: &mut Played, call: &Call, text: &str| {
        played.step(Happened::TaskSucceeded { call: call.id, output: text.into() });
    };
    answer(&mut played, &calls[0], "a good");
    answer(&mut played, &calls[3], "b bad");
    // One iteration fails, the other one waits for a branch of its own: both go on.
    played.step(Happened::TaskFailed { call: calls[1].id, fault: Fault::named("Broken") });
    assert_eq!(Status::of(&played.execution), Status::Failed);
    redrive(&mut played);
    let again = played.calls().split_off(4);
    assert_eq!(again.iter().map(|call| &*call.state).collect::<Vec<_>>(), ["Bad", "Good"]);
    answer(&mut played, &again[0], "a bad");
    answer(&mut played, &again[1], "b good");
    assert_eq!(played.output(), json!([["a good", "a bad"], ["b good", "b bad"]]));
}

#[test]
fn an_error_that_nothing_catches_leaves_the_branches_where_they_are() {
    let definition = json!({"StartAt": "All", "States": {"All": {"Type": "Parallel", "End": true, "Branches": [
        {"StartAt": "Slow", "States": {"Slow": work(&json!({"End": true}))}},
        {"StartAt": "First", "States": {
            "First": work(&json!({"Next": "Strict"})),
            "Strict": {"Type": "Pass", "InputPath": "$.there", "End": true},
        }},
    ]}}});
    let mut played = Played::start(&definition, &json!({}));
    succeed(&mut played, "First", &json!({}));
    assert!(matches!(played.outcome(), Outcome::Failed(fault) if fault.is("States.Runtime")));
    let ended = played.execution.history().len();
    redrive(&mut played);
    // The state that can't be evaluated can't be evaluated now either.
    assert_eq!(played.types()[ended..], ["ExecutionRedriven", "LambdaFunctionScheduled", "ExecutionFailed"]);
    assert_eq!(played.execution.history().last().unwrap().previous_id, ended as u64 + 1);
}

fn distributed() -> serde_json::Value {
    json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "Label": "each", "End": true, "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": true}},
    }}}})
}

fn last_run(played: &Played) -> std::sync::Arc<MapRun> {
    let run = |command: &Command| match command {
        Command::StartMapRun(run) => Some(run.clone()),
        _ => None,
    };
    played.commands.iter().rev().find_map(run).unwrap()
}

#[test]
fn a_map_run_is_redriven_under_its_own_name() {
    let mut played = Played::start(&distributed(), &json!([1]));
    let first = last_run(&played);
    assert_eq!(first.redrive, None);
    played.step(Happened::MapRunEnded { run: first.id, result: Err(Fault::named("TooMany")) });
    redrive(&mut played);
    let second = last_run(&played);
    assert_eq!(second.redrive.map(|redrive| (redrive.count, redrive.at)), Some((1, played.now)));
    assert_eq!((second.arn.clone(), second.uuid), (first.arn.clone(), first.uuid));
    // The end of the first attempt is not the end of the second.
    played.step(Happened::MapRunEnded { run: first.id, result: Ok(Value::Null) });
    played.step(Happened::StopRequested { fault: Fault::default() });
    redrive(&mut played);
    let third = last_run(&played);
    played.step(Happened::MapRunEnded { run: third.id, result: Ok(Value::from("done")) });
    assert_eq!(played.output(), json!("done"));
    assert_eq!(
        events(&played, 2),
        [
            "2 MapStateEntered <- 0",
            "3 MapStateStarted <- 2",
            "4 MapRunStarted <- 3",
            "5 MapRunFailed <- 4",
            "6 MapStateFailed <- 5",
            "7 ExecutionFailed <- 6",
            "8 ExecutionRedriven <- 7",
            "9 MapRunRedriven <- 3",
            "10 ExecutionAborted <- 0",
            "11 ExecutionRedriven <- 10",
            "12 MapRunRedriven <- 3",
            "13 MapRunSucceeded <- 12",
            "14 MapStateSucceeded <- 13",
            "15 MapStateExited <- 12",
            "16 ExecutionSucceeded <- 15",
        ]
    );
}

#[test]
fn a_map_run_that_has_succeeded_is_not_redriven_but_another_one_carried_out() {
    let mut definition = distributed();
    definition["States"]["Each"]["OutputPath"] = json!("$.absent");
    let mut played = Played::start(&definition, &json!([1]));
    let first = last_run(&played);
    played.step(Happened::MapRunEnded { run: first.id, result: Ok(Value::from(Vec::<Value>::new())) });
    assert!(matches!(played.outcome(), Outcome::Failed(_)));
    redrive(&mut played);
    let second = last_run(&played);
    assert_eq!(second.redrive, None);
    assert_ne!(second.arn, first.arn);
}

#[test]
fn only_what_did_not_succeed_is_redriven_and_not_for_ever() {
    let mut played = Played::start(&task(json!({})), &json!({}));
    let redrivable = |played: &Played| played.execution.redrivable(played.now);
    let history = played.types();
    redrive(&mut played);
    assert_eq!((played.types(), redrivable(&played)), (history, Err(NotRedrivable::Running)));
    played.fail("Broken");
    assert_eq!(redrivable(&played), Ok(()));
    let ended = played.now;
    played.now = ended + Duration::days(14);
    assert_eq!(redrivable(&played), Err(NotRedrivable::Period));
    // Days are counted from the last end, a year from the start.
    played.now = ended + Duration::days(13);
    for _ in 0..28 {
        redrive(&mut played);
        played.fail("Broken");
        played.now += Duration::days(13);
    }
    assert_eq!(redrivable(&played), Err(NotRedrivable::MaxTime));
    redrive(&mut played);
    played.succeed(&json!("done"));
    let history = played.types();
    redrive(&mut played);
    assert_eq!((played.types(), redrivable(&played)), (history, Err(NotRedrivable::Succeeded)));
}

#[test]
fn a_full_history_has_no_room_for_a_redrive() {
    let definition = json!({"StartAt": "Spin", "States": {
        "Spin": {"Type": "Choice", "Choices": [{"Variable": "$.stop", "IsPresent": true, "Next": "Stop"}], "Default": "Spin"},
        "Stop": {"Type": "Succeed"},
    }});
    let mut played = Played::start(&definition, &json!({}));
    assert_eq!(played.execution.redrivable(played.now), Err(NotRedrivable::History));
    redrive(&mut played);
    assert!(matches!(played.execution.history().last().unwrap().kind, EventKind::ExecutionFailed(_)));
}

#[test]
fn a_request_that_comes_again_is_known_by_its_token() {
    let mut played = Played::start(&task(json!({})), &json!({}));
    let first = played.now;
    for number in 0..11 {
        played.fail("Broken");
        played.step(Happened::Redriven { client_token: Some(number.to_string().into()) });
        played.now += Duration::seconds(1);
    }
    let by = |played: &Played, token: &str| played.execution.redriven_by(token, played.now);
    assert_eq!(by(&played, "0"), None);
    assert_eq!(by(&played, "1"), Some(first + Duration::seconds(1)));
    assert_eq!(by(&played, "11"), None);
    played.now += Duration::minutes(15);
    assert_eq!(by(&played, "10"), None);
}

/// Machines with work in sequence, side by side, in loops and inside of each other.
fn machines() -> Vec<(serde_json::Value, serde_json::Value)> {
    let step = |next: &str| work(&json!({"Parameters": {"in.$": "$"}, "ResultPath": "$.got", "Next": next}));
    let last = work(&json!({"Parameters": {"in.$": "$"}, "End": true}));
    let chain = json!({"StartAt": "A", "States": {
        "A": step("Wait"), "Wait": {"Type": "Wait", "Seconds": 5, "Next": "B"}, "B": step("C"), "C": last,
    }});
    let branch = |suffix: &str| {
        let (first, second) = (format!("First{suffix}"), format!("Second{suffix}"));
        json!({"StartAt": first, "States": {&first: step(&second), &second: last}})
    };
    let parallel = json!({"StartAt": "All", "States": {
        "All": {"Type": "Parallel", "Branches": [branch("1"), branch("2"), branch("3")], "Next": "After"},
        "After": last,
    }});
    let map = |name: &str, concurrency: u64, processor: serde_json::Value| {
        json!({"StartAt": name, "States": {name: {
            "Type": "Map", "MaxConcurrency": concurrency, "ItemsPath": "$.items", "ItemProcessor": processor,
            "ItemSelector": {"items.$": "$.items", "item.$": "$$.Map.Item.Value"}, "End": true,
        }}})
    };
    let items = json!({"items": [1, 2, 3]});
    let inner = json!({"StartAt": "Both", "States": {
        "Both": {"Type": "Parallel", "Branches": [branch("x"), map("Inner", 2, branch("y"))], "End": true},
    }});
    vec![
        (chain, json!({})),
        (parallel, json!({})),
        (map("Each", 0, branch("")), items.clone()),
        (map("Each", 2, branch("")), items.clone()),
        (map("Each", 2, inner), items),
    ]
}

/// Answers what is asked, in the order of asking, and fires timers; stops before the call with this number, counted from 0.
fn go_on(played: &mut Played, until: usize) {
    while !played.execution.has_ended() {
        let wanted = played.calls().into_iter().enumerate().find(|(_, call)| played.execution.waits_for(call.id));
        match wanted {
            Some((number, _)) if number >= until => return,
            Some((_, call)) => {
                let output = Value::from([("of", Value::from(call.state.clone())), ("for", call.input)]);
                played.step(Happened::TaskSucceeded { call: call.id, output });
            }
            None => played.fire_next_timer(),
        }
    }
}

#[test]
fn wherever_an_execution_fails_or_is_stopped_a_redrive_ends_as_if_nothing_had_been() {
    let fault = || Fault::named("Broken");
    let ends: [fn(&mut Played, CallId, Fault); 2] = [
        |played, call, fault| played.step(Happened::TaskFailed { call, fault }),
        |played, _, fault| played.step(Happened::StopRequested { fault }),
    ];
    for (definition, input) in machines() {
        let mut whole = Played::start(&definition, &input);
        go_on(&mut whole, usize::MAX);
        let (expected, calls) = (whole.output(), whole.calls().len());
        for number in 0..calls {
            for end in ends {
                let mut played = Played::start(&definition, &input);
                // Twice, the second time in what is done again.
                for until in [number, number + 1] {
                    go_on(&mut played, until);
                    let Some(call) = played.calls().into_iter().rev().find(|call| played.execution.waits_for(call.id))
                    else {
                        break;
                    };
                    end(&mut played, call.id, fault());
                    played.now += Duration::hours(1);
                    redrive(&mut played);
                }
                go_on(&mut played, usize::MAX);
                assert_eq!(played.output(), expected, "call {number} of {definition}");
            }
        }
    }
}

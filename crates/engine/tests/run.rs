//! Executions that live: which calls are made.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use std::sync::{Arc, Mutex};

use asl::{Machine, Value, machine::Resource};
use engine::{
    Identity, Outcome,
    core::Call,
    journal::{Definition, Journal},
    run::{Answer, Clock, Executions, Outside, Reports, Running},
};
use serde_json::json;
use time::OffsetDateTime;
use tokio::time::Instant;

use support::identity;

/// Answers every call with null, and keeps the names of the states that called.
#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl Outside for Kept {
    fn call(&self, _: &Arc<Identity>, call: Call, _: Reports) -> Answer {
        self.0.lock().unwrap().push(call.state.to_string());
        Box::pin(async { Ok(Value::Null) })
    }
}

#[test]
fn a_call_that_is_cancelled_before_it_is_made_is_not_made() {
    let function = "arn:aws:lambda:us-east-1:123456789012:function:any";
    let branch = |name: &str, state| json!({ "StartAt": name, "States": { name: state } });
    let definition = json!({
        "StartAt": "Both",
        "States": {
            "Both": {
                "Type": "Parallel",
                "Branches": [
                    branch("Call", json!({ "Type": "Task", "Resource": function, "End": true })),
                    branch("Break", json!({ "Type": "Fail", "Error": "Broken" })),
                ],
                "Catch": [{ "ErrorEquals": ["Broken"], "Next": "Recover" }],
                "End": true,
            },
            "Recover": { "Type": "Task", "Resource": function, "End": true },
        },
    });
    let machine = Machine::compile(&Value::from(&definition)).unwrap();
    let kept = Arc::new(Kept::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let outcome = runtime.block_on(async {
        let running = Running::start(Arc::new(machine), Arc::new(identity()), kept.clone());
        running.ended().await
    });
    assert_eq!(outcome, Outcome::Succeeded(Value::Null));
    assert_eq!(*kept.0.lock().unwrap(), ["Recover"]);
}

/// Answers every call at once, in time that skips waits.
struct Skipping(Clock);

impl Outside for Skipping {
    fn call(&self, _: &Arc<Identity>, _: Call, _: Reports) -> Answer {
        Box::pin(async { Ok(Value::Null) })
    }

    fn clock(&self) -> Clock {
        self.0.clone()
    }
}

/// Never answers, in time that skips waits.
struct Silent(Clock);

impl Outside for Silent {
    fn call(&self, _: &Arc<Identity>, _: Call, _: Reports) -> Answer {
        Box::pin(std::future::pending())
    }

    fn clock(&self) -> Clock {
        self.0.clone()
    }
}

async fn end(definition: &serde_json::Value, outside: Arc<dyn Outside>) -> (Outcome, time::Duration) {
    let machine = Machine::compile(&Value::from(definition)).unwrap();
    let started_at = OffsetDateTime::now_utc();
    let identity = Identity { started_at, ..identity() };
    let running = Running::start(Arc::new(machine), Arc::new(identity), outside);
    let outcome = running.ended().await;
    (outcome, running.look(|execution| execution.history().last().unwrap().at) - started_at)
}

#[tokio::test]
async fn a_virtual_clock_skips_waits() {
    let waits = json!({"StartAt": "A", "States": {
        "A": {"Type": "Wait", "Seconds": 86400, "Next": "B"},
        "B": {"Type": "Parallel", "End": true, "Branches": [
            {"StartAt": "C", "States": {"C": {"Type": "Wait", "Seconds": 3600, "End": true}}},
            {"StartAt": "D", "States": {"D": {"Type": "Task", "End": true,
                "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work"}}}
        ]}
    }});
    let (outcome, took) = end(&waits, Arc::new(Skipping(Clock::skipping()))).await;
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    assert!(took >= time::Duration::seconds(86400 + 3600), "{took}");
}

#[tokio::test]
async fn a_virtual_clock_stands_still_at_the_last_moment_that_can_be_journalled() {
    let state = |next| json!({"Type": "Wait", "Seconds": 99_999_999, "Next": next});
    let loops = json!({"StartAt": "W", "States": {
        "W": state("C"),
        "C": {"Type": "Choice", "Default": "W", "Choices": [
            {"Variable": "$$.State.EnteredTime", "TimestampGreaterThan": "2262-01-01T00:00:00Z", "Next": "L"}]},
        "L": state("E"),
        "E": {"Type": "Succeed"}
    }});
    let executions = Executions::new(Journal::in_memory().unwrap(), Arc::new(Skipping(Clock::skipping())));
    let machine = Arc::new(Machine::compile(&Value::from(&loops)).unwrap());
    let identity = Identity { started_at: OffsetDateTime::now_utc(), ..identity() };
    let started = executions.start(&Definition::new(loops.to_string(), machine), identity).unwrap();
    assert!(matches!(started.running().ended().await, Outcome::Succeeded(_)));
    let last = started.running().look(|execution| execution.history().last().unwrap().at);
    assert_eq!(last.year(), 2262);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_step_is_the_same_when_it_is_replayed() {
    let pass = |output: &str, next: &str| json!({"Type": "Pass", "Output": output, "Next": next});
    let loops = json!({"QueryLanguage": "JSONata", "StartAt": "A", "States": {
        "A": {"Type": "Parallel", "Next": "E", "Branches": [
            {"StartAt": "L", "States": {
                "L": {"Type": "Pass", "Next": "C", "Assign": {"n": "{% $exists($n) ? $n + 1 : 1 %}"}},
                "C": {"Type": "Choice", "Default": "M", "Choices": [{"Condition": "{% $n < 400 %}", "Next": "L"}]},
                "M": {"Type": "Succeed"}}},
            {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 0, "End": true}}}
        ]},
        "E": pass("{% $uuid() %}", "F"),
        "F": {"Type": "Succeed"}
    }});
    let folder = tempfile::tempdir().unwrap();
    let open = || Executions::new(Journal::open(folder.path()).unwrap(), Arc::new(Skipping(Clock::skipping())));
    let executions = open();
    let machine = Arc::new(Machine::compile(&Value::from(&loops)).unwrap());
    let started = executions.start(&Definition::new(loops.to_string(), machine), identity()).unwrap();
    assert!(matches!(started.running().ended().await, Outcome::Succeeded(_)));
    executions.close();
    let again = open().find(&identity().arn).unwrap().unwrap();
    let events =
        |running: &Running| running.events_from(0).iter().map(|event| format!("{event:?}")).collect::<Vec<_>>();
    assert_eq!(events(&again), events(started.running()));
    assert!(events(&again).len() > 1600);
}

#[tokio::test]
async fn a_virtual_clock_knows_when_it_has_jumped() {
    let waits = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Wait", "Seconds": 86400, "Next": "C"},
        "C": {"Type": "Pass", "End": true}
    }});
    let clock = Clock::skipping();
    let machine = Machine::compile(&Value::from(&waits)).unwrap();
    let identity = Identity { started_at: clock.now(), ..identity() };
    let running = Running::start(Arc::new(machine), Arc::new(identity), Arc::new(Skipping(clock.clone())));
    running.ended().await;
    let at: Vec<_> = running.events_from(0).iter().map(|event| event.at).collect();
    // The wait is entered by the fourth event, and left by the fifth.
    let jumped = [(0, 3), (3, 4), (4, 7), (0, 7)].map(|(from, to)| clock.has_jumped(at[from], at[to]));
    assert_eq!(jumped, [false, true, false, true]);
    assert!(!Clock::real().has_jumped(at[0], at[7]));
}

#[tokio::test]
async fn on_a_virtual_clock_a_machine_that_waits_too_long_times_out() {
    let waits = json!({"TimeoutSeconds": 60, "StartAt": "A", "States": {
        "A": {"Type": "Wait", "Seconds": 61, "End": true}
    }});
    let (outcome, took) = end(&waits, Arc::new(Skipping(Clock::skipping()))).await;
    assert!(matches!(outcome, Outcome::TimedOut(_)), "{outcome:?}");
    assert_eq!(took.whole_seconds(), 60);
}

#[tokio::test]
async fn on_a_virtual_clock_work_takes_its_time() {
    let works = json!({"StartAt": "A", "States": {"A": {"Type": "Task", "TimeoutSeconds": 1, "End": true,
        "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work"}}});
    let clock = Clock::skipping();
    let (outcome, _) = end(&works, Arc::new(Silent(clock.clone()))).await;
    assert_eq!(outcome, Outcome::Failed(asl::Fault::named("States.Timeout")));
    // The second was waited for: what the clock is ahead of the machine's is what it skipped.
    assert!(clock.now() - OffsetDateTime::now_utc() < time::Duration::milliseconds(900));
}

/// A machine's clock that is set: what it is ahead of the time that has gone.
#[derive(Clone)]
struct Set(Arc<Mutex<time::Duration>>);

impl Set {
    fn to(&self, ahead: time::Duration) {
        *self.0.lock().unwrap() = ahead;
    }

    fn clock(&self) -> Clock {
        let (ahead, began, at) = (self.0.clone(), OffsetDateTime::now_utc(), Instant::now());
        Clock::showing(move || began + at.elapsed() + *ahead.lock().unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_due_fires_when_the_machines_clock_shows_its_time() {
    let task = json!({"Type": "Task", "End": true, "TimeoutSeconds": 3600,
        "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work"});
    let wait = json!({"Type": "Wait", "Seconds": 3600, "End": true});
    for (state, outcome) in [
        (wait, Outcome::Succeeded(Value::empty_object())),
        (task, Outcome::Failed(asl::Fault::named("States.Timeout"))),
    ] {
        let clock = Set(Arc::default());
        let outside = Arc::new(Silent(clock.clock()));
        let machine = Machine::compile(&Value::from(&json!({"StartAt": "A", "States": {"A": state}}))).unwrap();
        let identity = Identity { started_at: outside.0.now(), ..identity() };
        let running = Running::start(Arc::new(machine), Arc::new(identity), outside);
        let began = Instant::now();
        tokio::time::sleep(std::time::Duration::from_mins(50)).await;
        // Set back by half an hour, it shows the time later.
        clock.to(time::Duration::minutes(-30));
        tokio::time::sleep(std::time::Duration::from_mins(30)).await;
        assert!(!running.look(engine::Execution::has_ended));
        // The machine slept for an hour, in which no instant went by.
        clock.to(time::Duration::minutes(30));
        assert_eq!(running.ended().await, outcome);
        let after = began.elapsed().saturating_sub(std::time::Duration::from_mins(80));
        assert!(after <= std::time::Duration::from_secs(10), "{after:?}");
    }
}

/// Hands work in to somebody who never answers, in time that skips waits. A task `startExecution.sync` waits for the execution
/// that its parameters name.
struct HandedIn(Clock);

impl Outside for HandedIn {
    fn call(&self, _: &Arc<Identity>, call: Call, reports: Reports) -> Answer {
        Box::pin(async move {
            if let Resource::Activity { .. } = call.resource {
                reports.scheduled().await;
                reports.started(None).await;
            } else {
                let execution = call.input.get("Name").cloned().unwrap_or(Value::Null);
                reports.submitted(Value::from([("ExecutionArn", execution)])).await;
            }
            std::future::pending().await
        })
    }

    fn clock(&self) -> Clock {
        self.0.clone()
    }
}

fn start(name: &str, definition: &serde_json::Value, outside: &Arc<HandedIn>) -> Arc<Running> {
    let machine = Machine::compile(&Value::from(definition)).unwrap();
    let identity = Identity { arn: name.into(), started_at: outside.0.now(), ..identity() };
    Running::start(Arc::new(machine), Arc::new(identity), outside.clone())
}

fn waits(seconds: u64) -> serde_json::Value {
    json!({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": seconds, "End": true}}})
}

#[tokio::test(start_paused = true)]
async fn who_may_still_answer_holds_the_time_of_one_execution_alone() {
    let callback = json!({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": true,
        "Parameters": {"QueueUrl": "q", "MessageBody": "m"}, "TimeoutSeconds": 3600});
    let activity = json!({"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:a", "End": true,
        "HeartbeatSeconds": 1800, "TimeoutSeconds": 7200});
    for (task, error, seconds) in [(callback, "States.Timeout", 3600), (activity, "States.Timeout", 1800)] {
        let outside = Arc::new(HandedIn(Clock::skipping()));
        let began = Instant::now();
        let held = start("held", &json!({"StartAt": "A", "States": {"A": task}}), &outside);
        // What waits for it has its time held too.
        let child = json!({"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync", "End": true,
            "Parameters": {"Name": "held", "StateMachineArn": "m"}});
        let branch = |name: &str, state| json!({"StartAt": name, "States": {name: state}});
        let branches = [branch("B", child), branch("C", json!({"Type": "Wait", "Seconds": 60, "Next": "D"}))];
        let mut parent =
            json!({"StartAt": "A", "States": {"A": {"Type": "Parallel", "End": true, "Branches": branches}}});
        parent["States"]["A"]["Branches"][1]["States"]["D"] = json!({"Type": "Fail", "Error": "Impatient"});
        let parent = start("parent", &parent, &outside);
        for _ in 0..3 {
            start("free", &waits(86400), &outside).ended().await;
        }
        assert_eq!(began.elapsed().as_secs(), 0);
        assert_eq!(parent.ended().await, Outcome::Failed(asl::Fault::named("Impatient")));
        assert_eq!(began.elapsed().as_secs(), 60);
        assert!(!held.look(engine::Execution::has_ended));
        assert_eq!(held.ended().await, Outcome::Failed(asl::Fault::named(error)));
        assert_eq!(began.elapsed().as_secs(), seconds);
        // Nothing holds the time any more.
        start("later", &waits(86400), &outside).ended().await;
        assert_eq!(began.elapsed().as_secs(), seconds);
    }
}

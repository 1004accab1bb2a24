//! What a person sees of executions that start others, wait, or go on from an earlier run.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use anstream::adapter::strip_str;
use cloud::{
    local::{LocalCloud, Options},
    states::Start,
};
use engine::{
    core::rests::{Rest, Until},
    run::{Clock, Running},
};
use stairwell::terminal::{Family, Plain, render};
use time::OffsetDateTime;

const TEMPLATE: &str = r#"
Transform: AWS::Serverless-2016-10-31
Resources:
  Review: {Type: AWS::StepFunctions::Activity, Properties: {Name: review}}
  Parent:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionSubstitutions: {Child: !Ref Child}
      Definition:
        StartAt: First
        States:
          First:
            Type: Task
            Resource: arn:aws:states:::states:startExecution.sync:2
            Parameters: {StateMachineArn: "${Child}", Name: first, Input: {list: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}}
            Next: Second
          Second:
            Type: Task
            Resource: arn:aws:states:::states:startExecution.sync:2
            Parameters: {StateMachineArn: "${Child}", Name: second, Input: {list: none}}
            End: true
  Child:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: Items
        States:
          Items:
            Type: Map
            ItemsPath: $.list
            Label: Each
            ItemProcessor:
              ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
              StartAt: P
              States: {P: {Type: Pass, End: true}}
            End: true
  Nap:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: Nap
        States:
          Nap: {Type: Wait, Seconds: 3600, Next: Work}
          Work: {Type: Pass, End: true}
  Trying:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: Work
        States:
          Work:
            Type: Task
            Resource: arn:aws:states:::sqs:sendMessage
            Parameters: {QueueUrl: "http://127.0.0.1:1/000000000000/none", MessageBody: text}
            Retry: [{ErrorEquals: [States.ALL], IntervalSeconds: 3600, MaxAttempts: 1}]
            End: true
  Waiting:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionSubstitutions: {Review: !Ref Review}
      Definition:
        StartAt: Before
        States:
          Before: {Type: Pass, Next: Both}
          Both:
            Type: Parallel
            End: true
            Branches:
              - StartAt: Nap
                States: {Nap: {Type: Wait, Seconds: 3600, End: true}}
              - StartAt: Ask
                States: {Ask: {Type: Task, Resource: "${Review}", End: true}}
"#;

async fn cloud(skip_waits: bool) -> LocalCloud {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template.yaml");
    fs::write(&template, TEMPLATE).unwrap();
    let application = sam::load(&template, &sam::LoadOptions::default()).unwrap();
    let options = Options { skip_waits, ..Options::default() };
    LocalCloud::start(&application, &BTreeMap::new(), options).await.unwrap()
}

fn start(cloud: &LocalCloud, machine: &str) -> Arc<Running> {
    let arn = format!("arn:aws:states:us-east-1:000000000000:stateMachine:{machine}");
    cloud.states().start(&arn, Start { name: Some("one"), ..Start::default() }).unwrap()
}

/// What an execution rests at, once these are so many.
async fn resting(running: &Running, count: usize) -> Vec<Rest> {
    let mut events = running.subscribe();
    loop {
        let rests = running.look(|execution| execution.rests());
        if rests.len() == count {
            return rests;
        }
        tokio::time::timeout(Duration::from_mins(1), events.changed()).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_execution_is_shown_with_those_that_it_starts() {
    let cloud = cloud(false).await;
    let mut started = cloud.states().subscribe();
    start(&cloud, "Parent").ended().await;
    let mut family = Family::default();
    while let Ok(running) = started.try_recv() {
        let identity = running.identity();
        family.add(identity, &format!("{}/{:.4}", identity.state_machine_name, identity.name), &Clock::real());
        for event in running.events_from(0) {
            family.members[&identity.arn].progress.apply(&event);
        }
    }
    let told = strip_str(&render(&family, OffsetDateTime::now_utc(), 0)).to_string();
    let lines: Vec<&str> = told.lines().collect();
    let begins = |line: usize, begin: &str| assert!(lines[line].starts_with(begin), "{line} {begin}: {told}");
    begins(0, "Parent/one failed after");
    begins(1, "  ✓ First");
    begins(2, "    Child/firs succeeded");
    begins(3, "      ✓ Items");
    for child in 0..10 {
        begins(4 + 2 * child, "        Child/Each/");
        begins(5 + 2 * child, "          ✓ P");
    }
    begins(24, "        and 2 more child executions: 2 succeeded");
    begins(25, "  ✗ Second");
    begins(26, "    Child/seco failed");
    // The cause of the child execution's end is that of its parent's, and is told once.
    assert_eq!(told.matches("none").count(), 0, "{told}");
    assert_eq!(told.matches("An error occurred").count(), 1, "{told}");
    cloud.shutdown().await;
}

#[tokio::test]
async fn what_waits_is_told_and_what_goes_on_is_not_told_again() {
    let cloud = cloud(false).await;
    let running = start(&cloud, "Waiting");
    let rests = resting(&running, 2).await;
    let history = running.events_from(0);
    let plain = |lines: Vec<String>| lines.iter().map(|line| strip_str(line).to_string()).collect::<Vec<_>>();

    let mut first = Plain::new("one", Clock::real());
    assert_eq!(plain(history.iter().flat_map(|event| first.event(event)).collect()), ["one  ✓ Before"]);
    let mut told = |rest: &Rest| strip_str(&first.rest(rest)).to_string();
    assert!(told(&rests[0]).starts_with("one  … Nap waits until "));
    assert_eq!(told(&rests[1]), "one  … Ask waits for a worker of the activity review");

    let mut second = Plain::new("one", Clock::real());
    assert_eq!(strip_str(&second.goes_on(&history)).to_string(), "goes on: one, at Nap, Ask");
    running.stop(asl::Fault { error: None, cause: Some("enough".into()) }).unwrap();
    let rest = running.events_from(history.len());
    let told = plain(rest.iter().flat_map(|event| second.event(event)).collect());
    assert!(!told.iter().any(|line| line.contains("Before")), "{told:?}");
    assert!(
        told.last().is_some_and(|line| line.starts_with("one was aborted") && line.ends_with(": enough")),
        "{told:?}"
    );
    cloud.shutdown().await;
}

#[tokio::test]
async fn a_failed_try_is_told_with_its_error_and_the_time_of_the_next() {
    let cloud = cloud(false).await;
    let running = start(&cloud, "Trying");
    let rests = resting(&running, 1).await;
    let history = running.events_from(0);

    let mut plain = Plain::new("one", Clock::real());
    let lines: Vec<_> = history.iter().flat_map(|event| plain.event(event)).collect();
    assert_eq!(lines, [""; 0]);
    let told = strip_str(&plain.rest(&rests[0])).to_string();
    assert!(told.starts_with("one  ↻ Work tries again in ") && told.contains(", after SQS."), "{told}");

    let mut family = Family::default();
    family.add(running.identity(), "one", &Clock::real());
    let progress = &mut family.members[&running.identity().arn].progress;
    for event in &history {
        progress.apply(event);
    }
    progress.rest(&rests);
    let tree = strip_str(&render(&family, OffsetDateTime::now_utc(), 0)).to_string();
    let lines: Vec<&str> = tree.lines().collect();
    assert!(lines[1].contains("Work") && lines[1].contains("tries again in "), "{tree}");
    assert!(lines[2].trim_start().starts_with("SQS."), "{tree}");
    cloud.shutdown().await;
}

#[test]
fn a_try_that_was_told_before_it_began_is_not_told_again() {
    let fault = asl::Fault { error: Some("Throttled".into()), cause: Some("slow down".into()) };
    let event = |id, kind| engine::Event { id, previous_id: id - 1, at: OffsetDateTime::UNIX_EPOCH, kind };
    let entered =
        engine::EventKind::StateEntered { state_type: "Parallel", name: "Do".into(), input: asl::Value::Null };
    let failed = || engine::EventKind::EvaluationFailed { fault: fault.clone(), location: None, state: "Do".into() };
    let mut plain = Plain::new("one", Clock::real());
    let mut tell = |id, kind| {
        let lines = plain.event(&event(id, kind)).into_iter();
        lines.map(|line| strip_str(&line).to_string()).collect::<Vec<_>>()
    };
    tell(1, engine::EventKind::ExecutionStarted { input: asl::Value::Null, role_arn: "role".into() });
    tell(2, entered);
    tell(3, engine::EventKind::ParallelStateStarted);
    assert_eq!(tell(4, failed()), [""; 0]);
    assert_eq!(tell(5, engine::EventKind::ParallelStateStarted), ["one  ↻ Do try 2, after Throttled slow down"]);
    tell(6, failed());
    let until = Until::Retry(OffsetDateTime::UNIX_EPOCH);
    let rest = Rest { entered_event: 2, state: "Do".into(), until };
    let told = strip_str(&plain.rest(&rest)).to_string();
    assert_eq!(told, "one  ↻ Do tries again at 1970-01-01 00:00:00 UTC, after Throttled");
    assert!(plain.event(&event(7, engine::EventKind::ParallelStateStarted)).is_empty());
}

#[tokio::test]
async fn a_redriven_execution_goes_on_where_it_was_and_its_end_is_told_again() {
    let cloud = cloud(false).await;
    let stop = |running: &Arc<Running>| running.stop(asl::Fault::default()).unwrap();
    let first = start(&cloud, "Waiting");
    stop(&first);
    cloud.states().redrive(&first.identity().arn, None).unwrap();
    let second = cloud.states().execution(&first.identity().arn).unwrap();
    resting(&second, 2).await;
    stop(&second);
    let history = second.events_from(0);
    let redriven = second.look(|execution| execution.redriven()).unwrap().event;
    let (before, after) = history.split_at(usize::try_from(redriven).unwrap());
    let mut view = Plain::new("one", Clock::real());
    assert_eq!(strip_str(&view.goes_on(before)).to_string(), "is redriven: one");
    let told: Vec<_> = after.iter().flat_map(|event| view.event(event)).collect();
    let told: Vec<_> = told.iter().map(|line| strip_str(line).to_string()).collect();
    let begins = ["one  ■ Ask", "one  ■ Both", "one was aborted"];
    assert_eq!(told.len(), begins.len(), "{told:?}");
    assert!(told.iter().zip(begins).all(|(line, begin)| line.starts_with(begin)), "{told:?}");
    cloud.shutdown().await;
}

#[test]
fn the_time_between_an_end_and_a_redrive_is_nobodys() {
    let begin = OffsetDateTime::UNIX_EPOCH;
    let event = |id, seconds, kind| {
        let at = begin + time::Duration::seconds(seconds);
        engine::Event { id, previous_id: id - 1, at, kind }
    };
    let (state_type, name) = ("Task", Arc::<str>::from("Do"));
    let entered = engine::EventKind::StateEntered { state_type, name: name.clone(), input: asl::Value::Null };
    let exited = engine::EventKind::StateExited { state_type, name, output: asl::Value::Null, assigned: None };
    let events = [
        event(1, 0, engine::EventKind::ExecutionStarted { input: asl::Value::Null, role_arn: "role".into() }),
        event(2, 0, entered),
        event(3, 1, engine::EventKind::ExecutionFailed(asl::Fault::default())),
        event(4, 3601, engine::EventKind::ExecutionRedriven { count: 1, client_token: None }),
        event(5, 3603, exited),
        event(6, 3603, engine::EventKind::ExecutionSucceeded { output: asl::Value::Null }),
    ];
    let mut plain = Plain::new("one", Clock::real());
    let lines: Vec<_> = events.iter().flat_map(|event| plain.event(event)).collect();
    let lines: Vec<_> = lines.iter().map(|line| strip_str(line).to_string()).collect();
    assert_eq!(lines[lines.len() - 2..], ["one  ✓ Do 2.00 s", "one succeeded after 2.00 s"]);
}

#[test]
fn what_goes_on_beside_a_state_that_fails_is_not_to_blame() {
    let event = |id, previous_id, kind| engine::Event { id, previous_id, at: OffsetDateTime::UNIX_EPOCH, kind };
    let entered = |state_type, name: &str| engine::EventKind::StateEntered {
        state_type,
        name: name.into(),
        input: asl::Value::Null,
    };
    let fault = asl::Fault { error: Some("States.Runtime".into()), cause: Some("no rule matches".into()) };
    let events = [
        event(1, 0, engine::EventKind::ExecutionStarted { input: asl::Value::Null, role_arn: "role".into() }),
        event(2, 1, entered("Parallel", "Both")),
        event(3, 2, engine::EventKind::ParallelStateStarted),
        event(4, 3, entered("Task", "Slow")),
        event(5, 3, entered("Choice", "Bad")),
        event(6, 5, engine::EventKind::ExecutionFailed(fault)),
    ];
    let mut plain = Plain::new("one", Clock::real());
    let lines: Vec<_> = events.iter().flat_map(|event| plain.event(event)).collect();
    let lines: Vec<_> = lines.iter().map(|line| strip_str(line).to_string()).collect();
    let told = ["one  ■ Slow", "one  ✗ Bad  States.Runtime no rule matches", "one  ✗ Both  States.Runtime"];
    assert_eq!(lines[..3], told);
}

#[test]
fn an_error_without_a_name_is_told_by_its_state_alone() {
    let fault = asl::Fault { error: None, cause: Some("Not today".into()) };
    let event = |id, kind| engine::Event { id, previous_id: id - 1, at: OffsetDateTime::UNIX_EPOCH, kind };
    let events = [
        event(1, engine::EventKind::ExecutionStarted { input: asl::Value::Null, role_arn: "role".into() }),
        event(2, engine::EventKind::StateEntered { state_type: "Fail", name: "No".into(), input: asl::Value::Null }),
        event(3, engine::EventKind::ExecutionFailed(fault)),
    ];
    let mut plain = Plain::new("one", Clock::real());
    let lines: Vec<_> = events.iter().flat_map(|event| plain.event(event)).collect();
    let lines: Vec<_> = lines.iter().map(|line| strip_str(line).to_string()).collect();
    assert_eq!(lines, ["one  ✗ No  Not today", "one failed"]);
}

#[tokio::test]
async fn a_duration_is_marked_where_time_was_skipped() {
    let cloud = cloud(true).await;
    let running = start(&cloud, "Nap");
    running.ended().await;
    let lines = |clock| {
        let mut plain = Plain::new("one", clock);
        let lines = running.events_from(0).iter().flat_map(|event| plain.event(event)).collect::<Vec<_>>();
        lines.iter().map(|line| strip_str(line).to_string()).collect::<Vec<_>>()
    };
    let expected = ["one  ✓ Nap 1 h 0 min virtual", "one  ✓ Work", "one succeeded after 1 h 0 min virtual"];
    let told = lines(cloud.states().clock());
    assert!(told.iter().zip(expected).all(|(line, begin)| line.starts_with(begin)), "{told:?}");
    assert!(!told[1].contains("virtual"), "{told:?}");
    assert!(!lines(Clock::real()).concat().contains("virtual"));
    cloud.shutdown().await;
}

#[tokio::test]
async fn while_somebody_is_to_answer_no_time_is_skipped_and_that_is_told() {
    let cloud = cloud(true).await;
    let running = start(&cloud, "Waiting");
    let rests = resting(&running, 2).await;
    let mut plain = Plain::new("one", cloud.states().clock());
    let told = rests.iter().map(|rest| strip_str(&plain.rest(rest)).to_string()).collect::<Vec<_>>();
    assert!(told[0].ends_with(", 59 min 59 s") || told[0].ends_with(", 1 h 0 min"), "{told:?}");
    assert_eq!(told[1], "one  … Ask waits for a worker of the activity review; its time is not skipped until then");
    cloud.shutdown().await;
}

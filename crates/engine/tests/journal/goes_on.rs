//! How executions go on after a restart.

use std::sync::Arc;

use asl::{Fault, Value};
use engine::{
    NotRedrivable, Outcome, Status,
    journal::{JournalError, RecallError, Wanted},
    run::{RedriveError, Redriven, StartError},
};
use serde_json::json;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{MACHINE, Runner, arn, evaluates, pass, tables, task, types};

#[tokio::test]
async fn a_call_without_an_answer_is_made_again_and_is_the_same_call() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Runner::on(&folder);
    first.start(&task(), "one", &json!({ "a": 1 }));
    let (lost, _, _answer) = first.asked.recv().await.unwrap();
    first.executions.close();

    let mut second = Runner::on(&folder);
    let resumed = second.executions.resume().unwrap();
    assert_eq!((resumed.running.len(), resumed.refused.len()), (1, 0));
    let (made, _, answer) = second.asked.recv().await.unwrap();
    assert_eq!((made.id, &made.input, made.retry_count), (lost.id, &lost.input, 0));
    answer.send(Ok(Value::from("yes"))).unwrap();
    assert_eq!(resumed.running[0].ended().await, Outcome::Succeeded(Value::from("yes")));
    let expected = [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ];
    assert_eq!(types(&resumed.running[0]), expected);
    assert!(Runner::on(&folder).executions.resume().unwrap().running.is_empty());
}

#[tokio::test]
async fn what_happens_to_a_runner_that_is_closed_has_not_happened() {
    let folder = tempfile::tempdir().unwrap();
    let first = Runner::on(&folder);
    let running = first.start(&task(), "one", &json!({}));
    first.executions.close();
    assert!(matches!(running.stop(Fault::named("Late")), Err(JournalError::Closed)));
    assert!(matches!(first.try_start(&pass(), "two", &json!({})), Err(StartError::Journal(JournalError::Closed))));
    assert_eq!(running.look(Status::of), Status::Running);

    let second = Runner::on(&folder);
    let arns: Vec<_> =
        second.executions.resume().unwrap().running.iter().map(|one| one.identity().arn.clone()).collect();
    assert_eq!(arns, [arn("one").into()]);
}

#[test]
fn timers_that_were_due_while_nobody_was_there_fire_in_the_order_of_their_times() {
    let wait = |name: &str| json!({ "StartAt": name, "States": { name: { "Type": "Wait", "TimestampPath": format!("$.{name}"), "End": true } } });
    let definition = json!({
        "StartAt": "Fork",
        "States": { "Fork": { "Type": "Parallel", "End": true, "Branches": [wait("b"), wait("c"), wait("a")] } },
    });
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut ahead = Duration::milliseconds(100);
    let (folder, last) = loop {
        let folder = tempfile::tempdir().unwrap();
        let first = OffsetDateTime::now_utc() + ahead;
        let at = |milliseconds| first + Duration::milliseconds(milliseconds);
        let text = |milliseconds| at(milliseconds).format(&Rfc3339).unwrap();
        // Nothing is spawned on this runtime that it would run: no timer fires.
        let idle = runtime();
        let _guard = idle.enter();
        Runner::on(&folder).start(&definition, "one", &json!({ "a": text(0), "b": text(1), "c": text(2) }));
        if OffsetDateTime::now_utc() < first {
            break (folder, at(2));
        }
        // A busy machine was not as quick: what is past when it is set has no time of its own.
        ahead *= 2;
    };
    while OffsetDateTime::now_utc() < last {
        std::thread::yield_now();
    }
    runtime().block_on(async {
        let runner = Runner::on(&folder);
        let resumed = runner.executions.resume().unwrap();
        let exited = resumed.running[0].look(|execution| {
            let name = |event: &engine::Event| match &event.kind {
                engine::EventKind::StateExited { name, .. } => Some(name.to_string()),
                _ => None,
            };
            execution.history().iter().filter_map(name).collect::<Vec<_>>()
        });
        assert_eq!(exited, ["a", "b", "c", "Fork"]);
    });
}

#[tokio::test]
async fn a_callback_is_taken_once_and_is_written_when_it_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Runner::on(&folder);
    let running = first.start(&task(), "one", &json!({}));
    let (_, reports, mut answer) = first.asked.recv().await.unwrap();
    assert!(reports.ended(Ok(Value::from("yes"))).unwrap());
    // The runner may be killed right now.
    assert_eq!(types(&Runner::on(&folder).find("one")), types(&running));
    assert_eq!(running.ended().await, Outcome::Succeeded(Value::from("yes")));
    assert!(!reports.ended(Ok(Value::from("no"))).unwrap());
    // The call itself is given up.
    answer.closed().await;
}

#[tokio::test]
async fn a_callback_that_comes_while_the_work_is_handed_in_is_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Runner::on(&folder);
    let definition = json!({ "StartAt": "Ask", "States": { "Ask": {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": { "FunctionName": "any", "Payload": { "token.$": "$$.Task.Token" } },
        "End": true,
    } } });
    let running = first.start(&definition, "one", &json!({}));
    let (handed_in, reports, _answer) = first.asked.recv().await.unwrap();
    let before = types(&running);
    assert!(reports.ended(Ok(Value::from("early"))).unwrap());
    assert!(!reports.ended(Ok(Value::from("late"))).unwrap());
    assert_eq!(types(&running), before);
    first.executions.close();

    let mut second = Runner::on(&folder);
    let running = second.executions.resume().unwrap().running.remove(0);
    let (again, reports, _answer) = second.asked.recv().await.unwrap();
    assert_eq!((&again.token, &again.input), (&handed_in.token, &handed_in.input));
    assert!(!reports.ended(Ok(Value::from("late"))).unwrap());
    reports.submitted(Value::from("handed in")).await;
    assert_eq!(running.ended().await, Outcome::Succeeded(Value::from("early")));
    let after = ["TaskSubmitted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded"];
    assert_eq!(types(&running), [before, after.map(str::to_owned).to_vec()].concat());
}

#[tokio::test]
async fn a_redriven_execution_goes_on_after_a_restart_and_its_requests_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Runner::on(&folder);
    let before = first.start(&task(), "one", &json!({}));
    assert!(matches!(first.redrive("one", "early"), Err(RedriveError::NotRedrivable(NotRedrivable::Running))));
    first.fail("Broken").await;
    let failed = Outcome::Failed(Fault::named("Broken"));
    assert_eq!(before.ended().await, failed);
    let Ok(Redriven::Now { running, at, events_before }) = first.redrive("one", "a") else { panic!("not redriven") };
    assert_eq!((running.look(Status::of), events_before), (Status::Running, 6));
    assert_eq!(first.executions.running(), 1);
    assert!(matches!(first.redrive("one", "a"), Ok(Redriven::Before { at: then }) if then == at));
    assert!(matches!(first.redrive("one", "b"), Err(RedriveError::NotRedrivable(NotRedrivable::Running))));
    // Who waited for the end that there was has it.
    assert_eq!(before.ended().await, failed);
    let (lost, _, _answer) = first.asked.recv().await.unwrap();
    first.executions.close();

    let mut second = Runner::on(&folder);
    let resumed = second.executions.resume().unwrap();
    assert_eq!(resumed.running.len(), 1);
    let listed = |runner: &Runner| runner.list(MACHINE, None, None, 1).remove(0);
    let now = listed(&second);
    assert_eq!((now.status, now.stopped_at, now.redrives, now.redriven_at), (Status::Running, None, 1, Some(at)));
    let (made, _, answer) = second.asked.recv().await.unwrap();
    assert_eq!(made.id, lost.id);
    answer.send(Ok(Value::from("mended"))).unwrap();
    assert_eq!(resumed.running[0].ended().await, Outcome::Succeeded(Value::from("mended")));
    assert!(matches!(second.redrive("one", "a"), Ok(Redriven::Before { at: then }) if then == at));
    assert!(matches!(second.redrive("one", "b"), Err(RedriveError::NotRedrivable(NotRedrivable::Succeeded))));
    assert!(matches!(second.redrive("none", "b"), Err(RedriveError::NotFound)));
    let redriven = |wanted| {
        let wanted = Wanted { machine_arn: MACHINE, redriven: Some(wanted), ..Wanted::default() };
        second.executions.list(wanted, 10).unwrap().len()
    };
    assert_eq!((redriven(true), redriven(false)), (1, 0));
    let expected = [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionFailed",
        "ExecutionFailed",
        "ExecutionRedriven",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ];
    assert_eq!(types(&Runner::on(&folder).find("one")), expected);
}

#[tokio::test]
async fn an_execution_that_fails_again_at_once_can_be_redriven_again() {
    let folder = tempfile::tempdir().unwrap();
    let runner = Runner::on(&folder);
    let definition = json!({ "StartAt": "Fail", "States": { "Fail": { "Type": "Fail" } } });
    runner.start(&definition, "one", &json!({}));
    for count in 1..=3 {
        let Ok(Redriven::Now { running, .. }) = runner.executions.redrive(&arn("one"), None) else {
            panic!("not redriven")
        };
        assert_eq!(running.look(Status::of), Status::Failed);
        assert_eq!((runner.executions.running(), runner.list(MACHINE, None, None, 1)[0].redrives), (0, count));
        assert!(Arc::ptr_eq(&running, &runner.find("one")));
    }
}

#[tokio::test]
async fn what_is_nested_as_deep_as_may_be_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let deep = |levels: usize| serde_json::from_str(&("[".repeat(levels) + &"]".repeat(levels))).unwrap();
    let mut first = Runner::on(&folder);
    let both = json!({ "StartAt": "Ask", "States": {
        "Ask": { "Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:any", "Next": "Nap" },
        "Nap": { "Type": "Wait", "Seconds": 0, "Next": "Again" },
        "Again": { "Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:any", "End": true },
    } });
    first.start(&both, "one", &deep(127));
    first.answer(&deep(127)).await;
    let _asked_again = first.asked.recv().await.unwrap();
    first.executions.close();

    let mut second = Runner::on(&folder);
    let resumed = second.executions.resume().unwrap();
    assert_eq!((resumed.running.len(), resumed.refused.len()), (1, 0));
    second.answer(&json!("yes")).await;
    assert_eq!(resumed.running[0].ended().await, Outcome::Succeeded(Value::from("yes")));
}

#[tokio::test]
async fn an_evaluation_that_took_too_long_is_not_done_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = Runner::on(&folder);
    let endless = "{% ($f := function($n) { $f($n + 1) }; $f(0)) %}";
    let before = types(&first.start(&evaluates(endless), "one", &json!({})));
    assert!(before.contains(&"EvaluationFailed".to_owned()), "{before:?}");
    first.executions.close();

    // Done once more, it would have no end: there is no limit of time in a replay.
    let second = Runner::on(&folder);
    let resumed = second.executions.resume().unwrap();
    assert_eq!((resumed.running.len(), resumed.refused.len()), (1, 0));
    assert_eq!(types(&second.find("one")), before);
}

#[tokio::test]
async fn whether_an_evaluation_took_too_long_is_what_the_journal_says() {
    let folder = tempfile::tempdir().unwrap();
    let first = Runner::on(&folder);
    let quick = "{% $sum([1..3]) %}";
    first.start(&evaluates(quick), "one", &json!({}));
    first.executions.close();
    tables(&folder).execute("UPDATE turns SET too_long = '[1]'", []).unwrap();

    let resumed = Runner::on(&folder).executions.resume().unwrap();
    assert!(matches!(resumed.refused[..], [RecallError::Diverged { turn: 1, .. }]), "{:?}", resumed.refused);
}

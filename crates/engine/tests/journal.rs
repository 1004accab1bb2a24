//! Executions that outlive their runner, and what becomes of those that can't.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod support;

use std::{path::Path, sync::Arc};

use asl::{Fault, Machine, Value};
use engine::{
    Identity, NotRedrivable, Outcome, Status,
    core::Call,
    history,
    journal::{Definition, Journal, JournalError, Listed, RecallError, Wanted},
    run::{Answer, CallError, Executions, Outside, RedriveError, Redriven, Reports, Running, StartError, Started},
};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::sync::{mpsc, oneshot};

const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:test";

/// A call under way, for the test to answer.
type Asked = (Call, Reports, oneshot::Sender<Result<Value, CallError>>);

/// Gives every call to the test.
struct Asking(mpsc::UnboundedSender<Asked>);

impl Outside for Asking {
    fn call(&self, _: &Arc<Identity>, call: Call, reports: Reports) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.0.send((call, reports, answer)).unwrap();
        Box::pin(async move { answered.await.unwrap_or_else(|_| Err(Fault::named("NotAnswered").into())) })
    }
}

/// A runner with its journal in a folder.
struct Runner {
    executions: Arc<Executions>,
    asked: mpsc::UnboundedReceiver<Asked>,
}

impl Runner {
    fn on(folder: &TempDir) -> Self {
        let (asking, asked) = mpsc::unbounded_channel();
        let journal = Journal::open(folder.path()).unwrap();
        Self { executions: Executions::new(journal, Arc::new(Asking(asking))), asked }
    }

    fn start(&self, definition: &serde_json::Value, name: &str, input: &serde_json::Value) -> Arc<Running> {
        match self.try_start(definition, name, input).unwrap() {
            Started::New(running) => running,
            Started::Same(_) => panic!("{name} is there"),
        }
    }

    fn try_start(
        &self,
        definition: &serde_json::Value,
        name: &str,
        input: &serde_json::Value,
    ) -> Result<Started, StartError> {
        let machine = Machine::compile(&Value::from(definition)).unwrap();
        let definition = Definition::new(definition.to_string(), Arc::new(machine));
        let identity = Identity {
            arn: arn(name).into(),
            name: name.into(),
            state_machine_arn: MACHINE.into(),
            started_at: OffsetDateTime::now_utc(),
            input: Value::from(input),
            ..support::identity()
        };
        self.executions.start(&definition, identity)
    }

    fn find(&self, name: &str) -> Arc<Running> {
        self.executions.find(&arn(name)).unwrap().unwrap()
    }

    /// Executions of a machine.
    fn list(&self, machine_arn: &str, status: Option<Status>, older_than: Option<&str>, limit: usize) -> Vec<Listed> {
        let wanted = Wanted { machine_arn, status, older_than, ..Wanted::default() };
        self.executions.list(wanted, limit).unwrap()
    }

    async fn answer(&mut self, answer: &serde_json::Value) {
        let (_, _, call) = self.asked.recv().await.unwrap();
        call.send(Ok(Value::from(answer))).unwrap();
    }

    async fn fail(&mut self, error: &str) {
        let (_, _, call) = self.asked.recv().await.unwrap();
        call.send(Err(Fault::named(error).into())).unwrap();
    }

    fn redrive(&self, name: &str, token: &str) -> Result<Redriven, RedriveError> {
        self.executions.redrive(&arn(name), Some(token))
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:states:us-east-1:123456789012:execution:test:{name}")
}

fn types(running: &Running) -> Vec<String> {
    running.look(|execution| execution.history().iter().map(|event| history::event_type(&event.kind)).collect())
}

fn task() -> serde_json::Value {
    let function = "arn:aws:lambda:us-east-1:123456789012:function:any";
    json!({ "StartAt": "Ask", "States": { "Ask": { "Type": "Task", "Resource": function, "End": true } } })
}

fn pass() -> serde_json::Value {
    json!({ "StartAt": "Pass", "States": { "Pass": { "Type": "Pass", "End": true } } })
}

/// The tables, as a person would look into them.
fn tables(folder: &TempDir) -> Connection {
    Connection::open(folder.path().join("journal.sqlite")).unwrap()
}

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
async fn a_name_is_taken_before_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = Runner::on(&folder);
    first.start(&pass(), "ended", &json!({ "a": 1 }));
    first.start(&task(), "runs", &json!({ "a": 1 }));
    let second = Runner::on(&folder);
    // Also where nobody lets it go on.
    for resumes in [false, true] {
        if resumes {
            second.executions.resume().unwrap();
        }
        for runner in [&first, &second] {
            let start = |name, input| runner.try_start(&task(), name, &json!({ "a": input }));
            assert!(matches!(start("ended", 1), Err(StartError::Exists)));
            assert!(matches!(start("runs", 2), Err(StartError::Exists)));
            assert!(matches!(start("runs", 1), Ok(Started::Same(running)) if *running.identity().arn == arn("runs")));
        }
    }
}

#[tokio::test]
async fn executions_are_listed_newest_first_by_status_and_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let first = Runner::on(&folder);
    for name in ["1", "2", "3"] {
        first.start(&pass(), name, &json!({}));
        first.start(&task(), &format!("{name}-runs"), &json!({}));
    }
    first.find("2-runs").stop(Fault::named("Enough")).unwrap();
    drop(first);
    let second = Runner::on(&folder);
    let list = |status, older_than: Option<&str>, limit| {
        let listed = second.list(MACHINE, status, older_than.map(arn).as_deref(), limit);
        listed.iter().map(|one| format!("{} {}", one.name, one.status.name())).collect::<Vec<_>>()
    };
    let all = ["3-runs RUNNING", "3 SUCCEEDED", "2-runs ABORTED", "2 SUCCEEDED", "1-runs RUNNING", "1 SUCCEEDED"];
    assert_eq!(list(None, None, 10), all);
    assert_eq!(list(None, Some("3"), 3), all[2..5]);
    assert_eq!(list(Some(Status::Running), None, 10), [all[0], all[4]]);
    // The one that the list goes on after need not be in it any more.
    assert_eq!(list(Some(Status::Running), Some("2-runs"), 10), [all[4]]);
    assert_eq!(list(Some(Status::Aborted), None, 10), [all[2]]);
    assert!(second.list("another", None, None, 10).is_empty());
    let aborted = &second.list(MACHINE, Some(Status::Aborted), None, 1)[0];
    let last = second.find("2-runs").look(|execution| execution.history().last().unwrap().at);
    assert_eq!(aborted.stopped_at, Some(last));
}

#[tokio::test]
async fn an_execution_whose_replay_is_another_one_is_refused_by_its_name_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let first = Runner::on(&folder);
    for name in ["good", "other-events", "other-payloads", "other-definition", "unknown"] {
        first.start(&task(), name, &json!({ "name": name }));
    }
    drop(first);
    let change = |table: &str, name: &str| {
        let sql = format!("UPDATE {table} (SELECT number FROM executions WHERE arn = ?)");
        assert_eq!(tables(&folder).execute(&sql, [arn(name)]).unwrap(), 1);
    };
    change("turns SET events = 77 WHERE execution =", "other-events");
    change("turns SET digest = digest + 1 WHERE execution =", "other-payloads");
    change(r#"turns SET happened = '[{"Exploded":null}]' WHERE execution ="#, "unknown");
    tables(&folder).execute("INSERT INTO definitions VALUES (zeroblob(32), '{}')", []).unwrap();
    change("executions SET definition = zeroblob(32) WHERE number =", "other-definition");

    let second = Runner::on(&folder);
    let resumed = second.executions.resume().unwrap();
    assert_eq!(resumed.running.iter().map(|running| &*running.identity().name).collect::<Vec<_>>(), ["good"]);
    let refused: Vec<_> = resumed.refused.iter().map(ToString::to_string).collect();
    let starts = [
        format!(
            "{}: what it was told makes another history than it had (turn 1: 4 events, where there were 77)",
            arn("other-events")
        ),
        format!(
            "{}: what it was told makes another history than it had (turn 1: 4 events, where there were 4)",
            arn("other-payloads")
        ),
        format!("{}: its definition is not accepted any more", arn("other-definition")),
        format!("{}: what the journal has of it is not understood (unknown variant `Exploded`", arn("unknown")),
    ];
    for (refused, start) in refused.iter().zip(&starts) {
        assert!(refused.starts_with(start), "{refused}");
    }
    assert_eq!(refused.len(), starts.len());
    assert!(matches!(second.executions.find(&arn("other-events")), Err(RecallError::Diverged { .. })));
    // It can't be started anew behind its own back.
    let error = second.try_start(&task(), "other-events", &json!({ "name": "other-events" }));
    assert!(matches!(error, Err(StartError::Recall(RecallError::Diverged { .. }))));
}

#[tokio::test]
async fn what_cannot_be_written_has_not_happened_and_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut runner = Runner::on(&folder);
    let mut definition = task();
    definition["States"]["Again"] = definition["States"]["Ask"].clone();
    definition["States"]["Ask"] =
        json!({ "Type": "Task", "Resource": definition["States"]["Ask"]["Resource"], "Next": "Again" });
    let running = runner.start(&definition, "one", &json!({}));
    let refuse = |times| {
        tables(&folder)
            .execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS refused (count INTEGER);
                 DELETE FROM refused;
                 INSERT INTO refused VALUES (0);
                 DROP TRIGGER IF EXISTS refuse;
                 CREATE TRIGGER refuse BEFORE INSERT ON turns WHEN (SELECT count FROM refused) < {times}
                 BEGIN UPDATE refused SET count = count + 1; SELECT RAISE(FAIL, 'there is no room'); END;"
            ))
            .unwrap();
    };
    refuse(99);
    let error = runner.try_start(&pass(), "two", &json!({})).err().unwrap();
    assert_eq!(error.to_string(), "the journal: there is no room");
    assert!(runner.executions.find(&arn("two")).unwrap().is_none());

    let before = types(&running);
    let error = running.stop(Fault::named("Enough")).unwrap_err();
    assert_eq!(error.to_string(), "the journal: there is no room");
    assert_eq!(types(&running), before);
    assert_eq!(running.look(Status::of), Status::Running);

    // The answer is kept until it can be written; nobody is asked again.
    refuse(1);
    runner.answer(&json!("no")).await;
    runner.answer(&json!("yes")).await;
    assert_eq!(running.ended().await, Outcome::Succeeded(Value::from("yes")));
    let refused: i64 = tables(&folder).query_row("SELECT count FROM refused", [], |row| row.get(0)).unwrap();
    assert_eq!(refused, 1);
    assert!(runner.asked.try_recv().is_err());
    assert_eq!(types(&Runner::on(&folder).find("one")), types(&running));
}

#[tokio::test]
async fn executions_are_forgotten_ninety_days_after_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let runner = Runner::on(&folder);
    for name in ["old", "old-runs", "younger", "young"] {
        let definition = if name.ends_with("runs") { task() } else { pass() };
        runner.start(&definition, name, &json!({}));
    }
    drop(runner);
    let age = |name: &str, days: i64| {
        let at = i64::try_from((OffsetDateTime::now_utc() - Duration::days(days)).unix_timestamp_nanos()).unwrap();
        let sql =
            "UPDATE executions SET started_at = ?1, stopped_at = iif(stopped_at IS NULL, NULL, ?1) WHERE arn = ?2";
        tables(&folder).execute(sql, (at, arn(name))).unwrap();
    };
    age("old", 91);
    age("old-runs", 91);
    age("younger", 89);
    let listed = Runner::on(&folder).list(MACHINE, None, None, 10);
    assert_eq!(listed.iter().map(|one| &*one.name).collect::<Vec<_>>(), ["young", "younger", "old-runs"]);
    let turns: i64 = tables(&folder).query_row("SELECT count(*) FROM turns", [], |row| row.get(0)).unwrap();
    assert_eq!(turns, 3);
}

#[test]
fn a_file_that_is_no_journal_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let message = || Journal::open(folder.path()).unwrap_err().to_string();
    let file = folder.path().join("journal.sqlite");

    drop(Journal::open(folder.path()).unwrap());
    tables(&folder).pragma_update(None, "user_version", 99).unwrap();
    let layout = format!("the journal {} has the layout 99, and this version reads", file.display());
    assert!(message().starts_with(&layout), "{}", message());

    std::fs::write(&file, "x".repeat(10_000)).unwrap();
    let broken = format!("cannot open the journal {}: move the file away", file.display());
    assert!(message().starts_with(&broken), "{}", message());

    let below = file.join("folder");
    let error = Journal::open(Path::new(&below)).unwrap_err();
    assert!(matches!(error, JournalError::Folder { folder, .. } if folder == below));
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
async fn a_journal_of_a_layout_before_is_taken_over() {
    let layout_5 = "ALTER TABLE turns DROP COLUMN too_long; PRAGMA user_version = 5;";
    let layout_4 = "ALTER TABLE executions DROP COLUMN item_count; ALTER TABLE map_runs DROP COLUMN children;
                    PRAGMA user_version = 4;";
    let layout_3 = "ALTER TABLE executions DROP COLUMN redrives; ALTER TABLE executions DROP COLUMN redriven_at;
                    DROP TABLE map_runs; PRAGMA user_version = 3;";
    for back in [layout_5.to_owned(), format!("{layout_5} {layout_4}"), format!("{layout_5} {layout_4} {layout_3}")] {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Runner::on(&folder);
        let running = first.start(&task(), "one", &json!({}));
        first.fail("Broken").await;
        running.ended().await;
        first.executions.close();
        tables(&folder).execute_batch(&back).unwrap();

        let mut second = Runner::on(&folder);
        assert!(second.redrive("one", "a").is_ok());
        second.answer(&json!("mended")).await;
        assert_eq!(second.find("one").ended().await, Outcome::Succeeded(Value::from("mended")));
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

/// A Wait state behind an expression, whether that can be evaluated or not.
fn evaluates(expression: &str) -> serde_json::Value {
    let catch = json!([{ "ErrorEquals": ["States.QueryEvaluationError"], "Next": "Wait" }]);
    json!({ "QueryLanguage": "JSONata", "StartAt": "Try", "States": {
        "Try": { "Type": "Parallel", "Catch": catch, "Next": "Wait", "Branches": [
            { "StartAt": "Evaluate", "States": { "Evaluate": { "Type": "Pass", "Output": expression, "End": true } } },
        ] },
        "Wait": { "Type": "Wait", "Seconds": 86400, "End": true },
    } })
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

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn others_go_on_while_the_first_steps_of_one_take_long() {
    let folder = tempfile::tempdir().unwrap();
    let runner = Arc::new(Runner::on(&folder));
    runner.start(&evaluates("{% 1 %}"), "waits", &json!({}));
    let (done, mut order) = mpsc::unbounded_channel();
    let (begins, begun) = oneshot::channel();
    let (slow, slow_done) = (runner.clone(), done.clone());
    let starting = tokio::spawn(async move {
        begins.send(()).unwrap();
        slow.start(&evaluates("{% ($f := function($n) { $f($n + 1) }; $f(0)) %}"), "slow", &json!({}));
        slow_done.send("slow").unwrap();
    });
    let looking = tokio::spawn(async move {
        begun.await.unwrap();
        runner.find("waits");
        runner.start(&pass(), "quick", &json!({}));
        done.send("others").unwrap();
    });
    starting.await.unwrap();
    looking.await.unwrap();
    assert_eq!((order.recv().await, order.recv().await), (Some("others"), Some("slow")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_starts_at_once_with_one_name_are_one_execution() {
    let folder = tempfile::tempdir().unwrap();
    let runner = Arc::new(Runner::on(&folder));
    let start = |runner: Arc<Runner>| {
        tokio::spawn(async move {
            let started = runner.try_start(&evaluates("{% $sum([1..100000]) %}"), "one", &json!({}));
            started.unwrap().running().clone()
        })
    };
    let (one, other) = (start(runner.clone()), start(runner.clone()));
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    assert!(Arc::ptr_eq(&one, &other));
    assert!(Arc::ptr_eq(&one, &runner.find("one")));
}

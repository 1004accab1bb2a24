//! What is kept, for how long, and what becomes of what can't be read or written.

use std::path::Path;

use asl::{Fault, Value};
use engine::{
    Outcome, Status,
    journal::{Journal, JournalError, RecallError},
    run::StartError,
};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::{MACHINE, Runner, arn, pass, tables, task, types};

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

//! The game workflow and its effects: two tables, reports, a metric.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use aws_sdk_cloudwatch::{primitives::DateTime, types::Statistic};
use end_to_end::{Runner, data::level, project};
use serde_json::{Value, json};

fn with(mut event: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

async fn report(runner: &Runner, key: &str) -> String {
    String::from_utf8(runner.get("ReportBucket", key).await.unwrap_or_default()).unwrap()
}

#[tokio::test]
async fn a_level_is_recorded_and_reported() {
    let runner = Runner::shared().await;
    let ended = runner.execute("GameCompletion", &level("level-1", "3")).await;
    assert_eq!(ended.status, "SUCCEEDED", "{ended:?}");
    assert_eq!(ended.output["Message"], "Level completed");
    assert_eq!(ended.output["report"]["textKey"], "level-1_report_3.txt");
    assert_eq!(ended.output["metric"]["value"], 9_885_983_982_u64);

    assert_eq!(report(&runner, "level-1_report_3.txt").await, "Completed Level: 3\nMy Score: 10\\100\n");
    let page = report(&runner, "level-1_report_3.html").await;
    assert_eq!(page.matches("<svg").count(), 1, "{page}");
    assert_eq!(page.matches("<rect class=\"bar").count(), 1, "{page}");

    let item = runner.item("LevelsTable", [("user_id", "level-1"), ("level", "3")]).await;
    assert_eq!([&item["score"], &item["total_score"]], ["10", "10000"], "{item}");
    assert_eq!(item["execution"], ended.arn);
    let last = runner.item("LevelsTable", [("user_id", "level-1"), ("level", "#last")]).await;
    assert_eq!(last["last_level"], "3", "{last}");
    assert_eq!(runner.item("GamesTable", [("user_id", "level-1")]).await, Value::Null);
}

#[tokio::test]
async fn logs_name_the_execution() {
    let runner = Runner::shared().await;
    let ended = runner.execute("GameCompletion", &level("logs", "1")).await;
    let lines = runner.lines_of(&ended.arn);
    for state in ["Gen Report", "Simple Level", "CWMetric"] {
        let logs: Vec<&str> =
            lines.iter().filter(|line| line["state"] == state).filter_map(|line| line["log"].as_str()).collect();
        assert!(!logs.is_empty() && logs.iter().all(|log| log.contains(&ended.arn)), "{state}: {logs:#?}");
    }
}

#[tokio::test]
async fn the_last_level_completes_the_game() {
    let runner = Runner::shared().await;
    for (user, event) in [
        ("last-by-name", level("last-by-name", "latest")),
        ("last-by-flag", with(level("last-by-flag", "12"), &json!({ "gameCompleted": true }))),
    ] {
        let ended = runner.execute("GameCompletion", &event).await;
        assert_eq!(
            (ended.status.as_str(), &ended.output["Message"]),
            ("SUCCEEDED", &json!("Game completed")),
            "{user}"
        );
        let game = runner.item("GamesTable", [("user_id", user)]).await;
        assert_eq!((&game["completed"], &game["total_score"]), (&json!(true), &json!("10000")), "{user}: {game}");
        let last = runner.item("LevelsTable", [("user_id", user), ("level", "#last")]).await;
        assert_eq!(last, Value::Null, "{user}");
    }
}

#[tokio::test]
async fn a_flag_that_is_not_true_completes_no_game() {
    let runner = Runner::shared().await;
    for (user, flag) in [("flag-false", json!(false)), ("flag-text", json!("true")), ("flag-null", Value::Null)] {
        let event = with(level(user, "12"), &json!({ "gameCompleted": flag }));
        let ended = runner.execute("GameCompletion", &event).await;
        assert_eq!(ended.output["Message"], "Level completed", "{user}: {ended:?}");
        assert_eq!(runner.item("GamesTable", [("user_id", user)]).await, Value::Null, "{user}");
    }
}

#[tokio::test]
async fn the_page_shows_the_levels_so_far() {
    let runner = Runner::shared().await;
    for name in ["1", "2", "2", "3"] {
        let ended = runner.execute("GameCompletion", &level("levels", name)).await;
        assert_eq!(ended.status, "SUCCEEDED", "{ended:?}");
    }
    let page = report(&runner, "levels_report_3.html").await;
    assert_eq!(page.matches("<rect class=\"bar").count(), 3, "{page}");
}

#[tokio::test]
async fn a_payload_that_cannot_be_used_fails_by_name() {
    let runner = Runner::shared().await;
    let without = |field: &str| {
        let mut event = level("unusable", "1");
        event.as_object_mut().unwrap().remove(field);
        event
    };
    for (event, error) in [
        (without("level"), "InvalidPayload"),
        (without("user_id"), "InvalidPayload"),
        (with(level("unusable", "1"), &json!({ "level": 1 })), "InvalidPayload"),
        (with(level("unusable", "1"), &json!({ "score": "10" })), "InvalidPayload"),
        (with(level("unusable", "1"), &json!({ "time_played": -1 })), "InvalidPayload"),
        (with(level("unusable", "1"), &json!({ "completedAt": "yesterday" })), "InvalidPayload"),
        (with(level("unusable", "1"), &json!({ "completedAt": null })), "InvalidPayload"),
        (with(level("unusable", "1"), &json!({ "user_id": "" })), "InvalidInput"),
        (level("unusable", "1 <b>"), "InvalidInput"),
    ] {
        let ended = runner.execute("GameCompletion", &event).await;
        assert_eq!((ended.status.as_str(), ended.error.as_str()), ("FAILED", error), "{event}: {ended:?}");
        assert!(!ended.cause.is_empty(), "{event}");
    }
}

#[tokio::test]
async fn a_payload_that_a_function_refuses_leaves_nothing() {
    let runner = Runner::up(["--ephemeral"]).await;
    let refused = level("refused", "1");
    for event in [
        level("some_report", "1"),
        with(level("some_report", "1"), &json!({ "gameCompleted": true })),
        level("a/b", "latest"),
        level("refused", "#last"),
        with(refused.clone(), &json!({ "max_score": 1e300, "gameCompleted": true })),
        with(refused.clone(), &json!({ "time_played": 1e300 })),
        with(refused, &json!({ "completedAt": "0000-01-01T00:00:00+12:00" })),
    ] {
        let ended = runner.execute("GameCompletion", &event).await;
        assert_eq!(ended.error, "InvalidInput", "{event}: {ended:?}");
    }
    for table in ["LevelsTable", "GamesTable"] {
        let scan = runner.dynamodb().scan().table_name(runner.table(table)).send().await.unwrap();
        assert_eq!(scan.count, 0, "{table}: {:?}", scan.items());
    }
    let reports = runner.s3().list_objects_v2().bucket(runner.bucket("ReportBucket")).send().await.unwrap();
    assert!(reports.contents().is_empty(), "{:?}", reports.contents());
}

#[tokio::test]
async fn every_event_of_the_folder_ends_as_its_name_says() {
    let runner = Runner::shared().await;
    for (file, end) in [
        ("level", "Level completed"),
        ("level-1", "Level completed"),
        ("level-2", "Level completed"),
        ("last-level", "Game completed"),
        ("game-completed", "Game completed"),
        ("without-level", "InvalidPayload"),
    ] {
        let text = std::fs::read_to_string(project().join(format!("events/game-completion/{file}.json"))).unwrap();
        let ended = runner.execute("GameCompletion", &serde_json::from_str(&text).unwrap()).await;
        let said = if ended.error.is_empty() { ended.output["Message"].as_str().unwrap() } else { &ended.error };
        assert_eq!(said, end, "{file}: {ended:?}");
    }
}

#[tokio::test]
async fn a_repeated_or_late_event_changes_nothing() {
    let runner = Runner::shared().await;
    for (user, changes, keys) in [
        ("repeated-level", json!({}), vec![("LevelsTable", Some("5")), ("LevelsTable", Some("#last"))]),
        ("repeated-game", json!({ "gameCompleted": true }), vec![("GamesTable", None)]),
    ] {
        let records = async || {
            let mut records = Vec::new();
            for (table, level) in &keys {
                records.push(match level {
                    Some(level) => runner.item(table, [("user_id", user), ("level", *level)]).await,
                    None => runner.item(table, [("user_id", user)]).await,
                });
            }
            records
        };
        let mut before = records().await;
        for (what, total, at, changed) in [
            ("first", 1, "2026-11-21T12:00:00.000Z", true),
            ("repeated", 1, "2026-11-21T12:00:00.000Z", false),
            ("repeated, as another offset writes it", 1, "2026-11-21T13:00:00+01:00", false),
            ("late", 2, "2026-11-21T11:59:59.999Z", false),
            ("newer", 3, "2026-11-21T12:00:00.001Z", true),
        ] {
            let event = with(level(user, "5"), &json!({ "total_score": total, "completedAt": at }));
            let ended = runner.execute("GameCompletion", &with(event, &changes)).await;
            assert_eq!(ended.output["record"]["changed"], changed, "{user}, {what}: {ended:?}");
            let after = records().await;
            assert_eq!(before != after, changed, "{user}, {what}: {before:?} {after:?}");
            before = after;
        }
    }
}

#[tokio::test]
async fn a_late_event_of_another_level_is_recorded_but_not_as_the_last_one() {
    let runner = Runner::shared().await;
    let record = async |level: &str| runner.item("LevelsTable", [("user_id", "late"), ("level", level)]).await;
    let at = |name: &str, at: &str| with(level("late", name), &json!({ "completedAt": at }));
    runner.execute("GameCompletion", &at("2", "2026-11-21T12:00:00Z")).await;
    let last = record("#last").await;
    assert_eq!((&last["last_level"], &last["timestamp"]), (&json!("2"), &json!("1795262400")));

    runner.execute("GameCompletion", &at("1", "2026-11-21T11:00:00Z")).await;
    assert_eq!(record("1").await["completed_at"], "2026-11-21T11:00:00.000000Z");
    assert_eq!(record("#last").await, last);
}

#[tokio::test]
async fn an_event_without_a_time_is_as_late_as_its_execution() {
    let runner = Runner::shared().await;
    for _ in 0..2 {
        let ended = runner.execute("GameCompletion", &level("timeless", "1")).await;
        assert_eq!(ended.output["record"]["changed"], true, "{ended:?}");
        let started = runner.sfn().describe_execution().execution_arn(&ended.arn).send().await.unwrap().start_date;
        let item = runner.item("LevelsTable", [("user_id", "timeless"), ("level", "#last")]).await;
        assert_eq!((&item["execution"], &item["timestamp"]), (&json!(ended.arn), &json!(started.secs().to_string())));
    }
}

#[tokio::test]
async fn the_time_played_is_a_metric() {
    let runner = Runner::up(["--ephemeral"]).await;
    for time in [30, 12] {
        let event = with(level("metric", "1"), &json!({ "time_played": time }));
        assert_eq!(runner.execute("GameCompletion", &event).await.status, "SUCCEEDED");
    }
    let answer = runner
        .cloudwatch()
        .get_metric_statistics()
        .namespace("FLOW")
        .metric_name("CompleteLevel")
        .start_time(DateTime::from_secs(0))
        .end_time(DateTime::from_secs(253_402_300_000))
        .period(1_000_000_020)
        .statistics(Statistic::Sum)
        .statistics(Statistic::SampleCount)
        .statistics(Statistic::Maximum)
        .send()
        .await
        .unwrap();
    let points: Vec<_> = answer.datapoints().iter().map(|at| (at.sample_count(), at.sum(), at.maximum())).collect();
    assert_eq!(points, [(Some(2.0), Some(42.0), Some(30.0))]);
}

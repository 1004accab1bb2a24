//! Replays the project's own recorded cases, and cases that must not pass.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::path::{Path, PathBuf};

use asl::Value;
use stairwell::replay::{Counts, Verdict, best, case::Case, replay, replay_case};

fn own_cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases")
}

#[test]
fn own_cases_come_out_as_recorded() {
    let mut told = Vec::new();
    let summary = replay(&[own_cases()], |case, verdict| told.push(format!("{}: {verdict:?}", case.name))).unwrap();
    assert_eq!((summary.total.failed, summary.total.skipped), (0, 0), "{told:#?}");
    assert!(summary.total.passed > 0);
}

#[test]
fn the_first_difference_is_told() {
    for (change, difference) in [
        (("id", Value::from(9_u64)), "event 2 (PassStateEntered)/id: recorded 9, now 2"),
        (("previousEventId", Value::from(1_u64)), "event 2 (PassStateEntered)/previousEventId: recorded 1, now 0"),
        (("extra", Value::Null), "event 2 (PassStateEntered)/extra: recorded null, now nothing"),
    ] {
        let (field, value) = change;
        let mut case =
            case(r#"{"category":"history","definition":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}}"#);
        case.events = vec![
            Value::parse(
                r#"{"id":1,"previousEventId":0,"type":"ExecutionStarted","executionStartedEventDetails":
                    {"input":"null","inputDetails":{"truncated":false},"roleArn":"role"}}"#,
            )
            .unwrap(),
            Value::parse(
                r#"{"id":2,"previousEventId":0,"type":"PassStateEntered","stateEnteredEventDetails":
                    {"name":"A","input":"null","inputDetails":{"truncated":false}}}"#,
            )
            .unwrap(),
        ];
        assert_eq!(
            failure(&case),
            "event 3 is not recorded: {\"id\":3,\"previousEventId\":2,\"stateExitedEventDetails\":{\"name\":\"A\",\"output\":\"null\",\"outputDetails\":{\"truncated\":false}},\"type\":\"PassStateExited\"}"
        );
        if let Some(Value::Object(event)) = case.events.get_mut(1) {
            std::sync::Arc::make_mut(event).insert(field.into(), value);
        }
        assert_eq!(failure(&case), difference);
    }
}

#[test]
fn placeholders_stand_for_the_same_text_everywhere() {
    let run = |input: &str, output: &str| {
        replay_case(&case(&format!(
            r#"{{"category":"outputs","runs":[{{"definition":{{"StartAt":"A","States":{{"A":{{"Type":"Succeed"}}}}}},
                "input":{input},"final":{{"status":"SUCCEEDED","output":{output}}}}}]}}"#
        )))
    };
    assert!(matches!(run(r#"["a-1","a-1"]"#, r#"["a-<id:1>","a-<id:1>"]"#), Verdict::Passed));
    assert!(matches!(run(r#"["a-1","a-2"]"#, r#"["a-<id:1>","a-<id:1>"]"#), Verdict::Failed(_)));
    assert!(matches!(run(r#"["2024-01-31T00:00:00.5Z"]"#, r#"["date"]"#), Verdict::Passed));
    assert!(matches!(run(r#"["soon"]"#, r#"["date"]"#), Verdict::Failed(_)));
    assert!(matches!(run(r#""[1, 2]""#, r#""[1,2]""#), Verdict::Passed));
}

#[test]
fn what_is_not_supported_is_skipped_and_not_passed() {
    for text in [r#"{"category":"api","calls":[{"op":"no_such_operation"}]}"#, r#"{"category":"no such category"}"#] {
        assert!(matches!(replay_case(&case(text)), Verdict::Skipped(_)), "{text}");
    }
}

#[test]
fn a_call_without_a_recorded_answer_fails() {
    let case = case(
        r#"{"category":"history","input":1,"definition":{"StartAt":"A","States":{"A":{"Type":"Task","End":true,
            "Resource":"arn:aws:lambda:us-east-1:111111111111:function:f"}}}}"#,
    );
    assert_eq!(failure(&case), "no recorded answer is left for a call of the state 'A' with 1");
}

#[test]
fn what_child_executions_gave_is_not_made_up() {
    // Where the answers are not recorded, only a result that the output shows is taken for theirs.
    for (fields, output) in [(r#""ResultSelector":{"all.$":"$"},"#, r#"{"all":[1,2]}"#), ("", "[1]"), ("", r#""one""#)]
    {
        let case = case(&format!(
            r#"{{"category":"history","input":[1,2],"definition":{{"StartAt":"A","States":{{"A":{{"Type":"Map",{fields}
                "ItemProcessor":{{"ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"}},"StartAt":"B","States":{{
                    "B":{{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","End":true}}}}}},
                "End":true}}}}}},
                "events":[{{"type":"MapRunStarted"}},{{"type":"MapRunSucceeded"}},
                    {{"type":"MapStateExited","stateExitedEventDetails":{{"name":"A","output":{output}}}}}]}}"#
        ));
        assert_eq!(failure(&case), "no recorded answer is left for a call of the state 'B' with 1", "{output}");
    }
}

#[test]
fn fewer_passes_than_the_best_are_told() {
    let mut summary = replay(&[own_cases()], |_, _| {}).unwrap();
    summary.categories = [("history".to_owned(), Counts { passed: 3, failed: 0, skipped: 0 })].into();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("best.txt");
    best::write(&file, &summary).unwrap();
    assert!(best::fallen_below(&file, &summary).unwrap().is_empty());
    std::fs::write(&file, "# the best\n\nhistory 4\noutputs 1\n").unwrap();
    assert_eq!(
        best::fallen_below(&file, &summary).unwrap(),
        ["history: 3 passed, the best so far is 4", "outputs: 0 passed, the best so far is 1"]
    );
    std::fs::write(&file, "history many\n").unwrap();
    assert!(best::fallen_below(&file, &summary).is_err());
}

fn case(text: &str) -> Case {
    let Value::Object(mut fields) = Value::parse(text).unwrap() else { panic!("{text} is no object") };
    std::sync::Arc::make_mut(&mut fields).entry("name".into()).or_insert_with(|| "test".into());
    serde_json::from_str(&Value::Object(fields).to_string()).unwrap()
}

fn failure(case: &Case) -> String {
    match replay_case(case) {
        Verdict::Failed(difference) => difference,
        other => panic!("{other:?}"),
    }
}

//! The handler with the real clients against a stand-in for S3 and DynamoDB.

use function_kit::testing::{self, Reply, Request, Stub, unreachable_sdk_config};
use function_kit::{Environment, Failure};
use serde_json::{Value, json};

use crate::{GenerateReport, handle};

const SETTINGS: [(&str, &str); 2] = [("REPORT_BUCKET", "reports"), ("LEVELS_TABLE", "levels")];

fn event() -> Value {
    serde_json::from_str(include_str!("../../../events/generate-report/level.json")).unwrap()
}

async fn invoke(stub: &Stub, payload: Value) -> Result<Value, Failure> {
    let function = GenerateReport::new(&Environment::of(SETTINGS), &stub.sdk_config()).unwrap();
    testing::invoke(&function, handle, payload).await
}

fn item(level: &str, score: &str, completed_at: &str) -> Value {
    json!({
        "user_id": {"S": "12345678901234567890"}, "level": {"S": level},
        "score": {"N": score}, "max_score": {"N": "80"}, "time_played": {"N": "61"},
        "total_score": {"N": "1"}, "completed_at": {"S": completed_at}, "execution": {"S": ""},
    })
}

/// A table of these items, and a bucket that takes all objects.
async fn with_levels(items: Vec<Value>) -> Stub {
    Stub::replying(move |request| match request.operation() {
        "Query" => Reply::json(200, json!({"Items": items, "Count": items.len()})),
        _ => Reply::status(200),
    })
    .await
}

/// The object that was put at the key.
fn put(stub: &Stub, key: &str) -> Request {
    let path = format!("/reports/{key}");
    stub.requests().into_iter().find(|r| r.method == "PUT" && r.path == path).unwrap()
}

#[tokio::test]
async fn the_text_is_that_of_the_original() {
    let stub = with_levels(vec![]).await;

    let output = invoke(&stub, event()).await.unwrap();

    assert_eq!(
        output,
        json!({
            "bucket": "reports",
            "textKey": "12345678901234567890_report_3.txt",
            "htmlKey": "12345678901234567890_report_3.html",
        })
    );
    let text = put(&stub, "12345678901234567890_report_3.txt");
    assert_eq!(text.text(), "Completed Level: 3\nMy Score: 10\\100\n");
    assert_eq!(text.header("content-type"), "text/plain; charset=utf-8");
}

#[tokio::test]
async fn the_reports_are_private() {
    let stub = with_levels(vec![]).await;
    invoke(&stub, event()).await.unwrap();
    for request in stub.requests() {
        assert_eq!(request.header("x-amz-acl"), "");
    }
}

#[tokio::test]
async fn the_page_shows_the_levels_so_far() {
    let stub = with_levels(vec![
        item("1", "40", "2026-11-19T12:00:00.000000Z"),
        item("2", "60", "2026-11-18T12:00:00.000000Z"),
        // The level that is completed now, from another time.
        item("3", "77", "2026-11-17T12:00:00.000000Z"),
    ])
    .await;

    invoke(&stub, event()).await.unwrap();

    let page = put(&stub, "12345678901234567890_report_3.html");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let html = page.text();
    assert!(html.contains("<title>Level 3 completed</title>"));
    assert!(html.contains("<dt>Levels completed</dt><dd>3</dd>"));
    assert!(!html.contains("77"), "the old score of the level");
    let places = ["60 / 80", "40 / 80", "10 / 100</text>"].map(|score| html.find(score).unwrap());
    assert!(places.is_sorted(), "in the order of completion: {places:?}");
    for loaded in ["<script", "src=", "href=", "url("] {
        assert!(!html.contains(loaded), "{loaded}");
    }
}

#[tokio::test]
async fn the_levels_of_the_player_alone_are_asked_for() {
    let stub = with_levels(vec![]).await;
    invoke(&stub, event()).await.unwrap();
    let query = stub.requests()[0].json();
    assert_eq!(query["TableName"], "levels");
    assert_eq!(query["KeyConditionExpression"], "user_id = :user_id AND #level >= :first");
    assert_eq!(
        query["ExpressionAttributeValues"],
        json!({":user_id": {"S": "12345678901234567890"}, ":first": {"S": "0"}})
    );
}

#[tokio::test]
async fn all_pages_of_a_long_history_are_read() {
    let stub = Stub::replying(|request| match request.operation() {
        "Query" if request.json()["ExclusiveStartKey"].is_null() => Reply::json(
            200,
            json!({
                "Items": [item("1", "40", "2026-11-18T12:00:00.000000Z")],
                "LastEvaluatedKey": {"user_id": {"S": "1"}, "level": {"S": "1"}},
            }),
        ),
        "Query" => Reply::json(200, json!({"Items": [item("2", "60", "2026-11-19T12:00:00.000000Z")]})),
        _ => Reply::status(200),
    })
    .await;
    invoke(&stub, event()).await.unwrap();
    let page = put(&stub, "12345678901234567890_report_3.html");
    assert!(page.text().contains("40 / 80") && page.text().contains("60 / 80"));
}

#[tokio::test]
async fn what_the_table_holds_stays_text_on_the_page() {
    let markup = "<img src=x onerror=alert(1)>";
    let not_a_level = json!({"user_id": {"S": "1"}, "level": {"S": "x"}, "score": {"S": "many"}});
    let stub = with_levels(vec![item(markup, "1", "2026-11-18T12:00:00.000000Z"), not_a_level]).await;
    invoke(&stub, event()).await.unwrap();
    let page = put(&stub, "12345678901234567890_report_3.html");
    assert!(!page.text().contains("<img"));
    assert!(page.text().contains("&lt;img src=x onerror=alert(1)&gt;"));
}

#[tokio::test]
async fn input_that_is_not_what_it_should_be_is_refused() {
    let stub = with_levels(vec![]).await;
    for (field, value) in [
        ("user_id", json!("../other")),
        ("user_id", json!("a_report_b")),
        ("level", json!("a/b")),
        ("level", json!(3)),
        ("score", json!("10")),
        ("max_score", json!(null)),
        ("time_played", json!(1e300)),
        ("total_score", json!([])),
        ("completedAt", json!("yesterday")),
    ] {
        let mut payload = event();
        payload[field] = value;
        let failure = invoke(&stub, payload).await.unwrap_err();
        assert_eq!(failure.name, "InvalidInput");
        assert!(failure.message.starts_with(field), "{failure:?}");
    }
    for field in ["user_id", "level", "score", "max_score", "time_played", "total_score", "completedAt"] {
        let mut payload = event();
        payload.as_object_mut().unwrap().remove(field);
        let failure = invoke(&stub, payload).await.unwrap_err();
        assert_eq!(failure.name, "InvalidInput");
        assert_eq!(failure.message, format!("missing field `{field}`"));
    }
    assert!(stub.requests().is_empty());
}

#[tokio::test]
async fn what_dynamodb_answers_has_a_name() {
    for (reply, name) in testing::dynamodb_failures() {
        let stub = Stub::scripted([reply.clone()]).await;
        assert_eq!(invoke(&stub, event()).await.unwrap_err().name, name, "{reply:?}");
        assert_eq!(stub.requests().len(), 1);
    }
}

#[tokio::test]
async fn what_s3_answers_has_a_name() {
    for (reply, name) in testing::s3_failures() {
        for failing in [".txt", ".html"] {
            let reply = reply.clone();
            let stub = Stub::replying(move |request| match request.operation() {
                "Query" => Reply::json(200, json!({"Items": []})),
                _ if request.path.ends_with(failing) => reply.clone(),
                _ => Reply::status(200),
            })
            .await;
            assert_eq!(invoke(&stub, event()).await.unwrap_err().name, name, "{failing}");
        }
    }
}

#[test]
fn a_missing_setting_is_an_error_at_the_start() {
    for missing in ["REPORT_BUCKET", "LEVELS_TABLE"] {
        let settings = SETTINGS.into_iter().filter(|(name, _)| *name != missing);
        let new = GenerateReport::new(&Environment::of(settings), &unreachable_sdk_config());
        assert!(new.err().unwrap().to_string().contains(missing));
    }
}

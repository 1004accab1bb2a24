//! The handler with the real client against a stand-in for DynamoDB.

use function_kit::testing::{self, Reply, Stub, unreachable_sdk_config};
use function_kit::{Environment, Failure};
use serde_json::{Value, json};

use crate::{UpdateCompletedLevel, handle};

fn event() -> Value {
    let event = include_str!("../../../events/update-completed-level/level.json");
    let mut event: Value = serde_json::from_str(event).unwrap();
    // More than a 32-bit number holds.
    event["time_played"] = 9_885_983_982_u64.into();
    event
}

async fn invoke(stub: &Stub, payload: Value) -> Result<Value, Failure> {
    let settings = Environment::of([("LEVELS_TABLE", "levels")]);
    let function = UpdateCompletedLevel::new(&settings, &stub.sdk_config()).unwrap();
    testing::invoke(&function, handle, payload).await
}

fn written() -> Reply {
    Reply::json(200, json!({}))
}

fn condition_failed() -> Reply {
    Reply::json_error(400, "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException")
}

/// What an update request sets, by attribute.
fn attributes(request: &Value) -> Value {
    let expression = request["UpdateExpression"].as_str().unwrap();
    let assignments = expression.strip_prefix("SET ").unwrap().split(", ");
    assignments
        .map(|assignment| {
            let (name, value) = assignment.split_once(" = ").unwrap();
            let name = request["ExpressionAttributeNames"][name].as_str().unwrap_or(name);
            (name.to_owned(), request["ExpressionAttributeValues"][value].clone())
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[tokio::test]
async fn the_level_and_the_last_level_are_written() {
    let stub = Stub::scripted([written(), written()]).await;

    let output = invoke(&stub, event()).await.unwrap();

    assert_eq!(output, json!({"user_id": "12345678901234567890", "level": "3", "changed": true}));
    let requests = stub.requests();
    assert_eq!(requests.len(), 2);
    let level = requests[0].json();
    assert_eq!(requests[0].operation(), "UpdateItem");
    assert_eq!(level["TableName"], "levels");
    assert_eq!(level["Key"], json!({"user_id": {"S": "12345678901234567890"}, "level": {"S": "3"}}));
    let stamp = json!({
        "completed_at": {"S": "2026-11-21T12:00:00.000000Z"},
        "execution": {"S": "arn:aws:states:us-east-1:000000000000:execution:GameCompletion:sample"},
    });
    let with_stamp = |mut attributes: Value| {
        attributes.as_object_mut().unwrap().extend(stamp.as_object().unwrap().clone());
        attributes
    };
    assert_eq!(
        attributes(&level),
        with_stamp(json!({
            "score": {"N": "10"}, "max_score": {"N": "100"},
            "time_played": {"N": "9885983982"}, "total_score": {"N": "10000"},
        }))
    );
    let last = requests[1].json();
    assert_eq!(last["Key"], json!({"user_id": {"S": "12345678901234567890"}, "level": {"S": "#last"}}));
    assert_eq!(attributes(&last), with_stamp(json!({"last_level": {"S": "3"}, "timestamp": {"S": "1795262400"}})));
}

#[tokio::test]
async fn each_item_is_written_only_by_a_later_event() {
    let stub = Stub::scripted([written(), written()]).await;
    invoke(&stub, event()).await.unwrap();
    for request in stub.requests() {
        assert_eq!(
            request.json()["ConditionExpression"],
            "attribute_not_exists(completed_at) OR completed_at < :completed_at"
        );
    }
}

#[tokio::test]
async fn a_repeated_or_late_event_is_a_success_that_changes_nothing() {
    for (replies, changed) in [
        ([condition_failed(), condition_failed()], false),
        // The level was written by a call that then failed.
        ([condition_failed(), written()], true),
        // Another level was completed later.
        ([written(), condition_failed()], true),
    ] {
        let stub = Stub::scripted(replies).await;
        let output = invoke(&stub, event()).await.unwrap();
        assert_eq!(output["changed"], changed);
        assert_eq!(stub.requests().len(), 2);
    }
}

#[tokio::test]
async fn what_dynamodb_answers_has_a_name() {
    for (reply, name) in testing::dynamodb_failures() {
        let first = Stub::scripted([reply.clone()]).await;
        assert_eq!(invoke(&first, event()).await.unwrap_err().name, name, "{reply:?}");
        let second = Stub::scripted([written(), reply.clone()]).await;
        assert_eq!(invoke(&second, event()).await.unwrap_err().name, name, "{reply:?}");
    }
}

#[tokio::test]
async fn input_that_is_not_what_it_should_be_is_refused() {
    for (field, value) in [
        ("user_id", json!("../other")),
        ("user_id", json!(7)),
        ("level", json!("#last")),
        ("level", json!("")),
        ("score", json!("10")),
        ("max_score", json!(1e300)),
        ("time_played", json!(null)),
        ("total_score", json!(true)),
        ("completedAt", json!("yesterday")),
    ] {
        let stub = Stub::scripted([]).await;
        let mut payload = event();
        payload[field] = value;
        let failure = invoke(&stub, payload).await.unwrap_err();
        assert_eq!(failure.name, "InvalidInput");
        assert!(failure.message.starts_with(field), "{failure:?}");

        let mut payload = event();
        payload.as_object_mut().unwrap().remove(field);
        let failure = invoke(&stub, payload).await.unwrap_err();
        assert_eq!(failure.name, "InvalidInput");
        assert_eq!(failure.message, format!("missing field `{field}`"));
        assert!(stub.requests().is_empty());
    }
}

#[test]
fn a_missing_table_is_an_error_at_the_start() {
    let none: [(&str, &str); 0] = [];
    let new = UpdateCompletedLevel::new(&Environment::of(none), &unreachable_sdk_config());
    assert!(new.err().unwrap().to_string().contains("LEVELS_TABLE"));
}

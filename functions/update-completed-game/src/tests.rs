//! The handler with the real client against a stand-in for DynamoDB.

use function_kit::testing::{self, Reply, Stub, unreachable_sdk_config};
use function_kit::{Environment, Failure};
use serde_json::{Value, json};

use crate::{UpdateCompletedGame, handle};

fn event() -> Value {
    serde_json::from_str(include_str!("../../../events/update-completed-game/last-level.json")).unwrap()
}

async fn invoke(stub: &Stub, payload: Value) -> Result<Value, Failure> {
    let settings = Environment::of([("GAMES_TABLE", "games")]);
    let function = UpdateCompletedGame::new(&settings, &stub.sdk_config()).unwrap();
    testing::invoke(&function, handle, payload).await
}

#[tokio::test]
async fn the_game_is_written_where_the_event_is_later() {
    let stub = Stub::scripted([Reply::json(200, json!({}))]).await;

    let output = invoke(&stub, event()).await.unwrap();

    assert_eq!(output, json!({"user_id": "12345678901234567890", "total_score": 10000, "changed": true}));
    let requests = stub.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].operation(), "PutItem");
    let execution = event()["execution"].clone();
    assert_eq!(
        requests[0].json(),
        json!({
            "TableName": "games",
            "Item": {
                "user_id": {"S": "12345678901234567890"},
                "completed": {"BOOL": true},
                "timestamp": {"S": "1795262400"},
                "total_score": {"N": "10000"},
                "completed_at": {"S": "2026-11-21T12:00:00.000000Z"},
                "execution": {"S": execution},
            },
            "ConditionExpression": "attribute_not_exists(completed_at) OR completed_at < :completed_at",
            "ExpressionAttributeValues": {":completed_at": {"S": "2026-11-21T12:00:00.000000Z"}},
        })
    );
}

#[tokio::test]
async fn a_repeated_or_late_event_is_a_success_that_changes_nothing() {
    let stub = Stub::scripted([Reply::json_error(400, "ConditionalCheckFailedException")]).await;
    let output = invoke(&stub, event()).await.unwrap();
    assert_eq!(output["changed"], false);
}

#[tokio::test]
async fn what_dynamodb_answers_has_a_name() {
    for (reply, name) in testing::dynamodb_failures() {
        let stub = Stub::scripted([reply.clone()]).await;
        assert_eq!(invoke(&stub, event()).await.unwrap_err().name, name, "{reply:?}");
    }
}

#[tokio::test]
async fn input_that_is_not_what_it_should_be_is_refused() {
    for (field, value) in
        [("user_id", json!("a/b")), ("total_score", json!("10000")), ("completedAt", json!("2026-11-21"))]
    {
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
    let new = UpdateCompletedGame::new(&Environment::of(none), &unreachable_sdk_config());
    assert!(new.err().unwrap().to_string().contains("GAMES_TABLE"));
}

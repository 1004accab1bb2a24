//! The handler with the real client against a stand-in for DynamoDB.

use function_kit::testing::{self, Reply, Stub, unreachable_sdk_config};
use function_kit::{Environment, Failure};
use serde_json::{Value, json};

use crate::{AddDragon, handle};

fn event() -> Value {
    serde_json::from_str(include_str!("../../../events/add-dragon/new.json")).unwrap()
}

async fn invoke(stub: &Stub, payload: Value) -> Result<Value, Failure> {
    let settings = Environment::of([("DRAGONS_TABLE", "dragons")]);
    let function = AddDragon::new(&settings, &stub.sdk_config()).unwrap();
    testing::invoke(&function, handle, payload).await
}

#[tokio::test]
async fn a_dragon_is_written_where_there_is_none_of_another_execution() {
    let stub = Stub::scripted([Reply::json(200, json!({}))]).await;
    assert_eq!(invoke(&stub, event()).await.unwrap(), "Dragon added");
    let requests = stub.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].operation(), "PutItem");
    let execution = event()["execution"].clone();
    assert_eq!(
        requests[0].json(),
        json!({
            "TableName": "dragons",
            "Item": {
                "dragon_name_str": {"S": "George"},
                "description_str": {"S": "Seen above the harbour at dawn."},
                "family_str": {"S": "green"},
                "location_city_str": {"S": "seattle"},
                "location_country_str": {"S": "usa"},
                "location_state_str": {"S": "washington"},
                "location_neighborhood_str": {"S": "ballard"},
                "execution": {"S": execution},
            },
            "ConditionExpression": "attribute_not_exists(dragon_name_str) OR execution = :execution",
            "ExpressionAttributeValues": {":execution": {"S": execution}},
        })
    );
}

#[tokio::test]
async fn a_dragon_of_another_execution_is_a_duplicate() {
    let stub = Stub::scripted([Reply::json_error(400, "ConditionalCheckFailedException")]).await;
    let failure = invoke(&stub, event()).await.unwrap_err();
    let message = "another report has added the dragon".to_owned();
    assert_eq!(failure, Failure { name: "DuplicateDragon", message });
}

#[tokio::test]
async fn what_dynamodb_answers_has_a_name() {
    for (reply, name) in testing::dynamodb_failures() {
        let stub = Stub::scripted([reply.clone()]).await;
        assert_eq!(invoke(&stub, event()).await.unwrap_err().name, name, "{reply:?}");
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_read_writes_nothing() {
    for (field, value) in [("family_str", json!("")), ("confirmationRequired", json!("yes")), ("execution", json!(""))]
    {
        let stub = Stub::scripted([]).await;
        let mut payload = event();
        payload[field] = value;
        let failure = invoke(&stub, payload).await.unwrap_err();
        assert_eq!(failure.name, "InvalidInput");
        assert!(failure.message.starts_with(field), "{failure:?}");
        assert!(stub.requests().is_empty());
    }
}

#[test]
fn a_missing_table_is_an_error_at_the_start() {
    let none: [(&str, &str); 0] = [];
    let new = AddDragon::new(&Environment::of(none), &unreachable_sdk_config());
    assert!(new.err().unwrap().to_string().contains("DRAGONS_TABLE"));
}

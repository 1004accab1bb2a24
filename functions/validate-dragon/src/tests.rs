//! The handler with the real client against a stand-in for DynamoDB.

use function_kit::testing::{self, Reply, Stub, unreachable_sdk_config};
use function_kit::{Environment, Failure};
use serde_json::{Value, json};

use crate::{ValidateDragon, handle};

fn event() -> Value {
    serde_json::from_str(include_str!("../../../events/validate-dragon/new.json")).unwrap()
}

async fn invoke(stub: &Stub, payload: Value) -> Result<Value, Failure> {
    let settings = Environment::of([("DRAGONS_TABLE", "dragons")]);
    let function = ValidateDragon::new(&settings, &stub.sdk_config()).unwrap();
    testing::invoke(&function, handle, payload).await
}

#[tokio::test]
async fn a_dragon_that_is_not_there_is_valid() {
    let stub = Stub::scripted([Reply::json(200, json!({}))]).await;
    assert_eq!(invoke(&stub, event()).await.unwrap(), "Dragon Validated");
    let requests = stub.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].operation(), "GetItem");
    assert_eq!(
        requests[0].json(),
        json!({
            "TableName": "dragons",
            "Key": {"dragon_name_str": {"S": "George"}},
            "ProjectionExpression": "dragon_name_str",
            "ConsistentRead": true,
        })
    );
}

#[tokio::test]
async fn a_dragon_that_is_there_is_a_duplicate() {
    let stub = Stub::scripted([Reply::json(200, json!({"Item": {"dragon_name_str": {"S": "George"}}}))]).await;
    let failure = invoke(&stub, event()).await.unwrap_err();
    let message = "Duplicate dragon reported".to_owned();
    assert_eq!(failure, Failure { name: "DragonValidationException", message });
}

#[tokio::test]
async fn what_dynamodb_answers_has_a_name() {
    for (reply, name) in testing::dynamodb_failures() {
        let stub = Stub::scripted([reply.clone()]).await;
        assert_eq!(invoke(&stub, event()).await.unwrap_err().name, name, "{reply:?}");
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_read_is_invalid() {
    for (field, value) in [("dragon_name_str", json!(" ")), ("reportingPhoneNumber", json!("none"))] {
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
    let new = ValidateDragon::new(&Environment::of(none), &unreachable_sdk_config());
    assert!(new.err().unwrap().to_string().contains("DRAGONS_TABLE"));
}

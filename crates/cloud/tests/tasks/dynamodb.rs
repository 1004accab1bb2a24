//! `DynamoDB`, optimised and by the SDK.

use serde_json::{Value, json};

use crate::stage::Stage;

async fn with_table() -> Stage {
    let stage = Stage::open().await;
    let table = json!({
        "TableName": "Things",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    let created = stage.result("aws-sdk:dynamodb:createTable", table).await;
    assert_eq!(created["TableDescription"]["TableName"], "Things", "{created}");
    // A moment is a text.
    assert!(created["TableDescription"]["CreationDateTime"].as_str().unwrap().ends_with('Z'), "{created}");
    stage
}

#[tokio::test]
async fn items_are_put_read_and_changed() {
    let stage = with_table().await;
    let item = json!({ "id": { "S": "a" }, "on": { "BOOL": true }, "tags": { "SS": ["x"] }, "no": { "NULL": true } });
    let put = stage.result("dynamodb:putItem", json!({ "TableName": "Things", "Item": item })).await;
    let fields: Vec<&String> = put.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["SdkHttpMetadata", "SdkResponseMetadata"]);
    let metadata = &put["SdkHttpMetadata"];
    assert_eq!(metadata["HttpStatusCode"], 200);
    assert_eq!(metadata["HttpHeaders"]["Content-Type"], "application/x-amz-json-1.0");
    assert_eq!(metadata["AllHttpHeaders"]["x-amzn-RequestId"][0], put["SdkResponseMetadata"]["RequestId"]);

    let key = json!({ "TableName": "Things", "Key": { "id": { "S": "a" } } });
    let got = stage.result("dynamodb:getItem", key.clone()).await;
    assert_eq!(got["Item"], item);
    assert_eq!(got["SdkHttpMetadata"]["HttpStatusCode"], 200);
    // The SDK of that integration writes the names of types as words.
    let got = stage.result("aws-sdk:dynamodb:getItem", key.clone()).await;
    let worded = json!({ "id": { "S": "a" }, "on": { "Bool": true }, "tags": { "Ss": ["x"] }, "no": { "Nul": true } });
    assert_eq!(got, json!({ "Item": worded }));

    let mut change = key.clone();
    change["UpdateExpression"] = json!("SET #on = :off");
    change["ExpressionAttributeNames"] = json!({ "#on": "on" });
    change["ExpressionAttributeValues"] = json!({ ":off": { "BOOL": false } });
    change["ReturnValues"] = json!("UPDATED_NEW");
    let changed = stage.result("dynamodb:updateItem", change).await;
    assert_eq!(changed["Attributes"], json!({ "on": { "BOOL": false } }));
    stage.result("dynamodb:deleteItem", key.clone()).await;
    assert_eq!(stage.result("aws-sdk:dynamodb:getItem", key).await, json!({}));
}

#[tokio::test]
async fn errors_have_the_names_of_their_integration() {
    let stage = with_table().await;
    let nowhere = json!({ "TableName": "Nowhere", "Item": { "id": { "S": "a" } } });
    let (error, cause) = stage.fault("dynamodb:putItem", nowhere.clone()).await;
    assert_eq!(error, "DynamoDB.ResourceNotFoundException");
    let said = "(Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ResourceNotFoundException; Request ID: <id>; Proxy: null)";
    assert_eq!(cause, format!("Requested resource not found {said}"));
    let (error, cause) = stage.fault("aws-sdk:dynamodb:putItem", nowhere).await;
    assert_eq!(error, "DynamoDb.ResourceNotFoundException");
    let said = "(Service: DynamoDb, Status Code: 400, Request ID: <id>) (SDK Attempt Count: 1)";
    assert_eq!(cause, format!("Requested resource not found {said}"));

    let item =
        json!({ "TableName": "Things", "Item": { "id": { "S": "a" } }, "ConditionExpression": "attribute_exists(id)" });
    let (error, _) = stage.fault("dynamodb:putItem", item).await;
    assert_eq!(error, "DynamoDB.ConditionalCheckFailedException");
    // An error that the SDK has no class for.
    let (error, cause) = stage.fault("dynamodb:putItem", json!({ "TableName": "Things", "Item": null })).await;
    assert_eq!(error, "DynamoDB.AmazonDynamoDBException", "{cause}");
    assert!(cause.contains("Error Code: ValidationException"), "{cause}");
    let (error, _) = stage.fault("aws-sdk:dynamodb:putItem", json!({ "TableName": "Things", "Item": null })).await;
    assert_eq!(error, "DynamoDb.DynamoDbException");
}

#[tokio::test]
async fn an_error_can_be_caught_by_its_name() {
    let stage = Stage::open().await;
    let definition = json!({ "StartAt": "Put", "States": {
        "Put": {
            "Type": "Task",
            "QueryLanguage": "JSONata",
            "Resource": "arn:aws:states:::dynamodb:putItem",
            "Arguments": { "TableName": "{% 'No' & 'where' %}", "Item": { "id": { "S": "{% $states.context.State.Name %}" } } },
            "Catch": [{ "ErrorEquals": ["DynamoDB.ResourceNotFoundException"], "Output": "no table", "Next": "Done" }],
            "End": true,
        },
        "Done": { "Type": "Succeed" },
    }});
    assert_eq!(stage.run(&definition).await, Ok(Value::from("no table")));
}

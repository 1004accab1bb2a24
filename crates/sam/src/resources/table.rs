//! `AWS::DynamoDB::Table` and `AWS::Serverless::SimpleTable`.

use serde_json::{Map, Value, json};

use crate::{
    Table,
    problem::ProblemKind,
    properties::Properties,
    template::{Reported, Resource, Template},
};

/// What CloudFormation and `CreateTable` call alike.
const AS_IN_CREATE_TABLE: [&str; 6] = [
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
];

pub(crate) fn read(template: &Template, id: &str, resource: &Resource) -> Result<Table, Reported> {
    let properties = Properties::of(template, id, resource);
    let name = template.physical_name(id, resource, resource.at)?;
    let mut create = Map::from_iter([("TableName".to_owned(), json!(name))]);
    for property in AS_IN_CREATE_TABLE {
        if let Some(value) = properties.json(property) {
            create.insert(property.to_owned(), typed_as_dynamodb_wants(value));
        }
    }
    for property in ["AttributeDefinitions", "KeySchema"] {
        if !properties.has(property) {
            properties.missing(property);
        }
    }
    if let Some(view) = properties.inner("StreamSpecification").and_then(|stream| stream.text("StreamViewType")) {
        create.insert("StreamSpecification".to_owned(), json!({"StreamEnabled": true, "StreamViewType": view}));
    }
    let ttl = properties.inner("TimeToLiveSpecification");
    let ttl = ttl.filter(|ttl| ttl.boolean("Enabled") == Some(true)).and_then(|ttl| ttl.text("AttributeName"));
    Ok(Table { logical_id: id.to_owned(), name, create: Value::Object(create), ttl_attribute: ttl })
}

/// `AWS::Serverless::SimpleTable`: a table with one key attribute, `id` where it names none.
pub(crate) fn read_simple(template: &Template, id: &str, resource: &Resource) -> Result<Table, Reported> {
    let properties = Properties::of(template, id, resource);
    let name = template.physical_name(id, resource, resource.at)?;
    let key = properties.inner("PrimaryKey");
    let attribute = key.as_ref().and_then(|key| key.text("Name")).unwrap_or_else(|| "id".to_owned());
    let kind = key.as_ref().and_then(|key| key.text("Type")).unwrap_or_else(|| "String".to_owned());
    let kind = match kind.as_str() {
        "String" => "S",
        "Number" => "N",
        "Binary" => "B",
        other => {
            let reason = "the type of a key is String, Number or Binary".to_owned();
            let kind = ProblemKind::UnsupportedValue {
                place: properties.place_of("PrimaryKey/Type"),
                value: format!("`{other}`"),
                reason,
            };
            return Err(template.report(kind, properties.at("PrimaryKey")));
        }
    };
    let mut create = json!({
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": attribute, "AttributeType": kind}],
        "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    });
    if let Some(throughput) = properties.json("ProvisionedThroughput") {
        create["BillingMode"] = json!("PROVISIONED");
        create["ProvisionedThroughput"] = typed_as_dynamodb_wants(throughput);
    }
    Ok(Table { logical_id: id.to_owned(), name, create, ttl_attribute: None })
}

/// CloudFormation passes numbers as texts, as a `Ref` of a parameter; DynamoDB takes numbers.
fn typed_as_dynamodb_wants(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| {
                let number =
                    value.as_str().filter(|_| key.ends_with("CapacityUnits")).and_then(|text| text.parse::<u64>().ok());
                (key, number.map_or_else(|| typed_as_dynamodb_wants(value), Value::from))
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(typed_as_dynamodb_wants).collect(),
        other => other,
    }
}

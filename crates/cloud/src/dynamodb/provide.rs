//! A table as the template describes it: made, or changed where it is kept from before.
//!
//! What can be added or changed in place is. Keys and local indexes can't, here as on the service, so a difference there is an
//! error. What a table has beside what the template says stays, since a client may have made it, and is told.

use dynoxide::DynoxideError;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{DynamoDb, DynamoDbError};

impl DynamoDb {
    /// Makes a table of the template, or gives one that is there what the template says now. Blocks on the disk.
    pub fn provide(&self, table: &sam::Table) -> Result<(), DynamoDbError> {
        if !self.create_table_if_absent(&table.create)? {
            self.change_to(table)?;
        }
        match (self.ttl_attribute(&table.name)?, &table.ttl_attribute) {
            (Some(is), Some(wanted)) if is == *wanted => Ok(()),
            (Some(is), None) => {
                stays(&table.name, "time to live", &is);
                Ok(())
            }
            (is, Some(wanted)) => {
                if let Some(is) = is {
                    self.set_time_to_live(&table.name, &is, false)?;
                }
                self.enable_time_to_live(&table.name, wanted)
            }
            (None, None) => Ok(()),
        }
    }

    fn change_to(&self, table: &sam::Table) -> Result<(), DynamoDbError> {
        let (name, wanted) = (&*table.name, &table.create);
        let is = ask(name, json!({ "TableName": name }), |request| self.database.describe_table(request))?;
        let is = &is["Table"];
        refuse_other_keys(name, is, wanted)?;
        self.change_stream(name, &is["StreamSpecification"], &wanted["StreamSpecification"])?;
        self.change_indexes(name, is, wanted)
    }

    fn change_stream(&self, table: &str, is: &Value, wanted: &Value) -> Result<(), DynamoDbError> {
        let view = |stream: &Value| stream["StreamViewType"].as_str().map(str::to_owned);
        match (view(is), view(wanted)) {
            (Some(is), Some(wanted)) if is == wanted => Ok(()),
            (Some(is), None) => {
                stays(table, "stream", &is);
                Ok(())
            }
            (is, Some(_)) => {
                // One with other images is another stream, as on the service.
                if is.is_some() {
                    self.update(table, json!({ "StreamSpecification": { "StreamEnabled": false } }))?;
                }
                self.update(table, json!({ "StreamSpecification": wanted }))
            }
            (None, None) => Ok(()),
        }
    }

    fn change_indexes(&self, table: &str, is: &Value, wanted: &Value) -> Result<(), DynamoDbError> {
        let (there, wanted_indexes) =
            (indexes(is, "GlobalSecondaryIndexes"), indexes(wanted, "GlobalSecondaryIndexes"));
        for index in there.iter().filter(|index| !wanted_indexes.iter().any(|wanted| name_of(wanted) == name_of(index)))
        {
            stays(table, "index", name_of(index));
        }
        for index in wanted_indexes {
            let name = name_of(index);
            match there.iter().find(|there| name_of(there) == name) {
                Some(same) if shape(same, is) == shape(index, wanted) => continue,
                // All that is in it is in the table.
                Some(_) => self.change_index(table, wanted, &json!({ "Delete": { "IndexName": name } }))?,
                None => {}
            }
            self.change_index(table, wanted, &json!({ "Create": index }))?;
        }
        Ok(())
    }

    fn change_index(&self, table: &str, wanted: &Value, change: &Value) -> Result<(), DynamoDbError> {
        let attributes = &wanted["AttributeDefinitions"];
        self.update(table, json!({ "AttributeDefinitions": attributes, "GlobalSecondaryIndexUpdates": [change] }))
    }

    fn update(&self, table: &str, mut request: Value) -> Result<(), DynamoDbError> {
        request["TableName"] = json!(table);
        ask(table, request, |request| self.database.update_table(request)).map(|_| ())
    }

    /// The attribute that items expire by, where they do.
    fn ttl_attribute(&self, table: &str) -> Result<Option<String>, DynamoDbError> {
        let request = json!({ "TableName": table });
        let answer = ask(table, request, |request| self.database.describe_time_to_live(request))?;
        let is = &answer["TimeToLiveDescription"];
        let is_on = matches!(is["TimeToLiveStatus"].as_str(), Some("ENABLED" | "ENABLING"));
        Ok(is["AttributeName"].as_str().filter(|_| is_on).map(str::to_owned))
    }
}

/// The engine's answer to a request about a table.
fn ask<Q: DeserializeOwned, A: serde::Serialize>(
    table: &str,
    request: Value,
    call: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<Value, DynamoDbError> {
    let request = serde_json::from_value(request).map_err(|error| DynamoDbError::of_table(table, &error))?;
    let answer = call(request).map_err(|error| DynamoDbError::of_table(table, &error))?;
    serde_json::to_value(answer).map_err(|error| DynamoDbError::of_table(table, &error))
}

/// The keys of a table, and its local indexes, are what they were when it was made.
fn refuse_other_keys(table: &str, is: &Value, wanted: &Value) -> Result<(), DynamoDbError> {
    let refused = |property: &str, is: String, wanted: String| {
        let problem = format!(
            "{property} is {is} in the table that is kept, and {wanted} in the template; it can't be changed in place. \
             Delete the table, or all that is kept with `stairwell reset`, to have it made anew"
        );
        Err(DynamoDbError::Table { table: table.to_owned(), problem })
    };
    let (is_key, wanted_key) = (key(is, is), key(wanted, wanted));
    if is_key != wanted_key {
        return refused("KeySchema", is_key, wanted_key);
    }
    let local = |of: &Value| {
        let mut shapes: Vec<String> =
            indexes(of, "LocalSecondaryIndexes").iter().map(|index| shape(index, of)).collect();
        shapes.sort_unstable();
        if shapes.is_empty() { "none".to_owned() } else { shapes.join(", ") }
    };
    let (is_local, wanted_local) = (local(is), local(wanted));
    if is_local != wanted_local {
        return refused("LocalSecondaryIndexes", is_local, wanted_local);
    }
    Ok(())
}

fn indexes<'a>(of: &'a Value, kind: &str) -> &'a [Value] {
    of[kind].as_array().map_or(&[], Vec::as_slice)
}

fn name_of(index: &Value) -> &str {
    index["IndexName"].as_str().unwrap_or_default()
}

/// The key of a table or an index in words, with the types of its attributes: `player HASH S, level RANGE N`.
fn key(of: &Value, table: &Value) -> String {
    let parts = indexes(of, "KeySchema").iter().map(|part| {
        let attribute = part["AttributeName"].as_str().unwrap_or_default();
        let definitions = indexes(table, "AttributeDefinitions");
        let definition = definitions.iter().find(|definition| definition["AttributeName"] == attribute);
        let kind = definition.and_then(|definition| definition["AttributeType"].as_str()).unwrap_or_default();
        format!("{attribute} {} {kind}", part["KeyType"].as_str().unwrap_or_default())
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// What an index is, in words: its name, its key and what it holds of an item.
fn shape(index: &Value, table: &Value) -> String {
    let projection = &index["Projection"];
    let mut attributes: Vec<&str> = indexes(projection, "NonKeyAttributes").iter().filter_map(Value::as_str).collect();
    attributes.sort_unstable();
    let holds = projection["ProjectionType"].as_str().unwrap_or("ALL");
    format!("{} ({}; {holds} {})", name_of(index), key(index, table), attributes.join(" "))
}

fn stays(table: &str, what: &str, value: &str) {
    tracing::warn!(table, what, value, "a table that is kept has what the template does not say; it stays");
}

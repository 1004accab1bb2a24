//! From an operation's name and JSON body to the engine's call and its JSON answer.

use std::borrow::Cow;

use dynoxide::{Database, DynoxideError, Result};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// The engine's ARNs carry a region of its own; ours is the region of the local cloud.
const ENGINE_ARN: &str = "arn:aws:dynamodb:dynoxide:000000000000:";
const LOCAL_ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:";
const LOCAL_REGION: &str = "us-east-1";

/// An ARN of the engine's, as it is here.
pub(super) fn local_arn(arn: &str) -> String {
    arn.replace(ENGINE_ARN, LOCAL_ARN)
}

/// Runs an operation. `None`: there is no such operation.
pub(super) fn dispatch(database: &Database, operation: &str, body: &[u8]) -> Option<Result<String>> {
    let db = database;
    let answer = match operation {
        "PutItem" => run(body, |request| db.put_item(request)),
        "GetItem" => run(body, |request| db.get_item(request)),
        "DeleteItem" => run(body, |request| db.delete_item(request)),
        "UpdateItem" => run(body, |request| db.update_item(request)),
        "Query" => run(body, |request| db.query(request)),
        "Scan" => run(body, |request| db.scan(request)),
        "BatchGetItem" => run(body, |request| db.batch_get_item(request)),
        "BatchWriteItem" => run(body, |request| db.batch_write_item(request)),
        "TransactGetItems" => run(body, |request| db.transact_get_items(request)),
        "TransactWriteItems" => run(body, |request| db.transact_write_items(request)),
        "ExecuteStatement" => run(body, |request| db.execute_statement(request)),
        "ExecuteTransaction" => run(body, |request| db.execute_transaction(request)),
        "BatchExecuteStatement" => run(body, |request| db.batch_execute_statement(request)),
        "GetRecords" => run(body, |request| Ok(here(&db.get_records(request)?))),
        "CreateTable" => with_arns(body, |request| db.create_table(request)),
        "DeleteTable" => with_arns(body, |request| db.delete_table(request)),
        "DescribeTable" => with_arns(body, |request| db.describe_table(request)),
        "ListTables" => run(body, |request| db.list_tables(request)),
        "UpdateTable" => with_arns(body, |request| db.update_table(request)),
        "DescribeContinuousBackups" => run(body, |request| db.describe_table(request).map(|_| no_backups())),
        "UpdateTimeToLive" => run(body, |request| db.update_time_to_live(request)),
        "DescribeTimeToLive" => run(body, |request| db.describe_time_to_live(request)),
        "TagResource" => with_arns(body, |request| db.tag_resource(request)),
        "UntagResource" => with_arns(body, |request| db.untag_resource(request)),
        "ListTagsOfResource" => with_arns(body, |request| db.list_tags_of_resource(request)),
        "ListStreams" => with_arns(body, |request| db.list_streams(request)),
        "DescribeStream" => with_arns(body, |request| Ok(still_open(&db.describe_stream(request)?))),
        "GetShardIterator" => with_arns(body, |request| db.get_shard_iterator(request)),
        _ => return None,
    };
    Some(answer.map_err(|error| in_words_of(operation, error)))
}

/// An error as clients read it. The engine knows nothing of backups, which have a name of their own for what is missing.
pub(super) fn told(operation: &str, error: &DynoxideError) -> String {
    match (operation, error) {
        ("DescribeContinuousBackups", DynoxideError::ResourceNotFoundException(_)) => {
            let code = "com.amazonaws.dynamodb.v20120810#TableNotFoundException";
            json!({ "__type": code, "message": "Table not found" }).to_string()
        }
        _ => error.to_json(),
    }
}

/// What is told of the backups of a table: there are none to any point in time.
fn no_backups() -> Value {
    json!({
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": "DISABLED" },
        },
    })
}

/// Records that have happened in the region of the local cloud.
fn here(answer: &impl Serialize) -> Value {
    let mut answer = serde_json::to_value(answer).unwrap_or_default();
    for record in answer.get_mut("Records").and_then(Value::as_array_mut).into_iter().flatten() {
        record["awsRegion"] = LOCAL_REGION.into();
    }
    answer
}

/// A stream to whose last shard more may come: a shard that has an ending number is closed, and nobody asks for more of it.
fn still_open(answer: &impl Serialize) -> Value {
    let mut answer = serde_json::to_value(answer).unwrap_or_default();
    let shards = answer.pointer_mut("/StreamDescription/Shards").and_then(Value::as_array_mut);
    let range = shards.and_then(|shards| shards.last_mut()?.get_mut("SequenceNumberRange")?.as_object_mut());
    if let Some(range) = range {
        range.shift_remove("EndingSequenceNumber");
    }
    answer
}

fn run<Q: DeserializeOwned, A: Serialize>(body: &[u8], call: impl FnOnce(Q) -> Result<A>) -> Result<String> {
    let answer = call(read(body)?)?;
    serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// For operations about tables and streams, whose bodies hold ARNs and no user data.
fn with_arns<Q: DeserializeOwned, A: Serialize>(body: &[u8], call: impl FnOnce(Q) -> Result<A>) -> Result<String> {
    let body = String::from_utf8_lossy(body);
    let body = if body.contains(LOCAL_ARN) { Cow::Owned(body.replace(LOCAL_ARN, ENGINE_ARN)) } else { body };
    Ok(run(body.as_bytes(), call)?.replace(ENGINE_ARN, LOCAL_ARN))
}

/// The engine's request types mark the class of an error by a prefix of its message.
fn read<Q: DeserializeOwned>(body: &[u8]) -> Result<Q> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
        let class = |prefix: &str| message.strip_prefix(prefix).map(str::to_owned);
        if let Some(message) = class("VALIDATION_REQUEST:") {
            DynoxideError::EnvelopedValidation(message)
        } else if let Some(message) = class("VALIDATION:").or_else(|| class("VALIDATION_AS_READ:")) {
            DynoxideError::ValidationException(message)
        } else if let Some(message) = class("SERIALIZATION:").or_else(|| class("SERIALIZATION_AS_READ:")) {
            DynoxideError::SerializationException(message)
        } else if error.is_data() && (message.contains("missing field") || message.contains("unknown variant")) {
            DynoxideError::ValidationException(message.to_owned())
        } else {
            DynoxideError::SerializationException(message.to_owned())
        }
    })
}

/// Some errors are worded differently by each operation.
fn in_words_of(operation: &str, error: DynoxideError) -> DynoxideError {
    match (operation, error) {
        ("PutItem" | "UpdateItem" | "DeleteItem", DynoxideError::EnvelopedValidation(message)) => {
            DynoxideError::ValidationException(format!("1 validation error detected: {message}"))
        }
        (_, DynoxideError::EnvelopedValidation(message)) => DynoxideError::ValidationException(message),
        ("ExecuteStatement", DynoxideError::ConditionalCheckFailedException(message, Some(item))) => {
            DynoxideError::StatementConditionalCheckFailed(message, item)
        }
        (_, error) => error,
    }
}

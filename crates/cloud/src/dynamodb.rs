//! `DynamoDB` and its streams: the JSON 1.0 protocol in front of the `dynoxide` engine.
//!
//! Differences from the service: one node, so every read is consistent; expired items go only when
//! [`DynamoDb::delete_expired`] is called; throughput is never limited; on-demand backups, global tables,
//! imports and exports are refused as unknown operations.

mod dispatch;
mod provide;
mod stream;

use std::{fs, future::Future, io, path::Path, pin::Pin, sync::Arc};

use axum::body::Body;
use dynoxide::{Database, DynoxideError};
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use tokio::sync::Notify;

use crate::{
    front::collect,
    service::{Request, Response, Service},
    wire::{self, Format},
};

pub(crate) use stream::{TableStream, sequence_number};

const MAX_BODY: usize = 16 * 1024 * 1024;
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// Why a database could not be opened, or a table not created.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// The folder cannot be made or read.
    #[error("cannot use the folder {}: {source}", .folder.display())]
    Folder {
        /// The folder of the database.
        folder: std::path::PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// The file of the tables is not one.
    #[error("cannot open the tables in {}: move the file away to start with none", .file.display())]
    Open {
        /// The file.
        file: std::path::PathBuf,
        /// The engine's own error.
        source: DynoxideError,
    },
    /// The engine refused.
    #[error("DynamoDB: {0}")]
    Engine(#[from] DynoxideError),
    /// A table can't be as it is described.
    #[error("the table {table}: {problem}")]
    Table {
        /// Its name.
        table: String,
        /// The engine's words.
        problem: String,
    },
}

impl DynamoDbError {
    fn of_table(table: &str, problem: &impl std::fmt::Display) -> Self {
        let problem = problem.to_string();
        // The engine tells by its beginning what kind of error it is.
        let problem = problem.strip_prefix("VALIDATION:").unwrap_or(&problem).to_owned();
        Self::Table { table: table.to_owned(), problem }
    }
}

/// The local `DynamoDB`. Clones share the tables.
#[derive(Clone)]
pub struct DynamoDb {
    database: Database,
    /// Told when tables may have changed.
    changed: Arc<Notify>,
}

impl DynamoDb {
    /// Opens the tables kept in `folder`, which is made when it is not there.
    pub fn open(folder: &Path) -> Result<Self, DynamoDbError> {
        let failed = |source| DynamoDbError::Folder { folder: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        let file = folder.join("tables.sqlite");
        let path = file.to_str().ok_or_else(|| failed(io::Error::other("its path is not Unicode")))?;
        let database = Database::new(path).map_err(|source| DynamoDbError::Open { file: file.clone(), source })?;
        Ok(Self { database, changed: Arc::default() })
    }

    /// Tables in memory only.
    pub fn ephemeral() -> Result<Self, DynamoDbError> {
        Ok(Self { database: Database::memory()?, changed: Arc::default() })
    }

    /// Creates a table from the body of a `CreateTable` request, unless one of that name is there. Says whether it
    /// was created. Blocks on the disk.
    pub fn create_table_if_absent(&self, create_table: &Value) -> Result<bool, DynamoDbError> {
        let table = create_table["TableName"].as_str().unwrap_or_default();
        let request =
            serde_json::from_value(create_table.clone()).map_err(|error| DynamoDbError::of_table(table, &error))?;
        match self.database.create_table(request) {
            Ok(_) => Ok(true),
            Err(DynoxideError::ResourceInUseException(_)) => Ok(false),
            Err(error) => Err(DynamoDbError::of_table(table, &error)),
        }
    }

    /// Lets the items of a table expire by the time in this attribute, in seconds since 1970. Blocks on the disk.
    pub fn enable_time_to_live(&self, table: &str, attribute: &str) -> Result<(), DynamoDbError> {
        self.set_time_to_live(table, attribute, true)
    }

    fn set_time_to_live(&self, table: &str, attribute: &str, enabled: bool) -> Result<(), DynamoDbError> {
        let description = serde_json::json!({
            "TableName": table,
            "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": enabled },
        });
        let request = serde_json::from_value(description).map_err(|error| DynamoDbError::of_table(table, &error))?;
        self.database.update_time_to_live(request)?;
        Ok(())
    }

    /// Deletes the items whose time to live is over, in all tables, and says how many. Blocks on the disk.
    pub fn delete_expired(&self) -> Result<usize, DynamoDbError> {
        let deleted = self.database.sweep_ttl()?;
        self.changed.notify_waiters();
        Ok(deleted)
    }

    /// The changes of a table after the one with a sequence number; from the beginning, without one. Blocks on the disk.
    pub(crate) fn stream(&self, table: &str, after: Option<&str>) -> Result<TableStream, DynamoDbError> {
        Ok(TableStream::open(self.database.clone(), table, after)?)
    }

    /// Told when tables may have changed.
    pub(crate) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let Some((_, operation)) = target.and_then(|target| target.rsplit_once('.')) else {
            return unknown_operation("no X-Amz-Target header");
        };
        let body = match collect(body, MAX_BODY).await {
            Ok(body) => body,
            Err(refused) => return refused.response(Format::Json),
        };
        let (database, changed, operation) = (self.database.clone(), self.changed.clone(), operation.to_owned());
        // The engine is synchronous and waits for SQLite.
        let answered = tokio::task::spawn_blocking(move || {
            let answer = dispatch::dispatch(&database, &operation, &body);
            // Here, for a client may be gone by now, and nobody waits for this. A read that tells of a change costs those who
            // wait one look.
            changed.notify_waiters();
            (operation, answer)
        });
        match answered.await {
            Ok((_, Some(Ok(json)))) => json_response(StatusCode::OK, json),
            Ok((operation, Some(Err(error)))) => {
                let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST);
                json_response(status, dispatch::told(&operation, &error))
            }
            Ok((operation, None)) => unknown_operation(&operation),
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => wire::error(
                    Format::Json,
                    StatusCode::SERVICE_UNAVAILABLE,
                    "ServiceUnavailable",
                    "The local cloud is shutting down.",
                ),
            },
        }
    }
}

impl Service for DynamoDb {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(self.answer(request))
    }
}

impl std::fmt::Debug for DynamoDb {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DynamoDb").finish_non_exhaustive()
    }
}

fn unknown_operation(name: &str) -> Response {
    let message = format!("{name}: not an operation of DynamoDB that is emulated here");
    let code = "com.amazon.coral.service#UnknownOperationException";
    wire::error(Format::Json, StatusCode::BAD_REQUEST, code, &message)
}

fn json_response(status: StatusCode, json: String) -> Response {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    if let Ok(id) = HeaderValue::from_str(&wire::request_id()) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_change_is_told_though_its_client_is_gone() {
        let dynamodb = DynamoDb::ephemeral().unwrap();
        let changed = dynamodb.changed();
        let news = changed.notified();
        tokio::pin!(news);
        news.as_mut().enable();
        let body = json!({
            "TableName": "made",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
        });
        let request = http::Request::post("/").header("x-amz-target", "DynamoDB_20120810.CreateTable");
        let mut call = dynamodb.call(request.body(Body::from(body.to_string())).unwrap());
        assert!(matches!(futures::poll!(&mut call), Poll::Pending));
        drop(call);
        news.await;
    }
}

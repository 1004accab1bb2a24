//! Reserved concurrency, and the limits of the account.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Management,
    error::ApiError,
    request::{empty, parameters},
};
use crate::{
    lambda::{archive, concurrency::ACCOUNT_LIMIT},
    service::Response,
    wire,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Reserve {
    reserved_concurrent_executions: u32,
}

impl Management {
    pub(super) fn put_concurrency(&self, name: &str, body: &[u8]) -> Result<Response, ApiError> {
        let Reserve { reserved_concurrent_executions: reserved } = parameters(body)?;
        self.reserve(name, Some(reserved))?;
        Ok(wire::json(StatusCode::OK, &reservation(Some(reserved))))
    }

    pub(super) fn get_concurrency(&self, name: &str) -> Result<Response, ApiError> {
        let name = self.with(name, |entry| Ok(entry.latest.function.name.clone()))?;
        Ok(wire::json(StatusCode::OK, &reservation(self.registry().concurrency.reserved(&name))))
    }

    pub(super) fn delete_concurrency(&self, name: &str) -> Result<Response, ApiError> {
        self.reserve(name, None)?;
        Ok(empty(StatusCode::NO_CONTENT, &Uuid::new_v4().to_string()))
    }

    pub(super) fn account_settings(&self) -> Response {
        let registry = self.registry();
        let functions = registry.read();
        let archives = functions.values().flat_map(|entry| entry.all()).filter_map(|one| one.code.archive.as_ref());
        wire::json(
            StatusCode::OK,
            &json!({
                "AccountLimit": {
                    "CodeSizeUnzipped": archive::MAX_UNPACKED,
                    "CodeSizeZipped": archive::MAX_ARCHIVE,
                    "ConcurrentExecutions": ACCOUNT_LIMIT,
                    "UnreservedConcurrentExecutions": registry.concurrency.unreserved_limit(),
                },
                "AccountUsage": {
                    "FunctionCount": functions.len(),
                    "TotalCodeSize": archives.map(|archive| archive.size).sum::<u64>(),
                },
            }),
        )
    }

    fn reserve(&self, name: &str, reserved: Option<u32>) -> Result<(), ApiError> {
        let name = self.with(name, |entry| Ok(entry.latest.function.name.clone()))?;
        let concurrency = &self.registry().concurrency;
        let before = concurrency.reserved(&name);
        concurrency.reserve(&name, reserved)?;
        let kept = self.keep(&self.registry().read());
        if kept.is_err() {
            concurrency.reserve(&name, before)?;
        }
        kept
    }
}

fn reservation(reserved: Option<u32>) -> Value {
    reserved.map_or_else(|| json!({}), |reserved| json!({ "ReservedConcurrentExecutions": reserved }))
}

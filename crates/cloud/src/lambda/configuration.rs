//! What Lambda's API says about a function: what is so here, and nothing made up.

use std::time::SystemTime;

use serde_json::{Map, Value, json};
use time::{OffsetDateTime, macros::format_description};

use super::service::Deployed;

/// The answer of `GetFunction`.
pub(crate) fn function(deployed: &Deployed) -> Value {
    json!({
        "Configuration": configuration(deployed),
        "Code": { "RepositoryType": "local", "Location": format!("file://{}", deployed.code.display()) },
    })
}

/// The answer of `GetFunctionConfiguration`, and an entry of `ListFunctions`.
pub(crate) fn configuration(deployed: &Deployed) -> Value {
    let function = &deployed.function;
    let mut configuration = Map::new();
    let mut set = |name: &str, value: Value| configuration.insert(name.to_owned(), value);
    set("FunctionName", json!(function.name));
    set("FunctionArn", json!(function.arn));
    set("Runtime", json!(function.runtime));
    set("Handler", json!(function.handler));
    set("Timeout", json!(function.timeout.as_secs()));
    set("MemorySize", json!(function.memory_mb));
    set("Version", json!("$LATEST"));
    set("PackageType", json!("Zip"));
    set("Architectures", json!([architecture()]));
    set("State", json!("Active"));
    set("LastUpdateStatus", json!("Successful"));
    set("Environment", json!({ "Variables": function.environment }));
    if let Ok(metadata) = deployed.code.metadata() {
        if metadata.is_file() {
            set("CodeSize", json!(metadata.len()));
        }
        if let Some(modified) = metadata.modified().ok().and_then(timestamp) {
            set("LastModified", json!(modified));
        }
    }
    Value::Object(configuration)
}

/// The architecture that functions have here, in Lambda's words.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    }
}

/// `2026-01-31T12:00:00.000+0000`
fn timestamp(time: SystemTime) -> Option<String> {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]+0000");
    OffsetDateTime::from(time).format(format).ok()
}

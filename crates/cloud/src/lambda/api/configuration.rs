//! What Lambda's API says about a function: what is so here, and nothing made up.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, macros::format_description};

use crate::lambda::{
    deployed::{Archive, Deployed},
    version::Version,
};

/// The answer of `GetFunctionConfiguration`, and an entry of `ListFunctions`. `arn` has the qualifier that was asked for.
pub(super) fn configuration(deployed: &Deployed, arn: &str) -> Value {
    let function = &deployed.function;
    let mut configuration = Map::new();
    let mut set = |name: &str, value: Value| configuration.insert(name.to_owned(), value);
    set("FunctionName", json!(function.name));
    set("FunctionArn", json!(arn));
    set("Runtime", json!(function.runtime));
    set("Handler", json!(function.handler));
    set("Description", json!(deployed.about.description));
    if let Some(role) = &deployed.about.role {
        set("Role", json!(role));
    }
    set("Timeout", json!(function.timeout.as_secs()));
    set("MemorySize", json!(function.memory_mb));
    set("Version", json!(deployed.version.to_string()));
    set("PackageType", json!("Zip"));
    set("Architectures", json!([architecture()]));
    set("State", json!("Active"));
    set("LastUpdateStatus", json!("Successful"));
    set("Environment", json!({ "Variables": function.environment }));
    if !function.layers.is_empty() {
        set("Layers", function.layers.iter().map(|layer| json!({ "Arn": layer.arn })).collect());
    }
    set("LoggingConfig", logging(function));
    set("RevisionId", json!(deployed.revision));
    if let Some(size) = code_size(deployed) {
        set("CodeSize", json!(size));
    }
    if let Some(Archive { sha256, .. }) = &deployed.code.archive {
        set("CodeSha256", json!(base64_of(sha256)));
    }
    if let Some(modified) = timestamp(deployed.code.modified) {
        set("LastModified", json!(modified));
    }
    Value::Object(configuration)
}

/// The ARN of a version; the latest has none of its own.
pub(super) fn arn_of(deployed: &Deployed) -> String {
    match deployed.version {
        Version::Latest => deployed.function.arn.clone(),
        Version::Published(number) => format!("{}:{number}", deployed.function.arn),
    }
}

/// A hash in hexadecimal digits, as the API has it.
pub(super) fn base64_of(sha256: &str) -> String {
    let bytes: Option<Vec<u8>> =
        sha256.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    BASE64_STANDARD.encode(bytes.unwrap_or_default())
}

/// In bytes: of the archive, or of the executable. A folder has none.
fn code_size(deployed: &Deployed) -> Option<u64> {
    match &deployed.code.archive {
        Some(archive) => Some(archive.size),
        None => deployed.code.location.metadata().ok().filter(|code| code.is_file()).map(|code| code.len()),
    }
}

fn logging(function: &sam::Function) -> Value {
    match &function.log_format {
        sam::LogFormat::Text => json!({ "LogFormat": "Text", "LogGroup": function.log_group }),
        sam::LogFormat::Json { level } => {
            json!({ "LogFormat": "JSON", "ApplicationLogLevel": level, "LogGroup": function.log_group })
        }
    }
}

/// The architecture that functions have here, in Lambda's words.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    }
}

/// `2026-01-31T12:00:00.000+0000`
fn timestamp(time: OffsetDateTime) -> Option<String> {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]+0000");
    time.format(format).ok()
}

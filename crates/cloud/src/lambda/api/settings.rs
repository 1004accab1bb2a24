//! The settings of a function, as requests give them: checked, and put over those that it has.

use std::{collections::BTreeMap, time::Duration};

use sam::LogFormat;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::ApiError;
use crate::lambda::deployed::About;

/// The largest environment, in bytes: names and values together.
const MAX_ENVIRONMENT: usize = 4 * 1024;

/// The settings that both `CreateFunction` and `UpdateFunctionConfiguration` take.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Settings {
    pub(super) runtime: Option<String>,
    pub(super) role: Option<String>,
    pub(super) handler: Option<String>,
    pub(super) description: Option<String>,
    pub(super) timeout: Option<u64>,
    pub(super) memory_size: Option<u32>,
    pub(super) environment: Option<Environment>,
    pub(super) logging_config: Option<LoggingConfig>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Environment {
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct LoggingConfig {
    log_format: Option<String>,
    application_log_level: Option<String>,
    log_group: Option<String>,
    /// Lambda's own lines are written at every level.
    #[serde(rename = "SystemLogLevel")]
    _system_log_level: Option<String>,
}

/// What else a request has.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Others(Map<String, Value>);

impl Others {
    /// Refuses by its name what would be expected to do something.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        /// What makes no difference on one machine.
        const NO_DIFFERENCE: [&str; 5] =
            ["Architectures", "CodeSigningConfigArn", "EphemeralStorage", "KMSKeyArn", "TracingConfig"];
        match self.0.keys().find(|name| !NO_DIFFERENCE.contains(&name.as_str())) {
            Some(name) => Err(ApiError::invalid_parameter(format!("{name} is not emulated"))),
            None => Ok(()),
        }
    }
}

impl Settings {
    /// Puts them over what a function has.
    pub(super) fn apply(self, function: &mut sam::Function, about: &mut About) -> Result<(), ApiError> {
        if let Some(runtime) = self.runtime {
            check_runtime(&runtime)?;
            function.runtime = runtime;
        }
        if let Some(handler) = self.handler {
            function.handler = handler;
        }
        if let Some(timeout) = self.timeout {
            between("timeout", timeout, 1, 900)?;
            function.timeout = Duration::from_secs(timeout);
        }
        if let Some(memory) = self.memory_size {
            between("memorySize", memory.into(), 128, 10_240)?;
            function.memory_mb = memory;
        }
        if let Some(Environment { variables }) = self.environment {
            check_environment(&variables)?;
            function.environment = variables;
        }
        if let Some(logging) = self.logging_config {
            logging.apply(function)?;
        }
        if let Some(description) = self.description {
            about.description = description;
        }
        about.role = self.role.or_else(|| about.role.take());
        Ok(())
    }
}

impl LoggingConfig {
    fn apply(self, function: &mut sam::Function) -> Result<(), ApiError> {
        if let Some(group) = self.log_group {
            function.log_group = group;
        }
        function.log_format = match (self.log_format.as_deref(), self.application_log_level) {
            (Some("JSON"), level) => LogFormat::Json { level: level.unwrap_or_else(|| "INFO".to_owned()) },
            (Some("Text"), None) => LogFormat::Text,
            (None, None) => return Ok(()),
            (None, Some(level)) if function.log_format != LogFormat::Text => LogFormat::Json { level },
            (Some("Text") | None, Some(_)) => {
                return Err(ApiError::invalid_parameter("A log level can be set for the log format JSON only."));
            }
            (Some(other), _) => return Err(not_one_of("loggingConfig.logFormat", other, "JSON, Text")),
        };
        Ok(())
    }
}

/// That a function of the runtime can run here at all.
pub(super) fn check_runtime(runtime: &str) -> Result<(), ApiError> {
    if runtime.starts_with("provided") || sam::Language::of_runtime(runtime).is_some() {
        return Ok(());
    }
    Err(ApiError::invalid_parameter(format!(
        "Value {runtime} at 'runtime' is not run here: functions with a provided, python3 or nodejs runtime are."
    )))
}

fn check_environment(variables: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if let Some(name) = variables.keys().find(|name| !is_name(name)) {
        return Err(ApiError::invalid_parameter(format!(
            "The environment variable {name:?} has a name that Lambda does not take: [a-zA-Z]([a-zA-Z0-9_])+"
        )));
    }
    let size: usize = variables.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > MAX_ENVIRONMENT {
        return Err(ApiError::invalid_parameter(
            "Lambda was unable to configure your environment variables because the environment variables you have provided \
             exceeded the 4KB limit.",
        ));
    }
    Ok(())
}

fn between(name: &str, value: u64, least: u64, most: u64) -> Result<(), ApiError> {
    let constraint = if value < least {
        format!("greater than or equal to {least}")
    } else if value > most {
        format!("less than or equal to {most}")
    } else {
        return Ok(());
    };
    Err(ApiError::invalid_parameter(format!(
        "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must have value \
         {constraint}"
    )))
}

fn not_one_of(name: &str, value: &str, known: &str) -> ApiError {
    ApiError::invalid_parameter(format!(
        "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must satisfy enum value \
         set: [{known}]"
    ))
}

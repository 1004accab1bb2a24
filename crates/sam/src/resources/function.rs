//! `AWS::Serverless::Function`.

use std::time::Duration;

use crate::{
    Application, EventInvoke, Function, LogFormat,
    problem::ProblemKind,
    properties::Properties,
    resources::{code, target},
    template::{Reported, Resource, Template},
};

pub(crate) fn read(template: &Template, id: &str, resource: &Resource) -> Result<Function, Reported> {
    let properties = Properties::of(template, id, resource);
    // Everything is read before the first `?`, so that one wrong property does not hide the next.
    let code = code::read(&properties, id, resource.metadata.as_ref());
    let timeout = properties.whole_number("Timeout").unwrap_or(3);
    let memory_mb = properties.whole_number("MemorySize").unwrap_or(128);
    let environment = properties.inner("Environment").map(|environment| {
        environment.check_names("Environment", &["Variables"]);
        environment.texts("Variables")
    });
    let logging = properties.inner("LoggingConfig");
    let log_group = logging.as_ref().and_then(|logging| logging.text("LogGroup"));
    let log_format = logging.as_ref().map_or(LogFormat::Text, log_format);
    let alias = alias(&properties);
    let name = template.physical_name(id, resource, resource.at)?;
    Ok(Function {
        logical_id: id.to_owned(),
        arn: template.attribute(id, "Arn", resource.at)?,
        log_group: log_group.unwrap_or_else(|| format!("/aws/lambda/{name}")),
        log_format,
        name,
        handler: properties.text("Handler").unwrap_or_default(),
        runtime: properties.text("Runtime").unwrap_or_default(),
        code: code?,
        timeout: Duration::from_secs(timeout.into()),
        memory_mb,
        environment: environment.unwrap_or_default(),
        reserved_concurrency: properties.whole_number("ReservedConcurrentExecutions"),
        alias: alias?,
        // Others of the template may be named in it, which are read first.
        event_invoke: EventInvoke::default(),
    })
}

/// The alias that SAM publishes, which has to be a name that Lambda takes.
fn alias(properties: &Properties) -> Result<Option<String>, Reported> {
    const PROPERTY: &str = "AutoPublishAlias";
    let Some(alias) = properties.text(PROPERTY) else { return Ok(None) };
    let is_name = !alias.is_empty() && alias.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_name && !alias.chars().all(|c| c.is_ascii_digit()) {
        return Ok(Some(alias));
    }
    let kind = ProblemKind::UnsupportedValue {
        place: properties.place_of(PROPERTY),
        value: format!("`{alias}`"),
        reason: "an alias has letters, digits, `-` and `_`, and not digits alone".to_owned(),
    };
    Err(properties.template.report(kind, properties.at(PROPERTY)))
}

/// `EventInvokeConfig` and `DeadLetterQueue`.
pub(crate) fn read_event_invoke(
    template: &Template,
    id: &str,
    resource: &Resource,
    application: &Application,
) -> EventInvoke {
    let properties = Properties::of(template, id, resource);
    let destination = |owner: &Properties, name: &str, arn: &str| {
        let described = owner.inner(name)?;
        // The queue or topic that SAM would make has no name that anybody could know.
        target::of_arn(&described, "a destination", &described.text(arn)?, application)
    };
    let config = properties.inner("EventInvokeConfig");
    if let Some(config) = &config {
        let known = ["DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts"];
        config.check_names("EventInvokeConfig", &known);
    }
    let destinations = config.as_ref().and_then(|config| config.inner("DestinationConfig"));
    let told = |name| destinations.as_ref().and_then(|config| destination(config, name, "Destination"));
    EventInvoke {
        max_age: config
            .as_ref()
            .and_then(|config| config.whole_number("MaximumEventAgeInSeconds"))
            .map(|seconds| Duration::from_secs(seconds.into())),
        max_retries: config.as_ref().and_then(|config| config.whole_number("MaximumRetryAttempts")),
        on_success: told("OnSuccess"),
        on_failure: told("OnFailure"),
        dead_letters: destination(&properties, "DeadLetterQueue", "TargetArn"),
    }
}

/// What is said about logs. As on Lambda, only JSON has a level.
fn log_format(logging: &Properties) -> LogFormat {
    const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    logging.check_names("LoggingConfig", &["ApplicationLogLevel", "LogFormat", "LogGroup", "SystemLogLevel"]);
    if logging.has("SystemLogLevel") {
        let reason = "Lambda's own lines about an invocation are shown at every level.";
        logging.template.leave_out(logging.place_of("SystemLogLevel"), "AWS::Serverless::Function", reason);
    }
    let refuse = |property: &str, value: &str, reason: String| {
        let (place, value) = (logging.place_of(property), format!("`{value}`"));
        logging.template.report(ProblemKind::UnsupportedValue { place, value, reason }, logging.at(property));
    };
    let format = logging.text("LogFormat").unwrap_or_else(|| "Text".to_owned());
    let level = logging.text("ApplicationLogLevel");
    match (format.as_str(), &level) {
        (_, Some(other)) if !LEVELS.contains(&other.as_str()) => {
            refuse("ApplicationLogLevel", other, format!("a level is one of {}", LEVELS.join(", ")));
        }
        ("Text", Some(level)) => refuse("ApplicationLogLevel", level, "only `LogFormat: JSON` has a level".to_owned()),
        ("Text" | "JSON", _) => {}
        (other, _) => refuse("LogFormat", other, "a format is Text or JSON".to_owned()),
    }
    match format.as_str() {
        "JSON" => LogFormat::Json { level: level.unwrap_or_else(|| "INFO".to_owned()) },
        _ => LogFormat::Text,
    }
}

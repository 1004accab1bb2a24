//! `AWS::Serverless::Function` and `AWS::Lambda::Function`.

use std::time::Duration;

use crate::{
    Application, EventInvoke, Function, LogFormat,
    properties::Properties,
    resources::{code, layer, target},
    template::{Reported, Resource, Template},
};

/// The variables that a function can't set, for Lambda sets them itself.
pub const RESERVED_VARIABLES: [&str; 18] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

pub(crate) fn read(template: &Template, id: &str, resource: &Resource) -> Result<Function, Reported> {
    let properties = Properties::of(template, id, resource);
    // Everything is read before the first `?`, so that one wrong property does not hide the next.
    let code = code::read(&properties, id, resource.metadata.as_ref());
    let timeout = properties.whole_number_within("Timeout", 1..=900).unwrap_or(3);
    let memory_mb = properties.whole_number_within("MemorySize", 128..=10_240).unwrap_or(128);
    let environment = properties.inner("Environment").map(|environment| {
        environment.check_names("Environment", &["Variables"]);
        check_variables(&environment);
        environment.texts("Variables")
    });
    let logging = properties.inner("LoggingConfig");
    let log_group = logging.as_ref().and_then(|logging| logging.text("LogGroup"));
    let log_format = logging.as_ref().map_or(LogFormat::Text, log_format);
    let alias = alias(&properties);
    let layers = layer::of_function(&properties, &resource.kind, code.as_ref().ok());
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
        layers,
    })
}

/// `AWS::Lambda::Alias`, of which a function has one here.
pub(crate) fn read_alias(
    template: &Template,
    id: &str,
    resource: &Resource,
    application: &mut Application,
) -> Result<(), Reported> {
    let properties = Properties::of(template, id, resource);
    let name = properties.required_text("Name").ok_or(Reported)?;
    let owner = properties.required_text("FunctionName").ok_or(Reported)?;
    let found = application.functions.iter_mut().find(|function| function.name == owner || function.arn == owner);
    match found {
        Some(function) if function.alias.as_ref().is_none_or(|alias| *alias == name) => function.alias = Some(name),
        Some(_) => template.leave_out(properties.place.clone(), &resource.kind, "A function has one alias here."),
        None => template.leave_out(properties.place.clone(), &resource.kind, "It is of no function of the template."),
    }
    Ok(())
}

/// The alias that SAM publishes, which has to be a name that Lambda takes.
fn alias(properties: &Properties) -> Result<Option<String>, Reported> {
    const PROPERTY: &str = "AutoPublishAlias";
    let Some(alias) = properties.text(PROPERTY) else { return Ok(None) };
    let is_name = !alias.is_empty() && alias.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_name && !alias.chars().all(|c| c.is_ascii_digit()) {
        return Ok(Some(alias));
    }
    Err(properties.refuse(PROPERTY, &alias, "an alias has letters, digits, `-` and `_`, and not digits alone"))
}

/// Notes the names of variables that Lambda refuses.
///
/// Source: the Lambda Developer Guide, "Working with Lambda environment variables".
fn check_variables(environment: &Properties) {
    let Some(variables) = environment.inner("Variables") else { return };
    for (name, _) in variables.names() {
        let mut letters = name.chars();
        let begins = letters.next().is_some_and(|first| first.is_ascii_alphabetic());
        if !begins || name.len() < 2 || !letters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
            variables.refuse(
                name,
                name,
                "the name of a variable is a letter, then letters, digits and `_`, two at least",
            );
        } else if RESERVED_VARIABLES.contains(&name) {
            variables.refuse(name, name, "Lambda sets this variable itself");
        }
    }
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
        dead_letters: destination(&properties, "DeadLetterQueue", "TargetArn")
            .or_else(|| destination(&properties, "DeadLetterConfig", "TargetArn")),
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
    let format = logging.text("LogFormat").unwrap_or_else(|| "Text".to_owned());
    let level = logging.text("ApplicationLogLevel");
    match (format.as_str(), &level) {
        (_, Some(other)) if !LEVELS.contains(&other.as_str()) => {
            logging.refuse("ApplicationLogLevel", other, format!("a level is one of {}", LEVELS.join(", ")));
        }
        ("Text", Some(level)) => {
            logging.refuse("ApplicationLogLevel", level, "only `LogFormat: JSON` has a level");
        }
        ("Text" | "JSON", _) => {}
        (other, _) => {
            logging.refuse("LogFormat", other, "a format is Text or JSON");
        }
    }
    match format.as_str() {
        "JSON" => LogFormat::Json { level: level.unwrap_or_else(|| "INFO".to_owned()) },
        _ => LogFormat::Text,
    }
}

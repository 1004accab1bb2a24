//! `AWS::Serverless::Function`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Application, Code, EventInvoke, Function, LogFormat, cargo,
    problem::ProblemKind,
    properties::Properties,
    resources::target,
    template::{Reported, Resource, Template},
    yaml::Node,
};

pub(crate) fn read(template: &Template, id: &str, resource: &Resource) -> Result<Function, Reported> {
    let properties = Properties::of(template, id, resource);
    // Everything is read before the first `?`, so that one wrong property does not hide the next.
    let code = code(&properties, id, resource.metadata.as_ref());
    let timeout = properties.whole_number("Timeout").unwrap_or(3);
    let memory_mb = properties.whole_number("MemorySize").unwrap_or(128);
    let environment = properties.inner("Environment").map(|environment| {
        environment.check_names("Environment", &["Variables"]);
        environment.texts("Variables")
    });
    let logging = properties.inner("LoggingConfig");
    let log_group = logging.as_ref().and_then(|logging| logging.text("LogGroup"));
    let log_format = logging.as_ref().map_or(LogFormat::Text, log_format);
    let runtime = runtime(&properties);
    let alias = alias(&properties);
    let name = template.physical_name(id, resource, resource.at)?;
    Ok(Function {
        logical_id: id.to_owned(),
        arn: template.attribute(id, "Arn", resource.at)?,
        log_group: log_group.unwrap_or_else(|| format!("/aws/lambda/{name}")),
        log_format,
        name,
        code: code?,
        handler: properties.text("Handler").unwrap_or_default(),
        runtime: runtime?,
        timeout: Duration::from_secs(timeout.into()),
        memory_mb,
        environment: environment.unwrap_or_default(),
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
        if config.has("MaximumEventAgeInSeconds") {
            let reason = "Events are tried again however old they are.";
            template.leave_out(config.place_of("MaximumEventAgeInSeconds"), &resource.kind, reason);
        }
    }
    let destinations = config.as_ref().and_then(|config| config.inner("DestinationConfig"));
    let told = |name| destinations.as_ref().and_then(|config| destination(config, name, "Destination"));
    EventInvoke {
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

fn runtime(properties: &Properties) -> Result<String, Reported> {
    let runtime = properties.required_text("Runtime").ok_or(Reported)?;
    if runtime.starts_with("provided") {
        return Ok(runtime);
    }
    let kind = ProblemKind::UnsupportedValue {
        place: properties.place_of("Runtime"),
        value: format!("`{runtime}`"),
        reason: "only functions with a `provided` runtime can run here".to_owned(),
    };
    Err(properties.template.report(kind, properties.at("Runtime")))
}

fn code(properties: &Properties, id: &str, metadata: Option<&Node>) -> Result<Code, Reported> {
    for (property, reason) in
        [("InlineCode", "inline code is for scripts"), ("ImageUri", "the runner starts no containers")]
    {
        if properties.has(property) {
            let kind = ProblemKind::UnsupportedValue {
                place: properties.place_of(property),
                value: "given".to_owned(),
                reason: reason.to_owned(),
            };
            return Err(properties.template.report(kind, properties.at(property)));
        }
    }
    let uri = properties.required_text("CodeUri").ok_or(Reported)?;
    let folder = properties.template.folder().join(uri.trim_end_matches('/'));
    let metadata = metadata.and_then(Node::as_map);
    let method = metadata.and_then(|map| map.get("BuildMethod")).map(|field| &field.value);
    match method.and_then(Node::as_text) {
        Some("rust-cargolambda") => {
            let build = metadata.and_then(|map| map.get("BuildProperties")).map(|field| &field.value);
            if let Some(build) = build {
                check_build(properties.template, id, build);
            }
            cargo_code(properties, id, folder, build.and_then(|build| build.get("Binary")))
        }
        None => bootstrap_code(properties, id, &folder),
        Some(other) => {
            let kind = ProblemKind::UnsupportedValue {
                place: format!("Resources/{id}/Metadata/BuildMethod"),
                value: format!("`{other}`"),
                reason: "the runner builds with `rust-cargolambda`".to_owned(),
            };
            Err(properties.template.report(kind, method.map_or(properties.at, |method| method.at)))
        }
    }
}

/// The build looks at `Binary` alone.
fn check_build(template: &Template, id: &str, build: &Node) {
    let place = format!("Resources/{id}/Metadata/BuildProperties");
    let Some(map) = template.map_or_nothing(build, &place) else {
        return;
    };
    let build = Properties::over(template, place, build.at, map);
    build.check_names("BuildProperties", &["Binary", "Flags"]);
    if build.has("Flags") {
        let reason = "The runner builds with the package's default features and without flags.";
        template.leave_out(build.place_of("Flags"), "AWS::Serverless::Function", reason);
    }
}

fn cargo_code(
    properties: &Properties,
    id: &str,
    package_dir: PathBuf,
    binary: Option<&Node>,
) -> Result<Code, Reported> {
    let at = properties.at("CodeUri");
    let missing = |reason| properties.template.report(ProblemKind::MissingCode { function: id.to_owned(), reason }, at);
    let available = cargo::binaries(&package_dir).map_err(missing)?;
    let handler = properties.text("Handler").filter(|handler| handler != "bootstrap");
    let named = binary.and_then(Node::as_text).map(str::to_owned).or(handler);
    let at = binary.map_or(at, |binary| binary.at);
    let kind = match named {
        Some(name) if available.contains(&name) => return Ok(Code::Cargo { package_dir, binary: Some(name) }),
        Some(name) => ProblemKind::MissingBinary { package: package_dir, binary: name, available },
        None if available.len() == 1 => return Ok(Code::Cargo { package_dir, binary: available.into_iter().next() }),
        None => ProblemKind::UnnamedBinary { package: package_dir, available },
    };
    Err(properties.template.report(kind, at))
}

fn bootstrap_code(properties: &Properties, id: &str, folder: &Path) -> Result<Code, Reported> {
    let path = folder.join("bootstrap");
    if path.is_file() {
        return Ok(Code::Bootstrap { path });
    }
    let reason = if folder.join("Cargo.toml").is_file() {
        "the function has no `Metadata` with `BuildMethod: rust-cargolambda`".to_owned()
    } else {
        format!("there is no {}", path.display())
    };
    Err(properties
        .template
        .report(ProblemKind::MissingCode { function: id.to_owned(), reason }, properties.at("CodeUri")))
}

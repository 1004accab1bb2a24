//! `AWS::Lambda::EventSourceMapping`, and the `SQS` and `DynamoDB` events of a function.

use std::time::Duration;

use serde_json::Value;

use crate::{
    Application, EventSourceMapping, MappingSource,
    problem::ProblemKind,
    properties::Properties,
    resources::target,
    template::{Reported, Resource, Template},
};

/// The visibility timeout of a queue that names none, in seconds.
const VISIBILITY: u64 = 30;

/// The properties that mappings of a queue and of a stream have.
pub(crate) const OF_QUEUE: &[&str] = &[
    "BatchSize",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KmsKeyArn",
    "MaximumBatchingWindowInSeconds",
    "MetricsConfig",
    "ProvisionedPollerConfig",
    "Queue",
    "ScalingConfig",
];
pub(crate) const OF_STREAM: &[&str] = &[
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KmsKeyArn",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MetricsConfig",
    "ParallelizationFactor",
    "StartingPosition",
    "StartingPositionTimestamp",
    "Stream",
    "TumblingWindowInSeconds",
];

pub(crate) fn read_resource(
    template: &Template,
    id: &str,
    resource: &Resource,
    application: &mut Application,
) -> Result<(), Reported> {
    let properties = Properties::of(template, id, resource);
    let function = properties.required_text("FunctionName").ok_or(Reported)?;
    let source = properties.required_text("EventSourceArn").ok_or(Reported)?;
    // A name, an ARN, or a part of one; a version or an alias may follow.
    let is_meant = |name: &str| {
        let end = function.rsplit("function:").next().unwrap_or(&function);
        end.split(':').next() == Some(name)
    };
    let named = application.functions.iter().find(|one| is_meant(&one.name)).map(|one| one.name.clone());
    let Some(function) = named else {
        let known = application.functions.iter().map(|function| function.name.as_str());
        return Err(template.report_unknown("function", &function, known, properties.at("FunctionName")));
    };
    read(&properties, id, &function, &source, application)
}

/// Reads what is said of a mapping of this source.
pub(crate) fn read(
    properties: &Properties,
    name: &str,
    function: &str,
    source: &str,
    application: &mut Application,
) -> Result<(), Reported> {
    let template = properties.template;
    for (property, reason) in [
        ("ParallelizationFactor", "A stream is read by one invocation at a time."),
        ("ProvisionedPollerConfig", "As many batches are under way as are needed."),
        ("MaximumRecordAgeInSeconds", "Records are tried again however old they are."),
    ] {
        if properties.has(property) {
            template.leave_out(properties.place_of(property), "an event source mapping", reason);
        }
    }
    for property in ["StartingPositionTimestamp", "TumblingWindowInSeconds", "SelfManagedEventSource"] {
        if properties.has(property) {
            return Err(unsupported(properties, property, "it is not emulated"));
        }
    }
    let is_queue = source.split(':').nth(2) == Some("sqs");
    let Some(source) = source_of(properties, source, application)? else { return Ok(()) };
    let default = if is_queue { 10 } else { 100 };
    let batching_window = properties.whole_number("MaximumBatchingWindowInSeconds").unwrap_or(0);
    let batch_size = properties.whole_number("BatchSize").unwrap_or(default);
    if batch_size == 0 || batch_size > 10_000 {
        return Err(unsupported(properties, "BatchSize", "a batch has from 1 to 10000 records"));
    }
    if is_queue && batch_size > 10 && batching_window == 0 {
        let reason = "a batch of more than 10 messages needs a MaximumBatchingWindowInSeconds of at least 1";
        return Err(unsupported(properties, "BatchSize", reason));
    }
    if let MappingSource::Queue { arn, .. } = &source {
        check_visibility(properties, arn, function, application)?;
    }
    let mapping = EventSourceMapping {
        name: name.to_owned(),
        function: function.to_owned(),
        source,
        batch_size,
        batching_window: Duration::from_secs(batching_window.into()),
        reports_item_failures: reports_item_failures(properties)?,
        filters: filters(properties)?,
        enabled: properties.boolean("Enabled").unwrap_or(true),
    };
    application.event_source_mappings.push(mapping);
    Ok(())
}

fn source_of(
    properties: &Properties,
    source: &str,
    application: &Application,
) -> Result<Option<MappingSource>, Reported> {
    let resource = source.splitn(6, ':').nth(5).unwrap_or_default();
    let is_queue = source.split(':').nth(2) == Some("sqs");
    if is_queue && application.queues.iter().any(|queue| queue.name == resource) {
        let max_concurrency = properties.inner("ScalingConfig").and_then(|scaling| {
            scaling.check_names("ScalingConfig", &["MaximumConcurrency"]);
            scaling.whole_number("MaximumConcurrency")
        });
        return Ok(Some(MappingSource::Queue { arn: source.to_owned(), max_concurrency }));
    }
    let table = resource.strip_prefix("table/").and_then(|rest| rest.split('/').next());
    if let Some(table) = table.and_then(|name| application.tables.iter().find(|table| table.name == name)) {
        let position = properties.required_text("StartingPosition").ok_or(Reported)?;
        let from_the_beginning = match position.as_str() {
            "TRIM_HORIZON" => true,
            "LATEST" => false,
            _ => {
                return Err(unsupported(
                    properties,
                    "StartingPosition",
                    "a stream is read from TRIM_HORIZON or LATEST",
                ));
            }
        };
        let on_failure = properties.inner("DestinationConfig").and_then(|config| config.inner("OnFailure"));
        let on_failure = on_failure.and_then(|destination| {
            let arn = destination.required_text("Destination")?;
            target::of_arn(&destination, "a destination", &arn, application)
        });
        // -1 stands for no end.
        let max_retries = properties.text("MaximumRetryAttempts").filter(|count| count != "-1");
        let max_retries = max_retries.and_then(|_| properties.whole_number("MaximumRetryAttempts"));
        return Ok(Some(MappingSource::Table {
            table: table.name.clone(),
            from_the_beginning,
            max_retries,
            bisects: properties.boolean("BisectBatchOnFunctionError").unwrap_or(false),
            on_failure,
        }));
    }
    let reason = format!("{source} is no queue and no table's stream of the template.");
    properties.template.leave_out(properties.place.clone(), "an event source mapping", reason);
    Ok(None)
}

/// Lambda refuses a mapping that gives a message once more while the function is still at work on it.
fn check_visibility(
    properties: &Properties,
    arn: &str,
    function: &str,
    application: &Application,
) -> Result<(), Reported> {
    let queue = application.queues.iter().find(|queue| arn.ends_with(&format!(":{}", queue.name)));
    let visibility = queue.and_then(|queue| queue.attributes.get("VisibilityTimeout")?.parse().ok());
    let visibility = visibility.unwrap_or(VISIBILITY);
    let timeout = application.functions.iter().find(|one| one.name == function).map(|one| one.timeout.as_secs());
    match timeout {
        Some(timeout) if visibility < timeout => {
            let kind = ProblemKind::UnsupportedValue {
                place: properties.place.clone(),
                value: "an event source mapping".to_owned(),
                reason: format!(
                    "Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds"
                ),
            };
            Err(properties.template.report(kind, properties.at))
        }
        _ => Ok(()),
    }
}

fn reports_item_failures(properties: &Properties) -> Result<bool, Reported> {
    let types = properties.json("FunctionResponseTypes").unwrap_or_default();
    let types = types.as_array().map(Vec::as_slice).unwrap_or_default();
    match types.iter().find(|name| *name != "ReportBatchItemFailures") {
        Some(_) => Err(unsupported(
            properties,
            "FunctionResponseTypes",
            "the only type of a response is ReportBatchItemFailures",
        )),
        None => Ok(!types.is_empty()),
    }
}

/// The patterns of `FilterCriteria`, each of which is JSON in a text.
fn filters(properties: &Properties) -> Result<Vec<Value>, Reported> {
    let Some(criteria) = properties.inner("FilterCriteria") else { return Ok(Vec::new()) };
    criteria.check_names("FilterCriteria", &["Filters"]);
    let filters = criteria.json("Filters").unwrap_or_default();
    let pattern = |filter: &Value| serde_json::from_str(filter.get("Pattern")?.as_str()?).ok();
    let patterns = filters.as_array().map(Vec::as_slice).unwrap_or_default().iter().map(pattern);
    patterns
        .collect::<Option<Vec<Value>>>()
        .ok_or_else(|| unsupported(&criteria, "Filters", "a filter has a Pattern, which is JSON in a text"))
}

fn unsupported(properties: &Properties, name: &str, reason: &str) -> Reported {
    let value = properties.value(name).ok().flatten();
    let value = value.map(|node| node.as_text().map_or_else(|| node.describe(), |text| format!("`{text}`")));
    properties.refuse_described(name, value.unwrap_or_else(|| "given".to_owned()), reason)
}

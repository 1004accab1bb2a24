//! Event source mappings, as the API of Lambda describes them.

use std::time::Duration;

use sam::{EventSourceMapping, MappingSource, Target};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{location::Location, named::Described, protocol::Failure};

/// How many records a batch has at most.
const MAX_BATCH: u32 = 10_000;

/// A mapping, with what is known of it beyond its description.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Mapping {
    pub(super) description: Description,
    /// Seconds since 1970.
    pub(super) changed_at: i64,
    /// Made by the template, which makes it once more at the next start.
    #[serde(skip)]
    pub(super) is_of_template: bool,
}

impl Described for Mapping {
    fn is_of_template(&self) -> bool {
        self.is_of_template
    }
}

/// What a client says of a mapping. What it does not say of one that is there stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Description {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_source_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_batching_window_in_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter_criteria: Option<FilterCriteria>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_response_types: Option<Vec<ResponseType>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaling_config: Option<ScalingConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starting_position: Option<StartingPosition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bisect_batch_on_function_error: Option<bool>,
    /// -1 stands for no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_retry_attempts: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_config: Option<DestinationConfig>,
    /// Tags and keys make no difference here.
    #[serde(rename = "Tags", skip_serializing)]
    _tags: Option<Value>,
    #[serde(rename = "KMSKeyArn", skip_serializing)]
    _key: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct FilterCriteria {
    #[serde(default)]
    filters: Vec<Filter>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Filter {
    pattern: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum ResponseType {
    ReportBatchItemFailures,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ScalingConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_concurrency: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum StartingPosition {
    TrimHorizon,
    Latest,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DestinationConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    on_failure: Option<OnFailure>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OnFailure {
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
}

impl Description {
    /// A mapping of the template.
    pub(super) fn of(mapping: &EventSourceMapping, location: &Location) -> Self {
        let filters = mapping.filters.iter().map(|pattern| Filter { pattern: pattern.to_string() });
        let filters: Vec<Filter> = filters.collect();
        let described = Self {
            function_name: Some(location.arn_of(&Target::Function(mapping.function.clone()))),
            enabled: Some(mapping.enabled),
            batch_size: Some(mapping.batch_size),
            maximum_batching_window_in_seconds: u32::try_from(mapping.batching_window.as_secs()).ok(),
            filter_criteria: (!filters.is_empty()).then_some(FilterCriteria { filters }),
            function_response_types: mapping.reports_item_failures.then(|| vec![ResponseType::ReportBatchItemFailures]),
            ..Self::default()
        };
        match &mapping.source {
            MappingSource::Queue { arn, max_concurrency } => Self {
                event_source_arn: Some(arn.clone()),
                scaling_config: max_concurrency.map(|most| ScalingConfig { maximum_concurrency: Some(most) }),
                ..described
            },
            MappingSource::Table { table, from_the_beginning, max_retries, bisects, on_failure } => Self {
                event_source_arn: Some(location.arn("dynamodb", &format!("table/{table}/stream/latest"))),
                starting_position: Some(if *from_the_beginning {
                    StartingPosition::TrimHorizon
                } else {
                    StartingPosition::Latest
                }),
                maximum_retry_attempts: max_retries.and_then(|most| i32::try_from(most).ok()),
                bisect_batch_on_function_error: Some(*bisects),
                destination_config: on_failure.as_ref().map(|target| DestinationConfig {
                    on_failure: Some(OnFailure { destination: Some(location.arn_of(target)) }),
                }),
                ..described
            },
        }
    }

    /// This, and what of an earlier description it does not say anew.
    pub(super) fn over(self, earlier: Self) -> Self {
        Self {
            function_name: self.function_name.or(earlier.function_name),
            event_source_arn: earlier.event_source_arn,
            enabled: self.enabled.or(earlier.enabled),
            batch_size: self.batch_size.or(earlier.batch_size),
            maximum_batching_window_in_seconds: self
                .maximum_batching_window_in_seconds
                .or(earlier.maximum_batching_window_in_seconds),
            filter_criteria: self.filter_criteria.or(earlier.filter_criteria),
            function_response_types: self.function_response_types.or(earlier.function_response_types),
            scaling_config: self.scaling_config.or(earlier.scaling_config),
            starting_position: earlier.starting_position,
            bisect_batch_on_function_error: self
                .bisect_batch_on_function_error
                .or(earlier.bisect_batch_on_function_error),
            maximum_retry_attempts: self.maximum_retry_attempts.or(earlier.maximum_retry_attempts),
            destination_config: self.destination_config.or(earlier.destination_config),
            _tags: None,
            _key: None,
        }
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }

    /// What is to be read for `function`, or why that can't be.
    pub(super) fn mapping(&self, name: &str, function: &str) -> Result<EventSourceMapping, Failure> {
        let arn = self.event_source_arn.as_deref().ok_or_else(|| invalid("EventSourceArn is required."))?;
        let service = arn.split(':').nth(2).unwrap_or_default();
        let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
        let source = match (service, resource.strip_prefix("table/")) {
            ("sqs", _) => MappingSource::Queue {
                arn: arn.to_owned(),
                max_concurrency: self.scaling_config.as_ref().and_then(|scaling| scaling.maximum_concurrency),
            },
            ("dynamodb", Some(stream)) => {
                let position = self.starting_position.ok_or_else(|| {
                    invalid(
                        "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: \
                             Member must not be null.",
                    )
                })?;
                MappingSource::Table {
                    table: stream.split('/').next().unwrap_or_default().to_owned(),
                    from_the_beginning: position == StartingPosition::TrimHorizon,
                    max_retries: self.maximum_retry_attempts.and_then(|most| u32::try_from(most).ok()),
                    bisects: self.bisect_batch_on_function_error.unwrap_or(false),
                    on_failure: self.on_failure()?,
                }
            }
            _ => return Err(invalid(format!("This runner reads no sources such as {arn}."))),
        };
        let is_queue = service == "sqs";
        let batch_size = self.batch_size.unwrap_or(if is_queue { 10 } else { 100 });
        let window = self.maximum_batching_window_in_seconds.unwrap_or(0);
        if batch_size == 0 || batch_size > MAX_BATCH {
            return Err(invalid(format!("BatchSize is a number from 1 to {MAX_BATCH}.")));
        }
        if is_queue && batch_size > 10 && window == 0 {
            let message =
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10";
            return Err(invalid(message));
        }
        Ok(EventSourceMapping {
            name: name.to_owned(),
            function: function.to_owned(),
            source,
            batch_size,
            batching_window: Duration::from_secs(window.into()),
            reports_item_failures: self.function_response_types.as_ref().is_some_and(|types| !types.is_empty()),
            filters: self.filters()?,
            enabled: self.is_enabled(),
        })
    }

    fn filters(&self) -> Result<Vec<Value>, Failure> {
        let filters = self.filter_criteria.iter().flat_map(|criteria| &criteria.filters);
        let read = |filter: &Filter| {
            serde_json::from_str(&filter.pattern).map_err(|_| invalid("Invalid filter pattern definition."))
        };
        filters.map(read).collect()
    }

    fn on_failure(&self) -> Result<Option<Target>, Failure> {
        let config = self.destination_config.as_ref().and_then(|config| config.on_failure.as_ref());
        let arn = config.and_then(|on_failure| on_failure.destination.as_deref()).filter(|arn| !arn.is_empty());
        let read = |arn| Target::of_arn(arn).ok_or_else(|| invalid(format!("{arn} can't be a destination here.")));
        arn.map(read).transpose()
    }

    /// As an answer tells it.
    pub(super) fn told(&self) -> Result<Value, Failure> {
        let mut told = serde_json::to_value(self).map_err(|error| Failure::internal(&error))?;
        if let Value::Object(fields) = &mut told {
            fields.shift_remove("Enabled");
            if let Some(function) = fields.shift_remove("FunctionName") {
                fields.insert("FunctionArn".to_owned(), function);
            }
            fields.entry("MaximumBatchingWindowInSeconds").or_insert(json!(0));
            let is_queue = self.event_source_arn.as_deref().is_some_and(|arn| arn.contains(":sqs:"));
            fields.entry("BatchSize").or_insert(json!(if is_queue { 10 } else { 100 }));
            fields.entry("FunctionResponseTypes").or_insert(json!([]));
        }
        Ok(told)
    }
}

pub(super) fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("InvalidParameterValueException", message)
}

//! The handler.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{MetricDatum, StandardUnit};
use function_kit::aws::SdkConfig;
use function_kit::game::CompletedLevel;
use function_kit::{Amount, Environment, ServiceError, SettingError};
use lambda_runtime::LambdaEvent;
use serde::Serialize;

use crate::Dimensions;

/// What is made once, at the start of the process.
pub struct LogMetric {
    cloudwatch: Client,
    namespace: String,
    metric: String,
    dimensions: Dimensions,
}

/// What was put.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Output {
    namespace: String,
    metric: String,
    value: Amount,
    unit: String,
    #[serde(skip_serializing_if = "Dimensions::is_empty")]
    dimensions: Dimensions,
}

impl LogMetric {
    /// Reads the settings and makes the client.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        let or = |variable, default: &str| environment.optional(variable).unwrap_or_else(|| default.to_owned());
        let dimensions =
            environment.optional_value("METRIC_DIMENSIONS", "dimensions such as Stage=dev,Application=stairwell")?;
        Ok(Self {
            cloudwatch: Client::new(aws),
            namespace: or("METRIC_NAMESPACE", "FLOW"),
            metric: or("METRIC_NAME", "CompleteLevel"),
            dimensions: dimensions.unwrap_or_default(),
        })
    }
}

/// Puts the metric.
pub async fn handle(function: &LogMetric, event: LambdaEvent<CompletedLevel>) -> Result<Output, ServiceError> {
    let time_played = event.payload.time_played;
    let datum = MetricDatum::builder()
        .metric_name(&function.metric)
        .value(time_played.as_f64())
        .unit(StandardUnit::Seconds)
        .set_dimensions(Some(function.dimensions.to_sdk()))
        .build();
    let request = function.cloudwatch.put_metric_data().namespace(&function.namespace);
    let answer = request.metric_data(datum).send().await;
    answer.map_err(|error| ServiceError::new("PutMetricData", &error))?;
    tracing::info!("{} of {} has one more value: {time_played} s", function.metric, function.namespace);
    Ok(Output {
        namespace: function.namespace.clone(),
        metric: function.metric.clone(),
        value: time_played,
        unit: StandardUnit::Seconds.to_string(),
        dimensions: function.dimensions.clone(),
    })
}

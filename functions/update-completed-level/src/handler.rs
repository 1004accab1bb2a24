//! The handler.

use std::fmt::Write;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue::{self, N, S};
use function_kit::aws::SdkConfig;
use function_kit::game::{CompletedLevel, IF_LATER};
use function_kit::{Environment, Name, ServiceError, SettingError};
use lambda_runtime::LambdaEvent;
use serde::Serialize;

/// The sort key of the player's own item. A [`Name`] does not start with `#`, so no level has it.
const LAST: &str = "#last";

/// What is made once, at the start of the process.
pub struct UpdateCompletedLevel {
    dynamodb: Client,
    table: String,
}

/// What was recorded.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Output {
    user_id: Name,
    level: Name,
    /// Whether the event was later than what was recorded before.
    changed: bool,
}

impl UpdateCompletedLevel {
    /// Reads the settings and makes the client.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        Ok(Self {
            dynamodb: Client::new(aws),
            table: environment.text("LEVELS_TABLE", "the name of the table of levels")?,
        })
    }
}

/// Records the level, and that it is the player's last one, each where the event is later than the recorded one.
pub async fn handle(
    function: &UpdateCompletedLevel,
    event: LambdaEvent<CompletedLevel>,
) -> Result<Output, ServiceError> {
    let input = event.payload;
    let level = [
        ("score", N(input.score.to_string())),
        ("max_score", N(input.max_score.to_string())),
        ("time_played", N(input.time_played.to_string())),
        ("total_score", N(input.total_score.to_string())),
    ];
    let last =
        [("last_level", S(input.level.to_string())), ("timestamp", S(input.completed_at.epoch_seconds().to_string()))];
    let level_changed = function.set_if_later(&input, input.level.as_str(), level).await?;
    let last_changed = function.set_if_later(&input, LAST, last).await?;
    let changed = level_changed || last_changed;
    if changed {
        tracing::info!("level {} is recorded", input.level);
    } else {
        tracing::info!("level {} was recorded before", input.level);
    }
    Ok(Output { user_id: input.user_id, level: input.level, changed })
}

impl UpdateCompletedLevel {
    /// Sets the attributes of one item of the player, where the item is new or holds an earlier event. Says whether it did.
    async fn set_if_later<const N: usize>(
        &self,
        event: &CompletedLevel,
        sort_key: &str,
        attributes: [(&str, AttributeValue); N],
    ) -> Result<bool, ServiceError> {
        let mut request = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .key("user_id", S(event.user_id.to_string()))
            .key("level", S(sort_key.to_owned()))
            .condition_expression(IF_LATER)
            .expression_attribute_names("#execution", "execution")
            .expression_attribute_values(":completed_at", S(event.completed_at.to_string()))
            .expression_attribute_values(":execution", S(event.execution.clone()));
        let mut update = "SET completed_at = :completed_at, #execution = :execution".to_owned();
        for (name, value) in attributes {
            // Through `#name`, for some of the names are words of DynamoDB's own.
            let _ = write!(update, ", #{name} = :{name}");
            request = request
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        match request.update_expression(update).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(ServiceError::new("UpdateItem", &error)),
            },
        }
    }
}

//! The handler.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue::{Bool, N, S};
use function_kit::aws::SdkConfig;
use function_kit::game::{CompletedLevel, IF_LATER};
use function_kit::{Amount, Environment, Name, ServiceError, SettingError};
use lambda_runtime::LambdaEvent;
use serde::Serialize;

/// What is made once, at the start of the process.
pub struct UpdateCompletedGame {
    dynamodb: Client,
    table: String,
}

/// What was recorded.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Output {
    user_id: Name,
    total_score: Amount,
    /// Whether the event was later than what was recorded before.
    changed: bool,
}

impl UpdateCompletedGame {
    /// Reads the settings and makes the client.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        Ok(Self {
            dynamodb: Client::new(aws),
            table: environment.text("GAMES_TABLE", "the name of the table of games")?,
        })
    }
}

/// Records that the game is completed, where the event is later than the recorded one.
pub async fn handle(
    function: &UpdateCompletedGame,
    event: LambdaEvent<CompletedLevel>,
) -> Result<Output, ServiceError> {
    let CompletedLevel { user_id, total_score, completed_at, execution, .. } = event.payload;
    let answer = function
        .dynamodb
        .put_item()
        .table_name(&function.table)
        .item("user_id", S(user_id.to_string()))
        .item("completed", Bool(true))
        .item("timestamp", S(completed_at.epoch_seconds().to_string()))
        .item("total_score", N(total_score.to_string()))
        .item("completed_at", S(completed_at.to_string()))
        .item("execution", S(execution))
        .condition_expression(IF_LATER)
        .expression_attribute_values(":completed_at", S(completed_at.to_string()))
        .send()
        .await;
    let changed = match answer {
        Ok(_) => true,
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) => false,
            _ => return Err(ServiceError::new("PutItem", &error)),
        },
    };
    if changed {
        tracing::info!("the completed game is recorded");
    } else {
        tracing::info!("the completed game was recorded before");
    }
    Ok(Output { user_id, total_score, changed })
}

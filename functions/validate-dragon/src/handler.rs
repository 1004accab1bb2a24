//! The handler.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue::S;
use function_kit::aws::SdkConfig;
use function_kit::dragon::DragonReport;
use function_kit::{Environment, ServiceError, SettingError};
use lambda_runtime::LambdaEvent;

use crate::Error;

/// What is made once, at the start of the process.
pub struct ValidateDragon {
    dynamodb: Client,
    table: String,
}

impl ValidateDragon {
    /// Reads the settings and makes the client.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        Ok(Self {
            dynamodb: Client::new(aws),
            table: environment.text("DRAGONS_TABLE", "the name of the table of dragons")?,
        })
    }
}

/// Looks whether there is a dragon of the name.
pub async fn handle(function: &ValidateDragon, event: LambdaEvent<DragonReport>) -> Result<&'static str, Error> {
    let answer = function
        .dynamodb
        .get_item()
        .table_name(&function.table)
        .key("dragon_name_str", S(event.payload.dragon_name.into()))
        .projection_expression("dragon_name_str")
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| ServiceError::new("GetItem", &error))?;
    if answer.item.is_some() {
        return Err(Error::Duplicate);
    }
    tracing::info!("the dragon is new");
    Ok("Dragon Validated")
}

//! The handler.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue::S;
use function_kit::aws::SdkConfig;
use function_kit::dragon::DragonReport;
use function_kit::{Environment, ServiceError, SettingError};
use lambda_runtime::LambdaEvent;

use crate::Error;

/// The dragon is new, or a call of this execution has written it whose answer was lost.
const IF_NEW: &str = "attribute_not_exists(dragon_name_str) OR execution = :execution";

/// What is made once, at the start of the process.
pub struct AddDragon {
    dynamodb: Client,
    table: String,
}

impl AddDragon {
    /// Reads the settings and makes the client.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        Ok(Self {
            dynamodb: Client::new(aws),
            table: environment.text("DRAGONS_TABLE", "the name of the table of dragons")?,
        })
    }
}

/// Adds the dragon, where there is none of the name.
pub async fn handle(function: &AddDragon, event: LambdaEvent<DragonReport>) -> Result<&'static str, Error> {
    let report = event.payload;
    let answer = function
        .dynamodb
        .put_item()
        .table_name(&function.table)
        .item("dragon_name_str", S(report.dragon_name.into()))
        .item("description_str", S(report.description.into()))
        .item("family_str", S(report.family.into()))
        .item("location_city_str", S(report.city.into()))
        .item("location_country_str", S(report.country.into()))
        .item("location_state_str", S(report.state.into()))
        .item("location_neighborhood_str", S(report.neighborhood.into()))
        .item("execution", S(report.execution.to_string()))
        .condition_expression(IF_NEW)
        .expression_attribute_values(":execution", S(report.execution.into()))
        .send()
        .await;
    match answer {
        Ok(_) => {
            tracing::info!("the dragon is added");
            Ok("Dragon added")
        }
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) => Err(Error::Duplicate),
            _ => Err(ServiceError::new("PutItem", &error).into()),
        },
    }
}

//! The handler.

use aws_sdk_dynamodb::types::AttributeValue::S;
use aws_sdk_sfn::operation::send_task_heartbeat::SendTaskHeartbeatError;
use aws_sdk_sfn::operation::send_task_success::SendTaskSuccessError;
use function_kit::aws::SdkConfig;
use function_kit::{Environment, HttpRequest, HttpResponse, Name, NamedError, ServiceError, SettingError};
use lambda_runtime::LambdaEvent;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::Error;

/// What is made once, at the start of the process.
pub struct AnswerCase {
    dynamodb: aws_sdk_dynamodb::Client,
    sfn: aws_sdk_sfn::Client,
    table: String,
}

/// The body of a resolution.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resolution {
    resolved: bool,
}

/// What an agent says of a case.
enum Word {
    Resolved(bool),
    StillAtWork,
}

impl AnswerCase {
    /// Reads the settings and makes the clients.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        Ok(Self {
            dynamodb: aws_sdk_dynamodb::Client::new(aws),
            sfn: aws_sdk_sfn::Client::new(aws),
            table: environment.text("CASES_TABLE", "the name of the table of cases")?,
        })
    }
}

/// Hands an agent's word over, and answers the request.
pub async fn handle(function: &AnswerCase, event: LambdaEvent<HttpRequest>) -> Result<HttpResponse, Error> {
    Ok(function.answer(event.payload).await.unwrap_or_else(|error| {
        tracing::error!(error = error.name(), "{error}");
        HttpResponse::from(&error)
    }))
}

impl AnswerCase {
    async fn answer(&self, mut request: HttpRequest) -> Result<HttpResponse, Error> {
        let case = Name::try_from(request.path_parameters.remove("id").unwrap_or_default())?;
        match word_of(request)? {
            Word::Resolved(resolved) => {
                let status = u8::from(resolved);
                let token = self.token_of(&case).await?;
                self.succeed(&case, token, status).await?;
                tracing::info!(case = case.as_str(), resolved, "the resolution is handed over");
                Ok(HttpResponse::new(200, &json!({ "Case": case, "Status": status })))
            }
            Word::StillAtWork => {
                let token = self.token_of(&case).await?;
                self.beat(&case, token).await?;
                tracing::info!(case = case.as_str(), "the heartbeat is handed over");
                Ok(HttpResponse::new(200, &json!({ "Case": case })))
            }
        }
    }

    async fn token_of(&self, case: &Name) -> Result<String, Error> {
        let answer = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .key("case_id", S(case.to_string()))
            .projection_expression("case_id, task_token")
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| ServiceError::new("GetItem", &error))?;
        let Some(item) = answer.item else { return Err(Error::CaseNotFound(case.clone())) };
        match item.get("task_token").map(|token| token.as_s()) {
            Some(Ok(token)) => Ok(token.clone()),
            _ => Err(Error::CaseNotInWork(case.clone())),
        }
    }

    async fn succeed(&self, case: &Name, token: String, status: u8) -> Result<(), Error> {
        let output = json!({ "Status": status }).to_string();
        let Err(error) = self.sfn.send_task_success().task_token(token).output(output).send().await else {
            return Ok(());
        };
        Err(match error.as_service_error() {
            Some(
                SendTaskSuccessError::TaskTimedOut(_)
                | SendTaskSuccessError::TaskDoesNotExist(_)
                | SendTaskSuccessError::InvalidToken(_),
            ) => Error::CaseNotInWork(case.clone()),
            _ => ServiceError::new("SendTaskSuccess", &error).into(),
        })
    }

    async fn beat(&self, case: &Name, token: String) -> Result<(), Error> {
        let Err(error) = self.sfn.send_task_heartbeat().task_token(token).send().await else { return Ok(()) };
        Err(match error.as_service_error() {
            Some(
                SendTaskHeartbeatError::TaskTimedOut(_)
                | SendTaskHeartbeatError::TaskDoesNotExist(_)
                | SendTaskHeartbeatError::InvalidToken(_),
            ) => Error::CaseNotInWork(case.clone()),
            _ => ServiceError::new("SendTaskHeartbeat", &error).into(),
        })
    }
}

fn word_of(request: HttpRequest) -> Result<Word, Error> {
    match request.request_context.route_key.as_str() {
        "POST /cases/{id}/resolution" => {
            let body = request.into_body().map_err(|error| Error::Body(error.to_string()))?;
            // By way of a map, for a list of the right values would do, too.
            let fields: Result<Map<String, Value>, _> = serde_json::from_slice(&body);
            let resolution = fields.and_then(|fields| Resolution::deserialize(Value::Object(fields)));
            let Resolution { resolved } = resolution.map_err(|error| Error::Body(error.to_string()))?;
            Ok(Word::Resolved(resolved))
        }
        "POST /cases/{id}/heartbeat" => Ok(Word::StillAtWork),
        other => Err(Error::UnknownRoute(other.to_owned())),
    }
}

//! The handler.

use std::collections::HashMap;
use std::fmt::Write;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::AttributeValue::{self, N, S};
use aws_sdk_dynamodb::types::{CancellationReason, KeysAndAttributes, TransactWriteItem, Update};
use function_kit::aws::SdkConfig;
use function_kit::{Environment, Name, ServiceError, ServiceErrorKind, SettingError};
use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Error;
use crate::agents::Agents;

/// How often the numbers are read and an assignment is tried. Each time that one fails, another case got an agent.
const TRIES: u32 = 10;

/// What is made once, at the start of the process.
pub struct AssignCase {
    dynamodb: Client,
    agents: Agents,
    cases_table: String,
    agents_table: String,
}

/// The case to assign.
#[derive(Debug, Deserialize)]
#[serde(expecting = "a JSON object")]
pub struct Input {
    #[serde(rename = "Case")]
    case: Name,
    execution: String,
}

/// Who got the case.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    agent: String,
}

impl AssignCase {
    /// Reads the settings and makes the client.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        Ok(Self {
            dynamodb: Client::new(aws),
            agents: environment.value("AGENTS", "1 to 100 names of agents, separated by commas")?,
            cases_table: environment.text("CASES_TABLE", "the name of the table of cases")?,
            agents_table: environment.text("AGENTS_TABLE", "the name of the table of agents")?,
        })
    }
}

/// Gives the case to the agent with the fewest open cases, once.
pub async fn handle(function: &AssignCase, event: LambdaEvent<Input>) -> Result<Output, Error> {
    let input = event.payload;
    for _ in 0..TRIES {
        if let Some(agent) = function.agent_of(&input).await? {
            tracing::info!(agent, "the case was assigned before");
            return Ok(Output { agent });
        }
        let open_cases = function.open_cases().await?;
        let Some((agent, open)) = function.agents.least_busy(&open_cases) else { break };
        if function.assign(&input, agent, open).await? {
            tracing::info!(agent = agent.as_str(), open, "the case is assigned");
            return Ok(Output { agent: agent.to_string() });
        }
    }
    Err(Error::TooManyAssignments(input.case, TRIES))
}

impl AssignCase {
    /// Who has the case already.
    async fn agent_of(&self, input: &Input) -> Result<Option<String>, Error> {
        let answer = self
            .dynamodb
            .get_item()
            .table_name(&self.cases_table)
            .key("case_id", S(input.case.to_string()))
            .projection_expression("execution, agent_id")
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| ServiceError::new("GetItem", &error))?;
        let item = answer.item.unwrap_or_default();
        if text(&item, "execution") != Some(&input.execution) {
            return Err(Error::CaseNotFound(input.case.clone()));
        }
        Ok(text(&item, "agent_id").cloned())
    }

    /// How many open cases each agent in the table has.
    async fn open_cases(&self) -> Result<HashMap<String, u64>, Error> {
        let key = |agent: &Name| HashMap::from([("agent_id".to_owned(), S(agent.to_string()))]);
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(self.agents.iter().map(key).collect()))
            .projection_expression("agent_id, open_cases")
            .consistent_read(true)
            .build()
            .map_err(|error| not_built("BatchGetItem", &error))?;
        let answer = self
            .dynamodb
            .batch_get_item()
            .request_items(&self.agents_table, keys)
            .send()
            .await
            .map_err(|error| ServiceError::new("BatchGetItem", &error))?;
        if answer.unprocessed_keys.is_some_and(|keys| !keys.is_empty()) {
            return Err(busy("BatchGetItem", "some agents were not read").into());
        }
        let items = answer.responses.unwrap_or_default().remove(&self.agents_table).unwrap_or_default();
        Ok(items
            .iter()
            .filter_map(|item| Some((text(item, "agent_id")?.clone(), number(item, "open_cases")?)))
            .collect())
    }

    /// Assigns the case, where nobody else has it and the agent still has as many open cases. Tells whether it did.
    async fn assign(&self, input: &Input, agent: &Name, open: u64) -> Result<bool, Error> {
        let case = Update::builder()
            .table_name(&self.cases_table)
            .key("case_id", S(input.case.to_string()))
            .update_expression("SET agent_id = :agent, case_status = :assigned")
            .condition_expression("execution = :execution AND attribute_not_exists(agent_id)")
            .expression_attribute_values(":agent", S(agent.to_string()))
            .expression_attribute_values(":assigned", S("assigned".to_owned()))
            .expression_attribute_values(":execution", S(input.execution.clone()))
            .build();
        let count = Update::builder()
            .table_name(&self.agents_table)
            .key("agent_id", S(agent.to_string()))
            .update_expression("SET open_cases = :more")
            .condition_expression(if open == 0 {
                "attribute_not_exists(open_cases) OR open_cases = :open"
            } else {
                "open_cases = :open"
            })
            .expression_attribute_values(":open", N(open.to_string()))
            .expression_attribute_values(":more", N((open + 1).to_string()))
            .build();
        let built = |update: Result<Update, BuildError>| {
            let update = update.map_err(|error| not_built("TransactWriteItems", &error))?;
            Ok::<_, ServiceError>(TransactWriteItem::builder().update(update).build())
        };
        let request = self
            .dynamodb
            .transact_write_items()
            .transact_items(built(case)?)
            .transact_items(built(count)?)
            .client_request_token(request_token(input, agent, open));
        let Err(error) = request.send().await else { return Ok(true) };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                match what_cancelled(cancelled.cancellation_reasons()) {
                    Cancelled::ByOthers => Ok(false),
                    Cancelled::ByLoad => Err(busy("TransactWriteItems", "the tables have no capacity").into()),
                    Cancelled::Otherwise => Err(ServiceError::new("TransactWriteItems", &error).into()),
                }
            }
            _ => Err(ServiceError::new("TransactWriteItems", &error).into()),
        }
    }
}

/// The same assignment has the same token, in whatever process it is tried; no other one has it.
fn request_token(input: &Input, agent: &Name, open: u64) -> String {
    // As JSON, so that the parts can't run into each other. DynamoDB takes up to 36 characters.
    let assignment = serde_json::json!([input.execution, input.case.as_str(), agent.as_str(), open]).to_string();
    Sha256::digest(assignment).iter().take(16).fold(String::new(), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    })
}

/// Why a transaction was not carried out.
enum Cancelled {
    /// Another case was assigned to the agent, or is being assigned now; or this one was, by a call whose answer was lost.
    ByOthers,
    /// There were too many requests.
    ByLoad,
    Otherwise,
}

/// The codes of reasons that other assignments are.
const OTHERS: [&str; 2] = ["ConditionalCheckFailed", "TransactionConflict"];
/// Those that too many requests are.
const LOAD: [&str; 2] = ["ThrottlingError", "ProvisionedThroughputExceeded"];

fn what_cancelled(reasons: &[CancellationReason]) -> Cancelled {
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason.code()).filter(|code| *code != "None").collect();
    if codes.is_empty() || codes.iter().any(|code| !OTHERS.contains(code) && !LOAD.contains(code)) {
        Cancelled::Otherwise
    } else if codes.iter().any(|code| LOAD.contains(code)) {
        Cancelled::ByLoad
    } else {
        Cancelled::ByOthers
    }
}

fn busy(operation: &'static str, message: &str) -> ServiceError {
    ServiceError { kind: ServiceErrorKind::Throttled, operation, code: None, message: message.to_owned() }
}

fn not_built(operation: &'static str, error: &BuildError) -> ServiceError {
    ServiceError { kind: ServiceErrorKind::ServiceRejected, operation, code: None, message: error.to_string() }
}

fn text<'a>(item: &'a HashMap<String, AttributeValue>, name: &str) -> Option<&'a String> {
    item.get(name)?.as_s().ok()
}

fn number(item: &HashMap<String, AttributeValue>, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

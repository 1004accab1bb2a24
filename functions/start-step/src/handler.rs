//! The handler.

use std::time::Duration;

use aws_sdk_sfn::Client;
use function_kit::aws::SdkConfig;
use function_kit::{Environment, HttpRequest, HttpResponse, NamedError, SettingError, time_left};
use lambda_runtime::{Context, LambdaEvent};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::Error;
use crate::event::{Document, Event, Message};
use crate::http;
use crate::machine::{self, StateMachineArn};
use crate::work::Work;

/// What is kept of the function's time to report the messages of a batch for which there was none.
const TO_REPORT: Duration = Duration::from_millis(500);

/// What is made once, at the start of the process.
pub struct StartStep {
    sfn: Client,
    machine: StateMachineArn,
}

/// What the caller is told, in the form that it understands.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Output {
    /// To API Gateway: the answer to the request.
    Http(HttpResponse),
    /// To SQS: the messages that failed.
    #[serde(rename_all = "camelCase")]
    Batch {
        /// These messages are delivered again.
        batch_item_failures: Vec<BatchItemFailure>,
    },
    /// To all others: the executions.
    #[serde(rename_all = "camelCase")]
    Started {
        /// The ARN of each execution, started now or before.
        execution_arns: Vec<String>,
    },
}

/// A message that failed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// The id of the message.
    pub item_identifier: String,
}

impl StartStep {
    /// Reads the settings and makes the client.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        Ok(Self {
            sfn: Client::new(aws),
            machine: environment.value("STATE_MACHINE_ARN", "the ARN of a state machine")?,
        })
    }
}

/// Starts what the event asks for, once.
pub async fn handle(function: &StartStep, event: LambdaEvent<Value>) -> Result<Output, Error> {
    let trace = event.context.xray_trace_id.as_deref();
    match Event::recognise(event.payload)? {
        Event::Http(request) => Ok(Output::Http(function.answer(request, trace).await)),
        Event::Batch(messages) => {
            let batch_item_failures = function.failures_of(messages, &event.context).await;
            Ok(Output::Batch { batch_item_failures })
        }
        Event::Document(document) => {
            let work = Work::of_document(document, "document", &event.context.request_id);
            Ok(Output::Started { execution_arns: function.start_all(work, trace).await? })
        }
    }
}

impl StartStep {
    async fn answer(&self, request: HttpRequest, trace: Option<&str>) -> HttpResponse {
        let started = match http::work(request) {
            Ok(work) => self.start_for_request(work, trace).await,
            Err(error) => Err(error),
        };
        match started {
            Ok(execution_arn) => http::accepted(&execution_arn),
            Err(error) => {
                tracing::error!(error = error.name(), "{error}");
                http::failed(&error)
            }
        }
    }

    /// A key that was used for another input is a mistake of the caller, who would take that execution for its own. Where the
    /// earlier input is not known, the execution counts as the one that is asked for.
    async fn start_for_request(&self, work: Work, trace: Option<&str>) -> Result<String, Error> {
        let input = work.input.clone();
        let execution = machine::start(&self.sfn, &self.machine, work, trace).await?;
        if execution.is_earlier
            && let Some(earlier) = machine::input_of(&self.sfn, &execution.arn).await
            && !is_same_json(&earlier, &input)
        {
            return Err(Error::KeyReused);
        }
        Ok(execution.arn)
    }

    /// What is not started when the time is up has failed: were the function ended, SQS would deliver the whole batch again.
    async fn failures_of(&self, messages: Vec<Message>, context: &Context) -> Vec<BatchItemFailure> {
        let end = Instant::now() + time_left(context).saturating_sub(TO_REPORT);
        let mut failures = Vec::new();
        for Message { message_id, body } in messages {
            let start = self.start_message(&message_id, &body, context.xray_trace_id.as_deref());
            match timeout_at(end, start).await {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => tracing::error!(message_id, error = error.name(), "{error}"),
                Err(_) => tracing::error!(message_id, "there was no time to start it"),
            }
            failures.push(BatchItemFailure { item_identifier: message_id });
        }
        failures
    }

    async fn start_message(&self, id: &str, body: &str, trace: Option<&str>) -> Result<(), Error> {
        let body = serde_json::from_str(body)
            .map_err(|reason| Error::NotJson { what: "body of the message", reason: reason.to_string() })?;
        let work = Work::of_document(Document::recognise(body)?, "message", id);
        self.start_all(work, trace).await.map(drop)
    }

    /// Starts all that can be started, so that one bad record does not hold up the others. Then tells the first error.
    async fn start_all(&self, work: Vec<Result<Work, Error>>, trace: Option<&str>) -> Result<Vec<String>, Error> {
        let mut results = Vec::new();
        for work in work {
            results.push(match work {
                Ok(work) => self.start(work, trace).await,
                Err(error) => Err(error),
            });
        }
        results.into_iter().collect()
    }

    async fn start(&self, work: Work, trace: Option<&str>) -> Result<String, Error> {
        Ok(machine::start(&self.sfn, &self.machine, work, trace).await?.arn)
    }
}

/// Whether two texts are the same JSON document, however it is written.
fn is_same_json(one: &str, other: &str) -> bool {
    let read = |text| serde_json::from_str::<Value>(text).ok();
    one == other || read(one).is_some_and(|one| read(other) == Some(one))
}

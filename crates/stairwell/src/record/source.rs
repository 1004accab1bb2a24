//! Reads an execution from Step Functions, in an account or in the local cloud.

use std::sync::{Arc, Mutex, PoisonError};

use asl::Value;
use aws_config::{BehaviorVersion, Region, retry::RetryConfig};
use aws_sdk_sfn::{
    Client,
    config::{ConfigBag, Credentials, Intercept, RuntimeComponents},
    error::{ProvideErrorMetadata, SdkError},
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{context::AfterDeserializationInterceptorContextRef, dyn_dispatch_hint},
        orchestrator::HttpResponse,
    },
};

use super::{RecordError, arn::ExecutionArn};

/// How often a call is made that the service throttles, or that fails on the way.
const ATTEMPTS: u32 = 6;

/// Who is asked where no address is named.
pub(super) const AWS: &str = "AWS";

/// What Step Functions tells of an execution: the JSON of its answers as it wrote them.
#[derive(Debug)]
pub(super) struct Told {
    /// `DescribeExecution`
    pub(super) execution: Value,
    /// `DescribeStateMachineForExecution`
    pub(super) machine: Value,
    /// The events of all pages of `GetExecutionHistory`.
    pub(super) events: Vec<Value>,
}

/// Asks for an execution. One in the local account is asked for at `local_port`, unless there is an `endpoint_url`.
pub(super) async fn read(
    arn: &ExecutionArn<'_>,
    endpoint_url: Option<&str>,
    local_port: u16,
) -> Result<Told, RecordError> {
    let local = format!("http://127.0.0.1:{local_port}");
    let endpoint_url = endpoint_url.or(arn.is_local().then_some(&*local));
    if let Some(url) = endpoint_url.filter(|_| !arn.is_local()) {
        crate::tell!("Asking {url}, which --endpoint-url or AWS_ENDPOINT_URL names; without them AWS is asked");
    }
    let client = client(arn, endpoint_url).await;
    let body = Body { endpoint: endpoint_url.unwrap_or(AWS).into(), bytes: Arc::default() };
    let request = client.describe_execution().execution_arn(arn.text);
    let answer = request.customize().interceptor(body.clone()).send().await;
    let execution = body.of("DescribeExecution", answer)?;
    match execution.get("status").and_then(Value::as_str) {
        Some("RUNNING" | "PENDING_REDRIVE") => return Err(RecordError::Running),
        _ if execution.get("redriveCount").and_then(Value::as_i64) > Some(0) => return Err(RecordError::Redriven),
        _ => {}
    }
    let request = client.describe_state_machine_for_execution().execution_arn(arn.text);
    let answer = request.customize().interceptor(body.clone()).send().await;
    let machine = body.of("DescribeStateMachineForExecution", answer)?;
    let events = history(&client, arn, &body).await?;
    Ok(Told { execution, machine, events })
}

async fn history(client: &Client, arn: &ExecutionArn<'_>, body: &Body) -> Result<Vec<Value>, RecordError> {
    const OPERATION: &str = "GetExecutionHistory";
    /// The most that the service gives at a time.
    const PAGE: i32 = 1000;
    let (mut events, mut next) = (Vec::new(), None);
    loop {
        let request = client.get_execution_history().execution_arn(arn.text).include_execution_data(true);
        let request = request.max_results(PAGE).set_next_token(next);
        let answer = request.customize().interceptor(body.clone()).send().await;
        let page = body.of(OPERATION, answer)?;
        let some = page.get("events").and_then(Value::as_array);
        let some = some.ok_or(RecordError::Lacks { operation: OPERATION, field: "events" })?;
        events.extend(some.iter().cloned());
        next = page.get("nextToken").and_then(Value::as_str).map(str::to_owned);
        if next.is_none() {
            return Ok(events);
        }
    }
}

/// The local cloud takes any credentials, and is never shown real ones.
async fn client(arn: &ExecutionArn<'_>, endpoint_url: Option<&str>) -> Client {
    let region = Region::new(arn.region.to_owned());
    if let Some(url) = endpoint_url.filter(|_| arn.is_local()) {
        let config = aws_sdk_sfn::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region)
            .credentials_provider(Credentials::new("local", "local", None, None, "local"))
            .endpoint_url(url);
        return Client::from_conf(config.build());
    }
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
    let mut config = aws_config::defaults(BehaviorVersion::latest()).region(region).retry_config(retries);
    if let Some(url) = endpoint_url {
        config = config.endpoint_url(url);
    }
    Client::new(&config.load().await)
}

/// Keeps the body of the last answer: the client's own types would lose what they don't know.
#[derive(Clone, Debug)]
struct Body {
    /// Who is asked.
    endpoint: Arc<str>,
    bytes: Arc<Mutex<Vec<u8>>>,
}

#[dyn_dispatch_hint]
impl Intercept for Body {
    fn name(&self) -> &'static str {
        "Body"
    }

    // Before the answer is deserialized its body is not in memory yet.
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let bytes = context.response().body().bytes().ok_or("the answer's body is not in memory")?;
        *self.bytes.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
        Ok(())
    }
}

impl Body {
    /// The JSON of an operation's answer.
    fn of<T, E>(
        &self,
        operation: &'static str,
        answer: Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<Value, RecordError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        match answer {
            Ok(_) => {
                let body = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
                serde_json::from_slice(&body).map_err(|source| RecordError::NotJson { what: operation.into(), source })
            }
            Err(SdkError::ServiceError(error)) => Err(RecordError::Refused {
                endpoint: self.endpoint.clone(),
                operation,
                code: error.err().code().unwrap_or("an error without a name").to_owned(),
                message: match error.err().message() {
                    Some(message) => message.to_owned(),
                    None => format!("the status is {}", error.raw().status()),
                },
            }),
            Err(error) => {
                let endpoint = self.endpoint.clone();
                Err(RecordError::Unanswered { endpoint, operation, source: Box::new(error) })
            }
        }
    }
}

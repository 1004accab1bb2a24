//! One invocation: typed input, the handler within its time, and a log line of what went wrong. What was done, the handler
//! knows best.

use std::time::{Duration, SystemTime};

use lambda_runtime::{Context, LambdaEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;
use tracing::Instrument;

use crate::{Failure, INVALID_INPUT, NamedError, ServiceErrorKind};

/// What is kept of the function's time to tell Lambda that it was not enough.
const TO_ANSWER: Duration = Duration::from_millis(500);

/// How long the handler may go on. Then the invocation fails, half a second before Lambda would end the function.
pub fn time_left(context: &Context) -> Duration {
    context.deadline().duration_since(SystemTime::now()).unwrap_or_default().saturating_sub(TO_ANSWER)
}

/// Runs the handler in a span with the request and, where the payload's `execution` names it, the execution.
pub(crate) async fn run<State, Input, Output, Error>(
    state: &State,
    handler: &impl AsyncFn(&State, LambdaEvent<Input>) -> Result<Output, Error>,
    event: LambdaEvent<Value>,
) -> Result<Output, Failure>
where
    Input: DeserializeOwned,
    Output: Serialize,
    Error: NamedError,
{
    let execution = event.payload.get("execution").and_then(Value::as_str);
    let span = tracing::info_span!(
        "invocation",
        request_id = event.context.request_id,
        execution,
        trace_id = event.context.xray_trace_id,
    );
    let time = time_left(&event.context);
    let invocation = async {
        let result = match typed(event) {
            // On the heap: the futures of AWS calls take tens of kilobytes.
            Ok(event) => match timeout(time, Box::pin(handler(state, event))).await {
                Ok(result) => result.map_err(Failure::from),
                Err(_) => Err(out_of_time()),
            },
            Err(failure) => Err(failure),
        };
        if let Err(failure) = &result {
            tracing::error!(error = failure.name, "{}", failure.message);
        }
        result
    };
    invocation.instrument(span).await
}

/// A function computes little: what takes its time is a service, in several calls of which none took too long by itself.
fn out_of_time() -> Failure {
    let message = "the calls of the function took longer in all than its time-out allows".to_owned();
    Failure { name: ServiceErrorKind::ServiceUnavailable.name(), message }
}

fn typed<Input: DeserializeOwned>(event: LambdaEvent<Value>) -> Result<LambdaEvent<Input>, Failure> {
    match serde_path_to_error::deserialize(event.payload) {
        Ok(payload) => Ok(LambdaEvent::new(payload, event.context)),
        Err(error) => Err(Failure { name: INVALID_INPUT, message: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_runtime::Diagnostic;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Deserialize)]
    #[serde(expecting = "a JSON object")]
    struct Input {
        level: String,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("no level {0}")]
    struct NoSuchLevel(String);

    impl NamedError for NoSuchLevel {
        fn name(&self) -> &'static str {
            "NoSuchLevel"
        }
    }

    /// The context of an invocation that has this much time.
    fn context(time: Duration) -> Context {
        let end = (SystemTime::now() + time).duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let mut context = Context::default();
        context.deadline = u64::try_from(end.as_millis()).unwrap();
        context
    }

    async fn invoke(payload: Value) -> Result<usize, Diagnostic> {
        let handler = async |levels: &[&str; 2], event: LambdaEvent<Input>| {
            let level = event.payload.level;
            levels.iter().position(|known| **known == level).ok_or(NoSuchLevel(level))
        };
        let event = LambdaEvent::new(payload, context(Duration::from_mins(1)));
        run(&["1", "2"], &handler, event).await.map_err(Diagnostic::from)
    }

    #[tokio::test]
    async fn the_handler_gets_typed_input() {
        assert_eq!(invoke(json!({"level": "2", "execution": "arn"})).await, Ok(1));
    }

    #[tokio::test]
    async fn an_error_keeps_its_name() {
        let failure = invoke(json!({"level": "3"})).await.unwrap_err();
        assert_eq!(failure.error_type, "NoSuchLevel");
        assert_eq!(failure.error_message, "no level 3");
    }

    #[tokio::test]
    async fn input_of_another_shape_is_invalid_and_names_the_field() {
        for payload in [json!({}), json!({"level": 3}), json!([]), json!(null)] {
            let failure = invoke(payload.clone()).await.unwrap_err();
            assert_eq!(failure.error_type, INVALID_INPUT, "{payload}");
        }
        let failure = invoke(json!({"level": 3})).await.unwrap_err();
        assert_eq!(failure.error_message, "level: invalid type: integer `3`, expected a string");
        let failure = invoke(json!(null)).await.unwrap_err();
        assert_eq!(failure.error_message, "invalid type: null, expected a JSON object");
    }

    #[tokio::test]
    async fn a_handler_that_does_not_end_fails_before_lambda_ends_it() {
        let handler = async |(): &(), _: LambdaEvent<Value>| std::future::pending::<Result<(), NoSuchLevel>>().await;
        // Used up already, all but, and some milliseconds more than what is kept to answer.
        for time in [Duration::ZERO, TO_ANSWER, TO_ANSWER + Duration::from_millis(20)] {
            let event = LambdaEvent::new(json!({}), context(time));
            let failure = run(&(), &handler, event).await.unwrap_err();
            assert_eq!(failure.name, "ServiceUnavailable", "{time:?}");
        }
    }
}

//! One invocation: typed input, the handler, and a log line of how it went.

use lambda_runtime::LambdaEvent;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::Instrument;

use crate::{Failure, INVALID_INPUT, NamedError};

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
    let invocation = async {
        let result = match typed(event) {
            // On the heap: the futures of AWS calls take tens of kilobytes.
            Ok(event) => Box::pin(handler(state, event)).await.map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        match &result {
            Ok(_) => tracing::info!("done"),
            Err(failure) => tracing::error!(error = failure.name, "{}", failure.message),
        }
        result
    };
    invocation.instrument(span).await
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
    use lambda_runtime::{Context, Diagnostic};
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Deserialize)]
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

    async fn invoke(payload: Value) -> Result<usize, Diagnostic> {
        let handler = async |levels: &[&str; 2], event: LambdaEvent<Input>| {
            let level = event.payload.level;
            levels.iter().position(|known| **known == level).ok_or(NoSuchLevel(level))
        };
        let event = LambdaEvent::new(payload, Context::default());
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
    }
}

//! Invocations without Lambda.

use lambda_runtime::{Context, LambdaEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Failure, NamedError, invocation};

/// The request id of an invocation by [`invoke`].
const REQUEST_ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

/// Invokes a handler as [`start_up`](crate::start_up) does: from the payload as JSON to the result as JSON, or to the name
/// and message of the error.
///
/// # Panics
///
/// When the output does not serialise.
pub async fn invoke<State, Input, Output, Error>(
    state: &State,
    handler: impl AsyncFn(&State, LambdaEvent<Input>) -> Result<Output, Error>,
    payload: Value,
) -> Result<Value, Failure>
where
    Input: DeserializeOwned,
    Output: Serialize,
    Error: NamedError,
{
    let mut context = Context::default();
    REQUEST_ID.clone_into(&mut context.request_id);
    let output = invocation::run(state, &handler, LambdaEvent::new(payload, context)).await?;
    Ok(serde_json::to_value(output).expect("output that serialises"))
}

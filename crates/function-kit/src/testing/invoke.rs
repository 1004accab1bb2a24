//! Invocations without Lambda.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::{Context, LambdaEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Failure, NamedError, invocation};

/// The request id of an invocation by [`invoke`].
const REQUEST_ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

/// As long as Lambda lets a function run at most.
const LONGEST: Duration = Duration::from_mins(15);

/// Invokes a handler as [`start_up`](crate::start_up) does: from the payload as JSON to the result as JSON, or to the name
/// and message of the error. It has 15 minutes.
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
    invoke_within(LONGEST, state, handler, payload).await
}

/// The same, of a function with this time-out.
///
/// # Panics
///
/// When the output does not serialise, or the clock is before 1970.
pub async fn invoke_within<State, Input, Output, Error>(
    time: Duration,
    state: &State,
    handler: impl AsyncFn(&State, LambdaEvent<Input>) -> Result<Output, Error>,
    payload: Value,
) -> Result<Value, Failure>
where
    Input: DeserializeOwned,
    Output: Serialize,
    Error: NamedError,
{
    let end = (SystemTime::now() + time).duration_since(UNIX_EPOCH).expect("a clock after 1970");
    let mut context = Context::default();
    REQUEST_ID.clone_into(&mut context.request_id);
    context.deadline = u64::try_from(end.as_millis()).expect("a time of this age");
    let output = invocation::run(state, &handler, LambdaEvent::new(payload, context)).await?;
    Ok(serde_json::to_value(output).expect("output that serialises"))
}

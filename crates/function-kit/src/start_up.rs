//! From the start of the process to its invocations.

use std::process::ExitCode;

use aws_config::SdkConfig;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Environment, NamedError, SettingError, aws, invocation, logs};

#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error("the asynchronous runtime does not start: {0}")]
    Tokio(#[from] std::io::Error),
    #[error("the Lambda Runtime API does not answer: {0}")]
    Lambda(#[from] lambda_runtime::Error),
}

/// Runs a Lambda function until its process is ended.
///
/// Logs go to stdout as JSON. `new` makes the function's state once, from its settings and the AWS configuration; each
/// invocation gets the state and the event. What fails before the first invocation is logged, and the process exits
/// with a failure.
///
/// A payload that the input type does not take fails with the error [`INVALID_INPUT`](crate::INVALID_INPUT), naming the
/// field. A handler that has no result half a second before Lambda's time-out is dropped where it waits, and the invocation
/// fails with the error `ServiceUnavailable`: a state machine can tell that from a fault, and try again.
///
/// One thread runs the function: Lambda gives a process one invocation at a time, and a share of a processor.
#[expect(clippy::needless_pass_by_value, reason = "`main` gives a function's name")]
pub fn start_up<State, Input, Output, Error>(
    new: impl FnOnce(&Environment, &SdkConfig) -> Result<State, SettingError>,
    handler: impl AsyncFn(&State, LambdaEvent<Input>) -> Result<Output, Error>,
) -> ExitCode
where
    Input: DeserializeOwned,
    Output: Serialize,
    Error: NamedError,
{
    let environment = Environment::of_process();
    match run(&environment, new, &handler) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the function does not start: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run<State, Input, Output, Error>(
    environment: &Environment,
    new: impl FnOnce(&Environment, &SdkConfig) -> Result<State, SettingError>,
    handler: &impl AsyncFn(&State, LambdaEvent<Input>) -> Result<Output, Error>,
) -> Result<(), StartError>
where
    Input: DeserializeOwned,
    Output: Serialize,
    Error: NamedError,
{
    logs::init(environment)?;
    check_lambda(environment)?;
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio.block_on(async {
        let state = new(environment, &aws::load_config().await)?;
        let service = service_fn(|event| invocation::run(&state, handler, event));
        Ok(Runtime::new(service).run().await?)
    })
}

/// The Lambda runtime panics where one of these is missing.
fn check_lambda(environment: &Environment) -> Result<(), SettingError> {
    environment.text("AWS_LAMBDA_RUNTIME_API", "the host and port of the Lambda Runtime API")?;
    environment.text("AWS_LAMBDA_FUNCTION_NAME", "the name of the function, as Lambda sets it")?;
    environment.text("AWS_LAMBDA_FUNCTION_VERSION", "the version, as Lambda sets it")?;
    environment.value::<i32>("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "the function's memory in MB, as Lambda sets it")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lambda_sets_is_asked_for_by_name() {
        let error = check_lambda(&Environment::default()).unwrap_err();
        assert!(error.to_string().contains("AWS_LAMBDA_RUNTIME_API"), "{error}");

        let mut variables = vec![
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
            ("AWS_LAMBDA_FUNCTION_NAME", "check-size"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ];
        variables.push(("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"));
        assert_eq!(check_lambda(&Environment::of(variables)), Ok(()));
    }
}

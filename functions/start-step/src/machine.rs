//! The state machine.

use std::fmt;
use std::str::FromStr;

use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use function_kit::{NamedError, ServiceError, ServiceErrorKind};

use crate::work::Work;

/// The ARN of a state machine, or of a version or an alias of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateMachineArn {
    text: String,
    /// `arn:<partition>:states:<region>:<account>`.
    account: String,
    name: String,
}

/// A text that is no ARN of a state machine.
#[derive(Debug, thiserror::Error)]
#[error("it is {0:?}")]
pub(crate) struct NotAStateMachineArn(String);

impl StateMachineArn {
    /// The ARN of the execution of this name.
    fn execution(&self, name: &str) -> String {
        format!("{}:execution:{}:{name}", self.account, self.name)
    }
}

impl FromStr for StateMachineArn {
    type Err = NotAStateMachineArn;

    fn from_str(text: &str) -> Result<Self, NotAStateMachineArn> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["arn", partition, "states", region, account, "stateMachine", name, ..]
                if !name.is_empty() && parts.len() <= 8 =>
            {
                Ok(Self {
                    text: text.to_owned(),
                    account: format!("arn:{partition}:states:{region}:{account}"),
                    name: (*name).to_owned(),
                })
            }
            _ => Err(NotAStateMachineArn(text.to_owned())),
        }
    }
}

impl fmt::Display for StateMachineArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An execution that an event asks for.
pub(crate) struct Execution {
    pub(crate) arn: String,
    /// Whether it has its name from an earlier event, whose input may be another one.
    pub(crate) is_earlier: bool,
}

/// Starts an execution, or finds that it was started before.
pub(crate) async fn start(
    sfn: &Client,
    machine: &StateMachineArn,
    work: Work,
    trace: Option<&str>,
) -> Result<Execution, ServiceError> {
    let request = sfn
        .start_execution()
        .state_machine_arn(machine.to_string())
        .name(&work.name)
        .input(work.input)
        .set_trace_header(trace.map(str::to_owned));
    let error = match request.send().await {
        Ok(started) => {
            tracing::info!(execution = started.execution_arn, "started");
            return Ok(Execution { arn: started.execution_arn, is_earlier: false });
        }
        Err(error) => error,
    };
    let kind = match error.as_service_error() {
        Some(StartExecutionError::ExecutionAlreadyExists(_)) => {
            let arn = machine.execution(&work.name);
            tracing::info!(execution = arn, "started before");
            return Ok(Execution { arn, is_earlier: true });
        }
        Some(StartExecutionError::StateMachineDeleting(_)) => Some(ServiceErrorKind::StateMachineNotFound),
        Some(StartExecutionError::ExecutionLimitExceeded(_)) => Some(ServiceErrorKind::Throttled),
        _ => None,
    };
    let error = ServiceError::new("StartExecution", &error);
    Err(ServiceError { kind: kind.unwrap_or(error.kind), ..error })
}

/// The input that an execution was started with; none where it can't be asked for.
pub(crate) async fn input_of(sfn: &Client, execution_arn: &str) -> Option<String> {
    match sfn.describe_execution().execution_arn(execution_arn).send().await {
        Ok(described) => described.input,
        Err(error) => {
            let error = ServiceError::new("DescribeExecution", &error);
            tracing::warn!(execution = execution_arn, error = error.name(), "its input is not known: {error}");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_of_an_execution_follows_from_the_machine_and_the_name() {
        for machine in ["Files", "Files:7", "Files:live"] {
            let text = format!("arn:aws-cn:states:cn-north-1:111122223333:stateMachine:{machine}");
            let arn: StateMachineArn = text.parse().unwrap();
            assert_eq!(arn.to_string(), text);
            assert_eq!(arn.execution("file-1"), "arn:aws-cn:states:cn-north-1:111122223333:execution:Files:file-1");
        }
    }

    #[test]
    fn other_text_is_no_arn_of_a_state_machine() {
        for text in [
            "",
            "Files",
            "arn:aws:states:eu-central-1:111122223333:stateMachine:",
            "arn:aws:states:eu-central-1:111122223333:execution:Files:1",
            "arn:aws:states:eu-central-1:111122223333:stateMachine:Files:1:2",
            "arn:aws:lambda:eu-central-1:111122223333:function:files",
        ] {
            assert!(text.parse::<StateMachineArn>().is_err(), "{text}");
        }
    }
}

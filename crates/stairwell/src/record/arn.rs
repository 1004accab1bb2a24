//! The ARN of an execution.

use super::RecordError;

/// `arn:aws:states:us-east-1:111122223333:execution:Machine:name`, in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ExecutionArn<'a> {
    /// The whole.
    pub(super) text: &'a str,
    /// The region where the execution is.
    pub(super) region: &'a str,
    /// The account that it belongs to.
    pub(super) account: &'a str,
    /// The name of its state machine.
    pub(super) machine: &'a str,
    /// The execution's name.
    pub(super) name: &'a str,
}

impl<'a> ExecutionArn<'a> {
    /// Reads the ARN of an execution that can be recorded, as far as an ARN says that.
    pub(super) fn parse(text: &'a str) -> Result<Self, RecordError> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["arn", _, "states", _, _, "express", ..] => Err(RecordError::Express),
            ["arn", _, "states", _, _, "execution", machine, _] if machine.contains('/') => Err(RecordError::Child),
            ["arn", _, "states", region, account, "execution", machine, name] => {
                Ok(Self { text, region, account, machine, name })
            }
            _ => Err(RecordError::NoExecution(text.to_owned())),
        }
    }

    /// Whether the execution is one of the local cloud.
    pub(super) fn is_local(&self) -> bool {
        self.account == sam::ACCOUNT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_says_whether_its_execution_can_be_recorded() {
        let local = "arn:aws:states:us-east-1:000000000000:execution:Machine:name";
        let arn = ExecutionArn::parse(local).unwrap();
        assert_eq!((arn.region, arn.name, arn.is_local()), ("us-east-1", "name", true));
        let china = ExecutionArn::parse("arn:aws-cn:states:cn-north-1:111122223333:execution:Machine:name").unwrap();
        assert_eq!((china.region, china.is_local()), ("cn-north-1", false));
        let refused = [
            ("arn:aws:states:us-east-1:111122223333:express:Machine:name:id", "Express"),
            ("arn:aws:states:us-east-1:111122223333:execution:Machine/Label:name", "Map Run"),
            ("arn:aws:states:us-east-1:111122223333:stateMachine:Machine", "is no ARN of an execution"),
            ("name", "is no ARN of an execution"),
        ];
        for (text, why) in refused {
            let error = ExecutionArn::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}

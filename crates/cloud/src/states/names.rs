//! Names and ARNs that clients give.

use super::ApiError;

/// The longest name of an execution, in characters.
const MAX_NAME: usize = 80;

/// Checks the name of an execution: 1 to 80 characters, no blanks, brackets, wildcards, quotes or control characters.
pub(super) fn check(name: &str) -> Result<&str, ApiError> {
    let forbidden = |c: char| c.is_control() || c.is_whitespace() || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(c);
    if name.is_empty() || name.chars().count() > MAX_NAME || name.contains(forbidden) {
        return Err(ApiError::new("InvalidName", format!("Invalid Name: '{name}'")));
    }
    Ok(name)
}

/// Checks that an ARN is one of an execution.
pub(super) fn execution_arn(arn: &str) -> Result<(), ApiError> {
    resource(arn).and_then(|resource| match resource.split(':').next() {
        Some("execution") => Ok(()),
        Some(other) => Err(ApiError::invalid_arn(format!("Resource type not valid in this context: {other}"))),
        None => Err(ApiError::invalid_arn(arn)),
    })
}

/// Checks that an ARN is one of a state machine.
pub(super) fn state_machine_arn(arn: &str) -> Result<(), ApiError> {
    resource(arn).and_then(|resource| match resource.split(':').next() {
        Some("stateMachine") => Ok(()),
        Some(other) => Err(ApiError::invalid_arn(format!("Resource type not valid in this context: {other}"))),
        None => Err(ApiError::invalid_arn(arn)),
    })
}

/// What follows `arn:<partition>:states:<region>:<account>:`.
fn resource(arn: &str) -> Result<&str, ApiError> {
    match arn.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "states", _, _, resource] => Ok(resource),
        _ => Err(ApiError::invalid_arn(format!("Invalid ARN prefix: {arn}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_held_to_the_services_rules() {
        for (name, valid) in [
            ("order-1_2.x+y@z=(a)'!", true),
            (&"x".repeat(80), true),
            (&"x".repeat(81), false),
            ("", false),
            ("a b", false),
            ("a/b", false),
            ("a:b", false),
            ("a\u{7f}", false),
        ] {
            assert_eq!(check(name).is_ok(), valid, "{name}");
        }
    }

    #[test]
    fn arns_must_be_of_the_right_kind() {
        let execution = "arn:aws:states:us-east-1:000000000000:execution:M:e";
        assert_eq!(execution_arn(execution), Ok(()));
        assert_eq!(
            state_machine_arn(execution).unwrap_err().message,
            "Invalid Arn: 'Resource type not valid in this context: execution'"
        );
        assert_eq!(execution_arn("nothing").unwrap_err().message, "Invalid Arn: 'Invalid ARN prefix: nothing'");
    }
}

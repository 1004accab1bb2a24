//! ARNs that clients give.

use std::fmt;

use super::ApiError;

/// The ARN of a state machine, maybe of one of its versions or aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StateMachineArn<'a> {
    /// The state machine's own ARN.
    pub(super) machine: &'a str,
    /// What comes after it.
    pub(super) qualifier: Option<Qualifier<'a>>,
}

/// What comes after the ARN of a state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Qualifier<'a> {
    /// The number of a version.
    Version(u64),
    /// The name of an alias.
    Alias(&'a str),
    /// The label of a Map state.
    Label(&'a str),
}

/// What an ARN names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource<'a> {
    StateMachine(StateMachineArn<'a>),
    Execution,
    MapRun,
    Activity,
}

/// Whose resources ARNs name.
#[derive(Clone, Debug)]
pub(super) struct Namespace {
    pub(super) region: String,
    pub(super) account: String,
}

impl Namespace {
    /// The ARN of a resource: `stateMachine`, `activity`.
    pub(super) fn arn(&self, kind: &str, name: &str) -> String {
        format!("arn:aws:states:{}:{}:{kind}:{name}", self.region, self.account)
    }
}

/// `…:7`, `…:LIVE`, `…/label`: as it stands after the machine's own ARN.
impl fmt::Display for Qualifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(number) => write!(f, ":{number}"),
            Self::Alias(name) => write!(f, ":{name}"),
            Self::Label(label) => write!(f, "/{label}"),
        }
    }
}

/// Reads the ARN of a state machine, a version or an alias.
pub(super) fn state_machine(arn: &str) -> Result<StateMachineArn<'_>, ApiError> {
    match resource(arn)? {
        (_, Resource::StateMachine(machine)) => Ok(machine),
        (kind, _) => Err(wrong_kind(kind)),
    }
}

/// Checks that an ARN is one of an execution.
pub(super) fn execution(arn: &str) -> Result<(), ApiError> {
    match resource(arn)? {
        (_, Resource::Execution) => Ok(()),
        (kind, _) => Err(wrong_kind(kind)),
    }
}

/// Checks that an ARN is one of an execution that no Map Run has started.
pub(super) fn execution_of_machine(arn: &str) -> Result<(), ApiError> {
    execution(arn)?;
    // A machine's name has no slash: what comes after one is the label of a Map state.
    if arn.contains('/') {
        return Err(ApiError::validation("Labeled Execution ARNs are not supported for this API"));
    }
    Ok(())
}

/// Reads the ARN of a Map Run: what stands for the Map state's processor among the ARNs of state machines.
pub(super) fn map_run(arn: &str) -> Result<String, ApiError> {
    match resource(arn)? {
        (_, Resource::MapRun) => {
            let (state, _) = arn.rsplit_once(':').ok_or_else(|| invalid(arn))?;
            Ok(state.replacen(":mapRun:", ":stateMachine:", 1))
        }
        (kind, _) => Err(wrong_kind(kind)),
    }
}

/// Checks that an ARN is one of an activity.
pub(super) fn activity(arn: &str) -> Result<(), ApiError> {
    match resource(arn)? {
        (_, Resource::Activity) => Ok(()),
        (kind, _) => Err(wrong_kind(kind)),
    }
}

/// Reads the ARN of something that can have tags.
pub(super) fn tagged(arn: &str) -> Result<Resource<'_>, ApiError> {
    match resource(arn)? {
        (kind, Resource::Execution | Resource::MapRun) => Err(wrong_kind(kind)),
        (_, resource) => Ok(resource),
    }
}

/// Checks that an ARN can be one of a role.
pub(super) fn role(arn: &str) -> Result<(), ApiError> {
    if arn.starts_with("arn:") && arn.splitn(6, ':').count() == 6 { Ok(()) } else { Err(no_arn(arn)) }
}

/// The kind of resource that an ARN names, as it says it, and the resource.
fn resource(arn: &str) -> Result<(&str, Resource<'_>), ApiError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "states", _, _, resource] = parts[..] else { return Err(no_arn(arn)) };
    let Some((kind, name)) = resource.split_once(':').filter(|(_, name)| !name.is_empty()) else {
        return Err(wrong_kind(resource));
    };
    let found = match kind {
        "stateMachine" => {
            let end = arn.len() - name.len() + name.find([':', '/']).unwrap_or(name.len());
            let (machine, rest) = arn.split_at(end);
            let qualifier = (!rest.is_empty()).then(|| qualifier(rest).ok_or_else(|| invalid(arn))).transpose()?;
            Resource::StateMachine(StateMachineArn { machine, qualifier })
        }
        "execution" => Resource::Execution,
        "mapRun" => Resource::MapRun,
        "activity" => Resource::Activity,
        other => return Err(wrong_kind(other)),
    };
    Ok((kind, found))
}

/// What stands after a machine's ARN, where that can be.
fn qualifier(rest: &str) -> Option<Qualifier<'_>> {
    let name = rest.get(1..).filter(|name| !name.is_empty() && !name.contains([':', '/']))?;
    if rest.starts_with('/') {
        Some(Qualifier::Label(name))
    } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
        name.parse().ok().map(Qualifier::Version)
    } else {
        Some(Qualifier::Alias(name))
    }
}

fn invalid(what: &str) -> ApiError {
    ApiError::new("InvalidArn", format!("Invalid Arn: '{what}'"))
}

fn no_arn(arn: &str) -> ApiError {
    invalid(&format!("Invalid ARN prefix: {arn}"))
}

fn wrong_kind(kind: &str) -> ApiError {
    invalid(&format!("Resource type not valid in this context: {kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:M";

    #[test]
    fn the_arn_of_a_machine_may_name_a_version_an_alias_or_a_label() {
        for (rest, qualifier) in [
            ("", None),
            (":12", Some(Qualifier::Version(12))),
            (":LIVE", Some(Qualifier::Alias("LIVE"))),
            ("/map", Some(Qualifier::Label("map"))),
        ] {
            let arn = format!("{MACHINE}{rest}");
            assert_eq!(state_machine(&arn), Ok(StateMachineArn { machine: MACHINE, qualifier }), "{arn}");
            assert_eq!(qualifier.map(|qualifier| qualifier.to_string()).unwrap_or_default(), rest);
        }
        for rest in [":", ":1:2", "/", "/a:1", ":99999999999999999999"] {
            assert!(state_machine(&format!("{MACHINE}{rest}")).is_err(), "{rest}");
        }
    }

    #[test]
    fn arns_must_be_of_the_right_kind() {
        let of_execution = "arn:aws:states:us-east-1:000000000000:execution:M:e";
        let of_express = "arn:aws:states:us-east-1:000000000000:express:M:e:1";
        assert_eq!(execution(of_execution), Ok(()));
        for (result, said) in [
            (state_machine(of_execution).map(|_| ()), "Resource type not valid in this context: execution"),
            (execution(MACHINE), "Resource type not valid in this context: stateMachine"),
            (execution(of_express), "Resource type not valid in this context: express"),
            (activity(MACHINE), "Resource type not valid in this context: stateMachine"),
            (execution("nothing"), "Invalid ARN prefix: nothing"),
            (role("nothing"), "Invalid ARN prefix: nothing"),
        ] {
            let error = result.unwrap_err();
            assert_eq!((error.code, error.message), ("InvalidArn", format!("Invalid Arn: '{said}'")));
        }
        assert_eq!(role("arn:aws:iam::000000000000:role/r"), Ok(()));
    }
}

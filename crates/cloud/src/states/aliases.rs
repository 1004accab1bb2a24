//! Aliases: names that lead to one or two versions of a state machine.

use std::sync::Arc;

use asl::{Value, value::Object};
use engine::history::epoch_seconds;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    ApiError,
    arn::{self, Qualifier, StateMachineArn},
    machines::{Kept, Machines, Target, not_found},
};

/// How many aliases a machine can have.
const MAX_ALIASES: usize = 100;

/// What the weights of an alias's routes are together.
const ALL: u64 = 100;

/// A name for versions of a state machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Alias {
    pub(super) name: Arc<str>,
    description: Option<String>,
    routes: Vec<Route>,
    pub(super) created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

/// A version with the share of executions that it gets, in percent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Route {
    version: u64,
    weight: u64,
}

/// An element of `routingConfiguration`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoutingConfiguration {
    state_machine_version_arn: String,
    weight: u64,
}

/// An alias that is to be created.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewAlias {
    name: String,
    description: Option<String>,
    routing_configuration: Vec<RoutingConfiguration>,
}

/// What is to be changed of an alias.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AliasChange {
    state_machine_alias_arn: String,
    description: Option<String>,
    routing_configuration: Option<Vec<RoutingConfiguration>>,
}

impl Alias {
    pub(super) fn leads_to(&self, version: u64) -> bool {
        self.routes.iter().any(|route| route.version == version)
    }

    /// The version that gets the execution which a number below 100 stands for.
    fn version(&self, mut number: u64) -> Option<u64> {
        for route in &self.routes {
            match number.checked_sub(route.weight) {
                None => return Some(route.version),
                Some(rest) => number = rest,
            }
        }
        None
    }

    fn arn(&self, machine_arn: &str) -> String {
        format!("{machine_arn}{}", Qualifier::Alias(&self.name))
    }

    /// An element of `ListStateMachineAliases`, and the answer of `CreateStateMachineAlias`.
    pub(super) fn summary(&self, machine_arn: &str) -> Object {
        Object::from_iter([
            ("creationDate".into(), epoch_seconds(self.created_at)),
            ("stateMachineAliasArn".into(), self.arn(machine_arn).into()),
        ])
    }

    /// The answer of `UpdateStateMachineAlias`.
    pub(super) fn update_date(&self) -> Value {
        Value::from([("updateDate", epoch_seconds(self.updated_at))])
    }

    /// The answer of `DescribeStateMachineAlias`.
    pub(super) fn describe(&self, machine_arn: &str) -> Value {
        let mut fields = self.summary(machine_arn);
        fields.extend(self.description.clone().map(|text| ("description".into(), text.into())));
        fields.insert("name".into(), self.name.clone().into());
        let route = |route: &Route| {
            let version = format!("{machine_arn}{}", Qualifier::Version(route.version));
            Value::from([("stateMachineVersionArn", version.into()), ("weight", route.weight.into())])
        };
        fields.insert("routingConfiguration".into(), self.routes.iter().map(route).collect::<Vec<_>>().into());
        fields.insert("updateDate".into(), epoch_seconds(self.updated_at));
        fields.into()
    }
}

impl Kept {
    /// What an execution that is started by an alias runs: one of its versions, by chance and their weights.
    pub(super) fn alias_target(&self, name: &str) -> Option<Target> {
        let alias = self.aliases.get(name)?;
        let target = self.version_target(alias.version(Uuid::new_v4().as_u64_pair().1 % ALL)?)?;
        Some(Target { alias_arn: Some(alias.arn(&self.current.arn).into()), ..target })
    }
}

impl Machines {
    /// Creates an alias of the machine whose versions it leads to. One that is there already stays, if it is the same.
    pub(super) fn create_alias(&mut self, new: NewAlias) -> Result<(Arc<str>, &Alias), ApiError> {
        let (kept, routes) = self.routes(&new.routing_configuration)?;
        let arn = kept.current.arn.clone();
        match kept.aliases.get(&*new.name) {
            Some(alias) if (&alias.routes, &alias.description) == (&routes, &new.description) => {}
            Some(_) => {
                return Err(ApiError::new(
                    "ConflictException",
                    "Failed to create alias because an alias with the same name and a different routing configuration \
                     already exists.",
                ));
            }
            None if kept.aliases.len() >= MAX_ALIASES => {
                return Err(ApiError::quota(format!("A state machine can have at most {MAX_ALIASES} aliases")));
            }
            None => {}
        }
        let now = OffsetDateTime::now_utc();
        let name: Arc<str> = new.name.into();
        let alias = kept.aliases.entry(name.clone()).or_insert_with(|| Alias {
            name,
            description: new.description,
            routes,
            created_at: now,
            updated_at: now,
        });
        Ok((arn, alias))
    }

    /// Changes what an alias leads to, or what is said of it.
    pub(super) fn update_alias(&mut self, change: AliasChange) -> Result<&Alias, ApiError> {
        let arn = &change.state_machine_alias_arn;
        let (machine_arn, name) = alias_arn(arn)?;
        let routes = match &change.routing_configuration {
            Some(configuration) => {
                let (kept, routes) = self.routes(configuration)?;
                if *kept.current.arn != *machine_arn {
                    return Err(ApiError::validation(format!(
                        "Routing configuration must contain versions of the alias's own state machine '{machine_arn}'"
                    )));
                }
                Some(routes)
            }
            None if change.description.is_none() => {
                return Err(ApiError::validation(
                    "Either the description or the routing configuration must be specified",
                ));
            }
            None => None,
        };
        let kept = self.kept_mut(machine_arn).map_err(|_| not_found(arn))?;
        let alias = kept.aliases.get_mut(name).ok_or_else(|| not_found(arn))?;
        if let Some(routes) = routes {
            alias.routes = routes;
        }
        if let Some(description) = change.description {
            alias.description = Some(description);
        }
        alias.updated_at = OffsetDateTime::now_utc();
        Ok(alias)
    }

    /// An alias by its ARN, with the ARN of its machine.
    pub(super) fn alias(&self, arn: &str) -> Result<(Arc<str>, &Alias), ApiError> {
        let (machine_arn, name) = alias_arn(arn)?;
        let kept = self.kept(machine_arn).map_err(|_| not_found(arn))?;
        let alias = kept.aliases.get(name).ok_or_else(|| not_found(arn))?;
        Ok((kept.current.arn.clone(), alias))
    }

    /// Deletes an alias.
    pub(super) fn delete_alias(&mut self, arn: &str) -> Result<(), ApiError> {
        let (machine_arn, name) = alias_arn(arn)?;
        let kept = self.kept_mut(machine_arn).map_err(|_| not_found(arn))?;
        kept.aliases.shift_remove(name).map(|_| ()).ok_or_else(|| not_found(arn))
    }

    /// Understands a routing configuration: the machine, and which versions of it get how much.
    fn routes(&mut self, configuration: &[RoutingConfiguration]) -> Result<(&mut Kept, Vec<Route>), ApiError> {
        let refused = |what: &str| {
            let arns: Vec<_> = configuration.iter().map(|route| route.state_machine_version_arn.as_str()).collect();
            Err(ApiError::validation(format!(
                "Routing configuration must contain {what}. Received: [{}]",
                arns.join(", ")
            )))
        };
        let mut machines = Vec::with_capacity(configuration.len());
        let mut routes: Vec<Route> = Vec::with_capacity(configuration.len());
        for RoutingConfiguration { state_machine_version_arn, weight } in configuration {
            let StateMachineArn { machine, qualifier } = arn::state_machine(state_machine_version_arn)?;
            let Some(Qualifier::Version(version)) = qualifier else {
                return refused("state machine version ARNs");
            };
            machines.push(machine);
            routes.push(Route { version, weight: *weight });
        }
        let Some((first, others)) = machines.split_first() else { return refused("state machine version ARNs") };
        if others.iter().any(|other| other != first) {
            return refused("versions of one state machine");
        }
        if let [one, other] = &*routes
            && one.version == other.version
        {
            return refused("distinct state machine version ARNs");
        }
        if routes.iter().map(|route| route.weight).sum::<u64>() != ALL {
            let weights: Vec<_> = routes.iter().map(|route| route.weight.to_string()).collect();
            return Err(ApiError::validation(format!(
                "Sum of routing configuration weights must equal {ALL}. Received: [{}]",
                weights.join(", ")
            )));
        }
        let kept = self.kept_mut(first).map_err(|_| not_found(first))?;
        match routes.iter().find(|route| kept.versions.get(route.version).is_none()) {
            Some(route) => Err(not_found(&format!("{first}{}", Qualifier::Version(route.version)))),
            None => Ok((kept, routes)),
        }
    }
}

/// The machine's ARN and the alias's name in the ARN of an alias.
fn alias_arn(arn: &str) -> Result<(&str, &str), ApiError> {
    match arn::state_machine(arn)? {
        StateMachineArn { machine, qualifier: Some(Qualifier::Alias(name)) } => Ok((machine, name)),
        _ => Err(ApiError::validation(format!("'{arn}' is not the ARN of a state machine alias"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_are_shared_out_by_weight() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let routes = vec![Route { version: 1, weight: 30 }, Route { version: 2, weight: 70 }];
        let alias = Alias { name: "a".into(), description: None, routes, created_at: now, updated_at: now };
        let of_first = (0..ALL).filter(|number| alias.version(*number) == Some(1)).count();
        let of_second = (0..ALL).filter(|number| alias.version(*number) == Some(2)).count();
        assert_eq!((of_first, of_second), (30, 70));
    }
}

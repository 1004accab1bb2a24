//! Versions and aliases that are resources of their own. A function has the one version `$LATEST` here, and its aliases are
//! names for it; a version or an alias of a state machine stands for the machine as it is.

use super::LATEST;
use crate::{
    properties::Properties,
    source::Span,
    template::{Reported, Resource, Template},
};

/// What a resource publishes.
pub(super) struct Publishes {
    /// Where its function or machine is named.
    owner: Owner,
    /// The attribute that is what `Ref` gives too.
    pub(super) attribute: &'static str,
}

enum Owner {
    /// `FunctionName`: a name or an ARN. What follows the ARN is the version.
    FunctionOfVersion,
    /// The same; what follows is the name of the alias.
    FunctionOfAlias,
    /// `StateMachineArn`.
    MachineOfVersion,
    /// The version that it leads to.
    MachineOfAlias,
}

pub(super) fn of(resource: &Resource) -> Option<Publishes> {
    let (owner, attribute) = match resource.kind.as_str() {
        "AWS::Lambda::Version" => (Owner::FunctionOfVersion, "FunctionArn"),
        "AWS::Lambda::Alias" => (Owner::FunctionOfAlias, "AliasArn"),
        "AWS::StepFunctions::StateMachineVersion" => (Owner::MachineOfVersion, "Arn"),
        "AWS::StepFunctions::StateMachineAlias" => (Owner::MachineOfAlias, "Arn"),
        _ => return None,
    };
    Some(Publishes { owner, attribute })
}

impl Template {
    /// The ARN of what a resource publishes.
    pub(super) fn published_arn(
        &self,
        id: &str,
        resource: &Resource,
        published: &Publishes,
        at: Span,
    ) -> Result<String, Reported> {
        const VERSION: &str = "StateMachineVersionArn";
        let properties = Properties::of(self, id, resource);
        self.guarded(&format!("Resources/{id}/published"), id, at, || match published.owner {
            Owner::FunctionOfVersion => Ok(format!("{}:{LATEST}", self.function_arn(&properties)?)),
            Owner::FunctionOfAlias => {
                let name = properties.required_text("Name").ok_or(Reported)?;
                Ok(format!("{}:{name}", self.function_arn(&properties)?))
            }
            Owner::MachineOfVersion => properties.required_text("StateMachineArn").ok_or(Reported),
            Owner::MachineOfAlias => {
                if let Some(preference) = properties.inner("DeploymentPreference") {
                    return preference.required_text(VERSION).ok_or(Reported);
                }
                let routes = properties.json("RoutingConfiguration").unwrap_or_default();
                let first = routes.get(0).and_then(|route| route.get(VERSION)?.as_str().map(str::to_owned));
                first.ok_or_else(|| properties.missing("RoutingConfiguration"))
            }
        })
    }

    /// The ARN of the function that a resource names, by its name or by its ARN.
    fn function_arn(&self, properties: &Properties) -> Result<String, Reported> {
        let name = properties.required_text("FunctionName").ok_or(Reported)?;
        Ok(match name.strip_prefix("arn:") {
            Some(_) => name,
            None => format!("arn:aws:lambda:{}:{}:function:{name}", self.options.region, self.options.account),
        })
    }
}

//! Aliases of versions.

use asl::Value;
use serde::Deserialize;

use super::{done, listed};
use crate::states::{
    ApiError, States,
    aliases::{AliasChange, NewAlias},
    arn::{self, Qualifier, StateMachineArn},
    page::{self, Order, Page},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AliasRequest {
    state_machine_alias_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListRequest {
    state_machine_arn: String,
    #[serde(flatten)]
    page: Page,
}

pub(super) fn create(states: &States, request: NewAlias) -> Result<Value, ApiError> {
    states.change_machines(|machines| {
        let (arn, alias) = machines.create_alias(request)?;
        Ok(alias.summary(&arn).into())
    })
}

pub(super) fn update(states: &States, request: AliasChange) -> Result<Value, ApiError> {
    states.change_machines(|machines| machines.update_alias(request).map(|alias| alias.update_date()))
}

pub(super) fn delete(states: &States, request: &AliasRequest) -> Result<Value, ApiError> {
    states.change_machines(|machines| machines.delete_alias(&request.state_machine_alias_arn))?;
    Ok(done())
}

pub(super) fn describe(states: &States, request: &AliasRequest) -> Result<Value, ApiError> {
    let machines = states.machines();
    let (arn, alias) = machines.alias(&request.state_machine_alias_arn)?;
    Ok(alias.describe(&arn))
}

/// The aliases of a machine, or those that lead to a version.
pub(super) fn list(states: &States, request: &ListRequest) -> Result<Value, ApiError> {
    let StateMachineArn { machine, qualifier } = arn::state_machine(&request.state_machine_arn)?;
    let machines = states.machines();
    let kept = machines.kept(machine)?;
    let aliases = kept.aliases.values().filter(|alias| match qualifier {
        None => true,
        Some(Qualifier::Version(number)) => alias.leads_to(number),
        Some(Qualifier::Alias(_) | Qualifier::Label(_)) => false,
    });
    let (aliases, next) =
        request.page.cut(aliases, Order::Rising, |alias| page::place(alias.created_at, &alias.name))?;
    Ok(listed("stateMachineAliases", (aliases.iter().map(|alias| alias.summary(machine)).collect(), next)))
}

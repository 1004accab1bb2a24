//! Versions of state machines.

use asl::Value;
use engine::history::epoch_seconds;
use serde::Deserialize;

use super::{done, listed};
use crate::states::{
    ApiError, States,
    page::{Order, Page},
    versions::Version,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PublishRequest {
    state_machine_arn: String,
    revision_id: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VersionRequest {
    state_machine_version_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListRequest {
    state_machine_arn: String,
    #[serde(flatten)]
    page: Page,
}

pub(super) fn publish(states: &States, request: PublishRequest) -> Result<Value, ApiError> {
    let PublishRequest { state_machine_arn, revision_id, description } = request;
    states.change_machines(|machines| {
        machines.publish_version(&state_machine_arn, revision_id.as_deref(), description).map(summary)
    })
}

pub(super) fn delete(states: &States, request: &VersionRequest) -> Result<Value, ApiError> {
    states.change_machines(|machines| machines.delete_version(&request.state_machine_version_arn))?;
    Ok(done())
}

pub(super) fn list(states: &States, request: &ListRequest) -> Result<Value, ApiError> {
    let machines = states.machines();
    let versions = machines.kept(&request.state_machine_arn)?.versions.newest_first();
    let (versions, next) = request.page.cut(versions, Order::Falling, |version| version.number)?;
    Ok(listed("stateMachineVersions", (versions.into_iter().map(summary).collect(), next)))
}

fn summary(version: &Version) -> Value {
    Value::from([("creationDate", epoch_seconds(version.created_at)), ("stateMachineVersionArn", version.arn().into())])
}

//! Tags.

use asl::Value;
use serde::Deserialize;

use super::done;
use crate::states::{
    ApiError, States,
    arn::{self, Resource},
    machines::not_found,
    tags::{Tag, Tags},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AddRequest {
    resource_arn: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RemoveRequest {
    resource_arn: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListRequest {
    resource_arn: String,
}

pub(super) fn add(states: &States, request: AddRequest) -> Result<Value, ApiError> {
    let arn = &request.resource_arn;
    change(states, arn, |tags| tags.add(arn, request.tags))
}

pub(super) fn remove(states: &States, request: &RemoveRequest) -> Result<Value, ApiError> {
    change(states, &request.resource_arn, |tags| {
        tags.remove(&request.tag_keys);
        Ok(())
    })
}

pub(super) fn list(states: &States, request: &ListRequest) -> Result<Value, ApiError> {
    let arn = &request.resource_arn;
    let tags = match arn::tagged(arn)? {
        Resource::StateMachine(_) => states.machines().kept(arn).ok().map(|kept| kept.tags.describe()),
        Resource::Activity => states.activities.look_at_tags(arn, Tags::describe),
        Resource::Execution | Resource::MapRun => None,
    };
    tags.map(|tags| Value::from([("tags", tags)])).ok_or_else(|| not_found(arn))
}

/// Changes the tags of a state machine or an activity. Versions and aliases have none.
fn change(states: &States, arn: &str, act: impl FnOnce(&mut Tags) -> Result<(), ApiError>) -> Result<Value, ApiError> {
    match arn::tagged(arn)? {
        Resource::StateMachine(_) => {
            states.change_machines(|machines| act(&mut machines.kept_mut(arn).map_err(|_| not_found(arn))?.tags))?;
        }
        Resource::Activity => states.activities.change_tags(arn, act)?,
        Resource::Execution | Resource::MapRun => return Err(not_found(arn)),
    }
    Ok(done())
}

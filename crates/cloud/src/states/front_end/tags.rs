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
    with_tags(states, arn, |tags| tags.add(arn, request.tags))??;
    Ok(done())
}

pub(super) fn remove(states: &States, request: &RemoveRequest) -> Result<Value, ApiError> {
    with_tags(states, &request.resource_arn, |tags| tags.remove(&request.tag_keys))?;
    Ok(done())
}

pub(super) fn list(states: &States, request: &ListRequest) -> Result<Value, ApiError> {
    let tags = with_tags(states, &request.resource_arn, |tags| tags.describe())?;
    Ok(Value::from([("tags", tags)]))
}

/// Does something with the tags of a state machine or an activity. Versions and aliases have none.
fn with_tags<R>(states: &States, arn: &str, act: impl FnOnce(&mut Tags) -> R) -> Result<R, ApiError> {
    let done = match arn::tagged(arn)? {
        Resource::StateMachine(_) => states.machines_mut().kept_mut(arn).ok().map(|kept| act(&mut kept.tags)),
        Resource::Activity => states.activities.with_tags(arn, act),
        Resource::Execution | Resource::MapRun => None,
    };
    done.ok_or_else(|| not_found(arn))
}

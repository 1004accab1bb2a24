//! Activities, and how tasks are ended from outside.

use asl::{Fault, Value};
use serde::Deserialize;

use super::{done, listed};
use crate::states::{
    ApiError, States, describe,
    encryption::EncryptionConfiguration,
    page::{Order, Page},
    tags::{Tag, Tags},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateRequest {
    name: String,
    tags: Option<Vec<Tag>>,
    encryption_configuration: Option<EncryptionConfiguration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActivityRequest {
    activity_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GetTaskRequest {
    activity_arn: String,
    worker_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SuccessRequest {
    task_token: String,
    output: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FailureRequest {
    task_token: String,
    error: Option<String>,
    cause: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HeartbeatRequest {
    task_token: String,
}

pub(super) fn create(states: &States, request: CreateRequest) -> Result<Value, ApiError> {
    request.encryption_configuration.map_or(Ok(()), EncryptionConfiguration::accept)?;
    let tags = |arn: &str| Tags::of_new(arn, request.tags.unwrap_or_default());
    Ok(states.activities.create(&request.name, tags)?.created())
}

pub(super) fn delete(states: &States, request: &ActivityRequest) -> Result<Value, ApiError> {
    states.activities.delete(&request.activity_arn)?;
    Ok(done())
}

pub(super) fn describe(states: &States, request: &ActivityRequest) -> Result<Value, ApiError> {
    let mut fields = states.activities.find(&request.activity_arn)?.summary();
    fields.insert("encryptionConfiguration".into(), describe::encryption());
    Ok(fields.into())
}

pub(super) fn list(states: &States, page: &Page) -> Result<Value, ApiError> {
    let (activities, next) = page.cut(states.activities.all(), Order::Rising, |activity| activity.place())?;
    Ok(listed("activities", (activities.iter().map(|activity| activity.summary()).collect(), next)))
}

pub(super) async fn get_task(states: &States, request: &GetTaskRequest) -> Result<Value, ApiError> {
    let activity = states.activities.find(&request.activity_arn)?;
    let (token, input) = match activity.poll(request.worker_name.as_deref()).await {
        Some(task) => (task.token.into(), task.input.to_string().into()),
        None => (Value::Null, Value::Null),
    };
    Ok(Value::from([("taskToken", token), ("input", input)]))
}

pub(super) fn send_success(states: &States, request: &SuccessRequest) -> Result<Value, ApiError> {
    states.told(states.task_tokens.succeed(&request.task_token, &request.output))?;
    Ok(done())
}

pub(super) fn send_failure(states: &States, request: FailureRequest) -> Result<Value, ApiError> {
    let fault = Fault { error: request.error.map(Into::into), cause: request.cause.map(Into::into) };
    states.told(states.task_tokens.fail(&request.task_token, fault))?;
    Ok(done())
}

pub(super) fn send_heartbeat(states: &States, request: &HeartbeatRequest) -> Result<Value, ApiError> {
    states.told(states.task_tokens.heartbeat(&request.task_token))?;
    Ok(done())
}

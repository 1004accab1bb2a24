//! Map Runs.

use asl::Value;
use serde::Deserialize;

use super::{done, listed};
use crate::states::{
    ApiError, States,
    map_runs::Change,
    page::{Order, Page},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MapRunRequest {
    map_run_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListRequest {
    execution_arn: String,
    #[serde(flatten)]
    page: Page,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateRequest {
    map_run_arn: String,
    max_concurrency: Option<u64>,
    tolerated_failure_count: Option<u64>,
    tolerated_failure_percentage: Option<f64>,
}

pub(super) fn describe(states: &States, request: &MapRunRequest) -> Result<Value, ApiError> {
    Ok(states.map_run(&request.map_run_arn)?.describe())
}

/// The Map Runs of an execution, newest first.
pub(super) fn list(states: &States, request: &ListRequest) -> Result<Value, ApiError> {
    let runs = states.map_runs_of(&request.execution_arn)?;
    let (runs, next) = request.page.cut(runs, Order::Falling, |run| run.place())?;
    Ok(listed("mapRuns", (runs.iter().map(|run| run.summary()).collect(), next)))
}

pub(super) fn update(states: &States, request: &UpdateRequest) -> Result<Value, ApiError> {
    let change = Change {
        max_concurrency: request.max_concurrency,
        tolerated_failure_count: request.tolerated_failure_count,
        tolerated_failure_percentage: request.tolerated_failure_percentage,
    };
    states.change_map_run(&request.map_run_arn, change)?;
    Ok(done())
}

//! `TestState`: one state of a definition, carried out by itself.
//!
//! - [`definition`]: the state, by itself or in its machine
//! - [`request`]: what a client may say about it, and what the service says to that
//! - [`dataset`]: the data that stands for what an `ItemReader` reads
//! - [`responses`]: the models that a mocked result is held to
//! - [`answer`]: what came of it

mod answer;
mod dataset;
mod definition;
mod request;
mod responses;

use std::sync::Arc;

use asl::Value;
use engine::{
    Identity,
    core::trial::{Setup, TrialError},
    run::try_state,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ApiError, States};

pub(super) use request::Request;

/// Tries a state, and tells what came of it.
pub(super) async fn test_state(states: &States, request: Request) -> Result<Value, ApiError> {
    let tested = definition::Tested::find(&request.definition, request.state_name.as_deref())?;
    let level = request.inspection_level;
    let checked = request.check(&tested)?;
    if checked.mock.is_none() {
        tested.can_be_called(states.callable())?;
    }
    let setup = Setup {
        machine: tested.machine,
        state: tested.name,
        identity: Arc::new(identity(states, &checked)),
        context: checked.context,
        variables: checked.variables,
        mock: checked.mock,
        retry_count: checked.retry_count,
        failed_iterations: checked.failed_iterations,
        dataset: checked.dataset,
    };
    let tried = try_state(setup, &*states.outside).await.map_err(refusal)?;
    Ok(answer::answer(&tried, level, &checked.input))
}

/// An execution of an Express machine, both with names that nobody gave.
fn identity(states: &States, checked: &request::Checked) -> Identity {
    let [machine, name] = [(); 2].map(|()| Uuid::new_v4().to_string());
    let namespace = states.machines().namespace().clone();
    Identity {
        arn: namespace.arn("express", &format!("{machine}:{name}")).into(),
        name: name.into(),
        state_machine_arn: namespace.arn("stateMachine", &machine).into(),
        state_machine_name: machine.into(),
        state_machine_version_arn: None,
        state_machine_alias_arn: None,
        revision: Arc::default(),
        role_arn: checked.role_arn.as_str().into(),
        region: states.region.clone(),
        started_at: OffsetDateTime::now_utc(),
        input: checked.input.clone(),
        map_run_arn: None,
        item_count: None,
        trace_header: None,
        mocked: None,
        seed: Uuid::new_v4().as_u64_pair().0,
    }
}

/// The service's words.
fn refusal(error: TrialError) -> ApiError {
    match error {
        TrialError::NoSuchState => request::no_such_state(),
        TrialError::NeedsMock => request::needs_mock(),
        TrialError::HasNoWork => ApiError::validation("The state is not supported when a mock is specified"),
        TrialError::TooManyFailures => ApiError::validation(
            "Map iteration failure count must be less than or equal to the number of Map iterations",
        ),
    }
}

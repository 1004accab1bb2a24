//! What the service itself demands of a call's parameters, before it makes the call.

use asl::{Fault, Value, machine::Resource};

use crate::services::Operation;

/// Fails where the service would not begin the task with these parameters. Of a service that no model is there for, nothing
/// is known.
pub(super) fn check(resource: &Resource, parameters: &Value) -> Result<(), Fault> {
    let Resource::Service { service, action, .. } = resource else { return Ok(()) };
    let Some(operation) = Operation::of(service, action) else { return Ok(()) };
    operation.parameters(parameters, "").map(drop).map_err(|misfit| {
        Fault::runtime(format!("The Parameters '{parameters}' could not be used to start the Task: [{misfit}]"))
    })
}

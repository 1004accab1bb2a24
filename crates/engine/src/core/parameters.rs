//! What the service itself demands of a call's parameters, before it makes the call.

use asl::{Fault, Value, machine::Resource};

/// Fails where the service would not begin the task with these parameters.
pub(super) fn check(resource: &Resource, parameters: &Value) -> Result<(), Fault> {
    let Resource::Service { service, .. } = resource else { return Ok(()) };
    if &**service == "apigateway" && !parameters.get("Headers").is_none_or(are_lists) {
        return Err(Fault::runtime(format!(
            "The Parameters '{parameters}' could not be used to start the Task: [The value of the field 'Headers' has \
             an invalid format]"
        )));
    }
    Ok(())
}

/// Whether every field is an array, as header names with their values are.
fn are_lists(headers: &Value) -> bool {
    match headers {
        Value::Object(fields) => fields.values().all(|values| values.as_array().is_some()),
        _ => false,
    }
}

//! `AWS::Scheduler::Schedule`, and the `ScheduleV2` events of functions and state machines.

use crate::{
    Application, Schedule, Target,
    properties::Properties,
    resources::{event, target},
    template::{Reported, Resource, Template},
};

/// What the `Target` of a schedule has.
const OF_TARGET: &[&str] = &["Arn", "DeadLetterConfig", "Input", "RetryPolicy", "RoleArn"];

pub(crate) fn read_resource(
    template: &Template,
    id: &str,
    resource: &Resource,
    application: &mut Application,
) -> Result<(), Reported> {
    let properties = Properties::of(template, id, resource);
    let Some(described) = properties.inner("Target") else { return Err(properties.missing("Target")) };
    described.check_names("the target of a schedule", OF_TARGET);
    let arn = described.required_text("Arn").ok_or(Reported)?;
    let Some(target) = target::of_arn(&described, &resource.kind, &arn, application) else { return Ok(()) };
    read(&properties, &described, id, target, application)
}

/// Reads a schedule; `described` has what is said of its target.
pub(crate) fn read(
    properties: &Properties,
    described: &Properties,
    id: &str,
    target: Target,
    application: &mut Application,
) -> Result<(), Reported> {
    let template = properties.template;
    for name in ["DeadLetterConfig", "RetryPolicy"] {
        if described.has(name) {
            let reason = "A target is started once; what fails is shown and not kept.";
            template.leave_out(described.place_of(name), "a schedule", reason);
        }
    }
    if let Some(name) = ["StartDate", "EndDate"].into_iter().find(|name| properties.has(name)) {
        let reason = format!("A schedule with a {name} is not fired.");
        template.leave_out(properties.place.clone(), "a schedule", reason);
        return Ok(());
    }
    application.schedules.push(Schedule {
        name: properties.text("Name").unwrap_or_else(|| id.to_owned()),
        expression: properties.required_text("ScheduleExpression").ok_or(Reported)?,
        timezone: properties.text("ScheduleExpressionTimezone"),
        target,
        input: target::constant(described)?,
        enabled: event::is_enabled(properties),
    });
    Ok(())
}

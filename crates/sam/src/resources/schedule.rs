//! `AWS::Scheduler::Schedule`, and the `ScheduleV2` events of functions and state machines.

use crate::{
    Application, Schedule, ScheduledEvent, Target,
    properties::Properties,
    resources::{event, target},
    template::{Reported, Resource, Template},
};

/// What the `Target` of a schedule has.
const OF_TARGET: &[&str] =
    &["Arn", "DeadLetterConfig", "EventBridgeParameters", "Input", "RetryPolicy", "RoleArn", "SqsParameters"];

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
    if described.has("RetryPolicy") {
        let reason = "What a target can't be given is not tried again.";
        template.leave_out(described.place_of("RetryPolicy"), "a schedule", reason);
    }
    let dead_letters = described.inner("DeadLetterConfig").and_then(|config| {
        // The queue that SAM would make has no name that anybody could know.
        let arn = config.text("Arn")?;
        target::of_arn(&config, "a schedule", &arn, application)
    });
    let event = described.inner("EventBridgeParameters").and_then(|event| {
        event.check_names("EventBridgeParameters", &["DetailType", "Source"]);
        let (detail_type, source) = (event.required_text("DetailType"), event.required_text("Source"));
        Some(ScheduledEvent { detail_type: detail_type?, source: source? })
    });
    application.schedules.push(Schedule {
        name: properties.text("Name").unwrap_or_else(|| id.to_owned()),
        expression: properties.required_text("ScheduleExpression").ok_or(Reported)?,
        timezone: properties.text("ScheduleExpressionTimezone"),
        target,
        input: target::constant(described)?,
        enabled: event::is_enabled(properties),
        group: properties.text("GroupName").unwrap_or_else(|| "default".to_owned()),
        start: properties.text("StartDate"),
        end: properties.text("EndDate"),
        role_arn: described.text("RoleArn").unwrap_or_else(|| template.role_arn(&format!("{id}Role"))),
        dead_letters,
        message_group_id: described.inner("SqsParameters").and_then(|sqs| sqs.text("MessageGroupId")),
        event,
    });
    Ok(())
}

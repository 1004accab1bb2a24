//! `AWS::Serverless::StateMachine` and `AWS::StepFunctions::StateMachine`.

use serde_json::Value;

use crate::{
    ExecutionLogging, LogLevel, StateMachine, StateMachineKind, definition,
    properties::Properties,
    template::{Reported, Resource, Template},
};

pub(crate) fn read(template: &Template, id: &str, resource: &Resource) -> Result<StateMachine, Reported> {
    let properties = Properties::of(template, id, resource);
    let is_sam = resource.kind == "AWS::Serverless::StateMachine";
    let (type_property, role_property, logging_property, definition_properties) = if is_sam {
        ("Type", "Role", "Logging", "Definition` or `DefinitionUri")
    } else {
        let definitions = "Definition`, `DefinitionString` or `DefinitionS3Location";
        ("StateMachineType", "RoleArn", "LoggingConfiguration", definitions)
    };
    let kind = kind(&properties, type_property);
    let logging = properties.inner(logging_property).map_or(Ok(None), |logging| self::logging(&logging));
    let definition = definition::read(&properties, id, definition_properties);
    let (definition, definition_file) = definition?;
    Ok(StateMachine {
        logical_id: id.to_owned(),
        name: template.states_name(id, resource)?,
        arn: template.attribute(id, "Arn", resource.at)?,
        kind: kind?,
        definition,
        definition_file,
        role_arn: properties.text(role_property).unwrap_or_else(|| template.role_arn(&format!("{id}Role"))),
        logging: logging?,
    })
}

/// What is logged, and to which group: there has to be one where anything is logged.
fn logging(properties: &Properties) -> Result<Option<ExecutionLogging>, Reported> {
    properties.check_names("Logging", &["Destinations", "IncludeExecutionData", "Level"]);
    let level = match properties.text("Level").as_deref() {
        None | Some("OFF") => return Ok(None),
        Some("ALL") => LogLevel::All,
        Some("ERROR") => LogLevel::Error,
        Some("FATAL") => LogLevel::Fatal,
        Some(other) => return Err(properties.refuse("Level", other, "a level is ALL, ERROR, FATAL or OFF")),
    };
    let include_execution_data = properties.json("IncludeExecutionData").is_some_and(|wanted| match wanted {
        Value::Bool(wanted) => wanted,
        text => text == "true",
    });
    let destinations = properties.json("Destinations").ok_or_else(|| properties.missing("Destinations"))?;
    let arn = destinations.pointer("/0/CloudWatchLogsLogGroup/LogGroupArn").and_then(Value::as_str);
    let log_group_arn = arn.ok_or_else(|| properties.missing("Destinations"))?.to_owned();
    Ok(Some(ExecutionLogging { level, include_execution_data, log_group_arn }))
}

fn kind(properties: &Properties, property: &str) -> Result<StateMachineKind, Reported> {
    match properties.text(property).as_deref() {
        None | Some("STANDARD") => Ok(StateMachineKind::Standard),
        Some("EXPRESS") => Ok(StateMachineKind::Express),
        Some(other) => Err(properties.refuse(property, other, "the type of a state machine is STANDARD or EXPRESS")),
    }
}

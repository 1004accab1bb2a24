//! `AWS::Serverless::StateMachine` and `AWS::StepFunctions::StateMachine`.

use crate::{
    StateMachine, StateMachineKind, definition,
    properties::Properties,
    template::{Reported, Resource, Template},
};

pub(crate) fn read(template: &Template, id: &str, resource: &Resource) -> Result<StateMachine, Reported> {
    let properties = Properties::of(template, id, resource);
    let is_sam = resource.kind == "AWS::Serverless::StateMachine";
    let (type_property, role_property, definition_properties) = if is_sam {
        ("Type", "Role", "Definition` or `DefinitionUri")
    } else {
        ("StateMachineType", "RoleArn", "Definition`, `DefinitionString` or `DefinitionS3Location")
    };
    let kind = kind(&properties, type_property);
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
    })
}

fn kind(properties: &Properties, property: &str) -> Result<StateMachineKind, Reported> {
    match properties.text(property).as_deref() {
        None | Some("STANDARD") => Ok(StateMachineKind::Standard),
        Some("EXPRESS") => Ok(StateMachineKind::Express),
        Some(other) => Err(properties.refuse(property, other, "the type of a state machine is STANDARD or EXPRESS")),
    }
}

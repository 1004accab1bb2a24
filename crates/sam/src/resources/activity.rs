//! `AWS::StepFunctions::Activity`.

use crate::{
    Activity,
    properties::Properties,
    template::{Reported, Resource, Template},
};

pub(crate) fn read(template: &Template, id: &str, resource: &Resource) -> Result<Activity, Reported> {
    let properties = Properties::of(template, id, resource);
    properties.required_text("Name").ok_or(Reported)?;
    Ok(Activity {
        logical_id: id.to_owned(),
        name: template.states_name(id, resource)?,
        arn: template.attribute(id, "Arn", resource.at)?,
    })
}

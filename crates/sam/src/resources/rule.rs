//! `AWS::Events::Rule`.

use crate::{
    Application, EventRule, EventSource,
    properties::Properties,
    resources::{event, target},
    template::{Reported, Resource, Template},
    yaml::Data,
};

const OF_TARGET: &[&str] = &[
    "Arn",
    "DeadLetterConfig",
    "Id",
    "Input",
    "InputPath",
    "InputTransformer",
    "RetryPolicy",
    "RoleArn",
    "SqsParameters",
];

pub(crate) fn read(
    template: &Template,
    id: &str,
    resource: &Resource,
    application: &mut Application,
) -> Result<(), Reported> {
    let properties = Properties::of(template, id, resource);
    let pattern = properties.json("EventPattern").map(EventSource::Pattern);
    let source = pattern.or_else(|| properties.text("ScheduleExpression").map(EventSource::Schedule));
    let source = source.ok_or_else(|| properties.missing("EventPattern"))?;
    let Some(list) = properties.raw("Targets") else {
        return Err(properties.missing("Targets"));
    };
    let mut targets = Vec::new();
    for (index, node) in list.as_list().unwrap_or_default().iter().enumerate() {
        let Data::Map(map) = &node.data else {
            properties.wrong_type(&format!("Targets/{index}"), "a map", node);
            continue;
        };
        let place = format!("{}/{index}", properties.place_of("Targets"));
        let described = Properties::over(template, place, node.at, map);
        described.check_names("a target of a rule", OF_TARGET);
        let target_id = described.text("Id").unwrap_or_else(|| "a target".to_owned());
        let Some(arn) = described.required_text("Arn") else { continue };
        if let Some(target) = target::of_arn(&described, &target_id, &arn, application) {
            targets.push(target::of_rule(&described, &target_id, target, application)?);
        }
    }
    application.rules.push(EventRule {
        name: properties.text("Name").unwrap_or_else(|| id.to_owned()),
        bus: event::bus(&properties),
        source,
        targets,
        enabled: event::is_enabled(&properties),
    });
    Ok(())
}

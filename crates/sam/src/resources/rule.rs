//! `AWS::Events::Rule`.

use crate::{
    Application, EventRule, EventSource, Target,
    properties::Properties,
    resources::event,
    template::{Reported, Resource, Template},
    yaml::{Data, Node},
};

/// Reads a rule: one for each of its targets.
pub(crate) fn read(
    template: &Template,
    id: &str,
    resource: &Resource,
    application: &mut Application,
) -> Result<(), Reported> {
    let properties = Properties::of(template, id, resource);
    let name = properties.text("Name").unwrap_or_else(|| id.to_owned());
    let pattern = properties.json("EventPattern").map(EventSource::Pattern);
    let source = pattern.or_else(|| properties.text("ScheduleExpression").map(EventSource::Schedule));
    let source = source.ok_or_else(|| properties.missing("EventPattern"))?;
    let Some(targets) = properties.raw("Targets") else {
        return Err(properties.missing("Targets"));
    };
    for (index, node) in targets.as_list().unwrap_or_default().iter().enumerate() {
        let place = format!("{}/{index}", properties.place_of("Targets"));
        let Data::Map(map) = &node.data else {
            properties.wrong_type(&format!("Targets/{index}"), "a map", node);
            continue;
        };
        let described = Properties::over(template, place, node.at, map);
        if event::leaves_input_out(&described, &resource.kind) {
            continue;
        }
        if let Some(target) = target(&described, node, application) {
            application.rules.push(EventRule {
                name: name.clone(),
                bus: event::bus(&properties),
                source: source.clone(),
                target,
                input: event::input(&described)?,
                enabled: event::is_enabled(&properties),
            });
        }
    }
    Ok(())
}

fn target(described: &Properties, node: &Node, application: &Application) -> Option<Target> {
    let arn = described.required_text("Arn")?;
    if let Some(function) = application.functions.iter().find(|function| function.arn == arn) {
        return Some(Target::Function(function.name.clone()));
    }
    if application.state_machines.iter().any(|machine| machine.arn == arn) {
        return Some(Target::StateMachine(arn));
    }
    let what = node.get("Id").and_then(Node::as_text).unwrap_or("a target");
    described.template.leave_out(
        described.place.clone(),
        what,
        format!("{arn} is no function or state machine of the template."),
    );
    None
}

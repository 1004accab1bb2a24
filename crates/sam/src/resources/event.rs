//! The `Events` of a function or a state machine.

use serde_json::Value;

use crate::{
    EventRule, EventSource, HttpApi, Target,
    audit::NO_IAM,
    problem::ProblemKind,
    properties::Properties,
    template::{Reported, Resource, Template},
    yaml::Map,
};

/// Reads all events of a resource into the rules and APIs of the application.
pub(crate) fn read(
    template: &Template,
    id: &str,
    resource: &Resource,
    target: &Target,
    rules: &mut Vec<EventRule>,
    apis: &mut Vec<HttpApi>,
) {
    let events = Properties::of(template, id, resource).inner("Events");
    let Some(events) = events else {
        return;
    };
    for (name, at) in events.names() {
        let Some(event) = events.inner(name) else {
            continue;
        };
        event.check_names("an event", &["Properties", "Type"]);
        let Some(kind) = event.required_text("Type") else {
            continue;
        };
        let none = Map::new();
        let inner = event.inner("Properties");
        let properties = inner.unwrap_or_else(|| Properties::over(template, event.place_of("Properties"), at, &none));
        // A problem is noted where it is found; the other events are read all the same.
        let _ = read_one(&properties, &kind, &format!("{id}{name}"), target, rules, apis);
    }
}

fn read_one(
    event: &Properties,
    kind: &str,
    rule_name: &str,
    target: &Target,
    rules: &mut Vec<EventRule>,
    apis: &mut Vec<HttpApi>,
) -> Result<(), Reported> {
    let known: &[&str] = match kind {
        "HttpApi" => {
            &["ApiId", "Auth", "Method", "Path", "PayloadFormatVersion", "RouteSettings", "Stage", "TimeoutInMillis"]
        }
        "EventBridgeRule" | "CloudWatchEvent" => &[
            "DeadLetterConfig",
            "Enabled",
            "EventBusName",
            "Input",
            "InputPath",
            "InputTransformer",
            "Pattern",
            "RetryPolicy",
            "RuleName",
            "State",
            "Target",
        ],
        "Schedule" => &[
            "DeadLetterConfig",
            "Description",
            "Enabled",
            "Input",
            "Name",
            "RetryPolicy",
            "RoleArn",
            "RuleName",
            "Schedule",
            "State",
            "Target",
        ],
        other => {
            let reason = match other {
                "Api" => "REST APIs are not emulated; an `HttpApi` event is.".to_owned(),
                "S3" => "A bucket starts functions through EventBridge: an `EventBridgeRule` event with the source `aws.s3`.".to_owned(),
                "ScheduleV2" => "EventBridge Scheduler is not emulated; a `Schedule` event is.".to_owned(),
                _ => format!("Events of the type {other} are not emulated."),
            };
            event.template.leave_out(event.place.clone(), other, reason);
            return Ok(());
        }
    };
    event.check_names(&format!("an event of the type {kind}"), known);
    match (kind, target) {
        ("HttpApi", Target::Function(function)) => super::http_api::add_route(apis, event, function),
        ("HttpApi", Target::StateMachine(_)) => {
            let reason = "A state machine has no HTTP API event; a function can start it.";
            event.template.leave_out(event.place.clone(), kind, reason);
            Ok(())
        }
        _ => read_rule(event, kind, rule_name, target, rules),
    }
}

fn read_rule(
    event: &Properties,
    kind: &str,
    rule_name: &str,
    target: &Target,
    rules: &mut Vec<EventRule>,
) -> Result<(), Reported> {
    if leaves_input_out(event, kind) {
        return Ok(());
    }
    for name in ["DeadLetterConfig", "RetryPolicy"] {
        if event.has(name) {
            event.template.leave_out(
                event.place_of(name),
                kind,
                "An event is delivered once; what fails is shown and not kept.",
            );
        }
    }
    if event.has("RoleArn") {
        event.template.leave_out(event.place_of("RoleArn"), kind, NO_IAM);
    }
    let source = if kind == "Schedule" {
        EventSource::Schedule(event.required_text("Schedule").ok_or(Reported)?)
    } else {
        match event.value("Pattern")? {
            Some(pattern) => EventSource::Pattern(pattern.to_json()),
            None => return Err(event.missing("Pattern")),
        }
    };
    let name = event.text("RuleName").or_else(|| event.text("Name").filter(|_| kind == "Schedule"));
    rules.push(EventRule {
        name: name.unwrap_or_else(|| rule_name.to_owned()),
        bus: bus(event),
        source,
        target: target.clone(),
        input: input(event)?,
        enabled: event.boolean("Enabled").unwrap_or(true) && is_enabled(event),
    });
    Ok(())
}

/// A rule that reshapes its event would start its target with the wrong one, so it is left out whole.
pub(super) fn leaves_input_out(event: &Properties, kind: &str) -> bool {
    let reshapes = ["InputPath", "InputTransformer"].into_iter().find(|name| event.has(name));
    if let Some(name) = reshapes {
        event.template.leave_out(
            event.place.clone(),
            kind,
            format!("{name} is not emulated, so the rule does not fire."),
        );
    }
    reshapes.is_some()
}

pub(super) fn is_enabled(event: &Properties) -> bool {
    event.text("State").is_none_or(|state| state != "DISABLED")
}

/// The bus of a rule. A bus may be named by its ARN.
pub(super) fn bus(event: &Properties) -> String {
    let name = event.text("EventBusName").unwrap_or_else(|| "default".to_owned());
    name.rsplit('/').next().map(str::to_owned).unwrap_or(name)
}

/// `Input`, which is JSON in a text.
pub(super) fn input(event: &Properties) -> Result<Option<Value>, Reported> {
    let Some(text) = event.text("Input") else {
        return Ok(None);
    };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        let kind = ProblemKind::WrongType {
            place: event.place_of("Input"),
            expected: "JSON in a text",
            found: format!("none: {error}"),
        };
        event.template.report(kind, event.at("Input"))
    })
}

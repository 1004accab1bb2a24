//! The `Events` of a function or a state machine.

use crate::{
    Application, EventRule, EventSource, Queue, Subscription, Target,
    audit::NO_IAM,
    problem::ProblemKind,
    properties::Properties,
    resources::{api, mapping, notification, schedule, target, topic},
    template::{Reported, Resource, Template},
    yaml::Map,
};

const HTTP_API: &[&str] =
    &["ApiId", "Auth", "Method", "Path", "PayloadFormatVersion", "RouteSettings", "Stage", "TimeoutInMillis"];

const API: &[&str] = &[
    "Auth",
    "Method",
    "Path",
    "RequestModel",
    "RequestParameters",
    "ResponseTransferMode",
    "RestApiId",
    "TimeoutInMillis",
    "UnescapeMappingTemplate",
];

const RULE: &[&str] = &[
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
];

const SCHEDULE: &[&str] = &[
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
];

const SCHEDULE_V2: &[&str] = &[
    "DeadLetterConfig",
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "Input",
    "KmsKeyArn",
    "Name",
    "OmitName",
    "PermissionsBoundary",
    "RetryPolicy",
    "RoleArn",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
];

const S3: &[&str] = &["Bucket", "Events", "Filter"];

const SNS: &[&str] = &["FilterPolicy", "FilterPolicyScope", "RedrivePolicy", "Region", "SqsSubscription", "Topic"];

/// The types of events that SAM has for functions.
const OF_FUNCTIONS: &[&str] = &[
    "AlexaSkill",
    "Api",
    "CloudWatchEvent",
    "CloudWatchLogs",
    "Cognito",
    "DocumentDB",
    "DynamoDB",
    "EventBridgeRule",
    "HttpApi",
    "IoTRule",
    "Kinesis",
    "MQ",
    "MSK",
    "S3",
    "SNS",
    "SQS",
    "Schedule",
    "ScheduleV2",
    "SelfManagedKafka",
];

/// Those that it has for state machines.
const OF_STATE_MACHINES: &[&str] = &["Api", "CloudWatchEvent", "EventBridgeRule", "Schedule", "ScheduleV2"];

fn types_of(target: &Target) -> &'static [&'static str] {
    if matches!(target, Target::Function(_)) { OF_FUNCTIONS } else { OF_STATE_MACHINES }
}

/// Reads all events of a resource into the application.
pub(crate) fn read(template: &Template, id: &str, resource: &Resource, target: &Target, application: &mut Application) {
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
        let _ = read_one(&properties, &kind, &format!("{id}{name}"), target, application);
    }
}

fn read_one(
    event: &Properties,
    kind: &str,
    id: &str,
    target: &Target,
    application: &mut Application,
) -> Result<(), Reported> {
    let check = |known| event.check_names(&format!("an event of the type {kind}"), known);
    match (kind, target) {
        ("HttpApi", Target::Function(function)) => {
            check(HTTP_API);
            api::add_http_event(event, function, application)
        }
        ("Api", _) => {
            check(API);
            api::add_rest_event(event, target, application)
        }
        ("EventBridgeRule" | "CloudWatchEvent", _) => {
            check(RULE);
            read_rule(event, kind, id, target, application)
        }
        ("Schedule", _) => {
            check(SCHEDULE);
            read_rule(event, kind, id, target, application)
        }
        ("ScheduleV2", _) => {
            check(SCHEDULE_V2);
            if event.has("RoleArn") {
                event.template.leave_out(event.place_of("RoleArn"), kind, NO_IAM);
            }
            schedule::read(event, event, id, target.clone(), application)
        }
        ("SQS", Target::Function(function)) => {
            check(mapping::OF_QUEUE);
            let queue = event.required_text("Queue").ok_or(Reported)?;
            mapping::read(event, id, function, &queue, application)
        }
        ("DynamoDB", Target::Function(function)) => {
            check(mapping::OF_STREAM);
            let stream = event.required_text("Stream").ok_or(Reported)?;
            mapping::read(event, id, function, &stream, application)
        }
        ("S3", Target::Function(function)) => {
            check(S3);
            notification::read_event(event, function, application)
        }
        ("SNS", Target::Function(function)) => {
            check(SNS);
            read_subscription(event, id, function, application)
        }
        (other, target) if !types_of(target).contains(&other) => Err(unknown_type(event, other, target)),
        (other, _) => {
            let reason = format!("Events of the type {other} are not emulated.");
            event.template.leave_out(event.place.clone(), other, reason);
            Ok(())
        }
    }
}

/// An event of a type that SAM does not have for its resource would never come.
fn unknown_type(event: &Properties, kind: &str, target: &Target) -> Reported {
    let template = event.template;
    if OF_FUNCTIONS.contains(&kind) {
        let value = format!("`{kind}`");
        let reason = format!("a state machine has events of the types {}", OF_STATE_MACHINES.join(", "));
        let place = event.place.trim_end_matches("/Properties").to_owned() + "/Type";
        return template.report(ProblemKind::UnsupportedValue { place, value, reason }, event.at);
    }
    template.report_unknown_type("event", kind, types_of(target).iter().copied(), event.at)
}

fn read_rule(
    event: &Properties,
    kind: &str,
    id: &str,
    target: &Target,
    application: &mut Application,
) -> Result<(), Reported> {
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
    let target_id = event.inner("Target").and_then(|target| target.text("Id"));
    let target_id = target_id.unwrap_or_else(|| format!("{id}Target"));
    application.rules.push(EventRule {
        name: name.unwrap_or_else(|| id.to_owned()),
        bus: bus(event),
        source,
        targets: vec![target::of_rule(event, &target_id, target.clone(), application)?],
        enabled: event.boolean("Enabled").unwrap_or(true) && is_enabled(event),
    });
    Ok(())
}

/// Reads an `SNS` event: a subscription of the function, or of a queue that the function reads.
fn read_subscription(
    event: &Properties,
    id: &str,
    function: &str,
    application: &mut Application,
) -> Result<(), Reported> {
    let topic_arn = event.required_text("Topic").ok_or(Reported)?;
    let mut attributes = topic::attributes(event, &["FilterPolicy", "FilterPolicyScope", "RedrivePolicy"]);
    let through_queue = match event.value("SqsSubscription")? {
        None => false,
        Some(value) => match value.as_bool() {
            Some(wanted) => wanted,
            None => {
                let reason =
                    "this runner makes the queue itself: `true`, or an `SQS` event of a queue that is subscribed";
                return Err(event.refuse_described("SqsSubscription", value.describe(), reason));
            }
        },
    };
    let (region, account) = (&event.template.options.region, &event.template.options.account);
    let (protocol, endpoint) = if through_queue {
        let name = format!("{}-{id}Queue", event.template.options.stack_name);
        let arn = format!("arn:aws:sqs:{region}:{account}:{name}");
        application.queues.push(Queue { logical_id: format!("{id}Queue"), name, attributes: [].into() });
        mapping::read(event, id, function, &arn, application)?;
        ("sqs", arn)
    } else {
        ("lambda", format!("arn:aws:lambda:{region}:{account}:function:{function}"))
    };
    attributes.retain(|_, value| !value.is_empty());
    application.subscriptions.push(Subscription {
        logical_id: id.to_owned(),
        topic_arn,
        protocol: protocol.to_owned(),
        endpoint,
        attributes,
    });
    Ok(())
}

pub(super) fn is_enabled(event: &Properties) -> bool {
    event.text("State").is_none_or(|state| state != "DISABLED")
}

/// The bus of a rule. A bus may be named by its ARN.
pub(super) fn bus(event: &Properties) -> String {
    let name = event.text("EventBusName").unwrap_or_else(|| "default".to_owned());
    name.rsplit('/').next().map(str::to_owned).unwrap_or(name)
}

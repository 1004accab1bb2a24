//! States, by their `Type`.

use std::sync::Arc;

use super::{
    choice,
    diagnostic::Code,
    fields::Fields,
    graph::{Names, inner_graph},
    retry,
};
use crate::{
    machine::{
        Choice, Fail, FailText, Graph, InputOutput, Kind, Map, Parallel, Pass, Resource, State, Succeed, Task,
        Transition, Until, Wait,
    },
    timestamp,
};

/// The longest time-out of a task, which is also its default: about three years.
const MAX_TIMEOUT: u64 = 99_999_999;

/// The most concurrent iterations that a definition can ask for.
const MAX_CONCURRENCY: u64 = 1_000_000_000;

pub(super) fn state(name: &Arc<str>, names: &Names, fields: &mut Fields<'_>) -> Option<State> {
    let comment = fields.text("Comment");
    fields.query_language();
    fields.refuse(&["Assign", "Arguments", "Output"]);
    fields.require("Type");
    let kind = match &*fields.text("Type")? {
        "Pass" => Kind::Pass(pass(names, fields)?),
        "Task" => Kind::Task(task(names, fields)?),
        "Choice" => Kind::Choice(choice_state(names, fields)?),
        "Wait" => Kind::Wait(wait(names, fields)?),
        "Succeed" => Kind::Succeed(Succeed { io: io(fields) }),
        "Fail" => Kind::Fail(fail(fields)),
        "Parallel" => Kind::Parallel(parallel(names, fields)?),
        "Map" => Kind::Map(map(names, fields)?),
        other => {
            fields.error(
                "Type",
                format!("Value '{other}' is none of: [Pass, Task, Choice, Wait, Succeed, Fail, Parallel, Map]"),
            );
            return None;
        }
    };
    Some(State { name: name.clone(), location: fields.at.to_string().into(), comment, kind })
}

fn io(fields: &mut Fields<'_>) -> InputOutput {
    InputOutput { input_path: fields.selection("InputPath"), output_path: fields.selection("OutputPath") }
}

/// `Next` or `End`: one of them, and only one.
fn transition(names: &Names, fields: &mut Fields<'_>) -> Option<Transition> {
    let end = fields.flag("End") == Some(true);
    match (fields.has("Next"), end) {
        (true, true) => {
            fields.error("Next", "'Next' and 'End' exclude each other");
            None
        }
        (true, false) => names.target(fields, "Next").map(Transition::Next),
        (false, true) => Some(Transition::End),
        (false, false) => {
            let at = fields.at.clone();
            fields.findings.error(
                Code::SchemaValidationFailed,
                &at,
                "These fields are required: [Next] or [End]: true",
            );
            None
        }
    }
}

fn pass(names: &Names, fields: &mut Fields<'_>) -> Option<Pass> {
    Some(Pass {
        io: io(fields),
        parameters: fields.template("Parameters"),
        result: fields.take("Result"),
        result_path: fields.result_path(),
        transition: transition(names, fields)?,
    })
}

fn task(names: &Names, fields: &mut Fields<'_>) -> Option<Task> {
    fields.refuse(&["Credentials", "HeartbeatSeconds", "HeartbeatSecondsPath"]);
    fields.require("Resource");
    let resource = resource(fields);
    let io = io(fields);
    let parameters = fields.template("Parameters");
    let result_selector = fields.template("ResultSelector");
    let result_path = fields.result_path();
    let timeout = fields.count_or_path("TimeoutSeconds", "TimeoutSecondsPath", 1..=MAX_TIMEOUT);
    let on_error = retry::on_error(names, fields);
    let transition = transition(names, fields);
    Some(Task {
        resource: resource?,
        io,
        parameters,
        result_selector,
        result_path,
        timeout,
        on_error,
        transition: transition?,
    })
}

/// `arn:<partition>:lambda:<region>:<account>:function:<name>` or `arn:<partition>:states:::<service>:<action>`.
fn resource(fields: &mut Fields<'_>) -> Option<Resource> {
    let arn = fields.text("Resource")?;
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "lambda", _, _, function] if function.starts_with("function:") => {
            Some(Resource::Function { arn: arn.clone() })
        }
        ["arn", _, "states", _, _, activity] if activity.starts_with("activity:") => {
            fields.not_supported("Resource", "an activity");
            None
        }
        ["arn", _, "states", _, _, integration] => match service_and_action(integration) {
            Some((service, action)) => {
                if let Some((_, pattern)) = action.split_once('.') {
                    fields.not_supported("Resource", &format!("the service integration pattern '.{pattern}'"));
                }
                Some(Resource::Service { arn: arn.clone(), service: service.into(), action: action.into() })
            }
            None => {
                fields.error("Resource", format!("The resource provided {arn} is not recognized"));
                None
            }
        },
        _ => {
            fields.error("Resource", format!("Value is not a valid resource ARN: {arn}"));
            None
        }
    }
}

/// `states` and `startExecution.sync:2`, or `aws-sdk:s3` and `getObject`.
fn service_and_action(integration: &str) -> Option<(&str, &str)> {
    const SDK: &str = "aws-sdk:";
    let named = if integration.starts_with(SDK) { SDK.len() } else { 0 };
    let colon = named + integration.get(named..)?.find(':')?;
    Some((integration.get(..colon)?, integration.get(colon + 1..)?))
}

fn choice_state(names: &Names, fields: &mut Fields<'_>) -> Option<Choice> {
    let io = io(fields);
    let choices = fields.filled_array("Choices");
    let default = names.target(fields, "Default");
    let at = fields.at.child("Choices");
    let choices = choices?;
    let rules: Vec<_> = choices
        .iter()
        .enumerate()
        .filter_map(|(index, value)| {
            let mut fields = fields.below(value, at.child(index))?;
            let rule = choice::rule(&mut fields, true);
            fields.require("Next");
            let next = names.target(&mut fields, "Next");
            fields.close();
            Some((rule?, next?))
        })
        .collect();
    (rules.len() == choices.len()).then_some(Choice { io, rules, default })
}

fn wait(names: &Names, fields: &mut Fields<'_>) -> Option<Wait> {
    let io = io(fields);
    let given: Vec<_> =
        ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"].into_iter().filter(|name| fields.has(name)).collect();
    let until = match given.as_slice() {
        ["Seconds"] => fields.count("Seconds", 0..=MAX_TIMEOUT).map(Until::Seconds),
        ["SecondsPath"] => fields.path("SecondsPath").map(Until::SecondsPath),
        ["Timestamp"] => fields.text("Timestamp").and_then(|text| {
            let at = timestamp::parse(&text);
            if at.is_none() {
                fields.error("Timestamp", "String does not match RFC3339 timestamp");
            }
            at.map(Until::Timestamp)
        }),
        ["TimestampPath"] => fields.path("TimestampPath").map(Until::TimestampPath),
        _ => {
            for name in given {
                fields.take(name);
            }
            let at = fields.at.clone();
            fields.findings.error(
                Code::SchemaValidationFailed,
                &at,
                "Exactly one of these fields is required: [Seconds, SecondsPath, Timestamp, TimestampPath]",
            );
            None
        }
    };
    let transition = transition(names, fields);
    Some(Wait { io, until: until?, transition: transition? })
}

fn fail(fields: &mut Fields<'_>) -> Fail {
    let mut text = |literal: &'static str, path: &'static str| {
        if fields.has(literal) && fields.has(path) {
            fields.error(path, format!("'{literal}' and '{path}' exclude each other"));
        }
        let constant = fields.text(literal).map(FailText::Literal);
        constant.or(fields.expression(path).map(FailText::Expression))
    };
    Fail { error: text("Error", "ErrorPath"), cause: text("Cause", "CausePath") }
}

fn parallel(names: &Names, fields: &mut Fields<'_>) -> Option<Parallel> {
    let io = io(fields);
    let parameters = fields.template("Parameters");
    let branches = fields.filled_array("Branches");
    let at = fields.at.child("Branches");
    let graphs: Vec<Arc<Graph>> = branches
        .iter()
        .flat_map(|branches| branches.iter().enumerate())
        .filter_map(|(index, branch)| inner_graph(fields.below(branch, at.child(index))?, names).map(Arc::new))
        .collect();
    let result_selector = fields.template("ResultSelector");
    let result_path = fields.result_path();
    let on_error = retry::on_error(names, fields);
    let transition = transition(names, fields)?;
    let complete = graphs.len() == branches?.len();
    complete.then_some(Parallel {
        io,
        parameters,
        branches: graphs,
        result_selector,
        result_path,
        on_error,
        transition,
    })
}

fn map(names: &Names, fields: &mut Fields<'_>) -> Option<Map> {
    fields.refuse(&[
        "ItemReader",
        "ItemBatcher",
        "ResultWriter",
        "Label",
        "Items",
        "ToleratedFailureCount",
        "ToleratedFailureCountPath",
        "ToleratedFailurePercentage",
        "ToleratedFailurePercentagePath",
    ]);
    let io = io(fields);
    let items_path = fields.selection("ItemsPath");
    let item_selector = alternative(fields, "ItemSelector", "Parameters").and_then(|name| fields.template(name));
    let max_concurrency = fields.count_or_path("MaxConcurrency", "MaxConcurrencyPath", 0..=MAX_CONCURRENCY);
    let processor = processor(names, fields);
    let result_selector = fields.template("ResultSelector");
    let result_path = fields.result_path();
    let on_error = retry::on_error(names, fields);
    let transition = transition(names, fields);
    Some(Map {
        io,
        items_path,
        item_selector,
        processor: Arc::new(processor?),
        max_concurrency,
        result_selector,
        result_path,
        on_error,
        transition: transition?,
    })
}

fn processor(names: &Names, fields: &mut Fields<'_>) -> Option<Graph> {
    let Some(name) = alternative(fields, "ItemProcessor", "Iterator") else {
        fields.require("ItemProcessor");
        return None;
    };
    let value = fields.take(name)?;
    let at = fields.at.child(name);
    let mut processor = fields.below(&value, at)?;
    processor_config(&mut processor);
    inner_graph(processor, names)
}

/// `ProcessorConfig`: the mode INLINE, which is what a Map state has without it.
fn processor_config(processor: &mut Fields<'_>) {
    const NAME: &str = "ProcessorConfig";
    let Some(value) = processor.take(NAME) else { return };
    let at = processor.at.child(NAME);
    let Some(mut config) = processor.below(&value, at) else { return };
    let execution_type = config.text("ExecutionType");
    match config.text("Mode").as_deref() {
        None | Some("INLINE") if execution_type.is_some() => {
            config.error("ExecutionType", "Only the processing mode DISTRIBUTED has an 'ExecutionType'");
        }
        None | Some("INLINE") => {}
        Some("DISTRIBUTED") => config.not_supported("Mode", "the processing mode DISTRIBUTED"),
        Some(other) => config.error("Mode", format!("Value must be 'INLINE' or 'DISTRIBUTED', not '{other}'")),
    }
    config.close();
}

/// Which of a field's present name and its older one is there; not both may be.
fn alternative(fields: &mut Fields<'_>, name: &'static str, older: &'static str) -> Option<&'static str> {
    match (fields.has(name), fields.has(older)) {
        (true, true) => {
            fields.error(older, format!("'{name}' and '{older}' exclude each other"));
            fields.take(older);
            Some(name)
        }
        (true, false) => Some(name),
        (false, true) => Some(older),
        (false, false) => None,
    }
}

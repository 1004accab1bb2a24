//! Who is started or told: what an ARN in a template stands for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    Application, RuleTarget, Target, TargetInput, problem::ProblemKind, properties::Properties, template::Reported,
};

/// The target of an ARN. One that is not in the template is left out, by the place of `owner`.
pub(crate) fn of_arn(owner: &Properties, what: &str, arn: &str, application: &Application) -> Option<Target> {
    let target = Target::of_arn(arn).filter(|target| is_there(target, application));
    if target.is_none() {
        let reason = format!("{arn} is nothing of the template that can be a target.");
        owner.template.leave_out(owner.place.clone(), what, reason);
    }
    target
}

/// Whether the template has it. Buses and log groups come with their first use.
fn is_there(target: &Target, application: &Application) -> bool {
    match target {
        Target::Function(name) => application.functions.iter().any(|function| function.name == *name),
        Target::StateMachine(arn) => application.state_machines.iter().any(|machine| machine.arn == *arn),
        Target::Queue(arn) => application.queues.iter().any(|queue| arn.ends_with(&format!(":{}", queue.name))),
        Target::Topic(arn) => application.topics.iter().any(|topic| topic.arn == *arn),
        Target::LogGroup(_) | Target::EventBus(_) => true,
    }
}

/// A target as a rule has it.
pub(crate) fn of_rule(
    described: &Properties,
    id: &str,
    target: Target,
    application: &Application,
) -> Result<RuleTarget, Reported> {
    if described.has("RetryPolicy") {
        let reason = "What a target can't be given is not tried again.";
        described.template.leave_out(described.place_of("RetryPolicy"), "a target", reason);
    }
    let dead_letters = described.inner("DeadLetterConfig");
    let dead_letters = dead_letters.and_then(|config| {
        // The queue that SAM would make has no name that anybody could know.
        let arn = config.text("Arn")?;
        of_arn(&config, id, &arn, application)
    });
    Ok(RuleTarget {
        id: id.to_owned(),
        target,
        input: input(described)?,
        message_group_id: described.inner("SqsParameters").and_then(|sqs| sqs.text("MessageGroupId")),
        dead_letters,
    })
}

/// `Input`, `InputPath` or `InputTransformer`.
pub(crate) fn input(described: &Properties) -> Result<TargetInput, Reported> {
    if let Some(value) = constant(described)? {
        return Ok(TargetInput::Constant(value));
    }
    if let Some(path) = described.text("InputPath") {
        return Ok(TargetInput::Path(path));
    }
    let Some(transformer) = described.inner("InputTransformer") else { return Ok(TargetInput::Event) };
    transformer.check_names("InputTransformer", &["InputPathsMap", "InputTemplate"]);
    let template = transformer.required_text("InputTemplate").ok_or(Reported)?;
    let paths: BTreeMap<String, String> = transformer.texts("InputPathsMap");
    Ok(TargetInput::Transformed { paths, template })
}

/// `Input`, which is JSON in a text.
pub(crate) fn constant(described: &Properties) -> Result<Option<Value>, Reported> {
    let Some(text) = described.text("Input") else {
        return Ok(None);
    };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        let kind = ProblemKind::WrongType {
            place: described.place_of("Input"),
            expected: "JSON in a text",
            found: format!("`{text}` ({error})"),
        };
        described.template.report(kind, described.at("Input"))
    })
}

//! Rules: as they are described, and as they are applied.

use std::collections::BTreeMap;

use sam::{EventSource, RuleTarget, Target, TargetInput};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Pattern, RuleError, timetable::Timetable};
use crate::{location::Location, protocol::Failure, tags::Tags};

/// A rule, as the API describes it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Described {
    pub(super) event_pattern: Option<String>,
    pub(super) schedule_expression: Option<String>,
    pub(super) description: Option<String>,
    pub(super) role_arn: Option<String>,
    pub(super) is_enabled: bool,
    pub(super) targets: BTreeMap<String, DescribedTarget>,
    #[serde(default)]
    pub(super) tags: Tags,
}

/// A target, as the API describes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct DescribedTarget {
    pub(super) id: String,
    pub(super) arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_transformer: Option<InputTransformer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sqs_parameters: Option<SqsParameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter_config: Option<DeadLetterConfig>,
    /// What can't be given is not tried again here, whatever this says.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_policy: Option<Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct InputTransformer {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    input_paths_map: BTreeMap<String, String>,
    input_template: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SqsParameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    message_group_id: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeadLetterConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    arn: Option<String>,
}

/// A rule that can be applied.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) described: Described,
    pub(super) pattern: Option<Pattern>,
    pub(super) timetable: Option<Timetable>,
    pub(super) targets: Vec<RuleTarget>,
    pub(super) is_of_template: bool,
}

impl Rule {
    /// Reads a rule, or tells what is wrong with it.
    pub(super) fn new(described: Described, is_of_template: bool) -> Result<Self, Failure> {
        if described.event_pattern.is_none() && described.schedule_expression.is_none() {
            let message = "Parameter(s) EventPattern or ScheduleExpression must be specified.";
            return Err(Failure::new("ValidationException", message));
        }
        let pattern = described.event_pattern.as_deref().map(pattern).transpose()?;
        let timetable = described.schedule_expression.as_deref().map(|expression| {
            // A time alone is for EventBridge Scheduler.
            let timetable = Timetable::parse(expression, None).ok().filter(|timetable| !timetable.is_once());
            let refused = || Failure::new("ValidationException", "Parameter ScheduleExpression is not valid.");
            timetable.ok_or_else(refused)
        });
        let timetable = timetable.transpose()?;
        let targets = described.targets.values().map(DescribedTarget::read).collect::<Result<_, _>>()?;
        Ok(Self { described, pattern, timetable, targets, is_of_template })
    }

    /// A rule of the template.
    pub(super) fn of(rule: &sam::EventRule, location: &Location) -> Result<Self, RuleError> {
        let (event_pattern, schedule_expression) = match &rule.source {
            EventSource::Pattern(pattern) => (Some(pattern.to_string()), None),
            EventSource::Schedule(expression) => (None, Some(expression.clone())),
        };
        let targets = rule.targets.iter().map(|target| (target.id.clone(), DescribedTarget::of(target, location)));
        let described = Described {
            event_pattern,
            schedule_expression,
            is_enabled: rule.enabled,
            targets: targets.collect(),
            ..Described::default()
        };
        let told = |failure: Failure| match &rule.source {
            EventSource::Schedule(expression) => format!("{} It is {expression}.", failure.message),
            EventSource::Pattern(_) => failure.message,
        };
        Self::new(described, true).map_err(|failure| RuleError { rule: rule.name.clone(), message: told(failure) })
    }
}

/// An event pattern in a text.
pub(super) fn pattern(text: &str) -> Result<Pattern, Failure> {
    let refused = |reason: String| {
        Failure::new("InvalidEventPatternException", format!("Event pattern is not valid. Reason: {reason}"))
    };
    let value = serde_json::from_str(text).map_err(|error| refused(error.to_string()))?;
    Pattern::parse(&value).map_err(|error| refused(error.to_string()))
}

impl DescribedTarget {
    fn read(&self) -> Result<RuleTarget, Failure> {
        let refused = |what: String| Failure::new("ValidationException", what);
        let target = |arn: &str| {
            Target::of_arn(arn).ok_or_else(|| refused(format!("This runner has no targets such as {arn}.")))
        };
        let input = match (&self.input, &self.input_path, &self.input_transformer) {
            (None, None, None) => TargetInput::Event,
            (Some(input), None, None) => {
                let message = || refused(format!("JSON syntax error in input for target {}", self.id));
                TargetInput::Constant(serde_json::from_str(input).map_err(|_| message())?)
            }
            (None, Some(path), None) => TargetInput::Path(path.clone()),
            (None, None, Some(InputTransformer { input_paths_map, input_template })) => {
                TargetInput::Transformed { paths: input_paths_map.clone(), template: input_template.clone() }
            }
            _ => {
                let message = format!(
                    "Only one of Input, InputPath, or InputTransformer must be provided for target {}.",
                    self.id
                );
                return Err(refused(message));
            }
        };
        let dead_letters = self.dead_letter_config.as_ref().and_then(|config| config.arn.as_deref());
        Ok(RuleTarget {
            id: self.id.clone(),
            target: target(&self.arn)?,
            input,
            message_group_id: self.sqs_parameters.as_ref().and_then(|sqs| sqs.message_group_id.clone()),
            dead_letters: dead_letters.map(target).transpose()?,
        })
    }

    /// A target of the template, as the API describes it.
    fn of(target: &RuleTarget, location: &Location) -> Self {
        let mut described = Self {
            id: target.id.clone(),
            arn: location.arn_of(&target.target),
            role_arn: None,
            input: None,
            input_path: None,
            input_transformer: None,
            sqs_parameters: target.message_group_id.clone().map(|id| SqsParameters { message_group_id: Some(id) }),
            dead_letter_config: target
                .dead_letters
                .as_ref()
                .map(|target| DeadLetterConfig { arn: Some(location.arn_of(target)) }),
            retry_policy: None,
        };
        match &target.input {
            TargetInput::Event => {}
            TargetInput::Constant(value) => described.input = Some(value.to_string()),
            TargetInput::Path(path) => described.input_path = Some(path.clone()),
            TargetInput::Transformed { paths, template } => {
                let transformer = InputTransformer { input_paths_map: paths.clone(), input_template: template.clone() };
                described.input_transformer = Some(transformer);
            }
        }
        described
    }
}

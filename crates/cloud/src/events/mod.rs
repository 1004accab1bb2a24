//! `EventBridge`: events, the rules that match them, the targets that they start.

mod event;
mod object;
mod pattern;
pub mod put;

use std::sync::Arc;

use bytes::Bytes;
use sam::{EventRule, EventSource, LeftOut, Target};
use serde_json::Value;

use crate::{
    lambda::{InvokeOptions, Lambda},
    s3::ObjectEvent,
    states::{Start, States},
};

pub use event::Event;
pub use pattern::{Pattern, PatternError};

/// The bus that events go to where none is named.
const DEFAULT_BUS: &str = "default";

/// A rule's pattern can't be used.
#[derive(Debug, thiserror::Error)]
#[error("rule {rule}: {error}")]
pub struct RuleError {
    /// The rule's name.
    pub rule: String,
    /// What is wrong.
    pub error: PatternError,
}

/// The buses, as far as the template's own rules listen to them.
pub struct Events {
    rules: Vec<Rule>,
    /// The buckets whose changes are sent here.
    buckets: Vec<String>,
    region: String,
    account: String,
    lambda: Arc<Lambda>,
    states: Arc<States>,
}

struct Rule {
    name: String,
    bus: String,
    pattern: Pattern,
    target: Target,
    input: Option<Value>,
}

impl Events {
    /// The rules of an application, and which of them are left out.
    pub fn new(
        application: &sam::Application,
        region: &str,
        account: &str,
        lambda: Arc<Lambda>,
        states: Arc<States>,
    ) -> Result<(Self, Vec<LeftOut>), RuleError> {
        let mut rules = Vec::new();
        let mut left_out = Vec::new();
        for described in application.rules.iter().filter(|rule| rule.enabled) {
            match Rule::read(described)? {
                Some(rule) => rules.push(rule),
                None => left_out.push(LeftOut {
                    place: format!("Resources/{}", described.name),
                    what: "a schedule".into(),
                    reason: "schedules are not fired yet; invoke the target by hand".into(),
                }),
            }
        }
        let buckets = application.buckets.iter().filter(|bucket| bucket.event_bridge);
        let buckets = buckets.map(|bucket| bucket.name.clone()).collect();
        let events = Self { rules, buckets, region: region.into(), account: account.into(), lambda, states };
        Ok((events, left_out))
    }

    /// Sends a change of an object, where its bucket asks for that.
    pub fn object_changed(&self, change: &ObjectEvent) {
        if self.buckets.contains(&change.bucket) {
            let (detail_type, detail) = object::detail(change);
            let resource = format!("arn:aws:s3:::{}", change.bucket);
            self.send(&Event::of_service("aws.s3", detail_type, resource, detail, change.time));
        }
    }

    /// Gives an event to the targets of all rules that match it.
    pub fn send(&self, event: &Event) {
        let told = event.to_json(&self.region, &self.account);
        let mut matched = 0;
        for rule in self.rules.iter().filter(|rule| rule.bus == event.bus && rule.pattern.matches(&told)) {
            matched += 1;
            self.start(rule, &told);
        }
        let Event { source, detail_type, bus, .. } = event;
        tracing::debug!(source, detail_type, bus, matched, "an event went through the rules");
    }

    fn start(&self, rule: &Rule, event: &Value) {
        let input = rule.input.as_ref().unwrap_or(event).to_string();
        let started = match &rule.target {
            Target::Function(name) => self
                .lambda
                .invoke_event(name, Bytes::from(input), InvokeOptions::default())
                .map(|_| ())
                .map_err(|error| error.to_string()),
            Target::StateMachine(arn) => self
                .states
                .start(arn, Start { input: Some(&input), ..Start::default() })
                .map(|_| ())
                .map_err(|error| error.to_string()),
        };
        match started {
            Ok(()) => {
                tracing::debug!(rule = rule.name, target = ?rule.target, "a rule has matched, its target is started");
            }
            Err(error) => tracing::error!(rule = rule.name, error, "an event could not start the target"),
        }
    }
}

impl Rule {
    /// A rule with a pattern; nothing for a schedule.
    fn read(described: &EventRule) -> Result<Option<Self>, RuleError> {
        let EventSource::Pattern(pattern) = &described.source else { return Ok(None) };
        let pattern = Pattern::parse(pattern).map_err(|error| RuleError { rule: described.name.clone(), error })?;
        Ok(Some(Self {
            name: described.name.clone(),
            bus: described.bus.clone(),
            pattern,
            target: described.target.clone(),
            input: described.input.clone(),
        }))
    }
}

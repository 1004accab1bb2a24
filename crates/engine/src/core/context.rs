//! The context object, `$$`.

use std::sync::Arc;

use asl::{
    Value,
    context::{Environment, TimeAllowed},
    flow::Stage,
    machine::{Kind, State},
    timestamp,
    value::Object,
};
use time::OffsetDateTime;

use super::{
    Execution,
    branch::{Branch, Visit},
};

/// An element of a Map state's array.
#[derive(Debug)]
pub(super) struct MapItem {
    pub(super) index: u64,
    pub(super) value: Value,
}

/// What an evaluation at a state can ask for.
pub(super) struct Surroundings<'a> {
    pub(super) execution: &'a Execution,
    pub(super) state: &'a State,
    pub(super) visit: &'a Visit,
    pub(super) map_item: Option<&'a MapItem>,
    /// The token of the task that is about to be made.
    pub(super) task_token: Option<Arc<str>>,
    pub(super) variables: &'a Object,
}

impl<'a> Surroundings<'a> {
    pub(super) fn of(execution: &'a Execution, branch: &'a Branch, visit: &'a Visit) -> Self {
        let state = branch.graph.state(visit.state);
        Self {
            execution,
            state,
            visit,
            map_item: branch.map_item.as_deref(),
            task_token: None,
            variables: &branch.variables,
        }
    }

    /// `$$.State`; only a state that can retry has a `RetryCount`.
    fn state_object(&self) -> Value {
        let mut object = Object::from_iter([
            ("Name".into(), Value::String(self.state.name.clone())),
            ("EnteredTime".into(), timestamp::format(self.visit.entered_at).into()),
        ]);
        if let Kind::Task(_) | Kind::Parallel(_) | Kind::Map(_) = self.state.kind {
            object.insert("RetryCount".into(), u64::from(self.visit.retry_count()).into());
        }
        object.into()
    }
}

impl Environment for Surroundings<'_> {
    fn context(&self) -> Value {
        if let Some(context) = self.execution.trial.as_ref().and_then(|trial| trial.context.clone()) {
            return context;
        }
        let identity = &self.execution.identity;
        let text = |text: &Arc<str>| Value::String(text.clone());
        let mut execution = Object::from_iter([
            ("Id".into(), text(&identity.arn)),
            ("Input".into(), identity.input.clone()),
            ("StartTime".into(), timestamp::format(identity.started_at).into()),
            ("Name".into(), text(&identity.name)),
            ("RoleArn".into(), text(&identity.role_arn)),
        ]);
        if !identity.is_express() {
            let redrive = self.execution.redriven();
            execution.insert("RedriveCount".into(), redrive.map_or(0, |redrive| redrive.count).into());
            execution.extend(redrive.map(|redrive| ("RedriveTime".into(), timestamp::format(redrive.at).into())));
        }
        let mut context = Object::from_iter([
            ("Execution".into(), execution.into()),
            (
                "StateMachine".into(),
                Value::from([("Id", text(&identity.state_machine_arn)), ("Name", text(&identity.state_machine_name))]),
            ),
            ("State".into(), self.state_object()),
        ]);
        if let Some(token) = &self.task_token {
            context.insert("Task".into(), Value::from([("Token", text(token))]));
        }
        if let Some(item) = self.map_item {
            let item = Value::from([("Index", Value::from(item.index)), ("Value", item.value.clone())]);
            context.insert("Map".into(), Value::from([("Item", item)]));
        }
        context.into()
    }

    fn variable(&self, name: &str) -> Option<Value> {
        self.variables.get(name).cloned()
    }

    fn now(&self) -> OffsetDateTime {
        self.execution.now
    }

    fn random(&self) -> u64 {
        self.execution.random()
    }

    fn time_allowed(&self) -> TimeAllowed {
        self.execution.evaluations.begin()
    }

    fn took_too_long(&self) {
        self.execution.evaluations.took_too_long();
    }

    fn observe(&self, stage: Stage, value: &Value) {
        if let Some(trial) = &self.execution.trial {
            trial.observe(stage, value);
        }
    }
}
